import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { imagePath, openDataset } from "../../../src/data/dataset";
import { stainNormalisation } from "../../../src/data/images/image-transform";
import { asItIs, viewsOf } from "../../../src/data/images/image-views";
import { fitStainReference } from "../../../src/data/images/stain-reference";
import { findSources } from "../../../src/data/layouts/image-sources";
import { type Backbone, loadBackbone } from "../../../src/model/backbones/backbone";
import {
  buildClassifier,
  type Classifier,
  loadClassifier,
  predictImages,
  saveClassifier,
} from "../../../src/model/classifier/classifier";
import { lockTriage } from "../../../src/model/classifier/classifier-triage";
import { fitFamiliarity } from "../../../src/model/classifier/fit-familiarity";
import { buildHead, predictHead } from "../../../src/model/classifier/head";
import { predictSources } from "../../../src/model/classifier/predict-sources";
import { extractFeatures } from "../../../src/model/features/features";
import { extractTreated } from "../../../src/model/features/treatment";
import { createRandom } from "../../../src/runtime/random";
import { tf } from "../../../src/runtime/tensorflow";
import { predictSplit } from "../../../src/scores/evaluate";
import { hasSharedData, resnet50Weights } from "../../support/data/shared-data";
import { laboratories, mixImage } from "../../support/data/stained-images";
import { inMemory } from "../../support/model/values-in-memory";
import { temporaryFolder } from "../../support/temporary-folder";

const inputSize = 64;
const home = temporaryFolder("classifier");
const saved = join(home, "classifier");
const imageCount = 37;
// Features of blots are of no use to anybody; the weights are found in the project's own cache all the same.
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
vi.stubEnv("BREAKHIS_WEIGHTS", "");

/** Blots of random colours: images that a backbone tells apart. */
async function drawImages(): Promise<string[]> {
  const random = createRandom(9);
  const files: string[] = [];
  for (let i = 0; i < imageCount; i++) {
    const file = join(home, `image-${String(i).padStart(2, "0")}.png`);
    const pixels = Buffer.from(Array.from({ length: 8 * 6 * 3 }, () => random.integer(256)));
    await sharp(pixels, { raw: { width: 8, height: 6, channels: 3 } })
      .resize(80, 60)
      .toFile(file);
    files.push(file);
  }
  return files;
}

