import type { Dataset } from "../data/record";
import type { Head } from "../model/classifier/head";
import { ensembleOf } from "../model/classifier/head-members";
import { meanOverViews } from "../model/classifier/predict-rows";
import type { Features } from "../model/features/features";
import { runCooperatively } from "../runtime/interruption";
import { pushAll } from "../runtime/many";
import { type ProgressReporter, startProgress } from "../runtime/progress";
import { createRandom } from "../runtime/random";
import { rangeRefusal } from "../runtime/refusal";
import type { OutOfFoldPrediction } from "../scores/prediction";
import { predictionsOf } from "../scores/predictions-of";
import type { TrainingSettings } from "../training/head/train";
import type { FeaturesFor } from "./features-for";
import { type Fold, foldsByPatient } from "./patient-folds";
import { type TestedHead, trainAndTest } from "./train-and-test";

/** What happened in one fold. */
export interface FoldResult {
  fold: number;
  repeat: number;
  /** Images of each part. */
  images: { train: number; validation: number; test: number };
  testPatients: string[];
  bestEpoch: number;
  ended: "completed" | "early-stopping";
}

/** A finished, or interrupted, cross-validation. */
export interface CrossValidation {
  foldCount: number;
  repeats: number;
  seed: number;
  /** Pooled; of whole folds only. Without an interrupt each image has one in every repeat. */
  predictions: OutOfFoldPrediction[];
  folds: FoldResult[];
  /** One a fold, in their order: what `ensembleOf` makes a classifier of. */
  heads: Head[];
  /** Whether each fold had features of its own, as with normalised stains. */
  ownFeatures: boolean;
  /** False after an interrupt; then the predictions are those of the folds that were finished. */
  complete: boolean;
  seconds: number;
}

/** What is validated, and how. */
export interface CrossValidationTask {
  dataset: Dataset;
  features: Features;
  /** Where they depend on who is learned from, as with normalised stains: used in place of `features`. */
  featuresFor?: FeaturesFor;
  settings: TrainingSettings;
  /** 5 by default. */
  folds?: number;
  /** 1 by default. */
  repeats?: number;
  /** Heads of an ensemble that answers in each fold, each stopped by other patients of the training part; 1 by default. */
  ensemble?: number;
  /** By default the settings' seed. */
  seed?: number;
  /**
   * Folds that were made elsewhere, such as the official ones; then `folds` and `repeats` don't count. Where an image
   * is tested in several, each fold is a repeat of its own, so that scores are means over folds.
   */
  given?: readonly Fold[];
  /** Called after each fold that was finished. */
  onFold?: () => void;
  /** False where this is a part of something that shows its own progress. */
  showProgress?: boolean;
}

interface FoldJob {
  task: CrossValidationTask;
  fold: Fold;
  repeat: number;
  seed: number;
}

/** Seeds of heads: other ones in each fold and repeat, and reproducible. */
function headSeed({ seed, repeat, fold }: FoldJob): number {
  return createRandom(seed)
    .fork(`head ${repeat} ${fold.fold}`)
    .integer(2 ** 32);
}

/** What the heads of an ensemble learn from, and what stops each: the training part's own folds, by patient. */
function innerSplits(dataset: Dataset, fold: Fold, count: number, seed: number) {
  if (count === 1) return [{ train: fold.train, validation: fold.validation }];
  const inside = [...fold.train, ...fold.validation].sort((a, b) => a - b);
  const alone = { ...dataset, records: inside.map((row) => dataset.records[row]!) };
  const rowsOf = (places: readonly number[]) => places.map((place) => inside[place]!);
  return foldsByPatient(alone, count, createRandom(seed).fork("ensemble")).map((inner) => ({
    train: rowsOf([...inner.train, ...inner.validation]),
    validation: rowsOf(inner.test),
  }));
}

/** Trains a fold's head, or the heads of its ensemble, and asks them about its test part; null if it was interrupted. */
async function testEnsemble(task: CrossValidationTask, fold: Fold, seed: number): Promise<TestedHead | null> {
  const { dataset, ensemble = 1 } = task;
  const tested: TestedHead[] = [];
  for (const [i, split] of innerSplits(dataset, fold, ensemble, seed).entries()) {
    const one = await trainAndTest({
      ...task,
      split: { ...split, test: fold.test },
      seed: (seed + i) % 2 ** 32,
    });
    if (one === null) return null;
    tested.push(one);
  }
  const epochs = tested.map(({ bestEpoch }) => bestEpoch);
  return {
    values: meanOverViews(tested.map(({ values }) => values)),
    head: ensembleOf(tested.map(({ head }) => head)),
    bestEpoch: Math.round(epochs.reduce((sum, epoch) => sum + epoch, 0) / epochs.length),
    ended: tested.some(({ ended }) => ended === "completed") ? "completed" : "early-stopping",
  };
}

