import type { Dataset } from "../data/record";
import { type Features, selectFeatures } from "../model/features/features";
import { runCooperatively } from "../runtime/interruption";
import { type ProgressReporter, startProgress } from "../runtime/progress";
import { rangeRefusal } from "../runtime/refusal";
import { completeSettings, type Settings } from "../runtime/settings";
import { type ScoreIntervals, scoreWithIntervals } from "../scores/intervals/score-intervals";
import { isDivergence, type TrainingSettings } from "../training/head/train";
import type { TrainingParts } from "../training/head/training-data";
import { crossValidate } from "./cross-validation";

/** Settings that can be tried on cached features; others need other features, or other images. */
const sweepable = [
  "learningRate",
  "hiddenUnits",
  "dropout",
  "l2",
  "batchSize",
  "classWeights",
  "epochs",
  "patience",
] as const;

type Sweepable = (typeof sweepable)[number];

/** The values to try of each setting; all combinations are tried. */
export type SweepGrid = { [K in Sweepable]?: readonly Settings[K][] };

/** One combination of settings, and what came of it. */
export interface SweepTry {
  /** The settings that the grid varies. */
  values: Partial<Settings>;
  /** Of out-of-fold predictions; null where it could not be trained. */
  scores: ScoreIntervals | null;
  /** Why not. */
  problem: string | null;
}

/** A sweep, finished, interrupted or under way. */
export interface Sweep {
  grid: SweepGrid;
  /** Combinations that were tried to the end, in the grid's order: the last setting changes fastest. */
  tries: SweepTry[];
  /** Combinations in all. */
  planned: number;
  /** What tries are compared by, by image; the AUC where a class is positive. */
  score: "auc" | "balancedAccuracy";
  folds: number;
  /** Of the training and validation part. */
  images: number;
  synthetic: boolean;
  /** False after an interrupt. */
  complete: boolean;
}

/** What settings are tried on. */
export interface SweepTask {
  dataset: Dataset;
  features: Features;
  /** Only its training and validation part are used. */
  split: Pick<TrainingParts, "train" | "validation">;
  /** What the grid does not vary. */
  settings: TrainingSettings;
  /** 5 by default. */
  folds?: number;
  /** Resamples of patients for each interval, 500 by default. */
  resamples?: number;
  /** Called with what there is so far, at the start and after each combination. */
  onTry?: (sweep: Sweep) => void;
}

/** Every combination of a grid's values. */
function combine(grid: SweepGrid): Partial<Settings>[] {
  const names = Object.keys(grid) as Sweepable[];
  for (const name of names) {
    if (!sweepable.includes(name)) {
      throw rangeRefusal(`A sweep can vary ${sweepable.join(", ")}; found ${name}.`);
    }
    if ((grid[name] ?? []).length === 0)
      throw rangeRefusal(`The sweep has no values for ${name}: give at least one.`);
  }
  if (names.length === 0)
    throw rangeRefusal("The sweep has nothing to vary: give values of at least one setting.");
  return names.reduce<Partial<Settings>[]>(
    (all, name) => all.flatMap((values) => grid[name]!.map((value) => ({ ...values, [name]: value }))),
    [{}],
  );
}

/** The training and validation part alone, as a data set of its own: what is not in it can't be looked at. */
function withoutTest({ dataset, features, split }: SweepTask): { dataset: Dataset; features: Features } {
  const rows = [...split.train, ...split.validation].sort((a, b) => a - b);
  return {
    dataset: { ...dataset, records: rows.map((row) => dataset.records[row]!) },
    features: selectFeatures(features, rows),
  };
}

/** Cross-validates one combination; null if it was interrupted. */
async function tryValues(
  values: Partial<Settings>,
  task: SweepTask,
  known: { dataset: Dataset; features: Features },
  progress: ProgressReporter,
): Promise<SweepTry | null> {
  const folds = task.folds ?? 5;
  let finished = 0;
  const onFold = () => {
    finished++;
    progress.advance();
  };
  try {
    // The same seed for all, so that they are compared on the same folds.
    const settings = { ...task.settings, ...values };
    const result = await crossValidate({ ...known, settings, folds, onFold, showProgress: false });
    if (!result.complete) return null;
    const rule = { positiveClass: known.dataset.positiveClass, threshold: 0.5 };
    const scores = scoreWithIntervals(result.predictions, rule, { resamples: task.resamples ?? 500 });
    return { values, scores, problem: null };
  } catch (error) {
    if (!isDivergence(error)) throw error;
    progress.advance(folds - finished);
    return { values, scores: null, problem: (error as Error).message };
  }
}

/**
 * Tries all combinations of settings on cached features, each cross-validated by patient inside the training and
 * validation part. The test part is never looked at, so it can still judge what is chosen.
 *
 * An interrupt ends it with the combinations that were finished, and `complete: false`. One with which training
 * diverges is kept as such.
 *
 * @throws RangeError if the grid is empty or names what can't be varied; Error if a value is out of range, or the
 * patients are too few for the folds.
 */
export async function sweepSettings(grid: SweepGrid, task: SweepTask): Promise<Sweep> {
  const combinations = combine(grid);
  // A value out of range should be known before the first hour is over.
  for (const values of combinations) completeSettings({ ...task.settings, ...values });
  const known = withoutTest(task);
  const folds = task.folds ?? 5;
  const sweep: Sweep = {
    grid,
    tries: [],
    planned: combinations.length,
    score: task.dataset.positiveClass === null ? "balancedAccuracy" : "auc",
    folds,
    images: known.dataset.records.length,
    synthetic: task.dataset.synthetic,
    complete: false,
  };
  const progress = startProgress("Trying settings", combinations.length * folds, "folds");
  try {
    task.onTry?.(sweep);
    return await runCooperatively("sweep", async (signal) => {
      for (const values of combinations) {
        const done = signal.aborted ? null : await tryValues(values, task, known, progress);
        if (done === null) return sweep;
        sweep.tries.push(done);
        sweep.complete = sweep.tries.length === combinations.length;
        task.onTry?.(sweep);
      }
      return sweep;
    });
  } finally {
    progress.finish();
  }
}

/** The try with the highest score, the first of equals; null if none has one. */
export function bestTry({ tries, score }: Pick<Sweep, "tries" | "score">): SweepTry | null {
  const scoreOf = (one: SweepTry) => one.scores?.image.scores[score].value ?? Number.NEGATIVE_INFINITY;
  const best = tries.reduce<SweepTry | null>(
    (leader, one) => (leader === null || scoreOf(one) > scoreOf(leader) ? one : leader),
    null,
  );
  return best === null || scoreOf(best) === Number.NEGATIVE_INFINITY ? null : best;
}
