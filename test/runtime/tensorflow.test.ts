import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { describeDevice, describeMemory } from "../../src/runtime/device/device";
import { tf } from "../../src/runtime/tensorflow";

describe("TensorFlow", () => {
  it("is the native one of the locked wheel, and computes", () => {
    expect(describeDevice().tensorflowVersion).toBe("2.21.0");
    const before = tf.memory().numTensors;
    const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()[0]);
    expect(product).toBe(11);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("is shared with danfojs, so that there is one set of tensors", () => {
    const danfojs = createRequire(__filename)("danfojs-node") as { tensorflow: typeof tf };
    const before = tf.memory().numTensors;
    const tensor = danfojs.tensorflow.zeros([2]);
    expect(tf.memory().numTensors).toBe(before + 1);
    tensor.dispose();
  });

  it("names a device with cores and counts memory", () => {
    const device = describeDevice();
    expect(["cpu", "gpu"]).toContain(device.kind);
    expect(device.name.length).toBeGreaterThan(0);
    expect(device.cores).toBeGreaterThan(0);
    expect(describeMemory().processBytes).toBeGreaterThan(1 << 20);
  });
});
