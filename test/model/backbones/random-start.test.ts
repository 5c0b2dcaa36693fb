import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadBackbone, type OpenBackbone } from "../../../src/model/backbones/backbone";
import { startFromScratch } from "../../../src/model/backbones/random-start";
import { runStages } from "../../../src/model/backbones/stages";
import { countNativeValues } from "../../../src/runtime/native/native-backend";
import { tf } from "../../../src/runtime/tensorflow";
import { drawImages } from "../../support/data/drawn-images";

const inputSize = 64;
let backbone: OpenBackbone;
let images: tf.Tensor4D;

beforeAll(async () => {
  ({ backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize }));
  images = tf.tensor4d(Int32Array.from(drawImages(8, inputSize)), [8, inputSize, inputSize, 3], "int32");
});

afterAll(() => {
  images.dispose();
  backbone.dispose();
});

const convolutionsOf = ({ staged }: OpenBackbone) => staged.stages.flatMap((stage) => stage.convolutions);
const read = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

describe("startFromScratch", () => {
  it("begins every convolution anew, the same for the same seed, and leaves the given network as it was", () => {
    // What is used for the first time comes to TensorFlow only then.
    startFromScratch(backbone, images, 1).dispose();
    const before = [tf.memory().numTensors, countNativeValues()];
    const given = convolutionsOf(backbone).map(({ kernel }) => read(kernel).slice(0, 9));
    const [one, same, other] = [1, 1, 2].map((seed) => startFromScratch(backbone, images, seed));
    const kernels = (network: OpenBackbone) =>
      convolutionsOf(network).map(({ kernel }) => read(kernel).slice(0, 9));
    expect(kernels(one!)).toEqual(kernels(same!));
    for (const [i, kernel] of kernels(one!).entries()) {
      expect(kernel).not.toEqual(given[i]);
      expect(kernel).not.toEqual(kernels(other!)[i]);
    }
    expect(one!.pretrained).toBe(false);
    expect(new Set([one!, other!, backbone].map(({ weights }) => weights.sha256)).size).toBe(3);
    for (const network of [one!, same!, other!]) network.dispose();
    expect(convolutionsOf(backbone).map(({ kernel }) => read(kernel).slice(0, 9))).toEqual(given);
    expect([tf.memory().numTensors, countNativeValues()]).toEqual(before);
  });

  it("gives each channel mean 0 and variance 1 over the images, before the activation", () => {
    const network = startFromScratch(backbone, images, 3);
    // The first stage's first convolution is followed by ReLU6: it is done here without.
    const first = convolutionsOf(network)[0]!;
    const [means, variances] = tf.tidy(() => {
      const sums = tf.add(
        tf.conv2d(network.staged.prepare(images), first.kernel, first.stride, "same"),
        first.bias,
      );
      const { mean, variance } = tf.moments(sums, [0, 1, 2]);
      return [read(mean), read(variance)];
    });
    for (const mean of means) expect(Math.abs(mean)).toBeLessThan(1e-3);
    for (const variance of variances) expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const output = tf.tidy(() => runStages(network.staged.stages, network.staged.prepare(images)));
    const spread = tf.tidy(() => read(tf.moments(output).variance)[0]!);
    // Through sixteen blocks it has neither died away nor exploded.
    expect(spread).toBeGreaterThan(0.05);
    expect(spread).toBeLessThan(20);
    output.dispose();
    network.dispose();
  });
});
