import { confusionMatrix } from "./confusion-matrix";

/**
 * Scores of decisions. All are computed from the confusion matrix, lie in [0, 1] unless said otherwise,
 * and are NaN where they are undefined (a sensitivity without any positive sample is not 0, it is unknown).
 *
 * All throw RangeError if there are no labels, if lengths differ, or if a label is not a class index.
 */

type Labels = ArrayLike<number>;

/** Samples counted by whether they are of the positive class and whether they are predicted to be. */
export interface DecisionCounts {
  truePositives: number;
  falseNegatives: number;
  falsePositives: number;
  trueNegatives: number;
}

/** Far above any real number of classes; a label beyond it is a mistake, such as a patient's number. */
const mostClasses = 10_000;

/** One more than the largest label, at least 2: the smallest number of classes that these labels allow. */
function classesNeeded(trueLabels: Labels, predictedLabels: Labels): number {
  let largest = 1;
  for (let i = 0; i < trueLabels.length; i++) largest = Math.max(largest, trueLabels[i]!);
  for (let i = 0; i < predictedLabels.length; i++) largest = Math.max(largest, predictedLabels[i]!);
  // Anything that is no class index is found, and named, by confusionMatrix.
  return Number.isSafeInteger(largest) && largest < mostClasses ? largest + 1 : 2;
}

