import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { exportClassifier } from "../../src/export/export-classifier";
import { type BackboneChoice, loadBackbone } from "../../src/model/backbones/backbone";
import { embedPixels } from "../../src/model/features/features";
import type { BackboneDetails } from "../../src/runtime/settings";
import { drawImages } from "../support/data/drawn-images";
import { decidedClassifier, drawTissue } from "../support/model/trained-classifier";
import { readFloats, relativeDifference } from "../support/numbers";
import { hasKeras, runPython } from "../support/python";
import { temporaryFolder } from "../support/temporary-folder";

const program = readFileSync(join(__dirname, "other_backbones.py"), "utf8");
const folder = temporaryFolder("other-backbones");
const [size, count, tolerance] = [64, 5, 1e-4];
const pixels = drawImages(count, size);
vi.stubEnv("BREAKHIS_CACHE", join(folder, "cache"));
vi.stubEnv("BREAKHIS_WEIGHTS", "");

const caffe: BackboneDetails = {
  channels: "BGR",
  scale: 1,
  mean: [103.939, 116.779, 123.68],
  deviation: [1, 1, 1],
  interpolation: "bicubic",
};
const centred: BackboneDetails = {
  ...{ channels: "RGB", scale: 1 / 127.5, interpolation: "bicubic" },
  ...{ mean: [1, 1, 1], deviation: [1, 1, 1] },
};

async function featuresOf(file: string, choice: Partial<BackboneChoice> = {}): Promise<Float32Array> {
  const backbone = choice.backbone ?? join(folder, file);
  const loaded = await loadBackbone({ weights: null, ...choice, backbone });
  try {
    return await embedPixels(loaded.backbone, pixels, count);
  } finally {
    loaded.backbone.dispose();
  }
}

const expected = (name: string) => readFloats(join(folder, `${name}.bin`));

/** The mean over an image's tokens, 64 of 48 channels. */
function meanTokens(name: string): Float32Array {
  const tokens = expected(name);
  return Float32Array.from({ length: count * 48 }, (_, i) => {
    const [image, channel] = [Math.floor(i / 48), i % 48];
    let sum = 0;
    for (let token = 0; token < 64; token++) sum += tokens[(image * 64 + token) * 48 + channel]!;
    return sum / 64;
  });
}

describe.skipIf(!hasKeras)("networks that come from Keras", () => {
  beforeAll(() => {
    writeFileSync(join(folder, "pixels.bin"), pixels);
    runPython(program, [folder]);
  });

  it.each(["resnet", "resnet.onnx", "resnet.keras"])(
    "give the features of our own ResNet50 (%s)",
    async (file) => {
      const ours = await featuresOf("", {
        ...{ backbone: "resnet50", weights: join(folder, "resnet.weights.h5"), inputSize: size },
      });
      expect(relativeDifference(ours, expected("resnet"))).toBeLessThan(tolerance);
      expect(relativeDifference(ours.subarray(0, 2048), ours.subarray(2048, 4096))).toBeGreaterThan(0.01);
      expect(relativeDifference(await featuresOf(file, { backboneDetails: caffe }), ours)).toBeLessThan(
        tolerance,
      );
    },
  );

  it.each([
    ["vit-tokens.onnx", "approximate", { pooling: "mean" }],
    ["vit-tokens", "exact", { pooling: "mean" }],
    ["vit.keras", "exact", { output: "block1", pooling: "mean" }],
    ["vit.h5", "exact", { output: "block1", pooling: "mean" }],
  ] as const)(
    "give a vision transformer's tokens as Keras does, pooled (%s)",
    async (file, name, details) => {
      const found = await featuresOf(file, { backboneDetails: { ...centred, ...details } });
      expect(relativeDifference(found, meanTokens(`${name}-tokens`))).toBeLessThan(tolerance);
    },
  );

  it("give the output of any layer that is named", async () => {
    const found = await featuresOf("vit.keras", { backboneDetails: { ...centred, output: "pooled" } });
    expect(relativeDifference(found, expected("exact-pooled"))).toBeLessThan(tolerance);
    await expect(
      featuresOf("vit.keras", { backboneDetails: { ...centred, output: "none" } }),
    ).rejects.toThrow(
      /vit\.keras can't be opened as a Keras model: it has no layer none; the last ones are .*pooled, classes\./,
    );
  });

  it("are built by their names in keras.applications, fed as Keras feeds them", async () => {
    const choice = { backbone: "DenseNet121", weights: join(folder, "densenet.weights.h5"), inputSize: size };
    const found = await featuresOf("", choice);
    expect(relativeDifference(found, expected("densenet"))).toBeLessThan(tolerance);
    const { backbone, explanation } = await loadBackbone(choice);
    expect(backbone).toMatchObject({ name: "DenseNet121", featureWidth: 1024, parameterCount: 7_037_504 });
    expect(explanation).toMatch(/^DenseNet121, a network of the user's \(Keras model of \d+ layers/);
    backbone.dispose();
    await expect(loadBackbone({ ...choice, weights: null })).rejects.toThrow(
      /DenseNet121 of keras\.applications needs the file/,
    );
  });

  it("are converted once, and kept by their checksum", async () => {
    const conversions = () => readdirSync(join(folder, "cache", "backbones")).length;
    const before = conversions();
    await featuresOf("vit.keras", { backboneDetails: { ...centred, output: "pooled" } });
    expect(conversions()).toBe(before);
  });

  it("are refused where they hold Python code", async () => {
    for (const file of ["lambda.keras", "lambda.h5"]) {
      await expect(featuresOf(file, { backboneDetails: centred })).rejects.toThrow(
        /lambda\.\w+ can't be opened as a Keras model: it holds a layer of the kind Lambda, which is code or another file\./,
      );
    }
    const weights = featuresOf("densenet.weights.h5", { backboneDetails: centred });
    await expect(weights).rejects.toThrow(/it holds weights and no model|can't be opened as a Keras model/);
  });

  it("are exported with their heads, answering within 1e-4", async () => {
    const images = join(folder, "images");
    await drawTissue(images);
    const choices: [Partial<BackboneChoice>, ("keras" | "savedmodel" | "onnx")[]][] = [
      [
        {
          backbone: join(folder, "vit.keras"),
          backboneDetails: {
            ...centred,
            output: "block1",
            pooling: "class-token-and-mean-of-patches",
            prefixTokens: 1,
          },
        },
        ["keras", "savedmodel"],
      ],
      [{ backbone: join(folder, "resnet.keras"), backboneDetails: caffe }, ["onnx"]],
    ];
    for (const [choice, formats] of choices) {
      const { backbone } = await loadBackbone({ weights: null, backbone: "", ...choice });
      const classifier = await decidedClassifier(backbone, images);
      for (const format of formats) {
        const out = join(folder, `exported-${format}`);
        const results = { summary: null, findings: null };
        const { check } = await exportClassifier({ classifier, format, out, results });
        expect(check.images).toBeGreaterThan(4);
        expect(check.largestDifference).toBeLessThan(tolerance);
      }
      await expect(
        exportClassifier({
          classifier,
          format: "tfjs",
          out: join(folder, "tfjs"),
          results: { summary: null, findings: null },
        }),
      ).rejects.toThrow(/An export for other programs looks into the network/);
      backbone.dispose();
    }
  });
});
