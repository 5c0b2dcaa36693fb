import { type Dataset, imagePath } from "../data/dataset-value";
import { stainNormalisation, stainView } from "../data/image-transform";
import type { Split } from "../data/split-value";
import { strongJitter } from "../data/stain-jitter";
import { fitStainReference, type StainReference } from "../data/stain-reference";
import type { Backbone } from "../model/architecture";
import { extractFeatures, type Features } from "../model/features";
import type { TrainingSettings } from "../training/train";
import type { FeatureTable, TrainingParts } from "../training/training-data";

/**
 * What is done about stains: nothing, normalisation of every image to the training part's stains, or training on
 * views of the training images with stains changed at random as well.
 */
export const stainArms = ["none", "normalised", "augmented"] as const;
export type StainArm = (typeof stainArms)[number];

/** What the arms are made of. */
export interface StainArmsTask {
  dataset: Dataset;
  /** The same for all arms; the reference is fitted on its training part. */
  split: Split;
  backbone: Backbone;
  settings: TrainingSettings;
  /** Views a training image besides itself, at least 1; 3 by default. */
  views?: number;
  /** Of the views' changes, see `jitterStains`; 0.2 by default, the paper's strong variant. */
  strength?: number;
}

/** What the heads of an arm are trained and tested on. */
export interface ArmData {
  table: FeatureTable;
  labels: number[];
  parts: TrainingParts;
  /** One row a record of the data set, in which the test part is looked up. */
  features: Features;
}

/** Adds the views' rows behind those of the records, and to the training part. */
function withViews(task: StainArmsTask, features: Features, views: readonly Features[]): ArmData {
  const { dataset, split } = task;
  const { width } = features;
  const values = new Float32Array(
    features.values.length + views.reduce((n, view) => n + view.values.length, 0),
  );
  values.set(features.values);
  const labels = dataset.records.map(({ label }) => label);
  const train = [...split.train];
  for (const view of views) {
    values.set(view.values, labels.length * width);
    for (const row of split.train) {
      train.push(labels.length);
      labels.push(dataset.records[row]!.label);
    }
  }
  // Without views as they came, with which images they are: training looks for copies in other parts.
  const table = views.length === 0 ? features : { values, width };
  return { table, labels, parts: { train, validation: split.validation }, features };
}

/** Computes the views' features; null if it was interrupted. */
async function extractViews(task: StainArmsTask): Promise<Features[] | null> {
  const { dataset, split, backbone, settings, views = 3, strength = strongJitter } = task;
  const training = { ...dataset, records: split.train.map((row) => dataset.records[row]!) };
  const extracted: Features[] = [];
  for (let view = 0; view < views; view++) {
    const transform = stainView({ seed: settings.seed, view, strength });
    const features = await extractFeatures(training, backbone, { transform });
    if (!features.complete) return null;
    extracted.push(features);
  }
  return extracted;
}

export interface PreparedArms {
  arms: Record<StainArm, ArmData>;
  reference: StainReference;
}

/** Computes what all arms learn from; null if it was interrupted. */
export async function prepareArms(task: StainArmsTask): Promise<PreparedArms | null> {
  const { dataset, split, backbone } = task;
  const paths = split.train.map((row) => imagePath(dataset, dataset.records[row]!));
  const reference = await fitStainReference(paths, backbone.inputSize);
  const plain = await extractFeatures(dataset, backbone);
  if (!plain.complete) return null;
  const normalised = await extractFeatures(dataset, backbone, { transform: stainNormalisation(reference) });
  if (!normalised.complete) return null;
  const views = await extractViews(task);
  if (views === null) return null;
  return {
    reference,
    arms: {
      none: withViews(task, plain, []),
      normalised: withViews(task, normalised, []),
      augmented: withViews(task, plain, views),
    },
  };
}
