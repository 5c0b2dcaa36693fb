import { rangeRefusal } from "../../runtime/refusal";

/**
 * Weighs classes by the inverse of their frequency: n / (classCount · count), scikit-learn's "balanced".
 *
 * With these weights every class has the same share in the loss, and the mean weight of a sample is 1.
 *
 * @param labels - Shape [n], integers in [0, classCount); every class occurs.
 * @returns Shape [classCount].
 * @throws RangeError if a class does not occur: it has no frequency to invert.
 *
 * @example
 * balancedClassWeights([0, 1, 1, 1], 2); // [2, 2 / 3]
 */
export function balancedClassWeights(labels: ArrayLike<number>, classCount: number): number[] {
  const counts = countClasses(labels, classCount);
  const missing = counts.indexOf(0);
  if (missing >= 0) throw rangeRefusal(`Class ${missing} has no sample, so it can't be weighed.`);
  return counts.map((count) => labels.length / (classCount * count));
}

/**
 * Counts how often each class occurs.
 *
 * @throws RangeError if a label is not an integer in [0, classCount).
 *
 * @example
 * countClasses([0, 1, 1, 1], 3); // [1, 3, 0]
 */
export function countClasses(labels: ArrayLike<number>, classCount: number): number[] {
  const counts = new Array<number>(classCount).fill(0);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (counts[label] === undefined) {
      throw rangeRefusal(`Labels are integers from 0 to ${classCount - 1}, found ${label} at position ${i}.`);
    }
    counts[label]++;
  }
  return counts;
}
