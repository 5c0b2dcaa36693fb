import { breathe, runCooperatively } from "../../runtime/interruption";
import { quantileOf } from "../../runtime/percentile";
import { startProgress } from "../../runtime/progress";
import { createRandom, type Random } from "../../runtime/random";
import { rangeRefusal } from "../../runtime/refusal";
import { type Clustered, clusterOf } from "./clustered";
import { checkLevel } from "./exact-interval";

export { type Clustered, clusterOf } from "./clustered";

const defaultResamples = 2000;

/** A number with what resampling patients says about how far it can be trusted. */
export interface Interval {
  /** Of the data as they are; null where it is undefined, such as the AUC of one class. */
  value: number | null;
  /** Null where fewer than 200 were drawn, or too few of them gave a number. */
  low: number | null;
  high: number | null;
  /** For example 0.95. */
  level: number;
  /** Patients, and images whose patient is not known. */
  patients: number;
  /** 0 where the interval is computed without any: see `shareInterval`. */
  resamples: number;
  /** Resamples in which the number was undefined, for example because only one class was drawn; left out. */
  undefinedResamples: number;
}

/** How to resample. */
export interface BootstrapOptions {
  /** 2,000 by default; below 200 there is no interval. */
  resamples?: number;
  /** 0.95 by default. */
  level?: number;
  /** 1 by default; the same seed gives the same interval. */
  seed?: number;
  /** Draws as many patients of each class as there are; by default how many is left to chance, as in a new sample. */
  stratified?: boolean;
  /** Draws groups (seeds of a split) with replacement too. */
  resampleGroups?: boolean;
}

/** Computes numbers from how often each item counts; NaN where one is undefined. */
export type WeighedStatistics<K extends string> = (weights: Float64Array) => Record<K, number>;

/** The fewest defined resamples, as a share, of which percentiles still mean something. */
const definedShareNeeded = 0.5;

/** The fewest resamples that have percentiles worth showing: 2.5 % of them are five. */
export const fewestResamples = 200;

interface Clusters {
  /** For each group, the cluster of each item. */
  membership: Int32Array[];
  /** Clusters that are drawn from each other: all of them, or those of one class. */
  strata: number[][];
  count: number;
}

function clusterItems(groups: readonly (readonly Clustered[])[], stratified: boolean): Clusters {
  const numbers = new Map<string, number>();
  const labels: number[] = [];
  const membership = groups.map((items) =>
    Int32Array.from(items, (item) => {
      const key = clusterOf(item);
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, numbers.size);
      // A patient with images of both classes belongs to the stratum of the first one.
      labels.push(item.label);
      return numbers.size - 1;
    }),
  );
  const all = labels.map((_, cluster) => cluster);
  const strata = stratified
    ? [...new Set(labels)].map((label) => all.filter((cluster) => labels[cluster] === label))
    : [all];
  return { membership, strata, count: labels.length };
}

/** How often each cluster is drawn when as many are drawn, with replacement, as there are. */
function drawClusters({ strata, count }: Clusters, random: Random): Float64Array {
  const times = new Float64Array(count);
  for (const stratum of strata) {
    for (let i = 0; i < stratum.length; i++) times[stratum[random.integer(stratum.length)]!]!++;
  }
  return times;
}

function drawGroups(count: number, random: Random): Float64Array {
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) times[random.integer(count)]!++;
  return times;
}

/** Mean over the groups in which each number is defined. */
function meanOverGroups<K extends string>(
  values: readonly (Record<K, number> | null)[],
  times: ArrayLike<number>,
  names: readonly K[],
): Record<K, number> {
  const means = {} as Record<K, number>;
  for (const name of names) {
    let sum = 0;
    let weight = 0;
    values.forEach((value, group) => {
      if (value === null || Number.isNaN(value[name])) return;
      sum += times[group]! * value[name];
      weight += times[group]!;
    });
    means[name] = sum / weight;
  }
  return means;
}

function toInterval(value: number, resampled: Float64Array, level: number, patients: number): Interval {
  const defined = resampled.filter((one) => !Number.isNaN(one)).sort();
  const enough =
    resampled.length >= fewestResamples && defined.length >= definedShareNeeded * resampled.length;
  const tail = (1 - level) / 2;
  return {
    value: Number.isNaN(value) ? null : value,
    low: enough ? quantileOf(defined, tail) : null,
    high: enough ? quantileOf(defined, 1 - tail) : null,
    level,
    patients,
    resamples: resampled.length,
    undefinedResamples: resampled.length - defined.length,
  };
}

/** Computes the numbers from how often each cluster, and each group, is drawn. */
function createEvaluator<T extends Clustered, K extends string>(
  groups: readonly (readonly T[])[],
  prepare: (items: readonly T[]) => WeighedStatistics<K>,
  { membership }: Clusters,
) {
  const statistics = groups.map((items) => prepare(items));
  const weights = groups.map((items) => new Float64Array(items.length));
  return (times: Float64Array, groupTimes: Float64Array, names: readonly K[] | null): Record<K, number> => {
    const values = statistics.map((compute, group) => {
      if (groupTimes[group] === 0) return null;
      const clusterOfItem = membership[group]!;
      const groupWeights = weights[group]!;
      for (let i = 0; i < clusterOfItem.length; i++) groupWeights[i] = times[clusterOfItem[i]!]!;
      return compute(groupWeights);
    });
    return meanOverGroups(values, groupTimes, names ?? (Object.keys(values[0]!) as K[]));
  };
}

