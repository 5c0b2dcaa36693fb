import { indexOfLargest } from "../model/classifier/decision";
import { largest } from "../runtime/many";
import { rangeRefusal } from "../runtime/refusal";

/** One row of probabilities a sample, each of shape [classCount]. */
type Probabilities = readonly ArrayLike<number>[];

/** How far a row's sum may be from 1: float32 softmax, rounded in a file. */
const sumTolerance = 1e-4;

function checkProbabilities(trueLabels: ArrayLike<number>, probabilities: Probabilities): number {
  const classCount = probabilities[0]?.length ?? 0;
  if (trueLabels.length !== probabilities.length || trueLabels.length === 0) {
    throw rangeRefusal(
      `There must be a row of probabilities for each of at least one label, found ${probabilities.length} rows and ${trueLabels.length} labels.`,
    );
  }
  if (classCount < 2) throw rangeRefusal(`A row holds at least 2 probabilities, found ${classCount}.`);
  probabilities.forEach((row, i) => {
    checkRow(row, i, classCount);
    const label = trueLabels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classCount) {
      throw rangeRefusal(
        `Labels are integers from 0 to ${classCount - 1}, but the one at position ${i} is ${label}.`,
      );
    }
  });
  return classCount;
}

function checkRow(row: ArrayLike<number>, i: number, classCount: number) {
  let sum = 0;
  for (let c = 0; c < row.length; c++) {
    // Written so that NaN fails too.
    if (!(row[c]! >= 0 && row[c]! <= 1)) {
      throw rangeRefusal(`Probabilities lie from 0 to 1, but row ${i} holds ${row[c]}.`);
    }
    sum += row[c]!;
  }
  if (row.length !== classCount || !(Math.abs(sum - 1) <= sumTolerance)) {
    throw rangeRefusal(
      `Each row holds ${classCount} probabilities that sum to 1, but row ${i} holds ${row.length} that sum to ${sum}.`,
    );
  }
}

/**
 * Brier score: the mean squared distance of the probabilities from the truth; 0 is perfect.
 *
 * With two classes it is that of the positive one, in [0, 1], where always saying one half gives 0.25; with more
 * it is the sum over the classes, in [0, 2]. As scikit-learn's `brier_score_loss` (Brier, Mon. Weather Rev. 78, 1950).
 *
 * @throws RangeError if there are no samples, lengths differ, or a row is not a distribution over the classes.
 *
 * @example
 * brierScore([0, 1], [[0.5, 0.5], [0, 1]]); // 0.125
 */
export function brierScore(trueLabels: ArrayLike<number>, probabilities: Probabilities): number {
  checkProbabilities(trueLabels, probabilities);
  let total = 0;
  probabilities.forEach((row, i) => {
    total += brierTerm(trueLabels[i]!, row);
  });
  return total / trueLabels.length;
}

/** One sample's part in the Brier score. */
export function brierTerm(label: number, row: ArrayLike<number>): number {
  let sum = 0;
  for (let c = 0; c < row.length; c++) sum += (row[c]! - (label === c ? 1 : 0)) ** 2;
  return row.length === 2 ? sum / 2 : sum;
}

/** One sample's part in the log loss. */
export function logLossTerm(label: number, row: ArrayLike<number>): number {
  // Of 1 it is 0, and not −0.
  return Math.abs(Math.log(Math.max(row[label]!, smallestProbability)));
}

/** The smallest positive float32: a softmax that rounds to 0 is at most this. */
export const smallestProbability: number = 2 ** -149;

/**
 * Mean negative logarithm of the probability given to the true class (log loss, cross-entropy), at least 0.
 *
 * A probability of 0 counts as the smallest one that float32 can hold, so that one error does not make it infinite.
 *
 * @throws RangeError if there are no samples, lengths differ, or a row is not a distribution over the classes.
 *
 * @example
 * negativeLogLikelihood([0, 1], [[1, 0], [0, 1]]); // 0
 */
