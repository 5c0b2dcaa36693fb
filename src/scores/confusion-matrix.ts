import { rangeRefusal } from "../runtime/refusal";

/**
 * Checks two lists of class indices that belong together.
 *
 * @throws RangeError if they are empty, differ in length, or hold anything but integers in [0, classCount).
 */
function checkLabels(trueLabels: ArrayLike<number>, predictedLabels: ArrayLike<number>, classCount: number) {
  if (!Number.isSafeInteger(classCount) || classCount < 2) {
    throw rangeRefusal(`The number of classes must be an integer of at least 2, found ${classCount}.`);
  }
  if (trueLabels.length !== predictedLabels.length) {
    throw rangeRefusal(
      `There must be one predicted label for each true one, found ${trueLabels.length} true and ${predictedLabels.length} predicted labels.`,
    );
  }
  if (trueLabels.length === 0) {
    throw rangeRefusal("There are no labels to compare: is this part of the split empty?");
  }
  checkRange(trueLabels, "true", classCount);
  checkRange(predictedLabels, "predicted", classCount);
}

function checkRange(labels: ArrayLike<number>, kind: string, classCount: number) {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classCount) {
      throw rangeRefusal(
        `Labels are integers from 0 to ${classCount - 1}, but the ${kind} label at position ${i} is ${label}.`,
      );
    }
  }
}

/**
 * Counts predictions for each true class.
 *
 * Rows are true classes, columns predicted ones: `matrix[i][j]` is the number
 * of samples of class `i` predicted as class `j`.
 *
 * @param trueLabels - Shape [n], n at least 1, integers in [0, classCount).
 * @param predictedLabels - Shape [n], integers in [0, classCount).
 * @param classCount - At least 2.
 * @returns Shape [classCount, classCount]; entries sum to n.
 * @throws RangeError if there are no labels, lengths differ or a label is out of range.
 *
 * @example
 * confusionMatrix([0, 0, 1, 1], [0, 1, 1, 1], 2); // [[1, 1], [0, 2]]
 */
export function confusionMatrix(
  trueLabels: ArrayLike<number>,
  predictedLabels: ArrayLike<number>,
  classCount: number,
): number[][] {
  checkLabels(trueLabels, predictedLabels, classCount);
  const matrix = Array.from({ length: classCount }, () => new Array<number>(classCount).fill(0));
  for (let i = 0; i < trueLabels.length; i++) {
    const row = matrix[trueLabels[i]!]!;
    row[predictedLabels[i]!]!++;
  }
  return matrix;
}

/**
 * Divides each row of a confusion matrix by its sum: which share of a true class was predicted as what.
 *
 * @returns Rows sum to 1; the row of a class that does not occur is NaN.
 *
 * @example
 * rowShares([[1, 1], [0, 2]]); // [[0.5, 0.5], [0, 1]]
 */
export function rowShares(matrix: readonly (readonly number[])[]): number[][] {
  return matrix.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => count / total);
  });
}
