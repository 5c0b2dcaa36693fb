import type { Random } from "../runtime/random";
import { tf } from "../runtime/tensorflow";
import type { TrainingBatch } from "./head-gradient";
import type { LabelledRows } from "./training-data";

/** One part of the data on the device, with the weight of each row in the loss. */
export interface LoadedRows extends LabelledRows {
  tensor: tf.Tensor2D;
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

/** An epoch's batches in their order. */
export interface EpochBatches {
  readonly count: number;
  /** The batch at a position; its tensors but the features are made now, and the caller disposes all of them. */
  take(position: number): TrainingBatch;
  /** Frees what was not taken. */
  dispose(): void;
}

/** Inverted dropout (Srivastava et al., JMLR 15, 2014): what is kept is scaled up, so inference needs no change. */
function dropoutMask(rows: number, units: number, rate: number, random: Random): tf.Tensor2D {
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(rows * units);
  for (let i = 0; i < mask.length; i++) mask[i] = random.next() < rate ? 0 : kept;
  return tf.tensor2d(mask, [rows, units]);
}

/** Brings rows into an order and cuts them, both once an epoch: done batch by batch it would cost more. */
function cutFeatures(tensor: tf.Tensor2D, order: Int32Array, sizes: number[]): tf.Tensor2D[] {
  return tf.tidy(() => tf.split(tf.gather(tensor, tf.tensor1d(order, "int32")), sizes));
}

/**
 * Cuts rows into batches of one size, the last one smaller.
 *
 * @param order - Which rows, in which order.
 */
export function cutIntoBatches(
  rows: LoadedRows,
  order: readonly number[],
  { batchSize, droppedUnits, dropout, random }: BatchOptions,
): EpochBatches {
  const count = Math.ceil(order.length / batchSize);
  const sizes = Array.from({ length: count }, (_, i) => Math.min(batchSize, order.length - i * batchSize));
  const features = cutFeatures(rows.tensor, Int32Array.from(order), sizes);

  function take(position: number): TrainingBatch {
    const size = sizes[position]!;
    const indices = order.slice(position * batchSize, position * batchSize + size);
    return {
      features: features[position]!,
      labels: tf.tensor1d(Int32Array.from(indices, (row) => rows.labels[row]!)),
      shares: tf.tensor2d(
        Float32Array.from(indices, (row) => rows.sampleWeights[row]! / size),
        [size, 1],
      ),
      masks: droppedUnits.map((units) => dropoutMask(size, units, dropout, random)),
    };
  }

  return { count, take, dispose: () => tf.dispose(features) };
}

/** Frees a batch's tensors. */
export function disposeBatch({ features, labels, shares, masks }: TrainingBatch): void {
  tf.dispose([features, labels, shares, ...masks]);
}
