// `Math.min(...values)` and `list.push(...more)` make each item an argument, and the stack overflows at some 125,000 of
// them: fewer than a data set may have images. These do the same for any number.

/** The smallest of some numbers; NaN if one is NaN, Infinity if there are none. */
export function smallest(values: ArrayLike<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) least = Math.min(least, values[i]!);
  return least;
}

/** The largest of some numbers; NaN if one is NaN, -Infinity if there are none. */
export function largest(values: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]!);
  return most;
}

/** The mean of some numbers; NaN if there are none. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Adds items at the end of a list. */
export function pushAll<T>(list: T[], more: Iterable<T>): void {
  for (const item of more) list.push(item);
}

/**
 * At most so many of a list, evenly over all of it: files are sorted, so every class and patient has its share.
 *
 * @example
 * spreadEvenly([10, 11, 12, 13, 14, 15], 3); // [10, 12, 14]
 */
export function spreadEvenly<T>(list: readonly T[], most: number): T[] {
  const count = Math.min(most, list.length);
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]!);
}
