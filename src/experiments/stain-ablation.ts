import { asItIs } from "../data/images/image-views";
import type { StainReference } from "../data/images/stain-reference";
import type { Features } from "../model/features/features";
import { runCooperatively } from "../runtime/interruption";
import { pushAll } from "../runtime/many";
import { type ProgressReporter, startProgress } from "../runtime/progress";
import { rangeRefusal, refusal } from "../runtime/refusal";
import {
  type BootstrapOptions,
  bootstrapPatiently,
  type Interval,
  optionsAfter,
} from "../scores/intervals/bootstrap";
import { shareInterval } from "../scores/intervals/share-interval";
import type { Prediction } from "../scores/prediction";
import { predictionsOf } from "../scores/predictions-of";
import { prepareScores } from "../scores/weighed-scores";
import { prepareArms, type StainArm, type StainArmsTask, stainArms } from "./stain-arms";
import { trainAndTest } from "./train-and-test";

/** What is compared, and how. */
export interface StainAblationTask extends StainArmsTask {
  /** One head an arm for each; 1 to 5 by default. */
  seeds?: readonly number[];
  bootstrap?: BootstrapOptions;
}

/** Scores on the images of the test part; AUC is null where it is undefined. */
export interface ArmScores {
  accuracy: number;
  balancedAccuracy: number;
  auc: number | null;
}

/** Each arm's accuracy, and by how much it is above that of doing nothing. */
export type StainScore = StainArm | "normalisedGain" | "augmentedGain";

/** What treating stains brings. */
export interface StainAblation {
  /** Seeds that were finished. */
  seeds: { seed: number; arms: Record<StainArm, ArmScores> }[];
  /** Mean accuracies over the seeds; intervals resample seeds and patients together. Null if no seed was finished. */
  accuracy: Record<StainScore, Interval> | null;
  /** What images were normalised to; null if it was interrupted before. */
  reference: StainReference | null;
  trainImages: number;
  testImages: number;
  views: number;
  /** False after an interrupt; then the numbers are of the seeds that were finished. */
  complete: boolean;
  seconds: number;
}

/** A test prediction of one arm. */
interface ArmPrediction extends Prediction {
  arm: StainArm;
}

async function testArm(
  task: StainAblationTask,
  arm: StainArm,
  features: Features,
  seed: number,
): Promise<ArmPrediction[] | null> {
  const { dataset, split, settings } = task;
  const tested = await trainAndTest({ dataset, features, split, settings, seed, views: [asItIs] });
  if (tested === null) return null;
  const rule = { positiveClass: dataset.positiveClass, threshold: 0.5 };
  return predictionsOf(dataset, split.test, tested.values, rule).map((prediction) => ({
    ...prediction,
    arm,
  }));
}

/** The scores of one arm, from the weights of a whole group. */
function prepareArm(items: readonly ArmPrediction[], arm: StainArm, positiveClass: number | null) {
  const rows = items.flatMap((item, i) => (item.arm === arm ? [i] : []));
  const score = prepareScores(
    rows.map((row) => items[row]!),
    { positiveClass },
  );
  return (weights: Float64Array) => score(Float64Array.from(rows, (row) => weights[row]!));
}

function prepareAccuracies(positiveClass: number | null) {
  return (items: readonly ArmPrediction[]) => {
    const [none, normalised, augmented] = stainArms.map((arm) => prepareArm(items, arm, positiveClass));
    return (weights: Float64Array): Record<StainScore, number> => {
      const plain = none!(weights).accuracy;
      const [byNormalising, byAugmenting] = [normalised!(weights).accuracy, augmented!(weights).accuracy];
      return {
        none: plain,
        normalised: byNormalising,
        augmented: byAugmenting,
        normalisedGain: byNormalising - plain,
        augmentedGain: byAugmenting - plain,
      };
    };
  };
}

