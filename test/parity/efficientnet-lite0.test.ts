import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "../../src/data/images/images";
import { loadBackbone } from "../../src/model/backbones/backbone";
import { takeWeight, type WeightsFile } from "../../src/model/backbones/weight-tensors";
import { readWeights } from "../../src/model/backbones/weights";
import { efficientnetLite0File } from "../../src/model/backbones/weights-location";
import { projectRoot } from "../../src/runtime/paths";
import { tf } from "../../src/runtime/tensorflow";
import { drawImages } from "../support/data/drawn-images";
import { readFloats, relativeDifference } from "../support/numbers";
import { hasKeras, python, runPython } from "../support/python";

const program = readFileSync(join(__dirname, "efficientnet_lite0_features.py"), "utf8");
const sizes = [224, 197, 160];
const imageCount = 2;
const tolerance = 1e-4;
/** ImageNet's class 985: daisy. */
const daisy = 985;

let folder: string;
let weights: WeightsFile;
let photograph: string;
let classInPython: number;
const cacheBefore = process.env["BREAKHIS_CACHE"];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "efficientnet-"));
  // Converted afresh, so that this tests the converter as it is.
  process.env["BREAKHIS_CACHE"] = folder;
  const converted = join(folder, "weights", efficientnetLite0File);
  execFileSync(python, [join(projectRoot(), "python", "convert_efficientnet_lite0.py"), converted]);
  weights = await readWeights(converted);
  for (const size of sizes) writeFileSync(join(folder, `images-${size}.bin`), drawImages(imageCount, size));
  const [path, flowerClass] = runPython(program, [folder, ...sizes.map(String)])
    .trim()
    .split("\n");
  photograph = path!;
  classInPython = Number(flowerClass);
});

afterAll(() => {
  if (cacheBefore === undefined) delete process.env["BREAKHIS_CACHE"];
  else process.env["BREAKHIS_CACHE"] = cacheBefore;
  rmSync(folder, { recursive: true, force: true });
});

async function embed(pixels: Uint8Array, size: number): Promise<Float32Array> {
  const { backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize: size });
  try {
    return tf.tidy(() => {
      const shape: [number, number, number, number] = [pixels.length / (size * size * 3), size, size, 3];
      return backbone.embed(tf.tensor4d(Int32Array.from(pixels), shape, "int32")).dataSync() as Float32Array;
    });
  } finally {
    backbone.dispose();
  }
}

/** The ImageNet classifier that comes with the weights; the project itself has no use for it. */
function classify(features: Float32Array): Float32Array {
  const kernel = takeWeight(weights, "classifier/kernel", [1280, 1000]);
  const bias = takeWeight(weights, "classifier/bias", [1000]);
  return tf.tidy(() => {
    const rows = tf.tensor2d(features, [features.length / 1280, 1280]);
    return tf.add(tf.matMul(rows, tf.tensor2d(kernel, [1280, 1000])), tf.tensor1d(bias)).dataSync();
  }) as Float32Array;
}

describe.skipIf(!hasKeras)("EfficientNet-Lite0 against a second implementation in Python", () => {
  it.each(sizes)("computes the same features and classes for images of %i pixels", async (size) => {
    const features = await embed(drawImages(imageCount, size), size);
    const expected = readFloats(join(folder, `features-${size}.bin`));
    expect(relativeDifference(features, expected)).toBeLessThan(tolerance);
    const scores = readFloats(join(folder, `scores-${size}.bin`));
    expect(relativeDifference(classify(features), scores)).toBeLessThan(tolerance);
    // The two images differ there, so agreeing means more than answering the same for both.
    expect(relativeDifference(expected.subarray(0, 1280), expected.subarray(1280))).toBeGreaterThan(0.01);
  });

  it("sees a daisy in a photograph of a flower", async () => {
    const scores = classify(await embed(await decodeImage(photograph, 224), 224));
    expect(scores.indexOf(Math.max(...scores))).toBe(daisy);
    expect(classInPython).toBe(daisy);
  });

  it("counts its parameters, moving statistics included", async () => {
    const { backbone } = await loadBackbone({
      backbone: "efficientnet-lite0",
      weights: null,
      inputSize: 224,
    });
    const used = [...weights.tensors].filter(([name]) => !name.startsWith("classifier/"));
    const counted = used.reduce((sum, [, { values }]) => sum + values.length, 0);
    expect(backbone.parameterCount).toBe(counted);
    expect(backbone.layers.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(counted);
    expect(backbone.layers.at(-2)?.outputShape).toEqual([7, 7, 1280]);
    backbone.dispose();
  });
});
