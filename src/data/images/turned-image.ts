import { rangeRefusal } from "../../runtime/refusal";

/** One of the eight ways to lay a square picture on a table: mirrored or not, then turned. */
export interface Turn {
  /** Clockwise, 0 to 3; after mirroring. */
  quarterTurns: number;
  /** Left to right. */
  mirrored: boolean;
}

/** The eight rotations and reflections of a square, the picture as it is first: tissue has no top and no right side. */
export const allTurns: readonly Turn[] = [false, true].flatMap((mirrored) =>
  [0, 1, 2, 3].map((quarterTurns) => ({ quarterTurns, mirrored })),
);

/** The turn that takes another one back. A mirrored one is its own inverse. */
export function inverseTurn({ quarterTurns, mirrored }: Turn): Turn {
  return { quarterTurns: mirrored ? quarterTurns : (4 - quarterTurns) % 4, mirrored };
}

/** Where the value at a place comes from, in a square with this edge. */
function sourceOf(row: number, column: number, edge: number, { quarterTurns, mirrored }: Turn): number {
  const last = edge - 1;
  let [fromRow, fromColumn] = [row, column];
  for (let turn = 0; turn < quarterTurns; turn++) [fromRow, fromColumn] = [last - fromColumn, fromRow];
  return fromRow * edge + (mirrored ? last - fromColumn : fromColumn);
}

/**
 * Turns and mirrors a square of values: an image's pixels, or a map over it.
 *
 * @param values - Shape [edge, edge, channels]; left as they are.
 * @returns As many values, of the same kind.
 * @throws RangeError if they don't fill a square.
 *
 * @example
 * turnSquare(Uint8Array.of(1, 2, 3, 4), 1, { quarterTurns: 1, mirrored: false }); // 3, 1, 4, 2
 */
export function turnSquare<T extends Uint8Array | Float32Array>(values: T, channels: number, turn: Turn): T {
  const edge = Math.sqrt(values.length / channels);
  if (!Number.isInteger(edge) || edge === 0) {
    throw rangeRefusal(`Only a square can be turned, found ${values.length / channels} values a channel.`);
  }
  const turned = values.slice() as T;
  for (let row = 0; row < edge; row++) {
    for (let column = 0; column < edge; column++) {
      const from = channels * sourceOf(row, column, edge, turn);
      const to = channels * (row * edge + column);
      for (let channel = 0; channel < channels; channel++) turned[to + channel] = values[from + channel]!;
    }
  }
  return turned;
}
