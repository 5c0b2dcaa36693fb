import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Dataset, openDataset } from "../../../src/data/dataset";
import { loadBackbone, type OpenBackbone } from "../../../src/model/backbones/backbone";
import { runStages } from "../../../src/model/backbones/stages";
import {
  describeActivations,
  estimateActivations,
  extractActivations,
} from "../../../src/model/features/activations";
import { extractFeatures } from "../../../src/model/features/features";
import { float16RelativeError } from "../../../src/runtime/native/float16";
import { countNativeValues } from "../../../src/runtime/native/native-backend";
import { tf } from "../../../src/runtime/tensorflow";
import { drawPatients } from "../../support/data/small-patients";
import { inMemory } from "../../support/model/values-in-memory";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("activations");
const inputSize = 64;
const from = "stage7";
let dataset: Dataset;
let backbone: OpenBackbone;
let rows: number[];

beforeAll(async () => {
  // The weights are found in the project's own cache.
  ({ backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize }));
  vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
  await drawPatients(join(home, "images"), { patients: 3, images: 4 });
  dataset = await openDataset(join(home, "images"));
  rows = dataset.records.map((_, row) => row);
});
afterAll(() => backbone?.dispose());

const entries = () => {
  const folder = join(home, "cache", "activations");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
};

describe("the frozen stages' activations", () => {
  it("are computed once, and found again", async () => {
    const first = await extractActivations({ dataset, rows, backbone, from });
    expect(first).toMatchObject({ computed: 24, fromCache: 0, complete: true, shape: [2, 2, 192] });
    expect(first.bytes).toBe(24 * 2 * 2 * 192 * 2);
    expect(estimateActivations(backbone, from, 24)).toBe(first.bytes);
    const again = await extractActivations({ dataset, rows, backbone, from });
    expect(again).toMatchObject({ computed: 0, fromCache: 24 });
    // Beside the numbers, each entry has a checksum.
    expect(statSync(entries()[0]!).size).toBe(2 * 2 * 192 * 2 + 32);
  });

  it("are off by the error of half precision, and no more; so are features made of them", async () => {
    const activations = await extractActivations({ dataset, rows, backbone, from });
    const values = inMemory((await extractFeatures(dataset, backbone, { batchSize: 16 })).values);
    const frozen = backbone.staged.stages.findIndex(({ name }) => name === from);
    const exact = await extractActivations({ dataset, rows, backbone, from: "all" });
    const kept = await activations.load(rows);
    const images = await exact.load(rows);
    const fresh = runStages(backbone.staged.stages.slice(0, frozen), images);
    const [keptValues, freshValues] = [kept.dataSync(), fresh.dataSync()];
    let worst = 0;
    freshValues.forEach((value, i) => {
      // Batches of other sizes round differently in the last bits, hence a little more.
      const bound = Math.max(Math.abs(value) * float16RelativeError, 2 ** -25) + 1e-5;
      worst = Math.max(worst, Math.abs(keptValues[i]! - value) / bound);
    });
    expect(worst).toBeLessThanOrEqual(1);
    expect(worst).toBeGreaterThan(0.5);
    const top = runStages(backbone.staged.stages.slice(frozen), kept);
    const pooled = tf.mean(top, [1, 2]);
    const features = pooled.dataSync();
    const largest = Math.max(...values);
    const error = Math.max(...values.map((value, i) => Math.abs(features[i]! - value)));
    // Two layers of sums: the errors of single numbers mostly cancel.
    expect(error / largest).toBeLessThan(1e-3);
    tf.dispose([kept, images, fresh, top, pooled]);
  });

  it("don't depend on which images there are besides", async () => {
    const all = await (await extractActivations({ dataset, rows, backbone, from })).load([5]);
    rmSync(join(home, "cache", "activations"), { recursive: true });
    const alone = await (await extractActivations({ dataset, rows: [5], backbone, from })).load([5]);
    expect(alone.dataSync()).toEqual(all.dataSync());
    tf.dispose([all, alone]);
  });

  it("are computed again where the cache was damaged or cleared meanwhile", async () => {
    const activations = await extractActivations({ dataset, rows, backbone, from });
    const before = await activations.load(rows);
    const [one, other] = entries();
    writeFileSync(one!, Buffer.alloc(statSync(one!).size));
    rmSync(other!);
    const after = await activations.load(rows);
    expect(after.dataSync()).toEqual(before.dataSync());
    tf.dispose([before, after]);
  });

  it("are refused before anything is computed where the disk has no room", async () => {
    rmSync(join(home, "cache", "activations"), { recursive: true });
    const attempt = extractActivations({ dataset, rows, backbone, from, freeSpace: async () => 1000 });
    await expect(attempt).rejects.toThrow(
      /keeps 39 kB of activations in .*cache, where 1 kB are free: make room/,
    );
    expect(() => entries()).toThrow("ENOENT");
    const sentence = describeActivations(backbone, "last", 1000);
    expect(sentence).toContain("1000 images below stage7, which is frozen, take 2 MB in");
    expect(describeActivations(backbone, "all", 1000)).toContain("nothing is kept on disk");
  });

  it("name the stages that there are if there is none of that name", async () => {
    await expect(extractActivations({ dataset, rows, backbone, from: "conv5" })).rejects.toThrow(
      'efficientnet-lite0 has no stage "conv5"; it has stem, stage1, stage2, stage3, stage4, stage5, stage6, stage7, head, and "last" and "all" are known too.',
    );
  });

  it("leave no tensor behind", async () => {
    const before = [tf.memory().numTensors, countNativeValues()];
    const activations = await extractActivations({ dataset, rows, backbone, from });
    (await activations.load([0, 1])).dispose();
    await extractActivations({ dataset, rows, backbone, from: "all" });
    expect([tf.memory().numTensors, countNativeValues()]).toEqual(before);
  });
});
