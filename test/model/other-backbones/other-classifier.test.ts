import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Dataset, imagePath, openDataset } from "../../../src/data/dataset";
import { generateDemoDataset } from "../../../src/data/demo/demo";
import { exportClassifier } from "../../../src/export/export-classifier";
import { buildViewer } from "../../../src/export/viewer-page";
import { type Backbone, loadBackbone } from "../../../src/model/backbones/backbone";
import {
  type Classifier,
  loadClassifier,
  predictImages,
  saveClassifier,
} from "../../../src/model/classifier/classifier";
import { gradCam } from "../../../src/model/explanation/grad-cam";
import { extractFeatures } from "../../../src/model/features/features";
import { breakhisSample, hasSharedData } from "../../support/data/shared-data";
import { imagenetDetails, writeOnnxNetworks } from "../../support/model/onnx-networks";
import { decidedClassifier } from "../../support/model/trained-classifier";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("other-classifier");
const images = join(home, "images");
const networks = join(home, "networks");
const saved = join(home, "classifier");
const network = join(home, "mine", "encoder.onnx");
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));

let dataset: Dataset;
let backbone: Backbone;
let classifier: Classifier;
let files: string[];

beforeAll(async () => {
  for (const folder of [networks, join(home, "mine")]) mkdirSync(folder);
  writeOnnxNetworks(networks);
  copyFileSync(join(networks, "planar.onnx"), network);
  writeFileSync(
    join(home, "mine", "backbone.json"),
    JSON.stringify({ ...imagenetDetails, interpolation: "bilinear" }),
  );
  await generateDemoDataset(images, { patients: 4, imagesPerPatient: 2, width: 90, height: 60, seed: 3 });
  dataset = await openDataset(images);
  files = dataset.records.map((record) => imagePath(dataset, record));
  ({ backbone } = await loadBackbone({ backbone: network, weights: null }));
  classifier = await decidedClassifier(backbone, images);
  await saveClassifier(saved, classifier);
});
afterAll(() => backbone.dispose());

describe("a classifier on somebody else's network", () => {
  it("keeps features in the cache by the network and by what is done around it", async () => {
    expect(await extractFeatures(dataset, backbone)).toMatchObject({ computed: 0, fromCache: 8, width: 6 });
    for (const changed of [
      { interpolation: "bicubic" },
      { mean: [0, 0, 0] as [number, number, number] },
    ] as const) {
      const other = await loadBackbone({ backbone: network, weights: null, backboneDetails: changed });
      expect(await extractFeatures(dataset, other.backbone)).toMatchObject({ computed: 8, fromCache: 0 });
      other.backbone.dispose();
    }
  });

  it("is saved with its recipe, and answers the same after loading, whatever the files beside the network say", async () => {
    const expected = await predictImages(classifier, files);
    expect(new Set(expected.predictions.map(({ predicted }) => predicted)).size).toBe(2);
    writeFileSync(join(home, "mine", "backbone.json"), JSON.stringify({ mean: [100, 100, 100] }));
    const loaded = await loadClassifier(saved);
    expect(await predictImages(loaded, files)).toEqual(expected);
    expect(loaded.backbone.recipe).toEqual(backbone.recipe);
    loaded.backbone.dispose();
    const manifest = JSON.parse(readFileSync(join(saved, "classifier.json"), "utf8"));
    expect(manifest).toMatchObject({
      format: "breakhis-lab classifier 5",
      preprocessing: { inputSize: 32, resizing: "stretched to a square, linear" },
      backbone: {
        name: "encoder.onnx",
        featureWidth: 6,
        recipe: { mean: imagenetDetails.mean, format: "onnx" },
      },
      provenance: { weightsPath: network },
    });
  });

  it("asks for its network by name and checksum where it has moved, and takes no other", async () => {
    const moved = join(home, "mine", "renamed.onnx");
    renameSync(network, moved);
    try {
      await expect(loadClassifier(saved)).rejects.toThrow(
        new RegExp(
          `needs the network encoder\\.onnx \\(SHA-256 ${backbone.weights.sha256}\\), which is no longer at`,
        ),
      );
      const loaded = await loadClassifier(saved, { weights: moved });
      expect(await predictImages(loaded, files)).toEqual(await predictImages(classifier, files));
      loaded.backbone.dispose();
      await expect(loadClassifier(saved, { weights: join(networks, "fixed.onnx") })).rejects.toThrow(
        /was trained with the weights file encoder\.onnx .*, found fixed\.onnx/,
      );
    } finally {
      renameSync(moved, network);
    }
  });

  it("refuses in a sentence what looks into the network", async () => {
    const sentence = (what: string) =>
      `${what} looks into the network, and of encoder.onnx only the features are known: take the backbone "resnet50" or "efficientnet-lite0" for it.`;
    await expect(gradCam(classifier, files[0]!)).rejects.toThrow(sentence("Grad-CAM"));
    const results = { summary: null, findings: null };
    for (const format of ["tfjs", "onnx"] as const) {
      const out = join(home, `exported-${format}`);
      await expect(exportClassifier({ classifier, format, out, results })).rejects.toThrow(
        sentence("An export for other programs"),
      );
    }
    await expect(buildViewer({ classifier, out: join(home, "page"), results })).rejects.toThrow(
      sentence("The page for browsers"),
    );
  });

  it.skipIf(!hasSharedData)("answers about real images, the same alone and together", async () => {
    const real = (await openDataset(breakhisSample)).records.slice(40, 46);
    const paths = real.map((record) => join(breakhisSample, record.file));
    const { predictions, skipped } = await predictImages(classifier, paths);
    expect(skipped).toEqual([]);
    expect(new Set(predictions.map(({ probabilities }) => probabilities[0])).size).toBe(6);
    for (const [i, path] of paths.entries()) {
      expect((await predictImages(classifier, [path])).predictions).toEqual([predictions[i]]);
    }
  });
});
