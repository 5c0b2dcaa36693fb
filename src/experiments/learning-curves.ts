import { asItIs } from "../data/images/image-views";
import type { Dataset } from "../data/record";
import { type PatientSubset, takePatients } from "../data/split/patient-subset";
import type { Split } from "../data/split/split-value";
import type { Features } from "../model/features/features";
import { runCooperatively } from "../runtime/interruption";
import { mean } from "../runtime/many";
import { startProgress } from "../runtime/progress";
import { createRandom } from "../runtime/random";
import { rangeRefusal, refusal } from "../runtime/refusal";
import type { BootstrapOptions } from "../scores/intervals/bootstrap";
import { type ScoreIntervals, scoreWithIntervals } from "../scores/intervals/score-intervals";
import type { Prediction } from "../scores/prediction";
import { predictionsOf } from "../scores/predictions-of";
import type { TrainingSettings } from "../training/head/train";
import { trainAndTest } from "./train-and-test";

/** One way to learn from images, compared with others. */
export interface LearningArm {
  /** As it stands in the figure's legend. */
  name: string;
  /**
   * Learns from a subset and tells what the test part's images are.
   *
   * @param seed - Decides whatever is random in it.
   * @returns Shape [test images, classCount], row by row; null if it was interrupted.
   */
  learn(subset: PatientSubset, test: readonly number[], seed: number): Promise<Float32Array | null>;
}

/** What is compared. */
export interface LearningCurvesTask {
  dataset: Dataset;
  /** By patient. Patients are taken from its train and validation parts; its test part judges all arms alike. */
  split: Split;
  arms: readonly LearningArm[];
  /** Of the patients, each above 0 and up to 1; 5, 10, 20, 50 and 100 % by default. */
  shares?: readonly number[];
  /** Each takes other patients and other first weights; 1 to 3 by default. */
  seeds?: readonly number[];
  bootstrap?: BootstrapOptions;
  /** Called after each share that an arm has finished, with all points so far. */
  onPoint?: (points: readonly LearningPoint[]) => void;
}

/** How well one arm does with one share of the patients. */
export interface LearningPoint {
  arm: string;
  share: number;
  /** Learned from, validation included: means over the seeds. */
  patients: number;
  images: number;
  /** On the test part; means over the seeds, with intervals that resample seeds and the test part's patients together. */
  scores: ScoreIntervals;
}

/** How much each arm needs to see. */
export interface LearningCurves {
  points: LearningPoint[];
  testPatients: number;
  testImages: number;
  seeds: number[];
  /** False after an interrupt; then the points are those that were finished. */
  complete: boolean;
  seconds: number;
}

const defaultShares = [0.05, 0.1, 0.2, 0.5, 1];

/** An arm that trains a head on features that are there already. */
export function headArm(
  name: string,
  { dataset, features, settings }: { dataset: Dataset; features: Features; settings: TrainingSettings },
): LearningArm {
  return {
    name,
    async learn(subset, test, seed) {
      const split = { ...subset, test };
      const tested = await trainAndTest({ dataset, features, split, settings, seed, views: [asItIs] });
      return tested?.values ?? null;
    },
  };
}

/** One arm with one share, for all seeds; null if it was interrupted. */
async function measurePoint(
  task: LearningCurvesTask,
  arm: LearningArm,
  share: number,
  seeds: readonly number[],
): Promise<LearningPoint | null> {
  const { dataset, split } = task;
  const rule = { positiveClass: dataset.positiveClass, threshold: 0.5 };
  const subsets: PatientSubset[] = [];
  const predictions: (Prediction & { repeat: number })[] = [];
  for (const [repeat, seed] of seeds.entries()) {
    const subset = takePatients(dataset, [...split.train, ...split.validation], share, seed);
    const armSeed = createRandom(seed)
      .fork(`learning from ${share}`)
      .integer(2 ** 32);
    const probabilities = await arm.learn(subset, split.test, armSeed);
    if (probabilities === null) return null;
    subsets.push(subset);
    for (const one of predictionsOf(dataset, split.test, probabilities, rule))
      predictions.push({ ...one, repeat });
  }
  const options = { resampleGroups: true, ...task.bootstrap };
  return {
    arm: arm.name,
    share,
    patients: mean(subsets.map(({ patients }) => patients)),
    images: mean(subsets.map(({ train, validation }) => train.length + validation.length)),
    scores: scoreWithIntervals(predictions, rule, options),
  };
}

/** Ascending shares, those left out that take no more patients than the one before. */
function distinctShares(
  { dataset, split }: LearningCurvesTask,
  shares: readonly number[],
  seed: number,
): number[] {
  const rows = [...split.train, ...split.validation];
  let most = 0;
  return [...shares]
    .sort((one, other) => one - other)
    .filter((share) => {
      const { patients } = takePatients(dataset, rows, share, seed);
      const more = patients > most;
      most = Math.max(most, patients);
      return more;
    });
}

function checkTask({ split, arms, shares, seeds }: LearningCurvesTask): void {
  if (split.by !== "patient") {
    throw refusal(
      `Learning curves ask what holds for new patients, so they need a split by patient; this one is by ${split.by}.`,
    );
  }
  if (split.test.length === 0) throw refusal("The test part has no images, so nothing can be judged on it.");
  if (arms.length === 0 || shares?.length === 0 || seeds?.length === 0) {
    throw rangeRefusal("Learning curves need at least one arm, one share of the patients and one seed.");
  }
}

/**
 * Measures how well several ways of learning do with few and with many patients, on the same test part.
 *
 * Each share takes at least one patient of each class to train and one to validate with. Where a set is so small that
 * several shares come out as the same number of patients, only the smallest of them is measured. An interrupt ends it with
 * the points that were finished.
 *
 * @throws Error if the split is not by patient, a patient is unknown or a class has less than two patients.
 */
export async function measureLearningCurves(task: LearningCurvesTask): Promise<LearningCurves> {
  checkTask(task);
  const { dataset, split, arms, seeds = [1, 2, 3] } = task;
  const shares = distinctShares(task, task.shares ?? defaultShares, seeds[0]!);
  const startedAtMs = performance.now();
  const points: LearningPoint[] = [];
  const progress = startProgress("Measuring learning curves", arms.length * shares.length, "points");
  try {
    const complete = await runCooperatively("learning curves", async (signal) => {
      // Share by share, so that a figure that grows compares the arms from the beginning.
      for (const share of shares) {
        for (const arm of arms) {
          const point = signal.aborted ? null : await measurePoint(task, arm, share, seeds);
          if (point === null) return false;
          points.push(point);
          progress.advance();
          task.onPoint?.(points);
        }
      }
      return true;
    });
    return {
      points,
      testPatients: new Set(split.test.map((row) => dataset.records[row]!.patient)).size,
      testImages: split.test.length,
      seeds: [...seeds],
      complete,
      seconds: (performance.now() - startedAtMs) / 1000,
    };
  } finally {
    progress.finish();
  }
}
