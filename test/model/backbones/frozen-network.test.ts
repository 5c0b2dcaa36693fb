import { describe, expect, it } from "vitest";
import { loadBackbone, type OpenBackbone } from "../../../src/model/backbones/backbone";
import { embedPixels } from "../../../src/model/features/features";
import { bfloat16Problem, useArithmetic } from "../../../src/runtime/device/arithmetic";
import { countNativeSessions, countNativeValues } from "../../../src/runtime/native/native-backend";
import { tf, usesGpu } from "../../../src/runtime/tensorflow";
import { drawImages } from "../../support/data/drawn-images";
import { hasSharedData, resnet50Weights } from "../../support/data/shared-data";
import { randomResnet50 } from "../../support/model/random-resnet50";
import { relativeDifference } from "../../support/numbers";

const size = 64;
const count = 3;
const pixels = drawImages(count, size);
const shape: [number, number, number, number] = [count, size, size, 3];

/** Features by way of TensorFlow.js, operation by operation. */
function poolActivations(backbone: OpenBackbone): Float32Array {
  return tf.tidy(() => {
    const images = tf.tensor4d(Int32Array.from(pixels), shape, "int32");
    return tf.mean(backbone.activate(images), [1, 2]).dataSync<"float32">().slice();
  });
}

function read(features: tf.Tensor2D): Float32Array {
  const values = features.dataSync<"float32">();
  features.dispose();
  return values;
}

const load = async (name: OpenBackbone["name"], weights: string | null) =>
  (await loadBackbone({ backbone: name, weights, inputSize: size })).backbone;

function itComputesTheSame(what: string, make: () => OpenBackbone | Promise<OpenBackbone>) {
  it(`gives what ${what} gives operation by operation, from pixels and from tensors`, async () => {
    const backbone = await make();
    const expected = poolActivations(backbone);
    const found = read(backbone.embedPixels!({ pixels, shape }));
    expect(relativeDifference(found, expected)).toBeLessThan(1e-5);
    const images = tf.tensor4d(Int32Array.from(pixels), shape, "int32");
    expect(read(backbone.embed(images))).toEqual(found);
    images.dispose();

    const random = backbone.withRandomTop(3);
    const randomly = read(random.embedPixels!({ pixels, shape }));
    expect(relativeDifference(randomly, poolActivations(random))).toBeLessThan(1e-5);
    expect(relativeDifference(randomly, found)).toBeGreaterThan(0.1);
    random.dispose();
    backbone.dispose();
  });
}

describe("a frozen network in one graph", () => {
  itComputesTheSame("EfficientNet-Lite0", () => load("efficientnet-lite0", null));
  itComputesTheSame("ResNet50 with random weights", () => randomResnet50(size));
  if (hasSharedData) itComputesTheSame("ResNet50", () => load("resnet50", resnet50Weights));

  it("is loaded when it is first used, once, and freed with the backbone", async () => {
    const before = [countNativeSessions(), countNativeValues(), tf.memory().numTensors];
    const backbone = await load("efficientnet-lite0", null);
    expect(countNativeSessions()).toBe(before[0]);
    for (let i = 0; i < 3; i++) await embedPixels(backbone, pixels, count, 4);
    expect(countNativeSessions()).toBe(before[0]! + 1);
    backbone.dispose();
    expect([countNativeSessions(), countNativeValues(), tf.memory().numTensors]).toEqual(before);
    await expect(embedPixels(backbone, pixels, count, 4)).rejects.toThrow(/disposed/);
  });

  const unable = bfloat16Problem(usesGpu) !== null;

  it.skipIf(unable).each(["resnet50", "efficientnet-lite0"] as const)(
    "of %s computes in bfloat16 while that is asked for: near the exact features, twice the same",
    async (name) => {
      const backbone = name === "resnet50" ? randomResnet50(size) : await load(name, null);
      const sessions = countNativeSessions();
      const exact = read(backbone.embedPixels!({ pixels, shape }));
      useArithmetic("bfloat16");
      try {
        const rounded = read(backbone.embedPixels!({ pixels, shape }));
        const difference = relativeDifference(rounded, exact);
        expect(difference).toBeGreaterThan(1e-4);
        expect(difference).toBeLessThan(name === "resnet50" ? 0.03 : 0.1);
        expect(read(backbone.embedPixels!({ pixels, shape }))).toEqual(rounded);
      } finally {
        useArithmetic("exact");
      }
      expect(read(backbone.embedPixels!({ pixels, shape }))).toEqual(exact);
      backbone.dispose();
      expect(countNativeSessions()).toBe(sessions);
    },
  );

  it("refuses pixels of another size", async () => {
    const backbone = await load("efficientnet-lite0", null);
    const batch = { pixels, shape: [count, size, size - 1, 3] as [number, number, number, number] };
    expect(() => backbone.embedPixels!(batch)).toThrow(
      /takes images of shape \[n, 64, 64, 3\], found \[3, 64, 63, 3\]/,
    );
    backbone.dispose();
  });
});