/** The manifest of a copy of the saved classifier, changed. */
function withManifest(name: string, change: (manifest: Record<string, never>) => void): string {
  const folder = join(home, name);
  cpSync(saved, folder, { recursive: true });
  const path = join(folder, "classifier.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
  return folder;
}

describe("a classifier on EfficientNet-Lite0", () => {
  let backbone: Backbone;
  let classifier: Classifier;
  let files: string[];

  beforeAll(async () => {
    files = await drawImages();
    ({ backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize }));
    const head = buildHead({ inputs: backbone.featureWidth, hiddenUnits: [16], classCount: 2, seed: 2 });
    const dataset = { name: "blots", synthetic: true, classes: ["benign", "malignant"], positiveClass: 1 };
    const settings = { seed: 2, weights: null };
    classifier = buildClassifier({ backbone, head, dataset, settings, runId: "2026-01-02T03-04-05" });
    await saveClassifier(saved, classifier);
  });
  afterAll(() => backbone?.dispose());

  it("comes back as it was, with where it comes from", async () => {
    const loaded = await loadClassifier(saved, { backbone });
    expect(loaded).toEqual(classifier);
    expect(loaded.provenance).toMatchObject({
      runId: "2026-01-02T03-04-05",
      dataset: "blots",
      synthetic: true,
    });
    expect(Object.keys(loaded.provenance.versions)).toContain("tensorflow");
    expect(readdirSync(saved).sort()).toEqual(["classifier.json", "head.safetensors"]);
  });

  it("predicts the same bit for bit when loaded, alone or among others", async () => {
    const together = await predictImages(classifier, files);
    expect(together.skipped).toEqual([]);
    expect(together.predictions.map(({ file }) => file)).toEqual(files);
    expect(new Set(together.predictions.map(({ probabilities }) => probabilities[1])).size).toBe(imageCount);

    const before = tf.memory().numTensors;
    const loaded = await loadClassifier(saved);
    expect(loaded.backbone).not.toBe(backbone);
    expect(await predictImages(loaded, files)).toEqual(together);
    for (const i of [0, 5, 31, 32, imageCount - 1]) {
      const alone = await predictImages(loaded, [files[i]!]);
      expect(alone.predictions).toEqual([together.predictions[i]]);
    }
    loaded.backbone.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses a folder whose probabilities were softened before the decision, rather than predict others", async () => {
    const soft = withManifest("soft", (manifest) => Object.assign(manifest, { temperature: 2.5 }));
    await expect(loadClassifier(soft, { backbone })).rejects.toThrow(
      /classifier\.json.*temperature: this classifier softens its probabilities.*take the line out/,
    );
    const plain = withManifest("plain", (manifest) => Object.assign(manifest, { temperature: 1 }));
    expect(await loadClassifier(plain, { backbone })).toEqual(await loadClassifier(saved, { backbone }));
  });

  it("carries what the training images look like and a locked threshold, and predicts the same with them", async () => {
    const dataset = await openDataset(withImages("training", files));
    const features = await extractFeatures(dataset, backbone);
    const rows = dataset.records.map((_, row) => row);
    const split = { train: rows.slice(0, 20), validation: rows.slice(20) };
    const familiarity = fitFamiliarity(dataset, split, features);
    const parts = {
      backbone,
      head: classifier.head,
      dataset: { name: "blots", synthetic: true, classes: ["benign", "malignant"], positiveClass: 1 },
      settings: { seed: 2, weights: null },
      runId: null,
    };
    const folder = join(home, "familiar");
    const whole = buildClassifier({ ...parts, familiarity });
    await saveClassifier(folder, whole);
    expect(readdirSync(folder).sort()).toEqual([
      "classifier.json",
      "familiarity.safetensors",
      "head.safetensors",
    ]);
    const triage = {
      threshold: 0.125,
      level: "image" as const,
      target: 0.95,
      chosenOn: "validation",
      description: "Chosen on validation.",
      temperature: 1.5,
    };
    await lockTriage(folder, triage);
    const elsewhere = join(home, "copied");
    cpSync(folder, elsewhere, { recursive: true });
    const loaded = await loadClassifier(elsewhere, { backbone });
    expect(loaded).toEqual({ ...whole, triage });
    expect(await predictImages(loaded, files)).toEqual(await predictImages(classifier, files));
    await saveClassifier(folder, loaded);
    expect(await loadClassifier(folder, { backbone })).toEqual(loaded);

    await expect(lockTriage(folder, { ...triage, threshold: 2 })).rejects.toThrow(/triage\.threshold/);
    expect(await loadClassifier(folder, { backbone })).toEqual(loaded);
    const bytes = readFileSync(join(folder, "familiarity.safetensors"));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(folder, "familiarity.safetensors"), bytes);
    await expect(loadClassifier(folder, { backbone })).rejects.toThrow(/familiarity\.safetensors is damaged/);
    await expect(lockTriage(join(home, "nowhere"), triage)).rejects.toThrow(/no saved classifier/);
  });

  it("predicts from files what it predicts from a data set's cached features", async () => {
    const dataset = await openDataset(withImages("set", files.slice(0, 8)));
    const features = await extractFeatures(dataset, backbone);
    const values = predictHead(classifier.head, inMemory(features.values), features.width);
    const { predictions } = await predictImages(
      classifier,
      dataset.records.map(({ file }) => join(dataset.folder, file)),
    );
    expect(predictions.flatMap(({ probabilities }) => probabilities)).toEqual(Array.from(values));
  });

  it("normalises stains where it was trained on normalised ones, also when it comes back", async () => {
    const tissue = laboratories.map((laboratory, i) => {
      const pixels = mixImage(laboratory, inputSize * inputSize, i);
      return sharp(pixels, { raw: { width: inputSize, height: inputSize, channels: 3 } }).png();
    });
    const paths = [join(home, "tissue-0.png"), join(home, "tissue-1.png")];
    await Promise.all(tissue.map((png, i) => png.toFile(paths[i]!)));
    const stain = await fitStainReference(paths.slice(0, 1), inputSize);
    const { head } = classifier;
    const dataset = { name: "mixtures", synthetic: true, classes: ["benign", "malignant"], positiveClass: 1 };
    const settings = { seed: 2, weights: null };
    const stained = buildClassifier({
      backbone,
      head,
      dataset,
      settings,
      runId: null,
      treatment: { stain, views: [asItIs] },
    });
    const folder = join(home, "stained");
    await saveClassifier(folder, stained);
    const loaded = await loadClassifier(folder, { backbone });
    expect(loaded).toEqual(stained);
    expect(loaded.stain).toEqual(stain);

    const { predictions } = await predictImages(loaded, paths);
    expect(predictions).not.toEqual((await predictImages(classifier, paths)).predictions);
    const records = await openDataset(withImages("tissue", paths));
    const transform = stainNormalisation(stain);
    const { values, width } = await extractFeatures(records, backbone, { transform });
    const expected = Array.from(predictHead(head, inMemory(values), width));
    expect(predictions.flatMap(({ probabilities }) => probabilities)).toEqual(expected);
  });

  it("answers with the mean over views where it was trained so, from files as from cached features", async () => {
    const views = viewsOf("turns-and-stains");
    const { head, stain } = { ...classifier, ...(await loadClassifier(join(home, "stained"), { backbone })) };
    const dataset = { name: "mixtures", synthetic: true, classes: ["benign", "malignant"], positiveClass: 1 };
    const parts = { backbone, head, dataset, runId: null, treatment: { stain, views } };
    const single = buildClassifier({ ...parts, settings: { seed: 2, weights: null } });
    expect(single).not.toHaveProperty("views");
    const settings = { seed: 2, weights: null, averageViews: true };
    const averaging = buildClassifier({ ...parts, settings });
    const folder = join(home, "averaging");
    await saveClassifier(folder, averaging);
    const loaded = await loadClassifier(folder, { backbone });
    expect(loaded).toEqual(averaging);
    expect(loaded.views).toEqual(views);

    const images = await openDataset(join(home, "tissue"));
    const features = await extractTreated(images, backbone, { stain, fittedOn: [], views });
    const paths = images.records.map((record) => imagePath(images, record));
    const { predictions } = await predictImages(loaded, paths);
    const split = { by: "image" as const, seed: 1, train: [0], validation: [], test: [1] };
    const ofRun = predictSplit(images, split, features, loaded);
    expect(predictions.map(({ probabilities }) => probabilities)).toEqual(
      ofRun.map(({ probabilities }) => probabilities),
    );
    // What `npm run predict` asks, through the cache.
    const { groups } = await findSources(paths);
    const asked = await predictSources(loaded, groups);
    expect(asked.predictions.map(({ probabilities }) => probabilities)).toEqual(
      predictions.map(({ probabilities }) => probabilities),
    );
    const alone = await predictImages(loaded, paths.slice(1));
    expect(alone.predictions).toEqual(predictions.slice(1));
    expect(predictions).not.toEqual((await predictImages(single, paths)).predictions);
    await expect(async () => predictSplit(images, split, { ...features, views: [] }, loaded)).rejects.toThrow(
      /lack a view/,
    );
  });

  it("has a format of its own with a stain reference, and the old one without", async () => {
    const manifestIn = (name: string) =>
      JSON.parse(readFileSync(join(home, name, "classifier.json"), "utf8"));
    expect(manifestIn("classifier")).toMatchObject({ format: "breakhis-lab classifier 1" });
    expect(manifestIn("classifier").preprocessing).not.toHaveProperty("stain");
    expect(manifestIn("stained")).toMatchObject({ format: "breakhis-lab classifier 2" });
    expect(manifestIn("averaging")).toMatchObject({ format: "breakhis-lab classifier 4" });
    // A program that knows only the old format must not take one for the other.
    const { stain } = manifestIn("stained").preprocessing;
    const disguised = withManifest("disguised", (manifest) => {
      Object.assign(manifest["preprocessing"]!, { stain });
    });
    await expect(loadClassifier(disguised, { backbone })).rejects.toThrow(/stain reference/);
    const { views } = manifestIn("averaging").preprocessing;
    expect(views).toHaveLength(11);
    const hidden = withManifest("hidden", (manifest) => Object.assign(manifest["preprocessing"]!, { views }));
    await expect(loadClassifier(hidden, { backbone })).rejects.toThrow(/has views/);
    const odd = withManifest("odd", (manifest) => {
      Object.assign(manifest, { format: "breakhis-lab classifier 4" });
      Object.assign(manifest["preprocessing"]!, { views: [views[0], { ...views[1], quarterTurns: 4 }] });
    });
    await expect(loadClassifier(odd, { backbone })).rejects.toThrow(/quarterTurns/);
    expect((await loadClassifier(saved, { backbone })).stain).toBeNull();
  });

  it("lists files that can't be read, and predicts the others", async () => {
    const broken = join(home, "broken.png");
    writeFileSync(broken, "not an image");
    const { predictions, skipped } = await predictImages(classifier, [
      files[0]!,
      broken,
      files[1]!,
      "/none.png",
    ]);
    expect(predictions.map(({ file }) => file)).toEqual([files[0], files[1]]);
    expect(skipped.map(({ file }) => file)).toEqual([broken, "/none.png"]);
    for (const { reason } of skipped) expect(reason.length).toBeGreaterThan(10);
  });

  it("answers the positive class from the threshold on", async () => {
    const { predictions } = await predictImages(classifier, files);
    const ofPositive = predictions.map(({ probabilities }) => probabilities[1]!);
    const threshold = [...ofPositive].sort((a, b) => a - b)[10]!;
    const strict = await predictImages({ ...classifier, threshold }, files);
    expect(strict.predictions.map(({ predicted }) => predicted)).toEqual(
      ofPositive.map((probability) => (probability >= threshold ? 1 : 0)),
    );
  });

  it("is refused without its files, or with damaged ones", async () => {
    await expect(loadClassifier(join(home, "nowhere"), { backbone })).rejects.toThrow(/no saved classifier/);
    const damaged = join(home, "damaged");
    cpSync(saved, damaged, { recursive: true });
    const bytes = readFileSync(join(damaged, "head.safetensors"));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(damaged, "head.safetensors"), bytes);
    await expect(loadClassifier(damaged, { backbone })).rejects.toThrow(/damaged.*checksum/);
    writeFileSync(join(damaged, "classifier.json"), "{");
    await expect(loadClassifier(damaged, { backbone })).rejects.toThrow(/not JSON/);
  });

  it("is refused where its description makes no sense, and never reads outside its folder", async () => {
    const outside = withManifest("outside", (manifest) => {
      Object.assign(manifest["head"]!, { file: "../classifier/head.safetensors" });
    });
    await expect(loadClassifier(outside, { backbone })).rejects.toThrow(/head\.file/);
    const senseless = withManifest("senseless", (manifest) => {
      Object.assign(manifest, { positiveClass: 2, threshold: 1.5 });
    });
    await expect(loadClassifier(senseless, { backbone })).rejects.toThrow(/threshold/);
  });

  it("is refused for a size that no setting may have, before anything of that size is made", async () => {
    for (const inputSize of [16, 1_000_000]) {
      const huge = withManifest(`size-${inputSize}`, (manifest) => {
        Object.assign(manifest["preprocessing"]!, { inputSize });
      });
      await expect(loadClassifier(huge, { backbone })).rejects.toThrow(
        `classifier.json doesn't describe a classifier: preprocessing.inputSize takes a whole number from 32 to 1024, and ${inputSize} was given. Save the classifier again.`,
      );
    }
  });

  it("is refused at once where its files are pipes, and where it names pipes or devices as weights", async () => {
    for (const file of ["classifier.json", "head.safetensors"]) {
      const piped = join(home, `piped-${file}`);
      cpSync(saved, piped, { recursive: true });
      rmSync(join(piped, file));
      execFileSync("mkfifo", [join(piped, file)]);
      await expect(loadClassifier(piped, { backbone })).rejects.toThrow(
        `${file} could not be read (it is a named pipe, not a file)`,
      );
    }
    const pipe = join(home, "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const [weightsPath, kind] of [
      [pipe, "a named pipe"],
      ["/dev/zero", "a device"],
    ]) {
      const named = withManifest(`named-${kind}`, (manifest) => {
        Object.assign(manifest["provenance"]!, { weightsPath });
      });
      await expect(loadClassifier(named)).rejects.toThrow(
        `${weightsPath} can't be read: it is ${kind}, not a file`,
      );
    }
  });

  it("names the weights file it needs when the one at hand is another", async () => {
    const other = withManifest("other", (manifest) => {
      Object.assign(manifest["backbone"]!["weights"], { name: "theirs.h5", sha256: "ab".repeat(32) });
    });
    const before = tf.memory().numTensors;
    await expect(loadClassifier(other)).rejects.toThrow(/theirs\.h5 \(SHA-256 abab.*Give the path/);
    expect(tf.memory().numTensors).toBe(before);
    const larger = withManifest("larger", (manifest) => {
      Object.assign(manifest["preprocessing"]!, { inputSize: 96 });
    });
    await expect(loadClassifier(larger, { backbone })).rejects.toThrow(/at 96 pixels, found .* at 64/);
  });

  it("is not saved if its parts don't fit, and then leaves the old one alone", async () => {
    const head = buildHead({ inputs: 3, hiddenUnits: [], classCount: 2, seed: 1 });
    await expect(saveClassifier(saved, { ...classifier, head })).rejects.toThrow(/takes 3 features/);
    await expect(saveClassifier(saved, { ...classifier, threshold: Number.NaN })).rejects.toThrow(
      /threshold/,
    );
    expect(await loadClassifier(saved, { backbone })).toEqual(classifier);
  });
});

