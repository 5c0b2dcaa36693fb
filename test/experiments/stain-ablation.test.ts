import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { type Dataset, openDataset } from "../../src/data/dataset";
import { angleBetween } from "../../src/data/images/optical-density";
import type { Split } from "../../src/data/split/split-value";
import { compareStains } from "../../src/experiments/stain-ablation";
import { prepareArms } from "../../src/experiments/stain-arms";
import type { OpenBackbone } from "../../src/model/backbones/backbone";
import { requestStop } from "../../src/runtime/interruption";
import { tf } from "../../src/runtime/tensorflow";
import { laboratories, mixImage } from "../support/data/stained-images";
import { inMemory } from "../support/model/values-in-memory";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("stain-ablation");
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
const size = 48;
const perClass = 12;

/** Mean red, green and blue in units of about 1. */
const backbone: OpenBackbone = {
  name: "resnet50",
  weights: { name: "none", sha256: "12", source: "a test" },
  pretrained: false,
  inputSize: size,
  featureWidth: 3,
  layers: [],
  parameterCount: 0,
  embed: (batch) => tf.tidy(() => tf.div(tf.sub(tf.mean(tf.cast(batch, "float32"), [1, 2]), 150), 20)),
  activate: (batch) => tf.cast(batch, "float32"),
  describe: () => [],
  withRandomTop: () => backbone,
  staged: { prepare: (batch) => tf.cast(batch, "float32"), stages: [], last: "" },
  withWeights: () => backbone,
  dispose() {},
};

const settings = {
  hiddenUnits: [8],
  dropout: 0,
  l2: 0,
  learningRate: 0.05,
  epochs: 40,
  batchSize: 16,
  classWeights: "balanced" as const,
  patience: 40,
  seed: 3,
};

/** Classes differ in how many nuclei there are; the test part comes from another laboratory than the rest. */
async function writeDataset(): Promise<{ dataset: Dataset; split: Split }> {
  for (const [label, name] of ["benign", "malignant"].entries()) {
    mkdirSync(join(home, "images", name), { recursive: true });
    for (let i = 0; i < perClass; i++) {
      const laboratory = laboratories[i < 8 ? 0 : 1]!;
      const pixels = mixImage(laboratory, size * size, 100 * label + i, label === 0 ? 0.2 : 0.3);
      const png = await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
        .png()
        .toBuffer();
      writeFileSync(join(home, "images", name, `${String(i).padStart(2, "0")}.png`), png);
    }
  }
  const dataset = await openDataset(join(home, "images"));
  const rows = (from: number, to: number) =>
    dataset.records.flatMap((_, row) => (row % perClass >= from && row % perClass < to ? [row] : []));
  return {
    dataset,
    split: { by: "image", seed: 0, train: rows(0, 6), validation: rows(6, 8), test: rows(8, 12) },
  };
}

describe("compareStains", () => {
  let dataset: Dataset;
  let split: Split;

  beforeAll(async () => {
    ({ dataset, split } = await writeDataset());
  });

  it("shows that normalisation helps where the test part is stained otherwise", async () => {
    const before = tf.memory().numTensors;
    const bootstrap = { resamples: 200 };
    const found = await compareStains({
      dataset,
      split,
      backbone,
      settings,
      seeds: [1, 2],
      views: 2,
      bootstrap,
    });
    expect(found).toMatchObject({ complete: true, trainImages: 12, testImages: 8, views: 2 });
    expect(found.seeds.map(({ seed }) => seed)).toEqual([1, 2]);
    for (const { arms } of found.seeds) {
      expect(arms.normalised.accuracy).toBe(1);
      expect(arms.normalised.auc).toBe(1);
      expect(arms.none.accuracy).toBeLessThan(0.8);
    }
    const { none, normalised, normalisedGain, augmentedGain, augmented } = found.accuracy!;
    expect(normalised.value).toBe(1);
    expect(normalisedGain.value).toBeCloseTo(1 - none.value!, 12);
    expect(normalisedGain.low).toBeGreaterThan(0);
    expect(augmentedGain.value).toBeCloseTo(augmented.value! - none.value!, 12);
    // The reference is the training laboratory's, of which nothing but the training part was seen.
    expect(found.reference!.images).toBe(12);
    expect(angleBetween(found.reference!.eosin, laboratories[0].eosin)).toBeLessThan(3);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("gives the augmented arm views of the training part, and tests all arms on the same images", async () => {
    const prepared = await prepareArms({ dataset, split, backbone, settings, views: 2 });
    const { none, augmented, normalised } = prepared!.arms;
    expect(none).not.toHaveProperty("views");
    expect(augmented.values).toEqual(none.values);
    expect(augmented.views).toHaveLength(2);
    const { width } = augmented;
    for (const { values } of augmented.views!) {
      dataset.records.forEach((_, row) => {
        const difference = Math.abs(
          inMemory(values)[row * width]! - inMemory(augmented.values)[row * width]!,
        );
        if (split.train.includes(row)) expect(difference).toBeGreaterThan(0);
        else expect(difference).toBeNaN();
      });
    }
    expect(normalised.values).not.toEqual(none.values);
    expect(normalised.fittedOn).toEqual(split.train);
  });

  it("stops when asked to, with nothing claimed", async () => {
    const stopping: OpenBackbone = {
      ...backbone,
      weights: { ...backbone.weights, sha256: "34" },
      embed(batch) {
        requestStop();
        return backbone.embed(batch);
      },
    };
    const found = await compareStains({ dataset, split, backbone: stopping, settings });
    expect(found).toMatchObject({ complete: false, seeds: [], accuracy: null });
  });

  it("refuses what can't be compared", async () => {
    const task = { dataset, split, backbone, settings };
    await expect(compareStains({ ...task, seeds: [] })).rejects.toThrow(RangeError);
    await expect(compareStains({ ...task, views: 0 })).rejects.toThrow(/at least one view/);
    await expect(compareStains({ ...task, split: { ...split, test: [] } })).rejects.toThrow(/no images/);
  });
});
