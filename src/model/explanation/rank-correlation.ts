/** Ranks from 1 on; equal values share the mean of their ranks. */
function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last++;
    for (let place = first; place <= last; place++) ranks[order[place]!] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return ranks;
}

/**
 * Spearman's rank correlation: how well one series' order tells the other's, in [-1, 1].
 *
 * @returns NaN if all values of a series are equal, or there are fewer than 2: an order is then not to be had.
 * @throws RangeError if lengths differ.
 *
 * @example
 * spearman([1, 2, 3], [10, 100, 50]); // 0.5
 */
export function spearman(one: ArrayLike<number>, other: ArrayLike<number>): number {
  if (one.length !== other.length) {
    throw new RangeError(
      `Two series of the same length are compared, found ${one.length} and ${other.length}.`,
    );
  }
  const [a, b] = [ranksOf(one), ranksOf(other)];
  // Ranks have the same mean whatever their ties.
  const mean = (one.length + 1) / 2;
  let [covariance, varianceA, varianceB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    covariance += (a[i]! - mean) * (b[i]! - mean);
    varianceA += (a[i]! - mean) ** 2;
    varianceB += (b[i]! - mean) ** 2;
  }
  return covariance / Math.sqrt(varianceA * varianceB);
}
