import { type Clustered, type Interval, noPredictions } from "./bootstrap";
import { type ShareOptions, shareInterval } from "./share-interval";

/**
 * Intervals of a confusion matrix's row shares: of those of a true class, which share is answered as what. The diagonal's
 * are those of the sensitivity and the specificity.
 *
 * @param items - At least one.
 * @param answers - Shape [items], class indices.
 * @param classCount - At least 2.
 * @returns Shape [classCount, classCount]; the values are those of `rowShares`, null in the row of a class that does not
 * occur.
 * @throws RangeError if there are no items or an option makes no sense.
 */
export function shareIntervals<T extends Clustered>(
  items: readonly T[],
  answers: readonly number[],
  classCount: number,
  options: ShareOptions = {},
): Interval[][] {
  if (items.length === 0) throw noPredictions();
  const answered = items.map(({ patient, file, label }, i) => ({
    patient,
    label,
    answer: answers[i]!,
    ...(file === undefined ? {} : { file }),
  }));
  const classes = Array.from({ length: classCount }, (_, i) => i);
  return classes.map((row) =>
    classes.map((column) =>
      shareInterval(
        [answered],
        ({ label }) => label === row,
        ({ answer }) => (answer === column ? 1 : 0),
        options,
      ),
    ),
  );
}
