import type { Dataset } from "../data/record";
import { splitByImage, splitByPatient } from "../data/split/split";
import type { Split } from "../data/split/split-value";
import type { Features } from "../model/features/features";
import { runCooperatively } from "../runtime/interruption";
import { pushAll } from "../runtime/many";
import { type ProgressReporter, startProgress } from "../runtime/progress";
import { rangeRefusal, refusal } from "../runtime/refusal";
import {
  type BootstrapOptions,
  bootstrapPatiently,
  fewestResamples,
  type Interval,
  optionsAfter,
  type WeighedStatistics,
} from "../scores/intervals/bootstrap";
import { shareInterval } from "../scores/intervals/share-interval";
import { majorityClassAccuracy } from "../scores/metrics";
import type { Prediction } from "../scores/prediction";
import { predictionsOf } from "../scores/predictions-of";
import { prepareScores } from "../scores/weighed-scores";
import type { TrainingSettings } from "../training/head/train";
import type { FeaturesFor } from "./features-for";
import { type Metric, type NeighbourShares, neighbourShares } from "./nearest-neighbours";
import { trainAndTest } from "./train-and-test";

/** What is audited. */
export interface AuditTask {
  dataset: Dataset;
  features: Features;
  /** Where they depend on who is learned from, as with normalised stains: heads use these, neighbours `features`. */
  featuresFor?: FeaturesFor;
  settings: TrainingSettings;
  /** One split by image and one by patient for each; 1 to 10 by default. */
  seeds?: readonly number[];
  /** How features are compared; "cosine" by default. */
  metric?: Metric;
  bootstrap?: BootstrapOptions;
}

/** What the same head reaches on both splits of one seed. */
export interface AuditSeed {
  seed: number;
  /** On the images of the test part. */
  image: { accuracy: number; auc: number | null; testImages: number; testPatients: number };
  patient: { accuracy: number; auc: number | null; testImages: number; testPatients: number };
}

/** How much better a split by image looks than a split by patient. */
export interface LeakageAudit {
  seeds: AuditSeed[];
  /** Means over the seeds; intervals resample seeds and patients together. Null if no seed was finished. */
  scores: Record<AuditScore, Interval> | null;
  /** Over all images. */
  majorityClassAccuracy: number;
  /** Null after an interrupt. */
  neighbours: NeighbourShares | null;
  /** False after an interrupt; then the numbers are of the seeds that were finished. */
  complete: boolean;
  /** One sentence, computed from the numbers. */
  conclusion: string;
  seconds: number;
}

/** A gap is the split by image's number minus the split by patient's. */
export type AuditScore =
  | "imageAccuracy"
  | "patientAccuracy"
  | "accuracyGap"
  | "imageAuc"
  | "patientAuc"
  | "aucGap";

/** A test prediction of one of the two splits. */
interface AuditPrediction extends Prediction {
  by: "image" | "patient";
}

async function testSplit(task: AuditTask, split: Split, seed: number): Promise<AuditPrediction[] | null> {
  const { dataset } = task;
  const tested = await trainAndTest({ ...task, split, seed });
  if (tested === null) return null;
  const rule = { positiveClass: dataset.positiveClass, threshold: 0.5 };
  const by = split.by as "image" | "patient";
  return predictionsOf(dataset, split.test, tested.values, rule).map((prediction) => ({ ...prediction, by }));
}

const onlyBy = (items: readonly AuditPrediction[], by: AuditPrediction["by"]) =>
  items.filter((item) => item.by === by);

/** The scores of one split of a group, from the weights of the whole group. */
function prepareSplit(
  items: readonly AuditPrediction[],
  by: AuditPrediction["by"],
  positiveClass: number | null,
) {
  const rows = items.flatMap((item, i) => (item.by === by ? [i] : []));
  const score = prepareScores(onlyBy(items, by), { positiveClass });
  return (weights: Float64Array) => score(Float64Array.from(rows, (row) => weights[row]!));
}

function prepareAudit(positiveClass: number | null) {
  return (items: readonly AuditPrediction[]): WeighedStatistics<AuditScore> => {
    const scoreImage = prepareSplit(items, "image", positiveClass);
    const scorePatient = prepareSplit(items, "patient", positiveClass);
    return (weights) => {
      const [image, patient] = [scoreImage(weights), scorePatient(weights)];
      return {
        imageAccuracy: image.accuracy,
        patientAccuracy: patient.accuracy,
        accuracyGap: image.accuracy - patient.accuracy,
        imageAuc: image.auc,
        patientAuc: patient.auc,
        aucGap: image.auc - patient.auc,
      };
    };
  };
}

function accuracyOf(
  groups: readonly (readonly AuditPrediction[])[],
  by: AuditPrediction["by"],
  options: BootstrapOptions,
): Interval {
  return shareInterval(
    groups,
    (item) => item.by === by,
    ({ label, predicted }) => (label === predicted ? 1 : 0),
    options,
  );
}

