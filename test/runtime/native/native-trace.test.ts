import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addVariable } from "../../../src/runtime/native/graph-variables";
import {
  countNativeSessions,
  countNativeValues,
  nativeBackend,
} from "../../../src/runtime/native/native-backend";
import { createGraph } from "../../../src/runtime/native/native-graph";
import { typeAttribute, withNativeScope } from "../../../src/runtime/native/native-ops";
import { traceInto } from "../../../src/runtime/native/native-trace";
import { createRandom } from "../../../src/runtime/random";
import { tf } from "../../../src/runtime/tensorflow";

const held = () => [tf.memory().numTensors, countNativeValues(), countNativeSessions()];
let before: number[];
beforeEach(() => {
  before = held();
});
afterEach(() => {
  expect(held()).toEqual(before);
});

function randomTensor(shape: number[], seed: number): tf.Tensor {
  const random = createRandom(seed);
  const length = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(
    Float32Array.from({ length }, () => random.normal()),
    shape,
  );
}

/** Slopes of a small network with most of what TensorFlow.js differentiates in its own ways. */
function slopes([images, kernel, weights]: tf.Tensor[]): tf.Tensor[] {
  return tf.tidy(() => {
    const loss = (filter: tf.Tensor, matrix: tf.Tensor) => {
      const convolved = tf.relu(tf.conv2d(images as tf.Tensor4D, filter as tf.Tensor4D, 2, "same"));
      const pooled = tf.mean<tf.Tensor2D>(tf.maxPool(convolved as tf.Tensor4D, 2, 1, "valid"), [1, 2]);
      const logits = tf.matMul(pooled, matrix as tf.Tensor2D);
      const truth = tf.oneHot(tf.range(0, images!.shape[0]!, 1, "int32"), 3);
      return tf.mean<tf.Scalar>(tf.sum(tf.mul(truth, tf.logSoftmax(logits)), 1));
    };
    const { value, grads } = tf.valueAndGrads(loss)([kernel!, weights!]);
    return [value, ...grads];
  });
}

describe("traceInto", () => {
  const shapes = [
    [3, 8, 8, 2],
    [3, 3, 2, 4],
    [4, 3],
  ];

  it("gives a graph that computes what the function does, of other numbers than it was traced with", () => {
    const graph = createGraph();
    const traced = shapes.map((shape, i) => ({
      tensor: tf.zeros(shape),
      value: graph.placeholder(`input-${i}`, "float32", shape),
    }));
    const outputs = traceInto(graph, "slopes", traced, () => slopes(traced.map(({ tensor }) => tensor)));
    tf.dispose(traced.map(({ tensor }) => tensor));
    const session = graph.open();
    for (const seed of [1, 2]) {
      const tensors = shapes.map((shape, i) => randomTensor(shape, 10 * seed + i));
      const feeds = Object.fromEntries(tensors.map((tensor, i) => [`input-${i}`, tensor]));
      const found = session.run(outputs, feeds);
      const expected = slopes(tensors);
      found.forEach((tensor, i) => {
        expect(tensor.shape).toEqual(expected[i]!.shape);
        const theirs = expected[i]!.dataSync();
        tensor.dataSync().forEach((value, j) => {
          expect(Math.abs(value - theirs[j]!)).toBeLessThan(1e-5);
        });
      });
      expect(Math.abs(found[0]!.dataSync()[0]!)).toBeGreaterThan(0.1);
      tf.dispose([...tensors, ...found, ...expected]);
    }
    session.dispose();
  });

  it("takes variables of the graph for the tensors that stand in for them", () => {
    const graph = createGraph();
    const variable = addVariable(graph, "weights", [2], "feed");
    const tensor = tf.zeros([2]);
    const doubled = traceInto(graph, "double", [{ tensor, value: variable.value }], () => [
      tf.mul(tensor, 2),
    ]);
    const session = graph.open();
    tf.dispose(
      session.run([variable.start], { "weights/start": { float32: Float32Array.of(3, 4), shape: [2] } }),
    );
    const [result] = session.run(doubled);
    expect(Array.from(result!.dataSync())).toEqual([6, 8]);
    tf.dispose([tensor, result!]);
    session.dispose();
  });

  it("computes again what waits for another value, where TensorFlow would find it the same", () => {
    const graph = createGraph();
    const inputs = ["x", "y"].map((name) => ({
      tensor: tf.ones([2]),
      value: graph.placeholder(name, "float32", [2]),
    }));
    const add = vi.spyOn(graph, "add");
    const outputs = traceInto(graph, "waiting", inputs, () =>
      withNativeScope((scope) => {
        const [x, y] = inputs.map(({ tensor }) => scope.input(tensor));
        const other = scope.run("Neg", [typeAttribute("T")], [y!]);
        const again = scope.passAfter(x!, other);
        return [scope.toTensor(scope.run("AddV2", [typeAttribute("T")], [again, other]))];
      }),
    );
    const [negated, passed] = add.mock.results.map(({ value }) => value);
    expect(add.mock.calls[1]).toMatchObject([
      passed.node,
      "Identity",
      [inputs[0]!.value],
      { after: [negated] },
    ]);
    const session = graph.open();
    const feeds = { x: Float32Array.of(5, 6), y: Float32Array.of(1, 2) };
    const [result] = session.run(outputs, {
      x: { float32: feeds.x, shape: [2] },
      y: { float32: feeds.y, shape: [2] },
    });
    expect(Array.from(result!.dataSync())).toEqual([4, 4]);
    session.dispose();
    tf.dispose([result!, ...inputs.map(({ tensor }) => tensor)]);
  });

  it("refuses what would stay as it was: values that are read, and tensors that were not given", () => {
    const { binding } = nativeBackend();
    const graph = createGraph();
    const input = { tensor: tf.ones([2]), value: graph.placeholder("x", "float32", [2]) };
    const other = tf.tidy(() => tf.add(tf.ones([2]), 1));
    const reading = () => tf.tidy(() => [tf.mul(input.tensor, tf.sum(input.tensor).dataSync()[0]!)]);
    expect(() => traceInto(graph, "reading", [input], reading)).toThrow(/read while .*"reading" was traced/);
    const foreign = () => [tf.add(input.tensor, other)];
    expect(() => traceInto(graph, "foreign", [input], foreign)).toThrow(
      /"foreign\/1-Add.*" takes a tensor that was there before/,
    );
    expect(nativeBackend().binding).toBe(binding);
    tf.dispose([input.tensor, other]);
  });
});
