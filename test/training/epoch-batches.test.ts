import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/runtime/random";
import { tf } from "../../src/runtime/tensorflow";
import { cutIntoBatches, disposeBatch, type LoadedRows } from "../../src/training/epoch-batches";

const values = Float32Array.from({ length: 14 }, (_, i) => i);
const order = [6, 0, 5, 1, 4, 2, 3];
const options = { batchSize: 3, droppedUnits: [400, 5], dropout: 0.25, random: createRandom(1) };

/** Row i holds 2i and 2i + 1. */
const rowsOf = (...rows: number[]) => rows.map((row) => [2 * row, 2 * row + 1]);

function withRows<T>(work: (rows: LoadedRows) => T): T {
  const rows: LoadedRows = {
    values,
    labels: Int32Array.from([0, 1, 0, 1, 0, 1, 0]),
    count: 7,
    width: 2,
    tensor: tf.tensor2d(values, [7, 2]),
    sampleWeights: Float32Array.from([1, 2, 3, 4, 5, 6, 7]),
  };
  try {
    return work(rows);
  } finally {
    rows.tensor.dispose();
  }
}

describe("cutIntoBatches", () => {
  it("gives every row once, in the order asked for, with its label and its share of the batch", () => {
    withRows((rows) => {
      const before = tf.memory().numTensors;
      const batches = cutIntoBatches(rows, order, options);
      expect(batches.count).toBe(3);
      const seen = Array.from({ length: batches.count }, (_, i) => {
        const batch = batches.take(i);
        const { features, labels, shares } = batch;
        const content = [features.arraySync(), labels.arraySync(), shares.arraySync().flat()];
        disposeBatch(batch);
        return content;
      });
      batches.dispose();
      expect(tf.memory().numTensors).toBe(before);
      const third = (...weights: number[]) => weights.map((weight) => Math.fround(weight / 3));
      expect(seen).toEqual([
        [rowsOf(6, 0, 5), [0, 0, 1], third(7, 1, 6)],
        [rowsOf(1, 4, 2), [1, 0, 0], third(2, 5, 3)],
        [rowsOf(3), [1], [4]],
      ]);
    });
  });

  it("drops the share asked for, scales up the rest, and draws anew for each batch", () => {
    withRows((rows) => {
      const batches = cutIntoBatches(rows, order, options);
      const [first, second] = [batches.take(0), batches.take(1)];
      const mask = Array.from(first.masks[0]!.dataSync());
      expect(first.masks.map((tensor) => tensor.shape)).toEqual([
        [3, 400],
        [3, 5],
      ]);
      expect([...new Set(mask)].sort()).toEqual([0, Math.fround(1 / 0.75)]);
      expect(mask.filter((value) => value === 0).length / mask.length).toBeCloseTo(0.25, 1);
      expect(Array.from(second.masks[0]!.dataSync())).not.toEqual(mask);
      disposeBatch(first);
      disposeBatch(second);
      batches.dispose();
    });
  });

  it("frees what was never taken", () => {
    withRows((rows) => {
      const before = tf.memory().numTensors;
      const batches = cutIntoBatches(rows, order, { ...options, droppedUnits: [] });
      const first = batches.take(0);
      expect(first.masks).toEqual([]);
      disposeBatch(first);
      batches.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});
