import type { ImageView } from "../data/images/image-views";
import type { Dataset } from "../data/record";
import { answeringViews, predictRows } from "../model/classifier/predict-rows";
import type { Features } from "../model/features/features";
import { type TrainingResult, type TrainingSettings, trainHead } from "../training/head/train";
import { targetsOf } from "../training/head/training-data";
import type { FeaturesFor } from "./features-for";

/** A head to be trained on some images and asked about others. */
export interface TestTask {
  dataset: Dataset;
  features: Features;
  /** Where they depend on who is learned from, as with normalised stains: used in place of `features`. */
  featuresFor?: FeaturesFor | undefined;
  split: { train: readonly number[]; validation: readonly number[]; test: readonly number[] };
  settings: TrainingSettings;
  /** Decides the head's first weights and the order of images, in place of the settings' seed. */
  seed: number;
  /** Whose mean is the answer; by default what the settings say. */
  views?: readonly ImageView[];
}

/** What a head that has seen only the train and validation part says about the test part. */
export interface TestedHead extends Pick<TrainingResult, "bestEpoch" | "head"> {
  /** Shape [test images, classCount], row by row. */
  values: Float32Array;
  ended: "completed" | "early-stopping";
}

/**
 * Trains a head on one part of the records and asks it about another, without a progress bar of its own: one of the
 * many heads of an experiment.
 *
 * @returns Null if it was interrupted.
 */
export async function trainAndTest(task: TestTask): Promise<TestedHead | null> {
  const { dataset, featuresFor, split, settings, seed } = task;
  const features = featuresFor === undefined ? task.features : await featuresFor(dataset, split.train);
  if (featuresFor !== undefined && !features.complete) return null;
  const { head, bestEpoch, ended } = await trainHead({
    features,
    ...targetsOf(dataset),
    split,
    classCount: dataset.classes.length,
    settings: { ...settings, seed },
    showProgress: false,
  });
  if (ended === "interrupted") return null;
  const views = task.views ?? answeringViews(features, settings);
  return { values: predictRows(head, features, split.test, views), head, bestEpoch, ended };
}