/** What is thrown where nothing was predicted. */
export const noPredictions = (): RangeError =>
  rangeRefusal("There are no predictions to resample: is this part of the split empty?");

function checkOptions(groups: readonly (readonly unknown[])[], resamples: number, level: number) {
  if (groups.length === 0 || groups.some((items) => items.length === 0)) {
    throw noPredictions();
  }
  if (!Number.isSafeInteger(resamples) || resamples < 1) {
    throw rangeRefusal(`The number of resamples is a positive integer, found ${resamples}.`);
  }
  checkLevel(level);
}

/**
 * Percentile bootstrap intervals that resample patients, not images: images of one patient resemble each other, and
 * taking them for independent makes intervals far too narrow.
 *
 * Percentiles (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13) rather than BCa, because
 * BCa breaks down where they are needed most: at numbers that sit at their bound, such as an AUC of 1, and with few
 * patients. With fewer than about 20 patients they are too narrow; shares have a better one: see `shareInterval`.
 *
 * @param groups - Items whose numbers are averaged over groups: repeats of a cross-validation, seeds of a split; one
 * group for a plain test set. A patient that is drawn is drawn in every group.
 * @param prepare - Called once a group; its result once a resample, so sorting belongs in the former.
 * @throws RangeError if a group is empty or an option makes no sense.
 */
export function bootstrapIntervals<T extends Clustered, K extends string>(
  groups: readonly (readonly T[])[],
  prepare: (items: readonly T[]) => WeighedStatistics<K>,
  options: BootstrapOptions = {},
): Record<K, Interval> {
  const steps = resampleStepwise(groups, prepare, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value();
  }
}

/**
 * How to resample seeds and patients together, after a comparison that was finished or interrupted: who has pressed stop
 * does not want to wait for more than the fewest.
 */
export function optionsAfter(complete: boolean, options: BootstrapOptions = {}): BootstrapOptions {
  const { resamples = defaultResamples } = options;
  return {
    resampleGroups: true,
    ...options,
    resamples: complete ? resamples : Math.min(resamples, fewestResamples),
  };
}

/** In milliseconds; longer than this, messages and interrupts should not have to wait. */
const breathInterval = 50;

/**
 * The same, where it takes seconds: it shows its progress, and an interrupt ends it with the resamples drawn so far;
 * fewer than `fewestResamples` give no interval.
 */
export async function bootstrapPatiently<T extends Clustered, K extends string>(
  groups: readonly (readonly T[])[],
  prepare: (items: readonly T[]) => WeighedStatistics<K>,
  options: BootstrapOptions = {},
): Promise<Record<K, Interval>> {
  const steps = resampleStepwise(groups, prepare, options);
  const progress = startProgress("Resampling patients", options.resamples ?? defaultResamples, "resamples");
  try {
    return await runCooperatively("bootstrap", async (signal) => {
      let [lastBreath, drawn, told] = [performance.now(), 0, 0];
      for (;;) {
        const step = steps.next();
        if (step.done === true || (signal.aborted && drawn > 0)) return step.value();
        drawn++;
        if (performance.now() - lastBreath < breathInterval) continue;
        progress.advance(drawn - told);
        told = drawn;
        await breathe();
        lastBreath = performance.now();
      }
    });
  } finally {
    progress.finish();
  }
}

/** Draws resample after resample; at every step, and in the end, there is a function that makes intervals of them. */
function* resampleStepwise<T extends Clustered, K extends string>(
  groups: readonly (readonly T[])[],
  prepare: (items: readonly T[]) => WeighedStatistics<K>,
  options: BootstrapOptions,
): Generator<() => Record<K, Interval>, () => Record<K, Interval>> {
  const { resamples = defaultResamples, level = 0.95, seed = 1 } = options;
  checkOptions(groups, resamples, level);
  const clusters = clusterItems(groups, options.stratified ?? false);
  const evaluate = createEvaluator(groups, prepare, clusters);
  const ones = new Float64Array(groups.length).fill(1);
  const observed = evaluate(new Float64Array(clusters.count).fill(1), ones, null);
  const names = Object.keys(observed) as K[];
  const resampled = {} as Record<K, Float64Array>;
  for (const name of names) resampled[name] = new Float64Array(resamples);
  let drawn = 0;
  const summarize = () => {
    const intervals = {} as Record<K, Interval>;
    for (const name of names) {
      intervals[name] = toInterval(observed[name], resampled[name].subarray(0, drawn), level, clusters.count);
    }
    return intervals;
  };
  const random = createRandom(seed).fork("bootstrap");
  while (drawn < resamples) {
    const times = drawClusters(clusters, random);
    const groupTimes = options.resampleGroups === true ? drawGroups(groups.length, random) : ones;
    const values = evaluate(times, groupTimes, names);
    for (const name of names) resampled[name][drawn] = values[name];
    drawn++;
    yield summarize;
  }
  return summarize;
}

/**
 * Says how much a single patient weighs in a number, which no interval makes as plain.
 *
 * @example
 * describeCoarseness(5, "test");
 * // "One of the 5 test patients more or less changes the patient accuracy by 20 points."
 */
export function describeCoarseness(patients: number, kind = ""): string {
  const what = kind === "" ? "patients" : `${kind} patients`;
  if (patients === 0) return `There are no known ${what}, so nothing can be said about patients.`;
  if (patients === 1) return `There is only one patient: the patient accuracy can only be 0 or 1.`;
  const points = 100 / patients;
  const rounded = points >= 10 ? Math.round(points) : Math.round(10 * points) / 10;
  return `One of the ${patients} ${what} more or less changes the patient accuracy by ${rounded} points.`;
}
