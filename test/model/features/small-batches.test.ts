import { afterEach, describe, expect, it, vi } from "vitest";
import type { Backbone, PixelBatch } from "../../../src/model/backbones/architecture";
import { embedPixels, featureBatchSize } from "../../../src/model/features/features";
import { processorFlags } from "../../../src/runtime/device/processor";
import { tf } from "../../../src/runtime/tensorflow";
import { temporaryFolder } from "../../support/temporary-folder";

const root = temporaryFolder("small-batches");
let count = 0;

function useEmptyCache(): void {
  vi.stubEnv("BREAKHIS_CACHE", `${root}/${count++}`);
}

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A backbone whose feature is an image's first pixel, and which notes the batches that it was given. */
function countingBackbone(inputSize: number, error: (batchSize: number) => number) {
  const sizes: number[] = [];
  const embed = ({ pixels, shape }: PixelBatch) => {
    sizes.push(shape[0]);
    const first = Array.from({ length: shape[0] }, (_, i) => pixels[i * inputSize * inputSize * 3]!);
    return tf.tensor2d(first.map((value) => [value + error(shape[0])]));
  };
  const backbone = {
    name: "resnet50",
    inputSize,
    featureWidth: 1,
    staged: {},
    embedPixels: embed,
  } as unknown as Backbone;
  return { backbone, sizes };
}

const imagesOf = (inputSize: number, images: number) =>
  Uint8Array.from({ length: images * inputSize * inputSize * 3 }, (_, i) => i % 251);

describe("few images", () => {
  it("are computed in a small batch, once it was seen to give the same bits", async () => {
    useEmptyCache();
    const { backbone, sizes } = countingBackbone(33, () => 0);
    const one = imagesOf(33, 1);
    const whole = await embedPixels(backbone, one, 1);
    expect(sizes.splice(0)).toEqual([featureBatchSize, 1, 8]);
    expect(await embedPixels(backbone, one, 1)).toEqual(whole);
    await embedPixels(backbone, imagesOf(33, 3), 3);
    await embedPixels(backbone, imagesOf(33, 9), 9);
    expect(sizes).toEqual([1, 8, featureBatchSize]);
  });

  it("are computed in a whole batch where smaller ones give other bits", async () => {
    useEmptyCache();
    const { backbone, sizes } = countingBackbone(34, (size) => (size === 8 ? 2 ** -20 : 0));
    await embedPixels(backbone, imagesOf(34, 12), 12);
    sizes.length = 0;
    for (const images of [1, 2, 8]) await embedPixels(backbone, imagesOf(34, images), images);
    expect(sizes).toEqual([1, featureBatchSize, featureBatchSize]);
  });

  it("are computed by what an earlier process found out on this machine", async () => {
    useEmptyCache();
    const { backbone, sizes } = countingBackbone(35, () => 0);
    await embedPixels(backbone, imagesOf(35, 1), 1);
    sizes.length = 0;
    vi.resetModules();
    const later = await import("../../../src/model/features/features");
    await later.embedPixels(backbone, imagesOf(35, 1), 1);
    expect(sizes).toEqual([1]);
  });

  it("leave no tensor behind", async () => {
    useEmptyCache();
    const { backbone } = countingBackbone(36, () => 0);
    const before = tf.memory().numTensors;
    await embedPixels(backbone, imagesOf(36, 2), 2);
    await embedPixels(backbone, imagesOf(36, 2), 2);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("a processor's flags", () => {
  it("are those of its first core, and none where they can't be read", () => {
    const cpuinfo = "processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16\n\nprocessor\t: 1\nflags\t\t: fpu\n";
    expect([...processorFlags(cpuinfo)]).toEqual(["fpu", "avx2", "avx512_bf16"]);
    expect([...processorFlags("")]).toEqual([]);
  });
});
