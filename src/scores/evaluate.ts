import type { Dataset } from "../data/dataset";
import type { ImageView } from "../data/images/image-views";
import type { Split } from "../data/split/split";
import { type SplitPart, splitParts } from "../data/split/split-value";
import type { DecisionRule } from "../model/classifier/decision";
import type { Head } from "../model/classifier/head";
import { predictRows } from "../model/classifier/predict-rows";
import type { Features } from "../model/features/features";
import { confusionMatrix } from "./confusion-matrix";
import { majorityClassAccuracy } from "./metrics";
import { aggregateByPatient } from "./patients";
import type { PartScores, PatientScores, Prediction, Scores } from "./prediction";
import { predictionsOf } from "./predictions-of";
import { tumourAnswers, tumourRule } from "./tumour-answer";
import { type Judged, prepareScores } from "./weighed-scores";

/** What turns features into decisions: a classifier is one. */
export interface Decider extends DecisionRule {
  head: Head;
  /** Whose mean is taken; by default the image as it is alone. */
  views?: readonly ImageView[];
}

/**
 * Predicts every image of a split from its cached features: the same numbers as from the image files.
 *
 * @returns In the split's order: train, validation, test.
 */
export function predictSplit(
  dataset: Dataset,
  split: Split,
  features: Features,
  classifier: Decider,
): Prediction[] {
  return splitParts.flatMap((part) => {
    const values = predictRows(classifier.head, features, split[part], classifier.views);
    return predictionsOf(dataset, split[part], values, classifier, part);
  });
}

/** NaN, what a metric gives where it is undefined, as null, which JSON can hold. */
const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** Scores decisions about images, or about patients; at least one. */
export function scoreDecisions(judged: readonly Judged[], positiveClass: number | null): Scores {
  const trueLabels = judged.map(({ label }) => label);
  const predictedLabels = judged.map(({ predicted }) => predicted);
  const classCount = judged[0]!.probabilities.length;
  const once = new Float64Array(judged.length).fill(1);
  const { accuracy, balancedAccuracy, auc, sensitivity, specificity } = prepareScores(judged, {
    positiveClass,
  })(once);
  return {
    count: judged.length,
    accuracy,
    balancedAccuracy,
    auc: orNull(auc),
    sensitivity: orNull(sensitivity),
    specificity: orNull(specificity),
    majorityClassAccuracy: majorityClassAccuracy(trueLabels),
    confusionMatrix: confusionMatrix(trueLabels, predictedLabels, classCount),
  };
}

function scorePatients(predictions: readonly Prediction[], rule: DecisionRule): PatientScores | null {
  const patients = aggregateByPatient(predictions, rule);
  if (patients.length === 0) return null;
  return {
    ...scoreDecisions(patients, rule.positiveClass),
    mixedPatients: patients.filter(({ mixed }) => mixed).map(({ patient }) => patient),
    imagesWithoutPatient: predictions.filter(({ patient }) => patient === null).length,
  };
}

/**
 * Scores the predictions of one part of a split, by image and by patient.
 *
 * @returns Null if the part has no images.
 */
export function evaluatePart(
  predictions: readonly Prediction[],
  part: SplitPart,
  rule: DecisionRule,
): PartScores | null {
  const ofPart = predictions.filter(({ split }) => split === part);
  if (ofPart.length === 0) return null;
  return { ...scoreDecisions(ofPart, rule.positiveClass), byPatient: scorePatients(ofPart, rule) };
}

/** Counts the images and the known patients of each part of a split. */
export function countParts(
  dataset: Dataset,
  split: Split,
): Record<SplitPart, { images: number; patients: number }> {
  const count = (rows: readonly number[]) => {
    const patients = rows.map((row) => dataset.records[row]!.patient).filter((patient) => patient !== null);
    return { images: rows.length, patients: new Set(patients).size };
  };
  return { train: count(split.train), validation: count(split.validation), test: count(split.test) };
}

/**
 * The wrong decisions that were taken with the most confidence, the worst first: where to look for wrong labels,
 * bad images, and what the classifier has not understood.
 *
 * @param count - At most this many.
 */
export function mostConfidentErrors(predictions: readonly Prediction[], count: number): Prediction[] {
  const confidence = (prediction: Prediction) => prediction.probabilities[prediction.predicted]!;
  return predictions
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => confidence(b) - confidence(a))
    .slice(0, count);
}

/** Scores of the binary answers that follow, by part; null if the classes are no subtypes. */
export function scoreTumourAnswers(
  predictions: readonly Prediction[],
  classes: readonly string[],
): { validation: PartScores | null; test: PartScores | null } | null {
  const answers = tumourAnswers(predictions, classes);
  if (answers === null) return null;
  return {
    validation: evaluatePart(answers, "validation", tumourRule),
    test: evaluatePart(answers, "test", tumourRule),
  };
}
