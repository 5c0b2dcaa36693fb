import { asItIs, stainViews } from "../data/images/image-views";
import type { StainReference } from "../data/images/stain-reference";
import type { Dataset } from "../data/record";
import type { Split } from "../data/split/split-value";
import type { Backbone } from "../model/backbones/architecture";
import type { Features } from "../model/features/features";
import { extractTreated, fitTreatment } from "../model/features/treatment";
import type { TrainingSettings } from "../training/head/train";

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

/** What the heads of each arm are trained and tested on, and what one of them was normalised to. */
export interface PreparedArms {
  arms: Record<StainArm, Features>;
  reference: StainReference;
}

/** Computes what all arms learn from; null if it was interrupted. */
export async function prepareArms(task: StainArmsTask): Promise<PreparedArms | null> {
  const { dataset, split, backbone } = task;
  const { train } = split;
  const { inputSize } = backbone;
  const settings = { stain: "normalised", augmentation: "none" } as const;
  const treatment = await fitTreatment(dataset, settings, { train, inputSize });
  const normalised = await extractTreated(dataset, backbone, treatment);
  if (!normalised.complete) return null;
  const views = [asItIs, ...stainViews(task.views, task.strength)];
  const plain = { stain: null, fittedOn: [], views };
  const augmented = await extractTreated(dataset, backbone, plain, { rowsWithViews: train });
  if (!augmented.complete) return null;
  const { views: _, ...none } = augmented;
  // With stains normalised there is a reference, or fitting it would have failed.
  return { reference: treatment.stain!, arms: { none, normalised, augmented } };
}
