import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/runtime/random";
import {
  type BatchRows,
  cutIntoBatches,
  drawViews,
  type WeighedRows,
} from "../../../src/training/head/epoch-batches";

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

describe("drawViews", () => {
  it("gives one view of each image, in the order asked for, all views about as often", () => {
    const random = createRandom(4);
    const counts = new Array<number>(8).fill(0);
    for (let epoch = 0; epoch < 400; epoch++) {
      const drawn = drawViews(order, 7, 8, random);
      expect(drawn.map((row) => row % 7)).toEqual(order);
      for (const row of drawn) counts[Math.floor(row / 7)]!++;
    }
    // 2,800 draws of 8 views: 350 each, with a standard deviation of 17.5.
    for (const count of counts) expect(Math.abs(count - 350)).toBeLessThan(75);
  });

  it("depends on the seed only, and changes nothing where there is one view", () => {
    expect(drawViews(order, 7, 8, createRandom(5))).toEqual(drawViews(order, 7, 8, createRandom(5)));
    expect(drawViews(order, 7, 8, createRandom(6))).not.toEqual(drawViews(order, 7, 8, createRandom(5)));
    expect(drawViews(order, 7, 1, createRandom(5))).toBe(order);
  });
});
