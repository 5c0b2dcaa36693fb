import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/runtime/random";
import { type BatchRows, cutIntoBatches, type WeighedRows } from "../../src/training/epoch-batches";

const order = [6, 0, 5, 1, 4, 2, 3];
const options = { batchSize: 3, droppedUnits: [400, 5], dropout: 0.25, random: createRandom(1) };
const data: WeighedRows = {
  values: Float32Array.from({ length: 14 }, (_, i) => i),
  labels: Int32Array.from([0, 1, 0, 1, 0, 1, 0]),
  count: 7,
  width: 2,
  sampleWeights: Float32Array.from([1, 2, 3, 4, 5, 6, 7]),
};

describe("cutIntoBatches", () => {
  it("gives every row once, in the order asked for, with its label and its share of the batch", () => {
    const seen = [...cutIntoBatches(data, order, options)].map(({ count, rows, labels, shares }) => [
      count,
      ...[rows, labels, shares].map((values) => Array.from(values)),
    ]);
    const third = (...weights: number[]) => weights.map((weight) => Math.fround(weight / 3));
    expect(seen).toEqual([
      [3, [6, 0, 5], [0, 0, 1], third(7, 1, 6)],
      [3, [1, 4, 2], [1, 0, 0], third(2, 5, 3)],
      // Filled up with rows that do not count.
      [1, [3, 0, 0], [1, 0, 0], [4, 0, 0]],
    ]);
  });

  it("drops the share asked for, scales up the rest, and draws anew for each batch", () => {
    const [first, second, last] = [...cutIntoBatches(data, order, options)] as [
      BatchRows,
      BatchRows,
      BatchRows,
    ];
    const mask = Array.from(first.masks[0]!);
    expect(first.masks.map(({ length }) => length)).toEqual([1200, 15]);
    expect([...new Set(mask)].sort()).toEqual([0, Math.fround(1 / 0.75)]);
    expect(mask.filter((value) => value === 0).length / mask.length).toBeCloseTo(0.25, 1);
    expect(Array.from(second.masks[0]!)).not.toEqual(mask);
    expect(last.masks[0]!.slice(0, 400).some((value) => value > 0)).toBe(true);
    expect(last.masks[0]!.slice(400).every((value) => value === 0)).toBe(true);
  });

  it("has no masks where nothing is dropped", () => {
    for (const { masks } of cutIntoBatches(data, order, { ...options, droppedUnits: [] })) {
      expect(masks).toEqual([]);
    }
  });
});
