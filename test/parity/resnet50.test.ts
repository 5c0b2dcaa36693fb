import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "../../src/data/images/images";
import { buildResnet50 } from "../../src/model/backbones/resnet50";
import { readWeights } from "../../src/model/backbones/weights";
import { tf } from "../../src/runtime/tensorflow";
import { drawImages } from "../support/data/drawn-images";
import { breakhisSample, hasSharedData, resnet50Weights } from "../support/data/shared-data";
import { readFloats, relativeDifference } from "../support/numbers";
import { hasKeras, runPython } from "../support/python";

const program = readFileSync(join(__dirname, "resnet50_features.py"), "utf8");
// Odd and uneven sizes show where padding differs; 224 is what ImageNet's networks take.
const sizes = [224, 197, 160, 33];
const imageCount = 3;
const tolerance = 1e-4;
/** Keras builds, saves and runs the network here, which takes its time on a busy machine. */
const origin = { name: "weights.h5", sha256: "", source: "a test", pretrained: false };

const folders: string[] = [];
const images = new Map<number, Int32Array>();

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "resnet50-"));
  folders.push(folder);
  for (const size of sizes) {
    const pixels = drawImages(imageCount, size);
    images.set(size, Int32Array.from(pixels));
    writeFileSync(join(folder, `images-${size}.bin`), pixels);
  }
  return folder;
}

async function embed(weightsPath: string, size: number): Promise<Float32Array> {
  const backbone = buildResnet50(await readWeights(weightsPath), origin, size);
  try {
    return tf.tidy(() => {
      const batch = tf.tensor4d(images.get(size)!, [imageCount, size, size, 3], "int32");
      return backbone.embed(batch).dataSync() as Float32Array;
    });
  } finally {
    backbone.dispose();
  }
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!hasKeras)(
  "ResNet50 against Keras, with random weights and random BatchNorm statistics",
  () => {
    let folder: string;
    let parametersInKeras: number;

    beforeAll(() => {
      folder = makeFolder();
      parametersInKeras = Number(runPython(program, [folder, ...sizes.map(String)]));
    });

    it.each(sizes)("computes the same features for images of %i pixels", async (size) => {
      const expected = readFloats(join(folder, `random-${size}.bin`));
      const found = await embed(join(folder, "keras-2.h5"), size);
      expect(relativeDifference(found, expected)).toBeLessThan(tolerance);
      // The three images differ in Keras, so agreeing means more than answering the same for all.
      expect(relativeDifference(expected.subarray(0, 2048), expected.subarray(2048, 4096))).toBeGreaterThan(
        0.01,
      );
    });

    it("reads the same weights from every layout that Keras writes", async () => {
      const official = await readWeights(join(folder, "keras-2.h5"));
      expect(official.tensors.size).toBe(53 * 6);
      for (const name of ["whole-model.h5", "keras-3.weights.h5"]) {
        const other = await readWeights(join(folder, name));
        expect([...other.tensors.keys()].sort()).toEqual([...official.tensors.keys()].sort());
        for (const [key, { shape, values }] of official.tensors) {
          const same = other.tensors.get(key)!;
          expect(same.shape).toEqual(shape);
          expect(Buffer.compare(Buffer.from(same.values.buffer), Buffer.from(values.buffer))).toBe(0);
        }
      }
    });

    it("counts parameters as Keras does, stage by stage", async () => {
      const backbone = buildResnet50(await readWeights(join(folder, "keras-2.h5")), origin, 197);
      expect(backbone.parameterCount).toBe(parametersInKeras);
      expect(backbone.layers.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(parametersInKeras);
      expect(backbone.layers.map(({ outputShape }) => outputShape)).toEqual([
        [99, 99, 64],
        [50, 50, 64],
        [50, 50, 256],
        [25, 25, 512],
        [13, 13, 1024],
        [7, 7, 2048],
        [2048],
      ]);
      backbone.dispose();
    });
  },
);

describe.skipIf(!hasSharedData || !hasKeras)("ResNet50 against Keras, with real ImageNet weights", () => {
  let folder: string;

  beforeAll(async () => {
    folder = makeFolder();
    const slides = ["SOB_B_A-14-22549AB-100-001.png", "SOB_B_A-14-22549AB-100-004.png"];
    const paths = slides.map((slide) => join(breakhisSample, "benign", slide));
    const decoded = await Promise.all(paths.map((path) => decodeImage(path, 224)));
    // Two photographs of tissue, and one drawn image.
    const pixels = Uint8Array.from([...decoded.flatMap((image) => [...image]), ...drawImages(1, 224)]);
    images.set(224, Int32Array.from(pixels));
    writeFileSync(join(folder, "images-224.bin"), pixels);
    symlinkSync(resnet50Weights, join(folder, "weights.h5"));
    runPython(program, [folder, "224", "197"]);
  });

  it.each([224, 197])("computes the same features for images of %i pixels", async (size) => {
    const found = await embed(resnet50Weights, size);
    expect(relativeDifference(found, readFloats(join(folder, `given-${size}.bin`)))).toBeLessThan(tolerance);
  });
});
