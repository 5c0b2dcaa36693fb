import type { Random } from "../../runtime/random";
import type { LabelledRows } from "./training-data";

/** One part of the data, with the weight of each row in the loss. */
export interface WeighedRows extends LabelledRows {
  sampleWeights: Float32Array;
}

/** How an epoch is cut up. */
export interface BatchOptions {
  batchSize: number;
  /** Units of the layers that dropout applies to; none where it doesn't. */
  droppedUnits: readonly number[];
  /** Share of units dropped, in [0, 1). */
  dropout: number;
  /** Draws the dropout masks, new ones for each batch. */
  random: Random;
}

/**
 * Rows that are learned from together. The last batch of an epoch is filled up with rows that have no share in
 * the loss: all batches are of one size, as TensorFlow likes them.
 */
export interface BatchRows {
  /** How many rows are learned from, the first ones. */
  count: number;
  /** Shape [batchSize]: which rows. */
  rows: Int32Array;
  /** Shape [batchSize], class indices. */
  labels: Int32Array;
  /** Shape [batchSize]: each row's factor in the loss; 1 / count where classes are not weighed. */
  shares: Float32Array;
  /** What the output of each hidden layer is multiplied with, shape [batchSize, units]; empty without dropout. */
  masks: Float32Array[];
}

/**
 * Draws inverted dropout (Srivastava et al., JMLR 15, 2014): what is kept is scaled up, so inference needs no
 * change.
 */
export function dropoutMask(
  count: number,
  batchSize: number,
  units: number,
  rate: number,
  random: Random,
): Float32Array {
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(batchSize * units);
  for (let i = 0; i < count * units; i++) mask[i] = random.next() < rate ? 0 : kept;
  return mask;
}

/**
 * Chooses the view that an epoch learns of each image: the image's row, or its row in one of the blocks behind.
 *
 * @param order - Rows of images, each below `images`.
 * @param images - Rows a view.
 * @param viewCount - Views an image, itself included; with 1 the order stays as it is.
 */
export function drawViews(
  order: readonly number[],
  images: number,
  viewCount: number,
  random: Random,
): readonly number[] {
  return viewCount === 1 ? order : order.map((row) => row + images * random.integer(viewCount));
}

/**
 * Cuts rows into batches of one size, one after the other as they are asked for.
 *
 * @param order - Which rows, in which order.
 */
export function* cutIntoBatches(
  data: WeighedRows,
  order: readonly number[],
  { batchSize, droppedUnits, dropout, random }: BatchOptions,
): Generator<BatchRows> {
  for (let first = 0; first < order.length; first += batchSize) {
    const count = Math.min(batchSize, order.length - first);
    const rows = new Int32Array(batchSize);
    const labels = new Int32Array(batchSize);
    const shares = new Float32Array(batchSize);
    for (let i = 0; i < count; i++) {
      const row = order[first + i]!;
      rows[i] = row;
      labels[i] = data.labels[row]!;
      shares[i] = data.sampleWeights[row]! / count;
    }
    const masks = droppedUnits.map((units) => dropoutMask(count, batchSize, units, dropout, random));
    yield { count, rows, labels, shares, masks };
  }
}
