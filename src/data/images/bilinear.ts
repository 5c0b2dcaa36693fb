import { rangeRefusal } from "../../runtime/refusal";

/** Where a row or column of the large grid lies between two of the small one. */
interface Place {
  first: number;
  second: number;
  /** Of the second one, in [0, 1]. */
  share: number;
}

/** Centres of cells are mapped on each other ("half-pixel centres"); beyond the outermost ones values are kept. */
function placesOf(from: number, to: number): Place[] {
  return Array.from({ length: to }, (_, index) => {
    const position = Math.min(from - 1, Math.max(0, ((index + 0.5) * from) / to - 0.5));
    const first = Math.floor(position);
    return { first, second: Math.min(from - 1, first + 1), share: position - first };
  });
}

/**
 * Enlarges a grid of numbers bilinearly, as `tf.image.resize` and OpenCV do.
 *
 * @param values - Shape [rows, columns].
 * @returns Shape [height, width].
 * @throws RangeError if the values don't fill the grid.
 *
 * @example
 * Array.from(enlargeBilinearly([0, 1], [1, 2], [1, 4])); // [0, 0.25, 0.75, 1]
 */
export function enlargeBilinearly(
  values: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  [height, width]: readonly [number, number],
): Float32Array {
  if (values.length !== rows * columns) {
    throw rangeRefusal(
      `A grid of ${rows} × ${columns} has ${rows * columns} values, found ${values.length}.`,
    );
  }
  const across = placesOf(columns, width);
  const enlarged = new Float32Array(height * width);
  for (const [y, { first, second, share }] of placesOf(rows, height).entries()) {
    const above = first * columns;
    const below = second * columns;
    for (const [x, place] of across.entries()) {
      const mix = (row: number) =>
        values[row + place.first]! * (1 - place.share) + values[row + place.second]! * place.share;
      enlarged[y * width + x] = mix(above) * (1 - share) + mix(below) * share;
    }
  }
  return enlarged;
}
