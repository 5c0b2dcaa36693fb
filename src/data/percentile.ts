/**
 * Percentile of numbers by linear interpolation between the two nearest, numpy's default.
 *
 * @param sorted - Ascending, at least one.
 * @param percent - In [0, 100].
 * @throws RangeError if there are no numbers.
 *
 * @example
 * percentile([1, 2, 3, 4], 50); // 2.5
 */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  if (sorted.length === 0) throw new RangeError("There are no numbers to take a percentile of.");
  const position = ((sorted.length - 1) * percent) / 100;
  const before = Math.floor(position);
  const after = Math.min(sorted.length - 1, before + 1);
  return sorted[before]! + (position - before) * (sorted[after]! - sorted[before]!);
}

/** Middle of numbers in any order; the mean of the two middle ones of an even count. */
export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 50);
}