function accuracyOf(
  groups: readonly (readonly ArmPrediction[])[],
  arm: StainArm,
  options: BootstrapOptions,
): Interval {
  return shareInterval(
    groups,
    (item) => item.arm === arm,
    ({ label, predicted }) => (label === predicted ? 1 : 0),
    options,
  );
}

function scoreArm(items: readonly ArmPrediction[], arm: StainArm, positiveClass: number | null): ArmScores {
  const once = new Float64Array(items.length).fill(1);
  const { accuracy, balancedAccuracy, auc } = prepareArm(items, arm, positiveClass)(once);
  return { accuracy, balancedAccuracy, auc: Number.isNaN(auc) ? null : auc };
}

interface AblationWork {
  groups: { seed: number; items: ArmPrediction[] }[];
  reference: StainReference | null;
  complete: boolean;
}

async function work(
  task: StainAblationTask,
  seeds: readonly number[],
  progress: ProgressReporter,
  signal: AbortSignal,
): Promise<AblationWork> {
  const done: AblationWork = { groups: [], reference: null, complete: false };
  const prepared = await prepareArms(task);
  if (prepared === null) return done;
  done.reference = prepared.reference;
  for (const seed of seeds) {
    const items: ArmPrediction[] = [];
    for (const arm of stainArms) {
      const tested = signal.aborted ? null : await testArm(task, arm, prepared.arms[arm], seed);
      if (tested === null) return done;
      pushAll(items, tested);
      progress.advance();
    }
    done.groups.push({ seed, items });
  }
  return { ...done, complete: true };
}

function checkTask({ split, views = 3 }: StainAblationTask, seeds: readonly number[]): void {
  if (seeds.length === 0) throw rangeRefusal("A comparison of stains needs at least one seed.");
  if (!Number.isInteger(views) || views < 1) {
    throw rangeRefusal(`Stain augmentation needs at least one view an image, found ${views}.`);
  }
  if (split.test.length === 0) {
    throw refusal("The test part has no images, so nothing can be compared on it. Choose another split.");
  }
}

/**
 * Finds out what treating stains brings: the same head, on the same split, trained on images as they are, on
 * normalised ones, and on views of other stains as well; scored on the test part's images.
 *
 * Features are computed anew for all normalised images and for each view of the training part, once: they are kept
 * in the cache. An interrupt ends it with the seeds that were finished.
 *
 * @throws Error if the test part is empty, no training image shows two stains, or training can't be done on the split.
 */
export async function compareStains(task: StainAblationTask): Promise<StainAblation> {
  const { dataset, split, seeds = [1, 2, 3, 4, 5], views = 3 } = task;
  checkTask(task, seeds);
  const { positiveClass } = dataset;
  const startedAtMs = performance.now();
  const progress = startProgress("Comparing stains", stainArms.length * seeds.length, "heads");
  try {
    const done = await runCooperatively("comparing stains", (signal) => work(task, seeds, progress, signal));
    const groups = done.groups.map(({ items }) => items);
    const options = optionsAfter(done.complete, task.bootstrap);
    return {
      seeds: done.groups.map(({ seed, items }) => ({
        seed,
        arms: {
          none: scoreArm(items, "none", positiveClass),
          normalised: scoreArm(items, "normalised", positiveClass),
          augmented: scoreArm(items, "augmented", positiveClass),
        },
      })),
      accuracy:
        groups.length === 0
          ? null
          : {
              ...(await bootstrapPatiently(groups, prepareAccuracies(positiveClass), options)),
              none: accuracyOf(groups, "none", options),
              normalised: accuracyOf(groups, "normalised", options),
              augmented: accuracyOf(groups, "augmented", options),
            },
      reference: done.reference,
      trainImages: split.train.length,
      testImages: split.test.length,
      views,
      complete: done.complete,
      seconds: (performance.now() - startedAtMs) / 1000,
    };
  } finally {
    progress.finish();
  }
}
