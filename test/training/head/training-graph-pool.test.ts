import { describe, expect, it } from "vitest";
import { countNativeSessions, countNativeValues } from "../../../src/runtime/native/native-backend";
import { computeHeadGradients, differentiateHead } from "../../../src/training/head/head-gradient";
import { returnTrainingGraph, takeTrainingGraph } from "../../../src/training/head/training-graph-pool";

const shape = {
  widths: [12, 6, 2],
  batchSize: 4,
  masked: true,
  viewed: false,
  fed: false,
  l2: 1e-3,
  gradientMethod: computeHeadGradients,
};
const others = [
  { ...shape, widths: [12, 7, 2] },
  { ...shape, batchSize: 5 },
  { ...shape, masked: false, viewed: true },
  { ...shape, l2: 1e-4 },
  { ...shape, gradientMethod: differentiateHead },
];

describe("idle training graphs", () => {
  it("are used again for the same shape only, one training at a time", () => {
    const graph = takeTrainingGraph(shape);
    const second = takeTrainingGraph(shape);
    expect(second).not.toBe(graph);
    returnTrainingGraph(shape, graph);
    for (const other of [...others, { ...shape, fed: true }]) {
      const found = takeTrainingGraph(other);
      expect(found).not.toBe(graph);
      found.session.dispose();
    }
    expect(takeTrainingGraph({ ...shape, widths: [...shape.widths] })).toBe(graph);
    graph.session.dispose();
    second.session.dispose();
  });

  it("are few: the one unused for longest goes", () => {
    // Other tests of this process may have left idle ones: these take their places, and leave the pool empty.
    for (const other of others) returnTrainingGraph(other, takeTrainingGraph(other));
    for (const other of others.slice(1)) takeTrainingGraph(other).session.dispose();
    const before = { sessions: countNativeSessions(), values: countNativeValues() };
    for (const other of others) returnTrainingGraph(other, takeTrainingGraph(other));
    expect(countNativeSessions() - before.sessions).toBe(4);
    const [first, last] = [takeTrainingGraph(others[0]!), takeTrainingGraph(others[4]!)];
    // The first of the five had gone, and was made anew.
    expect(countNativeSessions() - before.sessions).toBe(5);
    first.session.dispose();
    last.session.dispose();
    for (const other of others.slice(1, 4)) takeTrainingGraph(other).session.dispose();
    expect({ sessions: countNativeSessions(), values: countNativeValues() }).toEqual(before);
  });
});