function matrixOf(trueLabels: Labels, predictedLabels: Labels): number[][] {
  return confusionMatrix(trueLabels, predictedLabels, classesNeeded(trueLabels, predictedLabels));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Counts true and false positives and negatives, one class against all others.
 *
 * @param positiveClass - Index of the class that counts as positive (in BreaKHis: malignant, 1).
 *
 * @example
 * countDecisions([0, 0, 1, 1], [0, 1, 1, 1], 1);
 * // { truePositives: 2, falseNegatives: 0, falsePositives: 1, trueNegatives: 1 }
 */
export function countDecisions(
  trueLabels: Labels,
  predictedLabels: Labels,
  positiveClass: number,
): DecisionCounts {
  if (!Number.isSafeInteger(positiveClass) || positiveClass < 0) {
    throw new RangeError(`The positive class is the index of a class, found ${positiveClass}.`);
  }
  const matrix = matrixOf(trueLabels, predictedLabels);
  const truePositives = matrix[positiveClass]?.[positiveClass] ?? 0;
  const positives = sum(matrix[positiveClass] ?? []);
  const predictedPositives = sum(matrix.map((row) => row[positiveClass] ?? 0));
  return {
    truePositives,
    falseNegatives: positives - truePositives,
    falsePositives: predictedPositives - truePositives,
    trueNegatives: trueLabels.length - positives - predictedPositives + truePositives,
  };
}

/**
 * Share of samples whose predicted class is the true one.
 *
 * @example
 * accuracy([0, 0, 1, 1], [0, 1, 1, 1]); // 0.75
 */
export function accuracy(trueLabels: Labels, predictedLabels: Labels): number {
  const matrix = matrixOf(trueLabels, predictedLabels);
  return sum(matrix.map((row, i) => row[i]!)) / trueLabels.length;
}

/**
 * Mean over the classes of the share of each that is recognised; 1 / classCount is what guessing reaches.
 *
 * Classes that do not occur among the true labels are left out of the mean, as in scikit-learn.
 *
 * @example
 * balancedAccuracy([0, 0, 0, 1], [0, 0, 0, 0]); // 0.5
 */
export function balancedAccuracy(trueLabels: Labels, predictedLabels: Labels): number {
  const shares = matrixOf(trueLabels, predictedLabels)
    .map((row, i) => row[i]! / sum(row))
    .filter((share) => !Number.isNaN(share));
  return sum(shares) / shares.length;
}

/**
 * Share of the positive samples that are found (recall, true positive rate).
 *
 * @returns NaN if no sample is positive.
 *
 * @example
 * sensitivity([0, 1, 1, 1, 1], [1, 1, 1, 1, 0], 1); // 0.75
 */
export function sensitivity(trueLabels: Labels, predictedLabels: Labels, positiveClass: number): number {
  const counts = countDecisions(trueLabels, predictedLabels, positiveClass);
  return counts.truePositives / (counts.truePositives + counts.falseNegatives);
}

/**
 * Share of the negative samples that are left alone (true negative rate).
 *
 * @returns NaN if no sample is negative.
 *
 * @example
 * specificity([0, 0, 0, 0, 1], [0, 0, 0, 1, 1], 1); // 0.75
 */
export function specificity(trueLabels: Labels, predictedLabels: Labels, positiveClass: number): number {
  const counts = countDecisions(trueLabels, predictedLabels, positiveClass);
  return counts.trueNegatives / (counts.trueNegatives + counts.falsePositives);
}

/**
 * Share of the samples called positive that are (positive predictive value). It depends on how frequent
 * the positive class is: a test set with more tumours than a clinic sees flatters it.
 *
 * @returns NaN if nothing is predicted positive.
 *
 * @example
 * precision([0, 1, 1, 1], [1, 1, 1, 1], 1); // 0.75
 */
export function precision(trueLabels: Labels, predictedLabels: Labels, positiveClass: number): number {
  const counts = countDecisions(trueLabels, predictedLabels, positiveClass);
  return counts.truePositives / (counts.truePositives + counts.falsePositives);
}

/**
 * Share of the samples called negative that are; it depends on how frequent the positive class is.
 *
 * @returns NaN if nothing is predicted negative.
 *
 * @example
 * negativePredictiveValue([0, 0, 0, 1], [0, 0, 0, 0], 1); // 0.75
 */
export function negativePredictiveValue(
  trueLabels: Labels,
  predictedLabels: Labels,
  positiveClass: number,
): number {
  const counts = countDecisions(trueLabels, predictedLabels, positiveClass);
  return counts.trueNegatives / (counts.trueNegatives + counts.falseNegatives);
}

/**
 * Share of the samples called positive that would be, where the positive class is as frequent as stated:
 * Bayes' rule on sensitivity and specificity, which, unlike precision, do not depend on the test set's mix.
 *
 * @param prevalence - Share of positives among those who are examined, in [0, 1].
 * @returns NaN if nothing would be called positive, or sensitivity or specificity is NaN.
 * @throws RangeError if a share lies outside [0, 1].
 *
 * @example
 * precisionAtPrevalence(0.9, 0.9, 0.5); // 0.9
 */
export function precisionAtPrevalence(sensitivity: number, specificity: number, prevalence: number): number {
  checkShares({ sensitivity, specificity, prevalence });
  const truePositives = sensitivity * prevalence;
  return truePositives / (truePositives + (1 - specificity) * (1 - prevalence));
}

/**
 * Share of the samples called negative that would be, where the positive class is as frequent as stated.
 *
 * @param prevalence - Share of positives among those who are examined, in [0, 1].
 * @returns NaN if nothing would be called negative, or sensitivity or specificity is NaN.
 * @throws RangeError if a share lies outside [0, 1].
 *
 * @example
 * negativePredictiveValueAtPrevalence(0.75, 0.75, 0.5); // 0.75
 */
export function negativePredictiveValueAtPrevalence(
  sensitivity: number,
  specificity: number,
  prevalence: number,
): number {
  checkShares({ sensitivity, specificity, prevalence });
  const trueNegatives = specificity * (1 - prevalence);
  return trueNegatives / (trueNegatives + (1 - sensitivity) * prevalence);
}

/** NaN, an unknown share, passes for what is measured; the stated prevalence must be a number. */
function checkShares(shares: { sensitivity: number; specificity: number; prevalence: number }) {
  for (const [name, share] of Object.entries(shares)) {
    if (share < 0 || share > 1 || (name === "prevalence" && Number.isNaN(share))) {
      throw new RangeError(`The ${name} is a share from 0 to 1, found ${share}.`);
    }
  }
}

/**
 * Harmonic mean of precision and sensitivity.
 *
 * @returns NaN if no sample is positive and none is predicted to be.
 *
 * @example
 * f1Score([0, 1, 1, 1], [1, 1, 1, 0], 1); // 0.6666666666666666
 */
export function f1Score(trueLabels: Labels, predictedLabels: Labels, positiveClass: number): number {
  const counts = countDecisions(trueLabels, predictedLabels, positiveClass);
  const twice = 2 * counts.truePositives;
  return twice / (twice + counts.falsePositives + counts.falseNegatives);
}

/**
 * Matthews' correlation between true and predicted classes, in [-1, 1]: 1 is perfect, 0 no better than chance.
 *
 * It is 0 where all samples are of one class or are predicted as one class, as in scikit-learn.
 * For more than two classes: Gorodkin, Comput. Biol. Chem. 28(5–6), 2004.
 *
 * @example
 * matthewsCorrelation([0, 0, 1, 1], [0, 1, 1, 1]); // 0.5773502691896258
 */
export function matthewsCorrelation(trueLabels: Labels, predictedLabels: Labels): number {
  const matrix = matrixOf(trueLabels, predictedLabels);
  const samples = trueLabels.length;
  const correct = sum(matrix.map((row, i) => row[i]!));
  const trueCounts = matrix.map(sum);
  const predictedCounts = matrix.map((_, j) => sum(matrix.map((row) => row[j]!)));
  const dot = (a: number[], b: number[]) => sum(a.map((value, i) => value * b[i]!));
  const covariance = correct * samples - dot(trueCounts, predictedCounts);
  const trueVariance = samples ** 2 - dot(trueCounts, trueCounts);
  const predictedVariance = samples ** 2 - dot(predictedCounts, predictedCounts);
  if (trueVariance === 0 || predictedVariance === 0) return 0;
  return covariance / Math.sqrt(trueVariance * predictedVariance);
}

/**
 * Accuracy of always answering the most frequent class: what any model must beat.
 *
 * @example
 * majorityClassAccuracy([0, 1, 1, 1]); // 0.75
 */
export function majorityClassAccuracy(trueLabels: Labels): number {
  const matrix = matrixOf(trueLabels, trueLabels);
  return Math.max(...matrix.map((row, i) => row[i]!)) / trueLabels.length;
}
