import type { Dataset } from "../../data/record";
import type { Features } from "../../model/features/features";
import { mean } from "../../runtime/many";
import { rocAuc } from "../../scores/curves";
import { type ScoreIntervals, scoreWithIntervals } from "../../scores/intervals/score-intervals";
import { recognitionRates } from "../../scores/patient-scores";
import type { OutOfFoldPrediction, Prediction } from "../../scores/prediction";
import type { TrainingSettings } from "../../training/head/train";
import type { Recipe } from "../compare-recipes";
import { crossValidate } from "../cross-validation";
import type { FeaturesFor } from "../features-for";
import type { OfficialFold, SharedPatient } from "./official-folds";

/** What publications on BreaKHis state of one division; shares in [0, 1]. */
export interface PublishedScores {
  images: number;
  patients: number;
  /** Share of all images that were classified correctly. */
  imageRecognitionRate: number;
  /** Mean over patients of the share of their images that were; null where no patient is known. */
  patientRecognitionRate: number | null;
  /** Of the positive class; null without one, or where only one class is tested. */
  auc: number | null;
}

/** The published scores that are means over folds. */
export type PublishedScore = Exclude<keyof PublishedScores, "images" | "patients">;

/** Mean and sample standard deviation over folds, as publications state them; null where a fold has none. */
export type MeanScores = Record<PublishedScore, { mean: number; deviation: number } | null>;

/** One fold file's results. */
export interface FoldFileResult {
  file: string;
  /** Images that the file names, and how many of them are here. */
  named: number;
  here: number;
  /** Images learned from, those that decide when to stop included. */
  learned: number;
  shared: SharedPatient[];
  all: PublishedScores;
  /** Without the patients who lie on both sides; null where nobody else is tested. */
  unshared: PublishedScores | null;
}

/** All fold files' results; JSON can hold it. */
export interface FoldFilesEvaluation {
  method: "fold-files";
  dataset: { name: string; synthetic: boolean; classes: string[]; positiveClass: number | null };
  backbone: string;
  seed: number;
  folds: FoldFileResult[];
  mean: MeanScores;
  meanUnshared: MeanScores;
  /** Means over folds with intervals that resample patients, without those on both sides; null where nobody is left. */
  intervals: ScoreIntervals | null;
  /** False after an interrupt; then the folds are those that were finished. */
  complete: boolean;
  /** What was done to the images; nothing where it is not noted. */
  recipe?: Recipe;
}

/** What is evaluated on the fold files. */
export interface FoldFilesTask {
  dataset: Dataset;
  features: Features;
  featuresFor?: FeaturesFor;
  settings: TrainingSettings;
  folds: readonly OfficialFold[];
}

/** The scores that BreaKHis results are published with; null of no predictions. */
export function publishedScores(
  predictions: readonly Prediction[],
  positiveClass: number | null,
): PublishedScores | null {
  if (predictions.length === 0) return null;
  const rates = recognitionRates(predictions);
  const positive = (one: Prediction) => Number(one.label === positiveClass);
  const labels = predictions.map(positive);
  const isDefined = positiveClass !== null && labels.includes(0) && labels.includes(1);
  return {
    images: predictions.length,
    patients: rates.patients.length,
    imageRecognitionRate: rates.imageRecognitionRate,
    patientRecognitionRate: rates.patients.length === 0 ? null : rates.patientRecognitionRate,
    auc: isDefined
      ? rocAuc(
          labels,
          predictions.map(({ probabilities }) => probabilities[positiveClass]!),
        )
      : null,
  };
}

/** Mean and sample standard deviation of what all folds have; null of fewer than two folds, or where one has none. */
export function meanScores(scores: readonly (PublishedScores | null)[]): MeanScores {
  const meanOf = (name: PublishedScore) => {
    const values = scores.map((one) => one?.[name] ?? Number.NaN);
    const center = mean(values);
    const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
    const deviation = Math.sqrt(squares / (values.length - 1));
    return Number.isNaN(deviation) ? null : { mean: center, deviation };
  };
  return {
    imageRecognitionRate: meanOf("imageRecognitionRate"),
    patientRecognitionRate: meanOf("patientRecognitionRate"),
    auc: meanOf("auc"),
  };
}

/** A fold file's test images and what was answered. */
interface TestedFold {
  fold: OfficialFold;
  predictions: OutOfFoldPrediction[];
  /** Without those of patients who lie on both sides. */
  unshared: OutOfFoldPrediction[];
}

function testedFold(fold: OfficialFold, all: readonly OutOfFoldPrediction[]): TestedFold {
  const predictions = all.filter((one) => one.fold === fold.fold);
  const shared = new Set(fold.shared.map(({ patient }) => patient));
  const unshared = predictions.filter(({ patient }) => patient === null || !shared.has(patient));
  return { fold, predictions, unshared };
}

function resultOf({ fold, ...tested }: TestedFold, positiveClass: number | null): FoldFileResult {
  const { file, named, missing, train, validation, shared } = fold;
  return {
    file,
    named,
    here: named - missing.length,
    learned: train.length + validation.length,
    shared,
    all: publishedScores(tested.predictions, positiveClass)!,
    unshared: publishedScores(tested.unshared, positiveClass),
  };
}

/**
 * Trains and tests a head on each of BreaKHis' published divisions, and scores it as its publications do, with and
 * without the patients whom a division has on both sides.
 *
 * The divisions overlap: each is scored by itself, and numbers are means over them. An interrupt ends it with the
 * folds that were finished, and `complete: false`.
 *
 * @throws Error if training can't work, see `crossValidate`.
 */
export async function evaluateFoldFiles(task: FoldFilesTask): Promise<FoldFilesEvaluation> {
  const { dataset, features, settings, folds } = task;
  const { name, synthetic, classes, positiveClass } = dataset;
  const { predictions, complete } = await crossValidate({ ...task, folds: folds.length, given: folds });
  const tested = folds
    .map((fold) => testedFold(fold, predictions))
    .filter((one) => one.predictions.length > 0);
  const results = tested.map((one) => resultOf(one, positiveClass));
  // Each division is scored by itself, also where a part of the data set leaves no image tested twice.
  const unshared = tested.flatMap((one) =>
    one.unshared.map((prediction) => ({ ...prediction, repeat: one.fold.fold })),
  );
  return {
    method: "fold-files",
    dataset: { name, synthetic, classes, positiveClass },
    backbone: features.backbone,
    seed: settings.seed,
    folds: results,
    mean: meanScores(results.map(({ all }) => all)),
    meanUnshared: meanScores(results.map((one) => one.unshared)),
    intervals: unshared.length === 0 ? null : scoreWithIntervals(unshared, { positiveClass, threshold: 0.5 }),
    complete,
  };
}
