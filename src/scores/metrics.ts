import { largest } from "../runtime/many";
import { rangeRefusal } from "../runtime/refusal";
import { confusionMatrix } from "./confusion-matrix";

/**
 * Scores of decisions. All are computed from the confusion matrix by `scoresOfMatrix`, lie in [0, 1] unless said
 * otherwise, and are NaN where they are undefined: a sensitivity without any positive sample is not 0, it is unknown.
 *
 * scikit-learn 1.9 gives numbers there: 0, with a warning, for sensitivity, specificity, precision, negative predictive
 * value and F1, 0 for Matthews' correlation where all samples are of one class, and 0 for the average precision
 * without positives. A 0 would count as the worst there is in a mean over folds or groups and in every interval that
 * resamples few patients, where a resample of one class is no rarity; what is unknown is left out instead, and counted.
 *
 * All throw RangeError if there are no labels, if lengths differ, or if a label is not a class index.
 */

type Labels = ArrayLike<number>;

/** Scores of a confusion matrix, NaN where one is undefined. */
export interface MatrixScores {
  accuracy: number;
  balancedAccuracy: number;
  /** Of the positive class, and so are the five below but the last; NaN where no class is positive. */
  sensitivity: number;
  specificity: number;
  precision: number;
  negativePredictiveValue: number;
  f1: number;
  matthewsCorrelation: number;
}

/**
 * Computes scores from a confusion matrix; its entries may be weights, so that thousands of resamples share the counting.
 *
 * @param matrix - Shape [classCount, classCount], rows true classes, row by row; at least one entry above 0.
 */
export function scoresOfMatrix(
  matrix: ArrayLike<number>,
  classCount: number,
  positiveClass: number | null,
): MatrixScores {
  const { rows, columns, total, correct } = margins(matrix, classCount);
  let recalls = 0;
  let classes = 0;
  for (let i = 0; i < classCount; i++) {
    if (rows[i] === 0) continue;
    recalls += matrix[i * classCount + i]! / rows[i]!;
    classes++;
  }
  const positive = positiveClass ?? -1;
  const found = matrix[positive * classCount + positive] ?? Number.NaN;
  const positives = rows[positive] ?? Number.NaN;
  const called = columns[positive] ?? Number.NaN;
  const rejected = total - positives - called + found;
  return {
    accuracy: correct / total,
    balancedAccuracy: recalls / classes,
    sensitivity: found / positives,
    specificity: rejected / (total - positives),
    precision: found / called,
    negativePredictiveValue: rejected / (total - called),
    f1: (2 * found) / (positives + called),
    matthewsCorrelation: correlation(rows, columns, total, correct),
  };
}

function margins(matrix: ArrayLike<number>, classCount: number) {
  const rows = new Float64Array(classCount);
  const columns = new Float64Array(classCount);
  let total = 0;
  let correct = 0;
  for (let i = 0; i < classCount; i++) {
    for (let j = 0; j < classCount; j++) {
      const count = matrix[i * classCount + j]!;
      rows[i]! += count;
      columns[j]! += count;
      total += count;
      if (i === j) correct += count;
    }
  }
  return { rows, columns, total, correct };
}

function correlation(rows: Float64Array, columns: Float64Array, total: number, correct: number): number {
  let [covariance, trueVariance, calledVariance] = [correct * total, total ** 2, total ** 2];
  for (let i = 0; i < rows.length; i++) {
    covariance -= rows[i]! * columns[i]!;
    trueVariance -= rows[i]! ** 2;
    calledVariance -= columns[i]! ** 2;
  }
  if (trueVariance === 0) return Number.NaN;
  return calledVariance === 0 ? 0 : covariance / Math.sqrt(trueVariance * calledVariance);
}

/** Far above any real number of classes; a label beyond it is a mistake, such as a patient's number. */
const mostClasses = 10_000;

/** One more than the largest label, at least 2: the smallest number of classes that these labels allow. */
function classesNeeded(trueLabels: Labels, predictedLabels: Labels, positiveClass: number | null): number {
  let largest = Math.max(1, positiveClass ?? 1);
  for (let i = 0; i < trueLabels.length; i++) largest = Math.max(largest, trueLabels[i]!);
  for (let i = 0; i < predictedLabels.length; i++) largest = Math.max(largest, predictedLabels[i]!);
  // Anything that is no class index is found, and named, by confusionMatrix.
  return Number.isSafeInteger(largest) && largest < mostClasses ? largest + 1 : 2;
}

/** @throws RangeError as all scores do. */
function scoreLabels(trueLabels: Labels, predictedLabels: Labels, positiveClass: number | null = null) {
  if (positiveClass !== null && (!Number.isSafeInteger(positiveClass) || positiveClass < 0)) {
    throw rangeRefusal(`The positive class is the index of a class, found ${positiveClass}.`);
  }
  const classCount = classesNeeded(trueLabels, predictedLabels, positiveClass);
  return scoresOfMatrix(
    confusionMatrix(trueLabels, predictedLabels, classCount).flat(),
    classCount,
    positiveClass,
  );
}

/**
 * Share of samples whose predicted class is the true one.
 *
 * @example
 * accuracy([0, 0, 1, 1], [0, 1, 1, 1]); // 0.75
 */
export function accuracy(trueLabels: Labels, predictedLabels: Labels): number {
  return scoreLabels(trueLabels, predictedLabels).accuracy;
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
  return scoreLabels(trueLabels, predictedLabels).balancedAccuracy;
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
  return scoreLabels(trueLabels, predictedLabels, positiveClass).sensitivity;
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
  return scoreLabels(trueLabels, predictedLabels, positiveClass).specificity;
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
  return scoreLabels(trueLabels, predictedLabels, positiveClass).precision;
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
  return scoreLabels(trueLabels, predictedLabels, positiveClass).negativePredictiveValue;
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
      throw rangeRefusal(`The ${name} is a share from 0 to 1, found ${share}.`);
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
  return scoreLabels(trueLabels, predictedLabels, positiveClass).f1;
}

/**
 * Matthews' correlation between true and predicted classes, in [-1, 1]: 1 is perfect, 0 no better than chance.
 *
 * It is 0 where samples of several classes are all predicted as one, as in scikit-learn: such answers say nothing.
 * For more than two classes: Gorodkin, Comput. Biol. Chem. 28(5–6), 2004.
 *
 * @returns NaN if all samples are of one class, with which nothing can correlate; scikit-learn says 0.
 *
 * @example
 * matthewsCorrelation([0, 0, 1, 1], [0, 1, 1, 1]); // 0.5773502691896258
 */
export function matthewsCorrelation(trueLabels: Labels, predictedLabels: Labels): number {
  return scoreLabels(trueLabels, predictedLabels).matthewsCorrelation;
}

/**
 * Accuracy of always answering the most frequent class: what any model must beat.
 *
 * @example
 * majorityClassAccuracy([0, 1, 1, 1]); // 0.75
 */
export function majorityClassAccuracy(trueLabels: Labels): number {
  const matrix = confusionMatrix(trueLabels, trueLabels, classesNeeded(trueLabels, trueLabels, null));
  return largest(matrix.map((row, i) => row[i]!)) / trueLabels.length;
}
