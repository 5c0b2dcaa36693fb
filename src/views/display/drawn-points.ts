import { spreadEvenly } from "../../runtime/many";

/** Beyond this many, points hide each other, and a figure would weigh tens of megabytes in its notebook. */
export const mostPoints = 4000;

/**
 * Which points of a curve are drawn: all or, of very many, some evenly over all and the last. They lie closer than pixels.
 *
 * @returns Indices below `count`, ascending.
 */
export function drawnPoints(count: number): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  return count <= mostPoints ? all : [...spreadEvenly(all, mostPoints - 1), count - 1];
}

/** What is drawn of a list of points, such as a curve's rates. */
export function pickDrawn<T>(values: readonly T[]): T[] {
  return drawnPoints(values.length).map((i) => values[i]!);
}