describe.skipIf(!hasSharedData)("a classifier on the user's own weights file", () => {
  it("finds the file again where it was, and says so if another is there", async () => {
    const weights = join(home, "mine.h5");
    cpSync(resnet50Weights, weights);
    const { backbone } = await loadBackbone({ backbone: "resnet50", weights, inputSize });
    const head = buildHead({ inputs: backbone.featureWidth, hiddenUnits: [], classCount: 2, seed: 2 });
    const dataset = { name: "blots", synthetic: true, classes: ["benign", "malignant"], positiveClass: 1 };
    const parts = { backbone, head, dataset, runId: null };
    const classifier = buildClassifier({ ...parts, settings: { seed: 2, weights } });
    expect(classifier.provenance.weightsPath).toBe(weights);
    const folder = join(home, "on-resnet50");
    await saveClassifier(folder, classifier);
    backbone.dispose();

    const before = tf.memory().numTensors;
    const loaded = await loadClassifier(folder);
    expect(loaded.backbone.weights.sha256).toBe(backbone.weights.sha256);
    expect(loaded.head).toEqual(head);
    loaded.backbone.dispose();
    // A byte behind the end leaves the weights as they are, but it is not the same file any more.
    appendFileSync(weights, "x");
    await expect(loadClassifier(folder)).rejects.toThrow(/trained with the weights file mine\.h5/);
    const other = join(home, "moved.h5");
    cpSync(resnet50Weights, other);
    const moved = await loadClassifier(folder, { weights: other });
    moved.backbone.dispose();
    rmSync(weights);
    await expect(loadClassifier(folder)).rejects.toThrow(/needs the weights file mine\.h5 .*no longer at/);
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** A folder of two classes with copies of these images. */
function withImages(name: string, images: readonly string[]): string {
  images.forEach((image, i) => {
    const folder = join(home, name, i % 2 === 0 ? "benign" : "malignant");
    cpSync(image, join(folder, `${i}.png`), { recursive: true });
  });
  return join(home, name);
}
