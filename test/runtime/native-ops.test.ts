import { describe, expect, it } from "vitest";
import { createNativeAdam } from "../../src/runtime/native-adam";
import { countNativeValues } from "../../src/runtime/native-backend";
import {
  createNativeVariable,
  flagAttribute,
  type NativeVariable,
  typeAttribute,
  withNativeScope,
} from "../../src/runtime/native-ops";
import { createRandom } from "../../src/runtime/random";
import { tf } from "../../src/runtime/tensorflow";

/** What TensorFlow.js and the addon hold. */
const held = () => ({ tensors: tf.memory().numTensors, native: countNativeValues() });

function variableOf(values: Float32Array): NativeVariable {
  const tensor = tf.tensor1d(values);
  const variable = createNativeVariable(tensor);
  tensor.dispose();
  return variable;
}

function readOf(variable: NativeVariable): Float32Array {
  const tensor = variable.read();
  const values = tensor.dataSync<"float32">();
  tensor.dispose();
  return values;
}

describe("withNativeScope", () => {
  it("runs operations that TensorFlow.js does not have, and frees all but what is handed over", () => {
    const input = tf.tensor1d([3, 4]);
    const before = held();
    const half = withNativeScope((scope) => {
      const id = scope.input(input);
      scope.free(scope.run("L2Loss", [typeAttribute("T")], [id]));
      const doubled = scope.run("AddV2", [typeAttribute("T")], [id, id]);
      expect(countNativeValues()).toBeGreaterThan(before.native);
      return scope.toTensor(scope.run("L2Loss", [typeAttribute("T")], [doubled]));
    });
    expect(half.dataSync()[0]).toBe(50);
    half.dispose();
    // The input reaches the addon when it is first used.
    expect(held()).toEqual({ tensors: before.tensors, native: before.native + 1 });
    input.dispose();
  });

  it("frees when the work throws or an operation refuses its inputs", () => {
    const [a, b] = [tf.zeros([2, 3]), tf.zeros([2, 3])];
    const flags = [flagAttribute("transpose_a", false), flagAttribute("transpose_b", false)];
    const attempt = () =>
      withNativeScope((scope) => {
        const sum = scope.run("AddV2", [typeAttribute("T")], [scope.input(a), scope.input(b)]);
        scope.run("MatMul", [typeAttribute("T"), ...flags], [sum, sum]);
      });
    // The first attempt also brings the inputs to the addon.
    expect(attempt).toThrow(/MatMul|Matrix|size/);
    const before = held();
    expect(attempt).toThrow(/MatMul|Matrix|size/);
    expect(held()).toEqual(before);
    tf.dispose([a, b]);
  });

  it("refuses to free or to hand over what it does not hold", () => {
    const tensor = tf.scalar(1);
    expect(() => withNativeScope((scope) => scope.free(scope.input(tensor)))).toThrow(/not held/);
    expect(() => withNativeScope((scope) => scope.toTensor(scope.input(tensor)))).toThrow(/not held/);
    expect(tensor.dataSync()[0]).toBe(1);
    tensor.dispose();
  });
});

describe("a native variable", () => {
  it("keeps its own copy: neither the tensor's array nor an earlier reading changes with it", () => {
    const before = held();
    const array = Float32Array.from({ length: 1024 }, (_, i) => i);
    const variable = variableOf(array);
    const reading = variable.read();
    const adam = createNativeAdam([variable]);
    const gradient = tf.ones([1024]);
    adam.apply([gradient], 0.5);
    expect(array[10]).toBe(10);
    expect(reading.dataSync()[10]).toBe(10);
    expect(readOf(variable)[10]).toBeCloseTo(9.5, 5);
    tf.dispose([reading, gradient]);
    adam.dispose();
    variable.dispose();
    expect(held()).toEqual(before);
  });

  it("says so when it is used after it was disposed, which may happen twice", () => {
    const variable = variableOf(new Float32Array(3));
    variable.dispose();
    variable.dispose();
    expect(() => variable.read()).toThrow(/shape \[3\] was disposed/);
  });

  it("leaves no memory behind", () => {
    const megabytes = 32;
    const values = new Float32Array((megabytes << 20) / 4).fill(1);
    const cycle = () => {
      const variable = variableOf(values);
      variable.read().dispose();
      variable.dispose();
    };
    for (let i = 0; i < 3; i++) cycle();
    const before = { ...held(), bytes: process.memoryUsage().rss };
    for (let i = 0; i < 40; i++) cycle();
    const grown = (process.memoryUsage().rss - before.bytes) / 2 ** 20;
    expect(held()).toEqual({ tensors: before.tensors, native: before.native });
    // 40 of them that were kept would be 1,280 MB.
    expect(grown).toBeLessThan(10 * megabytes);
  });
});

/** Algorithm 1 of Kingma and Ba, 2015, with Keras's place of epsilon, in double precision. */
function referenceAdam(start: Float32Array, gradients: Float32Array[], rate: number): number[] {
  const values = Array.from(start);
  const first = values.map(() => 0);
  const second = values.map(() => 0);
  gradients.forEach((gradient, i) => {
    const scale = (rate * Math.sqrt(1 - 0.999 ** (i + 1))) / (1 - 0.9 ** (i + 1));
    for (let j = 0; j < values.length; j++) {
      first[j] = 0.9 * first[j]! + 0.1 * gradient[j]!;
      second[j] = 0.999 * second[j]! + 0.001 * gradient[j]! ** 2;
      values[j]! -= (scale * first[j]!) / (Math.sqrt(second[j]!) + 1e-7);
    }
  });
  return values;
}

describe("native Adam", () => {
  it("takes the steps of the paper for each of several variables", () => {
    const random = createRandom(8);
    const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
    const starts = [draw(50), draw(7)];
    const steps = Array.from({ length: 20 }, () => [draw(50), draw(7)]);
    const before = held();
    const variables = starts.map(variableOf);
    const adam = createNativeAdam(variables);
    for (const gradients of steps) {
      const tensors = gradients.map((gradient) => tf.tensor1d(gradient));
      adam.apply(tensors, 0.01);
      tf.dispose(tensors);
    }
    variables.forEach((variable, i) => {
      const expected = referenceAdam(
        starts[i]!,
        steps.map((gradients) => gradients[i]!),
        0.01,
      );
      readOf(variable).forEach((value, j) => {
        expect(value).toBeCloseTo(expected[j]!, 5);
      });
      variable.dispose();
    });
    adam.dispose();
    expect(held()).toEqual(before);
  });

  it("refuses another number of gradients, or another shape, and leaks nothing", () => {
    const before = held();
    const variable = variableOf(new Float32Array(4));
    const adam = createNativeAdam([variable]);
    expect(() => adam.apply([], 0.1)).toThrow(/Expected 1 gradients, found 0/);
    const gradient = tf.ones([5]);
    expect(() => adam.apply([gradient], 0.1)).toThrow(/shape/);
    gradient.dispose();
    adam.dispose();
    variable.dispose();
    expect(held()).toEqual(before);
  });
});
