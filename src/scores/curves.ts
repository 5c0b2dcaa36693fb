import { rangeRefusal } from "../runtime/refusal";

/** A receiver operating characteristic; point i is what calling every score ≥ `thresholds[i]` positive gives. */
export interface RocCurve {
  /** 1 − specificity, rising from 0 to 1; all NaN if no sample is negative. */
  falsePositiveRates: number[];
  /** Sensitivity, rising from 0 to 1; all NaN if no sample is positive. */
  truePositiveRates: number[];
  /** Falling; the first is Infinity, where nothing is called positive. */
  thresholds: number[];
}

interface CumulativeCounts {
  falsePositives: number[];
  truePositives: number[];
  thresholds: number[];
}

function checkScores(positive: ArrayLike<boolean | number>, scores: ArrayLike<number>) {
  if (positive.length !== scores.length) {
    throw rangeRefusal(
      `There must be one score for each sample, found ${positive.length} samples and ${scores.length} scores.`,
    );
  }
  if (scores.length === 0) {
    throw rangeRefusal("There are no samples to draw a curve from: is this part of the split empty?");
  }
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isFinite(scores[i])) {
      throw rangeRefusal(`Scores must be finite numbers, but the one at position ${i} is ${scores[i]}.`);
    }
    if (Number(positive[i]) !== 0 && Number(positive[i]) !== 1) {
      throw rangeRefusal(`Samples are positive (true, 1) or not (false, 0), found ${positive[i]} at ${i}.`);
    }
  }
}

/** Counts what is called positive at each distinct score, from the highest down; ties are taken together. */
function countAtThresholds(
  positive: ArrayLike<boolean | number>,
  scores: ArrayLike<number>,
): CumulativeCounts {
  checkScores(positive, scores);
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const counts: CumulativeCounts = { falsePositives: [], truePositives: [], thresholds: [] };
  let truePositives = 0;
  order.forEach((sample, rank) => {
    truePositives += Number(positive[sample]);
    const next = order[rank + 1];
    if (next !== undefined && scores[next] === scores[sample]) return;
    counts.truePositives.push(truePositives);
    counts.falsePositives.push(rank + 1 - truePositives);
    counts.thresholds.push(scores[sample]!);
  });
  return counts;
}

/** Whether a point lies on the straight line between its neighbours, at equal steps. */
function isBetween(values: number[], i: number): boolean {
  return values[i + 1]! - values[i]! === values[i]! - values[i - 1]!;
}

/**
 * Computes the receiver operating characteristic, as scikit-learn's `roc_curve` does.
 *
 * @param positive - Shape [n], n at least 1: whether each sample is of the positive class (true or 1).
 * @param scores - Shape [n], finite; higher means more likely positive. Equal scores make one point.
 * @param options - `dropIntermediate` (default true) leaves out points on straight lines; the area stays the same.
 * @returns One point more than there are (kept) distinct scores.
 * @throws RangeError if there are no samples, lengths differ, or a score is not finite.
 *
 * @example
 * rocCurve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).truePositiveRates; // [0, 0.5, 0.5, 1, 1]
 */
export function rocCurve(
  positive: ArrayLike<boolean | number>,
  scores: ArrayLike<number>,
  options: { dropIntermediate?: boolean } = {},
): RocCurve {
  const { falsePositives, truePositives, thresholds } = countAtThresholds(positive, scores);
  const last = thresholds.length - 1;
  const kept = thresholds
    .map((_, i) => i)
    .filter(
      (i) =>
        options.dropIntermediate === false ||
        i === 0 ||
        i === last ||
        !(isBetween(falsePositives, i) && isBetween(truePositives, i)),
    );
  const rates = (counts: number[]) => {
    const total = counts[last]!;
    return [0, ...kept.map((i) => counts[i]!)].map((count) => (total === 0 ? Number.NaN : count / total));
  };
  return {
    falsePositiveRates: rates(falsePositives),
    truePositiveRates: rates(truePositives),
    thresholds: [Number.POSITIVE_INFINITY, ...kept.map((i) => thresholds[i]!)],
  };
}

/**
 * Area under the receiver operating characteristic, in [0, 1]: the probability that a positive sample
 * scores higher than a negative one, ties counting half.
 *
 * @param positive - Shape [n], n at least 1: whether each sample is of the positive class (true or 1).
 * @param scores - Shape [n], finite; higher means more likely positive.
 * @returns NaN if all samples are positive or all are negative.
 * @throws RangeError if there are no samples, lengths differ, or a score is not finite.
 *
 * @example
 * rocAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]); // 0.75
 */
export function rocAuc(positive: ArrayLike<boolean | number>, scores: ArrayLike<number>): number {
  return prepareAreas(positive, scores)(onesFor(scores)).auc;
}

