import type { DecisionRule } from "../model/classifier/decision";
import { mean } from "../runtime/many";
import { rangeRefusal, refusal } from "../runtime/refusal";
import { type BootstrapOptions, bootstrapIntervals, type Interval } from "./intervals/bootstrap";
import { checkLevel } from "./intervals/exact-interval";
import { normalCdf, normalQuantile } from "./intervals/normal-distribution";
import { groupByRepeat } from "./intervals/score-intervals";
import type { Prediction } from "./prediction";
import { prepareScores, type ScoreName } from "./weighed-scores";

/** Two areas under the ROC curve on the same samples. */
export interface DelongResult {
  firstAuc: number;
  secondAuc: number;
  /** Second minus first. */
  difference: number;
  /** Of the difference. */
  standardError: number;
  /** NaN where the difference has no variance. */
  z: number;
  /** Two-sided; 1 where the two areas are equal without variance, NaN where they differ without. */
  pValue: number;
  /** NaN where the difference has no variance, and so is `high`. */
  low: number;
  high: number;
  level: number;
}

/** Ranks from 1 on, ties sharing their mean. */
function midranks(values: Float64Array): Float64Array {
  const order = Int32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length; ) {
    let next = first + 1;
    while (next < order.length && values[order[next]!] === values[order[first]!]) next++;
    for (let i = first; i < next; i++) ranks[order[i]!] = (first + 1 + next) / 2;
    first = next;
  }
  return ranks;
}

/** For each positive, the share of negatives it beats, and for each negative the share of positives it loses to. */
function placements(positives: Float64Array, negatives: Float64Array) {
  const all = midranks(Float64Array.from([...positives, ...negatives]));
  const amongPositives = midranks(positives);
  const amongNegatives = midranks(negatives);
  const m = positives.length;
  const n = negatives.length;
  return {
    positives: amongPositives.map((rank, i) => (all[i]! - rank) / n),
    negatives: amongNegatives.map((rank, j) => 1 - (all[m + j]! - rank) / m),
  };
}

/** Variance of the mean of paired differences. */
function varianceOfMean(first: Float64Array, second: Float64Array): number {
  const differences = second.map((value, i) => value - first[i]!);
  const center = mean(differences);
  const squares = differences.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return squares / (differences.length - 1) / differences.length;
}

/**
 * DeLong's test for the difference of two AUCs on the same samples (DeLong, DeLong and Clarke-Pearson, Biometrics
 * 44(3), 1988), by midranks (Sun and Xu, IEEE Signal Process. Lett. 21(11), 2014).
 *
 * It takes samples for independent. Images of one patient are not, so for them its p-value is too small: use it for
 * patients, and `compareRuns` for images.
 *
 * @param positive - Shape [n], whether each sample is of the positive class; at least two are, and two are not.
 * @param firstScores - Shape [n], finite.
 * @param secondScores - Shape [n], finite.
 * @throws RangeError if lengths differ, a score is not finite, or there are fewer than two of either kind.
 */
export function delongTest(
  positive: readonly boolean[],
  firstScores: ArrayLike<number>,
  secondScores: ArrayLike<number>,
  level = 0.95,
): DelongResult {
  checkLevel(level);
  const [first, second] = [firstScores, secondScores].map((scores) => {
    const sides = splitScores(positive, scores);
    return placements(sides.positives, sides.negatives);
  });
  const firstAuc = mean(first!.positives);
  const secondAuc = mean(second!.positives);
  const difference = secondAuc - firstAuc;
  const variance =
    varianceOfMean(first!.positives, second!.positives) + varianceOfMean(first!.negatives, second!.negatives);
  // Of a few samples that all differ alike it is nought but for rounding, and would claim a certainty that they can't give.
  const standardError = variance > 1e-20 ? Math.sqrt(variance) : 0;
  const z = standardError === 0 ? Number.NaN : difference / standardError;
  const reach = normalQuantile(1 - (1 - level) / 2) * standardError;
  return {
    firstAuc,
    secondAuc,
    difference,
    standardError,
    z,
    pValue: standardError === 0 ? (difference === 0 ? 1 : Number.NaN) : 2 * normalCdf(-Math.abs(z)),
    low: standardError === 0 ? Number.NaN : difference - reach,
    high: standardError === 0 ? Number.NaN : difference + reach,
    level,
  };
}

