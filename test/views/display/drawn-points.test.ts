import { expect, it } from "vitest";
import { rocCurve } from "../../../src/scores/curves";
import { plotRocCurves } from "../../../src/views/analysis/evaluation-figures";
import { drawnPoints, mostPoints, pickDrawn } from "../../../src/views/display/drawn-points";

it("draws all points of a curve, and of very many some evenly over all, the ends among them", () => {
  expect(pickDrawn([3, 1, 2])).toEqual([3, 1, 2]);
  expect(drawnPoints(mostPoints)).toHaveLength(mostPoints);
  const drawn = drawnPoints(100_000);
  expect(drawn).toHaveLength(mostPoints);
  expect([drawn[0], drawn.at(-1)]).toEqual([0, 99_999]);
  const gaps = drawn.slice(1).map((index, i) => index - drawn[i]!);
  expect(Math.min(...gaps)).toBeGreaterThan(0);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(27);
});

it("keeps a curve of hundreds of thousands of images small", () => {
  const scores = Float64Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 300_007);
  const positive = Array.from(scores, (score) => score % 3 === 0);
  const curve = rocCurve(positive, scores, { dropIntermediate: false });
  const { data } = plotRocCurves([{ unit: "images", curve, auc: 0.5, threshold: 0.5 }], "malignant");
  expect(JSON.stringify(data).length).toBeLessThan(200_000);
  const [line] = data as { x: number[]; y: number[] }[];
  expect([line!.x[0], line!.y[0], line!.x.at(-1), line!.y.at(-1)]).toEqual([0, 0, 100, 100]);
});
