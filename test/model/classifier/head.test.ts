import { describe, expect, it } from "vitest";
import * as decision from "../../../src/model/classifier/decision";
import { buildHead, predictHead } from "../../../src/model/classifier/head";
import { createRandom } from "../../../src/runtime/random";
import { tf } from "../../../src/runtime/tensorflow";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";

const width = 320;
const head = buildHead({ inputs: width, hiddenUnits: [128, 64], classCount: 2, seed: 7 });

function randomRows(count: number, seed = 1): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count * width }, () => Math.max(0, random.normal()));
}

describe("buildHead", () => {
  it("gives Dense 128 – 64 – 2 with ReLU between and softmax at the end", () => {
    const layers = head.layers.map(({ activation, inputs, units, kernel, bias }) => [
      `${inputs} to ${units}, ${activation}`,
      kernel.length + bias.length,
    ]);
    expect(layers).toEqual([
      ["320 to 128, relu", 320 * 128 + 128],
      ["128 to 64, relu", 128 * 64 + 64],
      ["64 to 2, softmax", 64 * 2 + 2],
    ]);
  });

  it("draws kernels uniformly within Glorot's limit and starts biases at zero", () => {
    for (const layer of head.layers) {
      const limit = Math.sqrt(6 / (layer.inputs + layer.units));
      const largest = layer.kernel.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const squares = layer.kernel.reduce((sum, value) => sum + value * value, 0) / layer.kernel.length;
      expect(largest).toBeLessThanOrEqual(Math.fround(limit));
      expect(largest).toBeGreaterThan(0.9 * limit);
      expect(Math.abs(squares / (limit * limit) - 1 / 3)).toBeLessThan(0.1);
      expect(layer.bias.every((value) => value === 0)).toBe(true);
    }
  });

  it("gives the same head for the same seed and another for another", () => {
    const shape = { inputs: width, hiddenUnits: [128, 64], classCount: 2 };
    expect(buildHead({ ...shape, seed: 7 })).toEqual(head);
    expect(buildHead({ ...shape, seed: 8 }).layers[0]?.kernel).not.toEqual(head.layers[0]?.kernel);
  });

  it("refuses widths that make no head", () => {
    expect(() => buildHead({ inputs: 0, hiddenUnits: [], classCount: 2, seed: 1 })).toThrow(/0 → 2/);
    expect(() => buildHead({ inputs: 4, hiddenUnits: [1.5], classCount: 2, seed: 1 })).toThrow(/1.5/);
    expect(() => buildHead({ inputs: 4, hiddenUnits: [], classCount: 1, seed: 1 })).toThrow(/at least 2/);
  });
});

describe("predictHead", () => {
  it("is bit-equal for a row alone, at any place, and among a thousand", () => {
    const rows = randomRows(1000);
    const together = predictHead(head, rows, width);
    for (const row of [0, 1, 7, 100, 255, 256, 511, 767, 768, 999]) {
      const alone = predictHead(head, rows.subarray(row * width, (row + 1) * width), width);
      expect(alone).toEqual(together.slice(row * 2, row * 2 + 2));
    }
    const few = predictHead(head, rows.subarray(0, 37 * width), width);
    expect(few).toEqual(together.slice(0, 74));
  });

  it("is bit-equal at every place of a batch for features as wide as ResNet50's", () => {
    const wide = buildHead({ inputs: 2048, hiddenUnits: [128, 64], classCount: 2, seed: 7 });
    const random = createRandom(2);
    const row = Float32Array.from({ length: 2048 }, () => Math.max(0, random.normal()));
    const copies = new Float32Array(300 * 2048);
    for (let i = 0; i < 300; i++) copies.set(row, i * 2048);
    const [first, second] = predictHead(wide, row, 2048);
    predictHead(wide, copies, 2048).forEach((value, i) => {
      expect(value).toBe(i % 2 === 0 ? first : second);
    });
  });

  it("agrees with the sums written out", () => {
    const row = randomRows(1, 3);
    let values = Array.from(row);
    for (const layer of head.layers) {
      values = Array.from({ length: layer.units }, (_, unit) => {
        const sum = values.reduce(
          (total, value, i) => total + value * layer.kernel[i * layer.units + unit]!,
          0,
        );
        return layer.activation === "relu" ? Math.max(0, sum + layer.bias[unit]!) : sum + layer.bias[unit]!;
      });
    }
    const exponentials = values.map((value) => Math.exp(value));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    const predicted = predictHead(head, row, width);
    exponentials.forEach((value, i) => {
      expect(Math.abs(predicted[i]! - value / total)).toBeLessThan(1e-6);
    });
  });

  it("gives nothing for no rows and leaves no tensors behind", () => {
    const before = tf.memory().numTensors;
    expect(predictHead(head, new Float32Array(0), width)).toHaveLength(0);
    predictHead(head, randomRows(300), width);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses features of another width", () => {
    expect(() => predictHead(head, new Float32Array(1280), 1280)).toThrow(/takes 320 features.*found 1280/);
    expect(() => predictHead(head, new Float32Array(321), width)).toThrow(/whole rows/);
  });
});

describe("decide", () => {
  it.each(docstringExamples("src/model/classifier/decision.ts"))(
    "$code gives $expected",
    ({ code, expected }) => {
      expect(evaluateExample(code, { ...decision })).toEqual(evaluateExample(expected, {}));
    },
  );

  it("takes the most probable class where none is positive, or where there are more than two", () => {
    expect(decision.decide([0.4, 0.6], { positiveClass: null, threshold: 0.9 })).toBe(1);
    expect(decision.decide([0.4, 0.35, 0.25], { positiveClass: 2, threshold: 0.2 })).toBe(0);
  });

  it("answers the positive class at the threshold itself", () => {
    expect(decision.decide([0.5, 0.5], { positiveClass: 1, threshold: 0.5 })).toBe(1);
    expect(decision.decide([0.5, 0.5], { positiveClass: 0, threshold: 0.5 })).toBe(0);
    expect(decision.decide([0.499, 0.501], { positiveClass: 0, threshold: 0.5 })).toBe(1);
  });
});

describe("decideRows", () => {
  it("names the image for which there are no probabilities, rather than answer the other class", () => {
    const rule = { positiveClass: 1, threshold: 0.5 };
    const nameOf = (row: number) => `image ${row}.png`;
    expect(() => decision.decideRows([0.5, 0.5, Number.NaN, Number.NaN], 2, rule, nameOf)).toThrow(
      /no probabilities for image 1\.png: found NaN, NaN/,
    );
  });
});
