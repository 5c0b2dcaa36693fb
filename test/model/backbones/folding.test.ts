import { describe, expect, it } from "vitest";
import { foldBatchNorm } from "../../../src/model/backbones/folding";
import { createRandom } from "../../../src/runtime/random";
import { tf } from "../../../src/runtime/tensorflow";

const random = createRandom(3);
const draw = (count: number, from: number, to: number) =>
  Float32Array.from({ length: count }, () => from + (to - from) * random.next());

const channels = 6;
const batchNorm = {
  gamma: draw(channels, -2, 2),
  beta: draw(channels, -1, 1),
  movingMean: draw(channels, -1, 1),
  movingVariance: draw(channels, 0.01, 4),
  epsilon: 1e-3,
};

function normalise(output: tf.Tensor4D): tf.Tensor {
  const { movingMean, movingVariance, beta, gamma, epsilon } = batchNorm;
  const [mean, variance] = [tf.tensor1d(movingMean), tf.tensor1d(movingVariance)];
  return tf.batchNorm(output, mean, variance, tf.tensor1d(beta), tf.tensor1d(gamma), epsilon);
}

const greatestDifference = (one: tf.Tensor, other: tf.Tensor): number =>
  tf.max(tf.abs(tf.sub(one, other))).dataSync()[0]!;

describe("foldBatchNorm", () => {
  it("leaves a convolution's result as it was, with and without a bias", () => {
    const before = tf.memory().numTensors;
    for (const bias of [null, draw(channels, -1, 1)]) {
      const kernel = draw(3 * 3 * 4 * channels, -1, 1);
      const folded = foldBatchNorm(kernel, bias, batchNorm);
      const difference = tf.tidy(() => {
        const shape: [number, number, number, number] = [3, 3, 4, channels];
        const images = tf.tensor4d(draw(2 * 9 * 9 * 4, -1, 1), [2, 9, 9, 4]);
        const output = tf.add(
          tf.conv2d(images, tf.tensor4d(kernel, shape), 2, "same"),
          bias ?? 0,
        ) as tf.Tensor4D;
        const short = tf.add(tf.conv2d(images, tf.tensor4d(folded.kernel, shape), 2, "same"), folded.bias);
        return greatestDifference(normalise(output), short);
      });
      expect(difference).toBeLessThan(1e-4);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it("leaves a depthwise convolution's result as it was", () => {
    const kernel = draw(5 * 5 * channels, -1, 1);
    const folded = foldBatchNorm(kernel, null, batchNorm);
    const difference = tf.tidy(() => {
      const shape: [number, number, number, number] = [5, 5, channels, 1];
      const images = tf.tensor4d(draw(8 * 8 * channels, -1, 1), [1, 8, 8, channels]);
      const output = tf.depthwiseConv2d(images, tf.tensor4d(kernel, shape), 1, "same");
      const short = tf.add(
        tf.depthwiseConv2d(images, tf.tensor4d(folded.kernel, shape), 1, "same"),
        folded.bias,
      );
      return greatestDifference(normalise(output), short);
    });
    expect(difference).toBeLessThan(1e-4);
  });

  it("refuses a kernel of another number of channels, and leaves its input alone", () => {
    expect(() => foldBatchNorm(new Float32Array(7), null, batchNorm)).toThrow(
      /7 values has no 6 output channels/,
    );
    const kernel = Float32Array.of(1, 1, 1, 1, 1, 1);
    foldBatchNorm(kernel, null, batchNorm);
    expect([...kernel]).toEqual([1, 1, 1, 1, 1, 1]);
  });
});
