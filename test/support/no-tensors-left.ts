import { afterAll, beforeAll, expect } from "vitest";

/** Tensors that TensorFlow.js holds, none before it is loaded. */
function countTensors(): number {
  const engine = (globalThis as { _tfengine?: { state: { numTensors: number } } })._tfengine;
  return engine?.state.numTensors ?? 0;
}

let before = 0;

beforeAll(() => {
  before = countTensors();
});

// Registered before those of the test file, so it comes after them.
afterAll(() => {
  expect(countTensors(), "tensors in memory after this file's tests").toBe(before);
});
