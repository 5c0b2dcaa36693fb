import { describe, expect, it } from "vitest";
import { countNativeValues } from "../../../src/runtime/native/native-backend";
import { flagAttribute, typeAttribute, withNativeScope } from "../../../src/runtime/native/native-ops";
import { tf } from "../../../src/runtime/tensorflow";

/** What TensorFlow.js and the addon hold. */
const held = () => ({ tensors: tf.memory().numTensors, native: countNativeValues() });

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

  it("passes a value on at once, where no graph is traced", () => {
    const before = held();
    const [x, y] = [tf.tensor1d([3, 4]), tf.tensor1d([1, 2])];
    const passed = withNativeScope((scope) =>
      scope.toTensor(scope.passAfter(scope.input(x), scope.input(y))),
    );
    expect(Array.from(passed.dataSync())).toEqual([3, 4]);
    tf.dispose([x, y, passed]);
    expect(held()).toEqual(before);
  });

  it("refuses to free or to hand over what it does not hold", () => {
    const tensor = tf.scalar(1);
    expect(() => withNativeScope((scope) => scope.free(scope.input(tensor)))).toThrow(/not held/);
    expect(() => withNativeScope((scope) => scope.toTensor(scope.input(tensor)))).toThrow(/not held/);
    expect(tensor.dataSync()[0]).toBe(1);
    tensor.dispose();
  });
});
