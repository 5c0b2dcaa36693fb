import { averagePrecision, precisionRecallCurve, rocCurve } from "../../scores/curves";
import type { Interval } from "../../scores/intervals/bootstrap";
import { aggregateByPatient } from "../../scores/patients";
import { binaryAnswers, type RunAnswers } from "../../training/runs/binary-answers";
import type { RunSummary } from "../../training/runs/run-summary";
import { classColours } from "../display/colours";
import { type HtmlDisplay, noteDisplay } from "../display/display";
import type { Figure } from "../display/figure";
import {
  type PrecisionRecallSeries,
  plotConfusionMatrix,
  plotPrecisionRecall,
  plotProbabilities,
  plotRocCurves,
  type RocSeries,
} from "./evaluation-figures";

// Curves ask about one class; of a run of subtypes they are about the answers benign and malignant that follow.

/** A figure, or a sentence that says why there is none. */
export type FigureOrNote = Figure | HtmlDisplay;

const noPatients = noteDisplay("No test image's patient is known, so nothing can be said by patient.");
const noTest = noteDisplay("This run's test part is empty, so there is nothing to judge it by.");
const noPositiveClass = noteDisplay("None of the classes is the one to be found, so there is no such curve.");

/** Draws the test part's confusion matrix, counting images or patients. */
export function plotRunConfusion(
  summary: RunSummary,
  unit: "images" | "patients",
  intervals?: readonly (readonly Interval[])[],
): FigureOrNote {
  if (summary.test === null) return noTest;
  const scores = unit === "images" ? summary.test : summary.test.byPatient;
  if (scores === null) return noPatients;
  return plotConfusionMatrix(scores.confusionMatrix, summary.classes, unit, summary.synthetic, intervals);
}

/** Draws the test part's receiver operating characteristics, by image and, where patients are known, by patient. */
export function plotRunRoc(answers: RunAnswers): FigureOrNote {
  const run = binaryAnswers(answers);
  const { summary } = run;
  const { positiveClass, threshold, test } = summary;
  if (test === null) return noTest;
  if (positiveClass === null) return noPositiveClass;
  const images = run.predictions.filter(({ split }) => split === "test");
  const patients = aggregateByPatient(images, { positiveClass, threshold });
  const series = (unit: string, judged: readonly Judged[], auc: number | null): RocSeries => ({
    unit,
    curve: rocCurve(
      judged.map(({ label }) => label === positiveClass),
      judged.map(({ probabilities }) => probabilities[positiveClass]!),
      { dropIntermediate: false },
    ),
    auc: auc ?? Number.NaN,
    threshold,
  });
  const byPatient = test.byPatient === null ? [] : [series("patients", patients, test.byPatient.auc)];
  const all = [series("images", images, test.auc), ...byPatient];
  return plotRocCurves(all, summary.classes[positiveClass]!, summary.synthetic);
}

/** Draws precision against sensitivity on the test part, by image and, where patients are known, by patient. */
export function plotRunPrecisionRecall(answers: RunAnswers): FigureOrNote {
  const run = binaryAnswers(answers);
  const { classes, positiveClass, threshold, test, synthetic } = run.summary;
  if (test === null) return noTest;
  if (positiveClass === null) return noPositiveClass;
  const images = run.predictions.filter(({ split }) => split === "test");
  const patients = aggregateByPatient(images, { positiveClass, threshold });
  const series = (unit: string, judged: readonly Judged[]): PrecisionRecallSeries => {
    const positive = judged.map(({ label }) => label === positiveClass);
    const scores = judged.map(({ probabilities }) => probabilities[positiveClass]!);
    return {
      unit,
      curve: precisionRecallCurve(positive, scores),
      averagePrecision: averagePrecision(positive, scores),
      prevalence: positive.filter(Boolean).length / positive.length,
    };
  };
  const all = [series("images", images), ...(patients.length === 0 ? [] : [series("patients", patients)])];
  return plotPrecisionRecall(all, classes[positiveClass]!, synthetic);
}

interface Judged {
  label: number;
  probabilities: readonly number[];
}

/** Draws how sure the classifier was of the positive class, for the test images of each true class. */
export function plotRunProbabilities(answers: RunAnswers): FigureOrNote {
  const run = binaryAnswers(answers);
  const { classes, positiveClass, synthetic, test } = run.summary;
  if (test === null) return noTest;
  if (positiveClass === null) return noPositiveClass;
  const images = run.predictions.filter(({ split }) => split === "test");
  return plotProbabilities(
    images.map(({ probabilities }) => probabilities[positiveClass]!),
    images.map(({ label }) => label),
    classes,
    classColours(classes, positiveClass),
    classes[positiveClass]!,
    synthetic,
  );
}