function summarizeSeed(
  seed: number,
  items: readonly AuditPrediction[],
  positiveClass: number | null,
): AuditSeed {
  const summary = (by: AuditPrediction["by"]) => {
    const own = onlyBy(items, by);
    const { accuracy, auc } = prepareScores(own, { positiveClass })(new Float64Array(own.length).fill(1));
    const testPatients = new Set(own.flatMap(({ patient }) => patient ?? [])).size;
    return { accuracy, auc: Number.isNaN(auc) ? null : auc, testImages: own.length, testPatients };
  };
  return { seed, image: summary("image"), patient: summary("patient") };
}

interface AuditWork {
  groups: AuditPrediction[][];
  seeds: number[];
  neighbours: NeighbourShares | null;
  complete: boolean;
}

async function work(
  task: AuditTask,
  seeds: readonly number[],
  progress: ProgressReporter,
  signal: AbortSignal,
): Promise<AuditWork> {
  const { dataset, features, metric = "cosine" } = task;
  const done: AuditWork = { groups: [], seeds: [], neighbours: null, complete: false };
  done.neighbours = await neighbourShares(dataset, features.values, features.width, { metric, signal });
  if (done.neighbours === null) return done;
  for (const seed of seeds) {
    const group: AuditPrediction[] = [];
    for (const split of [splitByImage(dataset, seed), splitByPatient(dataset, seed)]) {
      const predictions = signal.aborted ? null : await testSplit(task, split, seed);
      if (predictions === null) return done;
      pushAll(group, predictions);
      progress.advance();
    }
    done.groups.push(group);
    done.seeds.push(seed);
  }
  return { ...done, complete: true };
}

/**
 * Measures leakage: the same head on the same features, split by image (a patient's images on both sides) and by
 * patient, for several seeds; accuracy and AUC on the images of both test parts, and how they differ.
 *
 * Intervals resample seeds and patients at once, the same patients in both splits: seeds alone would say how much the
 * division matters, and hide that the patients are few. An interrupt ends it with the seeds that were finished.
 *
 * Works for any number of classes; AUC needs a positive one.
 *
 * @throws Error if the data set can't be split by patient (patients unknown or too few), or features are incomplete.
 */
export async function auditLeakage(task: AuditTask): Promise<LeakageAudit> {
  const { dataset, features } = task;
  const seeds = task.seeds ?? Array.from({ length: 10 }, (_, i) => i + 1);
  if (seeds.length === 0) throw rangeRefusal("A leakage audit needs at least one seed.");
  if (!features.complete) {
    throw refusal("The features are incomplete, their computation was interrupted: run that cell again.");
  }
  const startedAtMs = performance.now();
  const progress = startProgress("Auditing leakage", 2 * seeds.length, "heads");
  try {
    const done = await runCooperatively("leakage audit", (signal) => work(task, seeds, progress, signal));
    const options = optionsAfter(done.complete, task.bootstrap);
    const scores =
      done.groups.length === 0
        ? null
        : {
            ...(await bootstrapPatiently(done.groups, prepareAudit(dataset.positiveClass), options)),
            imageAccuracy: accuracyOf(done.groups, "image", options),
            patientAccuracy: accuracyOf(done.groups, "patient", options),
          };
    return {
      seeds: done.groups.map((items, i) => summarizeSeed(done.seeds[i]!, items, dataset.positiveClass)),
      scores,
      majorityClassAccuracy: majorityClassAccuracy(dataset.records.map(({ label }) => label)),
      neighbours: done.neighbours,
      complete: done.complete,
      conclusion: concludeAudit(scores, done.groups.length),
      seconds: (performance.now() - startedAtMs) / 1000,
    };
  } finally {
    progress.finish();
  }
}

/** One sentence about the gap in accuracy; it claims one only where the interval leaves zero out. */
export function concludeAudit(scores: Record<AuditScore, Interval> | null, seeds: number): string {
  const gap = scores?.accuracyGap;
  if (!scores || !gap || gap.value === null) {
    return "The audit was stopped before a seed was finished, so nothing can be said about leakage.";
  }
  const points = (share: number) => (100 * share).toFixed(1);
  const percent = (interval: Interval) => `${points(interval.value ?? Number.NaN)} %`;
  const both = `${percent(scores.imageAccuracy)} split by image, ${percent(scores.patientAccuracy)} by patient`;
  if (gap.low === null || gap.high === null) {
    return `${both}, a difference of ${points(gap.value)} points. Resampling was stopped after ${gap.resamples} resamples; below ${fewestResamples} there is no interval, so nothing can be said about leakage: run it again.`;
  }
  const range = `${100 * gap.level} % interval ${points(gap.low)} to ${points(gap.high)}, ${seeds} ${seeds === 1 ? "seed" : "seeds"}, ${gap.patients} patients`;
  if (gap.low > 0) {
    return `Splitting by image makes the accuracy look ${points(gap.value)} points better than it is for a new patient (${both}; ${range}).`;
  }
  if (gap.high < 0) {
    return `Splitting by image gave an accuracy ${points(-gap.value)} points lower than splitting by patient, the opposite of leakage (${both}; ${range}).`;
  }
  return `No gap between the splits could be shown: ${both}, a difference of ${points(gap.value)} points (${range}).`;
}