function splitScores(positive: readonly boolean[], scores: ArrayLike<number>) {
  if (scores.length !== positive.length) {
    throw rangeRefusal(`There must be one score a sample, found ${scores.length} for ${positive.length}.`);
  }
  const values = Array.from(scores);
  const bad = values.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0)
    throw rangeRefusal(`Scores are finite numbers, but the one at position ${bad} is ${values[bad]}.`);
  const positives = Float64Array.from(values.filter((_, i) => positive[i] === true));
  const negatives = Float64Array.from(values.filter((_, i) => positive[i] !== true));
  if (positives.length < 2 || negatives.length < 2) {
    throw rangeRefusal(
      `DeLong's test needs at least 2 positive and 2 negative samples, found ${positives.length} and ${negatives.length}.`,
    );
  }
  return { positives, negatives };
}

/** How two runs differ on the same images. */
export interface RunComparison {
  images: number;
  /** Images that only one of the two predicted; left out. */
  unmatched: number;
  /** Second minus first, with intervals that resample patients. */
  differences: Record<ScoreName, Interval>;
  /** What it comes to, in one sentence, about the AUC (or, without a positive class, the accuracy). */
  conclusion: string;
}

type Repeated = Prediction & { repeat?: number };

interface Pair {
  patient: string | null;
  file: string;
  label: number;
  first: Prediction;
  second: Prediction;
}

/**
 * Compares two runs on the images that both predicted, resampling patients and taking each patient's images from
 * both, so that what is hard for both does not blur the difference. Repeats of a cross-validation are compared one by
 * one, and the differences averaged.
 *
 * @throws Error if they have no image in common, do not agree on a label, or are not repeated alike.
 */
export function compareRuns(
  first: readonly Repeated[],
  second: readonly Repeated[],
  rule: Pick<DecisionRule, "positiveClass">,
  options: BootstrapOptions = {},
): RunComparison {
  const groups = pairByRepeat(first, second);
  const prepare = (items: readonly Pair[]) => {
    const scoreFirst = prepareScores(
      items.map((pair) => pair.first),
      rule,
    );
    const scoreSecond = prepareScores(
      items.map((pair) => pair.second),
      rule,
    );
    return (weights: Float64Array) => {
      const [before, after] = [scoreFirst(weights), scoreSecond(weights)];
      const names = Object.keys(after) as ScoreName[];
      return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as Record<
        ScoreName,
        number
      >;
    };
  };
  const differences = bootstrapIntervals(groups, prepare, options);
  return {
    images: groups[0]!.length,
    unmatched: first.length + second.length - 2 * groups.flat().length,
    differences,
    conclusion: concludeComparison(differences, rule.positiveClass === null ? "accuracy" : "auc"),
  };
}

function pairByRepeat(first: readonly Repeated[], second: readonly Repeated[]): Pair[][] {
  const [firsts, seconds] = [groupByRepeat(first), groupByRepeat(second)];
  if (firsts.length > 0 && seconds.length > 0 && firsts.length !== seconds.length) {
    throw refusal(
      `One of the two has ${firsts.length} repeats, the other ${seconds.length}: compare as many of both.`,
    );
  }
  return firsts.map((group, i) => pairByFile(group, seconds[i] ?? []));
}

function pairByFile(first: readonly Prediction[], second: readonly Prediction[]): Pair[] {
  const byFile = new Map(second.map((prediction) => [prediction.file, prediction]));
  if (byFile.size !== second.length || new Set(first.map(({ file }) => file)).size !== first.length) {
    throw refusal("Each run must predict an image once, or once in each repeat of a cross-validation.");
  }
  const pairs = first.flatMap((prediction): Pair[] => {
    const other = byFile.get(prediction.file);
    if (other === undefined) return [];
    const { patient, file, label } = prediction;
    if (other.label !== label) {
      throw refusal(`The runs disagree on the label of ${file}: are they of the same data set?`);
    }
    return [{ patient, file, label, first: prediction, second: other }];
  });
  if (pairs.length === 0) throw refusal("The two runs have no image in common, so they can't be compared.");
  return pairs;
}

function concludeComparison(differences: Record<ScoreName, Interval>, name: "auc" | "accuracy"): string {
  const { value, low, high, level, patients } = differences[name];
  const what = name === "auc" ? "AUC" : "accuracy";
  if (value === null) return `The difference in ${what} is not defined on these images.`;
  if (low === null || high === null) {
    return `The second run's ${what} minus the first's is ${value.toFixed(3)}, without an interval: too few resamples gave a number, so nothing can be said.`;
  }
  const range = `${100 * level} % interval ${low.toFixed(3)} to ${high.toFixed(3)}, ${patients} patients`;
  if (low > 0) return `The second run's ${what} is higher by ${value.toFixed(3)} (${range}).`;
  if (high < 0)
    return `The first run's ${what} is higher by ${(-value).toFixed(3)} (second minus first: ${range}).`;
  return `No difference in ${what} could be shown: second minus first is ${value.toFixed(3)} (${range}).`;
}