export function negativeLogLikelihood(trueLabels: ArrayLike<number>, probabilities: Probabilities): number {
  checkProbabilities(trueLabels, probabilities);
  let total = 0;
  probabilities.forEach((row, i) => {
    total += logLossTerm(trueLabels[i]!, row);
  });
  return total / trueLabels.length;
}

/** One bar of a reliability diagram. */
export interface ReliabilityBin {
  /** Bounds of the confidence, (low, high]; the first bin includes 0. */
  low: number;
  high: number;
  count: number;
  /** Mean probability that was given; null where the bin is empty. */
  meanConfidence: number | null;
  /** Share that turned out true; null where the bin is empty. */
  observed: number | null;
}

/** How well probabilities can be taken at their word. */
export interface Reliability {
  bins: ReliabilityBin[];
  /** Mean over the samples of |mean confidence − observed share| of their bin, in [0, 1]. */
  expectedCalibrationError: number;
  /** The largest such difference of any bin that is not empty. */
  maximumCalibrationError: number;
  /** Mean confidence minus observed share over all samples: above 0 is overconfident. */
  overconfidence: number;
}

/**
 * Compares given probabilities with observed shares in bins of equal width (Naeini et al., AAAI 2015; Guo et al.,
 * ICML 2017, equation 3).
 *
 * By default of the decision: confidence is the largest probability, observed whether that class is the true one.
 * With `positiveClass`, of that class: confidence is its probability, observed whether a sample is of it, which for
 * two classes shows both ends of the scale. The number depends on the bins; with few samples it is mostly noise, and
 * biased upwards.
 *
 * @param options.binCount - 10 by default; Guo et al. take 15.
 * @throws RangeError if there are no samples, lengths differ, a row is not a distribution, or there is no such class.
 */
export function computeReliability(
  trueLabels: ArrayLike<number>,
  probabilities: Probabilities,
  options: { binCount?: number; positiveClass?: number | null } = {},
): Reliability {
  const { binCount = 10, positiveClass = null } = options;
  const classCount = checkProbabilities(trueLabels, probabilities);
  if (!Number.isSafeInteger(binCount) || binCount < 1) {
    throw rangeRefusal(`The number of bins is a positive integer, found ${binCount}.`);
  }
  if (
    positiveClass !== null &&
    !(Number.isInteger(positiveClass) && positiveClass >= 0 && positiveClass < classCount)
  ) {
    throw rangeRefusal(
      `The positive class is the index of one of ${classCount} classes, found ${positiveClass}.`,
    );
  }
  const sums = Array.from({ length: binCount }, () => ({ count: 0, confidence: 0, observed: 0 }));
  probabilities.forEach((row, i) => {
    const chosen = positiveClass ?? indexOfLargest(row);
    const bin = sums[binOf(row[chosen]!, binCount)]!;
    bin.count++;
    bin.confidence += row[chosen]!;
    bin.observed += trueLabels[i] === chosen ? 1 : 0;
  });
  return summarizeBins(sums, trueLabels.length);
}

/** Compared with the very bounds that are shown, so that rounding puts no sample beside its bin. */
function binOf(confidence: number, binCount: number): number {
  let bin = Math.min(binCount - 1, Math.floor(confidence * binCount));
  while (bin > 0 && confidence <= bin / binCount) bin--;
  while (bin < binCount - 1 && confidence > (bin + 1) / binCount) bin++;
  return bin;
}

function summarizeBins(
  sums: readonly { count: number; confidence: number; observed: number }[],
  samples: number,
): Reliability {
  const bins = sums.map(({ count, confidence, observed }, i) => ({
    low: i / sums.length,
    high: (i + 1) / sums.length,
    count,
    meanConfidence: count === 0 ? null : confidence / count,
    observed: count === 0 ? null : observed / count,
  }));
  const gaps = sums.map(({ confidence, observed }) => confidence - observed);
  return {
    bins,
    expectedCalibrationError: gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / samples,
    maximumCalibrationError: largest(
      sums.map(({ count }, i) => (count === 0 ? 0 : Math.abs(gaps[i]!) / count)),
    ),
    overconfidence: gaps.reduce((sum, gap) => sum + gap, 0) / samples,
  };
}
