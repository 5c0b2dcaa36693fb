import { describe, expect, it } from "vitest";
import { buildHead, headTensors } from "../../../src/model/classifier/head";
import { countNativeValues } from "../../../src/runtime/native/native-backend";
import { createRandom, type Random } from "../../../src/runtime/random";
import { tf } from "../../../src/runtime/tensorflow";
import {
  computeHeadGradients,
  differentiateHead,
  type GradientMethod,
  type TrainingBatch,
} from "../../../src/training/head/head-gradient";
import { relativeDifference } from "../../support/numbers";

interface Case {
  inputs: number;
  hiddenUnits: number[];
  classCount: number;
  rows: number;
  dropout: number;
  l2: number;
  weighted: boolean;
}

function randomBatch(problem: Case, random: Random): TrainingBatch {
  const { inputs, hiddenUnits, classCount, rows, dropout, weighted } = problem;
  const draw = (length: number, value: () => number) => Float32Array.from({ length }, value);
  const mask = (units: number) =>
    tf.tensor2d(
      draw(rows * units, () => (random.next() < dropout ? 0 : 1 / (1 - dropout))),
      [rows, units],
    );
  return {
    features: tf.tensor2d(
      draw(rows * inputs, () => Math.max(0, random.normal())),
      [rows, inputs],
    ),
    labels: tf.tensor1d(Int32Array.from({ length: rows }, () => random.integer(classCount))),
    shares: tf.tensor2d(
      draw(rows, () => (weighted ? 0.2 + 3 * random.next() : 1) / rows),
      [rows, 1],
    ),
    masks: dropout > 0 ? hiddenUnits.map(mask) : [],
  };
}

function disposeBatch({ features, labels, shares, masks }: TrainingBatch): void {
  tf.dispose([features, labels, shares, ...masks]);
}

/** Weights as they may look in the middle of training: biases are no longer 0. */
function randomWeights({ inputs, hiddenUnits, classCount }: Case, random: Random): tf.Tensor[] {
  const head = buildHead({ inputs, hiddenUnits, classCount, seed: random.integer(1000) });
  for (const { bias } of head.layers) bias.set(bias.map(() => 0.3 * random.normal()));
  return headTensors(head);
}

/** @returns The cross-entropies, then each layer's gradients, kernel and bias in one. */
function run(method: GradientMethod, weights: tf.Tensor[], batch: TrainingBatch, l2: number): Float32Array[] {
  const { crossEntropies, gradients } = method(weights, batch, l2);
  expect(gradients.map(({ shape }) => shape)).toEqual(weights.map(({ shape }) => shape));
  const layers = Array.from({ length: weights.length / 2 }, (_, layer) =>
    Float32Array.from([2 * layer, 2 * layer + 1].flatMap((i) => Array.from(gradients[i]!.dataSync()))),
  );
  const results = [crossEntropies.dataSync<"float32">(), ...layers];
  tf.dispose([crossEntropies, ...gradients]);
  return results;
}

const seeds = [1, 2, 3];
const standard: Case = {
  inputs: 300,
  hiddenUnits: [128, 64],
  classCount: 2,
  rows: 32,
  dropout: 0,
  l2: 0,
  weighted: false,
};
const cases: (Case & { name: string })[] = [
  { ...standard, name: "the plain head" },
  { ...standard, name: "L2", l2: 1e-2 },
  { ...standard, name: "dropout", dropout: 0.4 },
  { ...standard, name: "class weights", weighted: true },
  { ...standard, name: "all of them together", l2: 1e-3, dropout: 0.2, weighted: true },
  { ...standard, name: "three hidden layers and five classes", hiddenUnits: [20, 30, 10], classCount: 5 },
  { ...standard, name: "no hidden layer", hiddenUnits: [], l2: 1e-2, weighted: true, dropout: 0.2 },
  { ...standard, name: "one row and units of one", rows: 1, hiddenUnits: [1, 1], l2: 1e-2 },
];

describe("the gradient written by hand is TensorFlow.js' own, within 1e-6", () => {
  it.each(cases)("with $name", (problem) => {
    for (const seed of seeds) {
      const random = createRandom(seed);
      const batch = randomBatch(problem, random);
      const weights = randomWeights(problem, random);
      const expected = run(differentiateHead, weights, batch, problem.l2);
      const found = run(computeHeadGradients, weights, batch, problem.l2);
      found.forEach((array, i) => {
        // By layer: a bias's slope alone may nearly cancel out, and its last bits with it.
        expect(relativeDifference(array, expected[i]!)).toBeLessThan(1e-6);
      });
      tf.dispose(weights);
      disposeBatch(batch);
    }
  });
});

describe.each([
  { name: "written by hand", method: computeHeadGradients },
  { name: "of TensorFlow.js", method: differentiateHead },
])("the gradient $name", ({ method }) => {
  const problem = { ...standard, l2: 1e-3, dropout: 0.2, weighted: true };

  it("leaves nothing behind, not even when the batch does not fit the weights", () => {
    const random = createRandom(4);
    const batch = randomBatch(problem, random);
    const weights = randomWeights(problem, random);
    const narrow = randomWeights({ ...problem, inputs: 299 }, random);
    run(method, weights, batch, problem.l2);
    expect(() => method(narrow, batch, problem.l2)).toThrow();
    const before = [tf.memory().numTensors, countNativeValues()];
    run(method, weights, batch, problem.l2);
    expect(() => method(narrow, batch, problem.l2)).toThrow();
    expect([tf.memory().numTensors, countNativeValues()]).toEqual(before);
    tf.dispose([...weights, ...narrow]);
    disposeBatch(batch);
  });
});