/** Trains and tests one fold; null if it was interrupted. */
async function runFold(
  job: FoldJob,
): Promise<{ result: FoldResult; predictions: OutOfFoldPrediction[]; head: Head } | null> {
  const { task, fold, repeat } = job;
  const { dataset } = task;
  const tested = await testEnsemble(task, fold, headSeed(job));
  if (tested === null) return null;
  const { values, head, bestEpoch, ended } = tested;
  const rule = { positiveClass: dataset.positiveClass, threshold: 0.5 };
  const predictions = predictionsOf(dataset, fold.test, values, rule).map(
    (prediction): OutOfFoldPrediction => ({ ...prediction, split: "test", fold: fold.fold, repeat }),
  );
  const testPatients = [...new Set(predictions.flatMap(({ patient }) => patient ?? []))].sort();
  const images = {
    train: fold.train.length,
    validation: fold.validation.length,
    test: fold.test.length,
  };
  return { result: { fold: fold.fold, repeat, images, testPatients, bestEpoch, ended }, predictions, head };
}

/** Whether an image is tested in several folds, as in the official ones: they are then repeats, not parts of one. */
function overlap(folds: readonly Fold[]): boolean {
  const rows = folds.flatMap(({ test }) => test);
  return new Set(rows).size < rows.length;
}

function planJobs(task: CrossValidationTask, seed: number, folds: number, repeats: number): FoldJob[] {
  if (task.given !== undefined) {
    const repeated = overlap(task.given);
    return task.given.map((fold, i) => ({ task, fold, repeat: repeated ? i : 0, seed }));
  }
  const random = createRandom(seed).fork("cross-validation");
  return Array.from({ length: repeats }, (_, repeat) =>
    foldsByPatient(task.dataset, folds, random.fork(`repeat ${repeat}`)).map((fold) => ({
      task,
      fold,
      repeat,
      seed,
    })),
  ).flat();
}

async function runJobs(
  jobs: readonly FoldJob[],
  progress: ProgressReporter | null,
  signal: AbortSignal,
): Promise<Pick<CrossValidation, "predictions" | "folds" | "heads" | "complete">> {
  const predictions: OutOfFoldPrediction[] = [];
  const folds: FoldResult[] = [];
  const heads: Head[] = [];
  for (const job of jobs) {
    const done = signal.aborted ? null : await runFold(job);
    if (done === null) return { predictions, folds, heads, complete: false };
    pushAll(predictions, done.predictions);
    folds.push(done.result);
    heads.push(done.head);
    progress?.advance();
    job.task.onFold?.();
  }
  return { predictions, folds, heads, complete: true };
}

/**
 * Cross-validates a head by patient: each patient is predicted by a head that has not seen them, neither in
 * training nor when it was decided when to stop, which other patients of the training part decide.
 *
 * An interrupt ends it with the folds that were finished, and `complete: false`. On a CPU the same seed gives the
 * same predictions bit for bit.
 *
 * @throws Error if a class has too few patients for the folds (it says how many are possible), or training can't work.
 *
 * @example
 * const { predictions } = await crossValidate({ dataset, features, settings, repeats: 5 });
 */
export async function crossValidate(task: CrossValidationTask): Promise<CrossValidation> {
  const given = task.given !== undefined && overlap(task.given) ? task.given.length : 1;
  const repeats = task.given === undefined ? (task.repeats ?? 1) : given;
  const foldCount = task.given?.length ?? task.folds ?? 5;
  const seed = task.seed ?? task.settings.seed;
  if (!Number.isSafeInteger(repeats) || repeats < 1) {
    throw rangeRefusal(`The number of repeats is a positive integer, found ${repeats}.`);
  }
  const startedAtMs = performance.now();
  const jobs = planJobs(task, seed, foldCount, repeats);
  const progress =
    task.showProgress === false ? null : startProgress("Cross-validating", jobs.length, "folds");
  try {
    const done = await runCooperatively("cross-validation", (signal) => runJobs(jobs, progress, signal));
    return {
      foldCount,
      repeats,
      seed,
      ownFeatures: task.featuresFor !== undefined,
      ...done,
      seconds: (performance.now() - startedAtMs) / 1000,
    };
  } finally {
    progress?.finish();
  }
}
