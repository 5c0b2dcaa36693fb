/** Straight between the two nearest of sorted numbers. */
function between(sorted: ArrayLike<number>, position: number): number {
  if (sorted.length === 0) throw new RangeError("There are no numbers to take a percentile of.");
  const before = Math.floor(position);
  const after = Math.min(sorted.length - 1, before + 1);
  return sorted[before]! + (position - before) * (sorted[after]! - sorted[before]!);
}

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
  return between(sorted, ((sorted.length - 1) * percent) / 100);
}

/**
 * Value below which a share of numbers lies: the percentile for a share in [0, 1], as numpy's `quantile`.
 *
 * @param sorted - Ascending, at least one.
 * @param share - In [0, 1].
 * @throws RangeError if there are no numbers.
 *
 * @example
 * quantileOf([1, 2, 4], 0.75); // 3
 */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  return between(sorted, share * (sorted.length - 1));
}

/** Middle of numbers in any order; the mean of the two middle ones of an even count. */
export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 50);
}
