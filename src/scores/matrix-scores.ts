/** Scores of a confusion matrix; its entries may be weights. NaN where one is undefined. */
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
 * Computes the same scores as `metrics.ts`, from a matrix instead of labels: thousands of resamples share the counting.
 *
 * @param matrix - Shape [classCount, classCount], rows true classes, row by row; at least one entry above 0.
 */
export function scoresOfMatrix(
  matrix: Float64Array,
  classCount: number,
  positiveClass: number | null,
): MatrixScores {
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

/** Gorodkin, Comput. Biol. Chem. 28(5–6), 2004; 0 where everything is of, or called, one class. */
function correlation(rows: Float64Array, columns: Float64Array, total: number, correct: number): number {
  let [covariance, trueVariance, calledVariance] = [correct * total, total ** 2, total ** 2];
  for (let i = 0; i < rows.length; i++) {
    covariance -= rows[i]! * columns[i]!;
    trueVariance -= rows[i]! ** 2;
    calledVariance -= columns[i]! ** 2;
  }
  if (trueVariance === 0 || calledVariance === 0) return total === 0 ? Number.NaN : 0;
  return covariance / Math.sqrt(trueVariance * calledVariance);
}
