import { type BootstrapOptions, bootstrapIntervals, type Clustered, type Interval } from "./bootstrap";
import { exactInterval } from "./exact-interval";

/** Patients of each true class, and images whose patient is not known. */
function countUnits(items: readonly Clustered[], classCount: number): number[] {
  const units = Array.from({ length: classCount }, () => new Set<string>());
  for (const { label, patient, file } of items) {
    units[label]!.add(patient === null ? `image ${file}` : `patient ${patient}`);
  }
  return units.map(({ size }) => size);
}

/**
 * Where all images of a class were answered alike, so are those of every resample, which would pretend that nothing else
 * could happen: Clopper and Pearson's interval then says what can be known from so many patients.
 */
function withExactEnds(interval: Interval, units: number): Interval {
  if (interval.value !== 0 && interval.value !== 1) return interval;
  const { low, high } = exactInterval(interval.value * units, units, interval.level);
  return { ...interval, low, high };
}

/**
 * Intervals of a confusion matrix's row shares, resampling patients: of those of a true class, which share is answered
 * as what. Shares of 0 and 1 get the exact interval of their number of patients.
 *
 * @param items - At least one; the images of one patient are drawn together.
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
  options: BootstrapOptions = {},
): Interval[][] {
  const classes = Array.from({ length: classCount }, (_, i) => i);
  const cells = Int32Array.from(items, ({ label }, i) => label * classCount + answers[i]!);
  const counts = new Float64Array(classCount * classCount);
  const prepare = () => (weights: Float64Array) => {
    counts.fill(0);
    for (let i = 0; i < cells.length; i++) counts[cells[i]!]! += weights[i]!;
    const shares: Record<string, number> = {};
    for (const row of classes) {
      const total = classes.reduce((sum, column) => sum + counts[row * classCount + column]!, 0);
      for (const column of classes) shares[`${row} ${column}`] = counts[row * classCount + column]! / total;
    }
    return shares;
  };
  const intervals = bootstrapIntervals([items], prepare, options);
  const units = countUnits(items, classCount);
  return classes.map((row) =>
    classes.map((column) => withExactEnds(intervals[`${row} ${column}`]!, units[row]!)),
  );
}
