import type { BackboneRecipe, Pooling } from "../backbones/recipe";
import type { NetworkOutput } from "./network";

/** Rows of features, shape [n, width]. */
export interface PooledRows {
  values: Float32Array;
  width: number;
}

/** How an output is laid out: of each image so many cells or tokens, each of so many channels. */
interface Grid {
  cells: number;
  channels: number;
  /** Values from a cell to the next, and from a channel to the next. */
  cellStep: number;
  channelStep: number;
}

/** Images are square, so the two axes of equal length are height and width; where all are equal, the input's order. */
function gridOf(shape: readonly number[], layout: BackboneRecipe["layout"]): Grid | null {
  const [, first = 1, second = 1, third = 1] = shape;
  if (shape.length === 2) return { cells: 1, channels: first, cellStep: first, channelStep: 1 };
  if (shape.length === 3) return { cells: first, channels: second, cellStep: second, channelStep: 1 };
  if (shape.length !== 4) return null;
  const planar = first === second && second === third ? layout === "NCHW" : second === third;
  return planar
    ? { cells: second * third, channels: first, cellStep: 1, channelStep: second * third }
    : { cells: first * second, channels: third, cellStep: third, channelStep: 1 };
}

/** Which ways of pooling an output of so many axes allows. */
export function poolingsOf(axes: number): readonly Pooling[] {
  if (axes === 2) return ["none"];
  if (axes === 4) return ["mean"];
  return axes === 3 ? ["mean", "class-token", "mean-of-patches", "class-token-and-mean-of-patches"] : [];
}

/** The parts that a row is made of: each the mean of cells from one on to before another. */
function partsOf(pooling: Pooling, prefixTokens: number, cells: number): [from: number, to: number][] {
  const patches: [number, number] = [prefixTokens, cells];
  switch (pooling) {
    case "class-token":
      return [[0, 1]];
    case "mean-of-patches":
      return [patches];
    case "class-token-and-mean-of-patches":
      return [[0, 1], patches];
    default:
      return [[0, cells]];
  }
}

/**
 * Makes one row of features of what a network gives for each image. Means are added up in double precision.
 *
 * @throws RangeError if the output has no such parts.
 */
export function poolOutput(
  { values, shape }: NetworkOutput,
  { pooling, prefixTokens, layout }: Pick<BackboneRecipe, "pooling" | "prefixTokens" | "layout">,
): PooledRows {
  const grid = gridOf(shape, layout);
  if (
    grid === null ||
    !poolingsOf(shape.length).includes(pooling) ||
    prefixTokens >= Math.max(1, grid.cells)
  ) {
    throw new RangeError(`An output of shape [${shape.join(", ")}] has no pooling "${pooling}".`);
  }
  const { cells, channels, cellStep, channelStep } = grid;
  const parts = partsOf(pooling, prefixTokens, cells);
  const width = parts.length * channels;
  const pooled = new Float32Array(shape[0]! * width);
  const imageLength = cells * channels;
  for (let row = 0; row < pooled.length; row++) {
    const image = Math.floor(row / width);
    const column = row % width;
    const [from, to] = parts[Math.floor(column / channels)]!;
    const start = image * imageLength + (column % channels) * channelStep;
    let sum = 0;
    for (let cell = from; cell < to; cell++) sum += values[start + cell * cellStep]!;
    pooled[row] = sum / (to - from);
  }
  return { values: pooled, width };
}
