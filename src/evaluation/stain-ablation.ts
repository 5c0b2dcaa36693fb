import { type Dataset, imagePath } from "../data/dataset";
import { stainNormalisation } from "../data/image-transform";
import type { Split } from "../data/split";
import { fitStainReference, type StainReference } from "../data/stain-reference";
import type { Backbone } from "../model/backbone";
import type { DecisionRule } from "../model/decision";
import { extractFeatures } from "../model/features";
import type { Prediction } from "../training/run-summary";
import { type TrainingSettings, trainHead } from "../training/train";
import type { BootstrapOptions } from "./bootstrap";
import { compareRuns, type RunComparison } from "./compare-runs";
import { predictSplit } from "./evaluate";

/** What is trained once more. */
export interface StainAblationTask {
  dataset: Dataset;
  split: Split;
  backbone: Backbone;
  settings: TrainingSettings;
  rule: DecisionRule;
  /** Of the run itself, whose images are stained as they are. */
  predictions: readonly Prediction[];
  bootstrap?: BootstrapOptions;
}

/** What normalised stains changed on the test part. */
export interface StainAblation {
  reference: StainReference;
  /** Second: with normalised stains. */
  comparison: RunComparison;
}

/**
 * Trains the same head on features of stain-normalised images and compares the test part with the run's own.
 *
 * The reference is fitted on training images only. Computes every image's features anew, once: they are cached.
 *
 * @throws Error if no training image shows two stains, or if it was interrupted.
 */
export async function ablateStain(task: StainAblationTask): Promise<StainAblation> {
  const { dataset, split, backbone, settings, rule } = task;
  const paths = split.train.map((row) => imagePath(dataset, dataset.records[row]!));
  const reference = await fitStainReference(paths, backbone.inputSize);
  const features = await extractFeatures(dataset, backbone, { transform: stainNormalisation(reference) });
  const labels = dataset.records.map(({ label }) => label);
  const classCount = dataset.classes.length;
  const { head } = await trainHead({ features, labels, split, classCount, settings });
  const normalised = predictSplit(dataset, split, features, { head, ...rule });
  const testOf = (predictions: readonly Prediction[]) => predictions.filter((one) => one.split === "test");
  return {
    reference,
    comparison: compareRuns(testOf(task.predictions), testOf(normalised), rule, task.bootstrap),
  };
}