const onesFor = (scores: ArrayLike<number>) => new Float64Array(scores.length).fill(1);

/** The areas under both curves. */
export interface CurveAreas {
  /** NaN if all samples are positive or all are negative, as in scikit-learn, which warns. */
  auc: number;
  /** NaN if no sample is positive; scikit-learn says 0, with a warning. */
  averagePrecision: number;
}

/**
 * Prepares both areas for resampling: samples are sorted once, and each call then takes one pass over their weights,
 * shape [n].
 *
 * @throws RangeError if there are no samples, lengths differ, or a score is not finite.
 */
export function prepareAreas(
  positive: ArrayLike<boolean | number>,
  scores: ArrayLike<number>,
): (weights: Float64Array) => CurveAreas {
  checkScores(positive, scores);
  const order = fallingOrder(scores);
  const isPositive = Uint8Array.from(order, (i) => Number(positive[i]));
  const lastOfTie = Uint8Array.from(order, (i, at) => (scores[order[at + 1] ?? -1] === scores[i] ? 0 : 1));
  return (weights) => {
    let [found, falseAlarms, tiedFound, tiedAlarms, area, precisionSum] = [0, 0, 0, 0, 0, 0];
    for (let at = 0; at < order.length; at++) {
      const weight = weights[order[at]!]!;
      if (isPositive[at] === 1) tiedFound += weight;
      else tiedAlarms += weight;
      if (lastOfTie[at] === 0) continue;
      // Each negative is beaten by the positives above it, and half by those that score the same.
      area += tiedAlarms * (found + tiedFound / 2);
      found += tiedFound;
      falseAlarms += tiedAlarms;
      if (tiedFound > 0) precisionSum += (tiedFound * found) / (found + falseAlarms);
      tiedFound = 0;
      tiedAlarms = 0;
    }
    return { auc: area / (found * falseAlarms), averagePrecision: precisionSum / found };
  };
}

/** Samples from the highest score down. Scores are sorted as numbers, which is many times faster than by a callback. */
function fallingOrder(scores: ArrayLike<number>): Int32Array {
  const sorted = Float64Array.from(scores).sort();
  const taken = new Int32Array(sorted.length);
  const order = new Int32Array(sorted.length);
  for (let i = 0; i < sorted.length; i++) {
    const first = firstAtLeast(sorted, scores[i]!);
    order[sorted.length - 1 - first - taken[first]!++] = i;
  }
  return order;
}

/** Where the first of rising numbers stands that is not below a value. */
function firstAtLeast(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Precision against sensitivity; point i is what calling every score ≥ `thresholds[i]` positive gives. */
export interface PrecisionRecallCurve {
  /** Share of those called positive that are; the last is 1, where nothing is called positive. */
  precisions: number[];
  /** Sensitivity, falling to 0; all 1 (but the last) if no sample is positive, as in scikit-learn. */
  recalls: number[];
  /** Rising, the distinct scores; one fewer than there are points. */
  thresholds: number[];
}

/**
 * Computes precision and sensitivity at each distinct score, as scikit-learn's `precision_recall_curve` does.
 *
 * @param positive - Shape [n], n at least 1: whether each sample is of the positive class (true or 1).
 * @param scores - Shape [n], finite; higher means more likely positive. Equal scores make one point.
 * @throws RangeError if there are no samples, lengths differ, or a score is not finite.
 *
 * @example
 * precisionRecallCurve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).recalls; // [1, 1, 0.5, 0.5, 0]
 */
export function precisionRecallCurve(
  positive: ArrayLike<boolean | number>,
  scores: ArrayLike<number>,
): PrecisionRecallCurve {
  const { falsePositives, truePositives, thresholds } = countAtThresholds(positive, scores);
  const positives = truePositives[truePositives.length - 1]!;
  const precisions = truePositives.map((count, i) => count / (count + falsePositives[i]!));
  const recalls = truePositives.map((count) => (positives === 0 ? 1 : count / positives));
  return {
    precisions: [...precisions.reverse(), 1],
    recalls: [...recalls.reverse(), 0],
    thresholds: thresholds.reverse(),
  };
}

/**
 * Average precision: the mean of the precisions at the thresholds, each weighted by the sensitivity gained there,
 * as in scikit-learn; no interpolation, which would flatter. The share of positives is what chance reaches.
 *
 * @returns In [0, 1]; NaN if no sample is positive, where scikit-learn says 0 and warns: see `metrics.ts`.
 * @throws RangeError if there are no samples, lengths differ, or a score is not finite.
 *
 * @example
 * averagePrecision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]); // 0.8333333333333333
 */
export function averagePrecision(positive: ArrayLike<boolean | number>, scores: ArrayLike<number>): number {
  return prepareAreas(positive, scores)(onesFor(scores)).averagePrecision;
}
