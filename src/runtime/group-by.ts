/**
 * Groups items by a key; those whose key is null belong to no group.
 *
 * @param keyOf - Called with each item and its index.
 * @returns Groups in order of their first item, each in the order of its items.
 *
 * @example
 * [...groupBy([1, 2, 3, 4], (number) => (number % 2 === 0 ? "even" : "odd"))];
 * // [["odd", [1, 3]], ["even", [2, 4]]]
 */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T, index: number) => K | null): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** The indices of items by a key, as `groupBy`. */
export function groupRows<T, K>(items: readonly T[], keyOf: (item: T) => K | null): Map<K, number[]> {
  return groupBy(items.keys(), (row) => keyOf(items[row]!));
}

/**
 * Groups numbers that are joined, directly or through others (disjoint sets).
 *
 * @param count - The numbers from 0 to count - 1 are grouped.
 * @param joinPairs - Calls back with each pair that belongs together.
 * @returns All numbers, each group ascending, in order of their first.
 *
 * @example
 * groupJoined(4, (join) => join(3, 1)); // [[0], [1, 3], [2]]
 */
export function groupJoined(
  count: number,
  joinPairs: (join: (one: number, other: number) => void) => void,
): number[][] {
  // Each points to another of its group or, one of them, to itself.
  const parent = Int32Array.from({ length: count }, (_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (parent[root] !== root) root = parent[root]!;
    parent[index] = root;
    return root;
  };
  joinPairs((one, other) => {
    parent[rootOf(one)] = rootOf(other);
  });
  return [...groupBy(parent.keys(), rootOf).values()];
}
