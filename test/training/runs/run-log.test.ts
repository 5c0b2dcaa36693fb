import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Dataset, openDataset } from "../../../src/data/dataset";
import { fingerprintDataset } from "../../../src/data/dataset-fingerprint";
import { loadSplit, makeSplit, type Split } from "../../../src/data/split/split";
import { summarizeRun } from "../../../src/experiments/runs/summarize";
import { type LoadedBackbone, loadBackbone } from "../../../src/model/backbones/backbone";
import { buildClassifier, loadClassifier } from "../../../src/model/classifier/classifier";
import { extractFeatures } from "../../../src/model/features/features";
import { describeCode } from "../../../src/runtime/code-version";
import { createRandom } from "../../../src/runtime/random";
import { resolveSettings } from "../../../src/runtime/settings";
import { predictSplit } from "../../../src/scores/evaluate";
import { trainHead } from "../../../src/training/head/train";
import {
  listRuns,
  loadHistory,
  loadRun,
  type Run,
  type RunResults,
  saveRun,
  settingsOfRun,
  startRun,
} from "../../../src/training/runs/run-log";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("run-log");
const settings = resolveSettings({ epochs: 8, inputSize: 64, hiddenUnits: [16], batchSize: 8 });
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
vi.stubEnv("BREAKHIS_RUNS", join(home, "runs"));
vi.stubEnv("BREAKHIS_RUN", "");

/** 24 patients with two images each; malignant ones are darker, a difference that any backbone sees. */
async function drawDataset(): Promise<Dataset> {
  const folder = join(home, "set");
  const random = createRandom(4);
  for (let patient = 0; patient < 24; patient++) {
    const malignant = patient % 2 === 1;
    const classFolder = join(folder, malignant ? "malignant" : "benign");
    mkdirSync(classFolder, { recursive: true });
    for (const sequence of ["001", "002"]) {
      const name = `SOB_${malignant ? "M_DC" : "B_A"}-14-${10000 + patient}-100-${sequence}.png`;
      const level = malignant ? 70 : 170;
      const pixels = Buffer.from(Array.from({ length: 192 }, () => level + random.integer(80)));
      const image = sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } });
      await image.resize(64, 64).toFile(join(classFolder, name));
    }
  }
  return openDataset(folder);
}

describe("a run from images to its results", () => {
  let loaded: LoadedBackbone;
  let dataset: Dataset;
  let split: Split;
  let run: Run;
  let results: RunResults;

  beforeAll(async () => {
    dataset = await drawDataset();
    split = makeSplit(dataset, { by: settings.split, seed: settings.seed });
    loaded = await loadBackbone({ ...settings, backbone: "efficientnet-lite0" });
    const features = await extractFeatures(dataset, loaded.backbone);
    run = await startRun(settings);
    const labels = dataset.records.map(({ label }) => label);
    const training = await trainHead({ features, labels, split, classCount: 2, settings });
    const classifier = buildClassifier({ ...loaded, head: training.head, dataset, settings, runId: run.id });
    const predictions = predictSplit(dataset, split, features, classifier);
    const timings = {
      features: features.seconds,
      training: training.history[training.history.length - 1]!.elapsedSeconds,
    };
    const summary = summarizeRun({
      ...{ run, dataset, split, classifier, explanation: loaded.explanation },
      ...{ training, predictions, timings },
    });
    const { origin } = features;
    results = { dataset, split, classifier, history: training.history, predictions, summary, origin };
    await saveRun(run, results);
  });
  afterAll(() => loaded?.backbone.dispose());

  it("leaves the files that ARCHITECTURE names, and latest", () => {
    expect(readdirSync(run.folder).sort()).toEqual([
      "classifier",
      "history.jsonl",
      "predictions.csv",
      "settings.json",
      "split.json",
      "summary.json",
    ]);
    expect(readdirSync(join(home, "runs")).sort()).toEqual([run.id, "latest"]);
  });

  it("has learned what is plain to see", () => {
    expect(results.summary.test?.accuracy).toBeGreaterThan(0.8);
    expect(results.summary.test?.accuracy).toBeGreaterThan(results.summary.test?.majorityClassAccuracy ?? 1);
  });

  it("has the promised keys in its summary", () => {
    const summary = JSON.parse(readFileSync(join(run.folder, "summary.json"), "utf8"));
    expect(summary).toEqual(results.summary);
    expect(summary).toMatchObject({
      id: run.id,
      dataset: "set",
      synthetic: false,
      backbone: "efficientnet-lite0",
      backboneExplanation: loaded.explanation,
      weights: { name: "efficientnet-lite0.safetensors", sha256: loaded.backbone.weights.sha256 },
      split: "patient",
      seed: settings.seed,
    });
    expect(Object.keys(summary.timings)).toEqual(["features", "training"]);
    const { train, validation, test } = summary.counts;
    expect(train.images + validation.images + test.images).toBe(48);
    expect(train.patients + validation.patients + test.patients).toBe(24);
    const scores = ["accuracy", "balancedAccuracy", "auc", "sensitivity", "specificity", "confusionMatrix"];
    for (const part of [summary.validation, summary.test]) {
      expect(Object.keys(part)).toEqual(expect.arrayContaining([...scores, "majorityClassAccuracy"]));
      expect(Object.keys(part.byPatient)).toEqual(expect.arrayContaining(scores));
      expect(part.byPatient.count * 2).toBe(part.count);
    }
  });

  it("is read back as it was", async () => {
    for (const saved of [await loadRun(), await loadRun("latest"), await loadRun(run.id)]) {
      expect(saved).toMatchObject({ id: run.id, settings, summary: results.summary });
      expect(saved.history).toEqual(results.history);
      expect(saved.predictions).toEqual(results.predictions);
    }
    const saved = await loadRun();
    expect(await loadSplit(saved.splitFile, dataset)).toEqual(split);
    const classifier = await loadClassifier(saved.classifierFolder, { backbone: loaded.backbone });
    expect(classifier).toEqual(results.classifier);
  });

  it("knows the code and the images it was made with", () => {
    const { code, dataFingerprint } = results.summary;
    expect(code).toEqual(describeCode());
    expect(dataFingerprint).toMatch(/^[0-9a-f]{64}$/);
    const [first, ...rest] = dataset.records;
    const relabelled = { ...dataset, records: [{ ...first!, label: 1 - first!.label }, ...rest] };
    expect(fingerprintDataset({ ...dataset })).toBe(dataFingerprint);
    expect(fingerprintDataset(relabelled)).not.toBe(dataFingerprint);
  });

  it("is made again from its id, bit for bit, whatever the flags of the day", async () => {
    vi.stubEnv("BREAKHIS_SETTINGS", '{ "seed": 7, "epochs": 1 }');
    const again = await settingsOfRun(run.id);
    vi.stubEnv("BREAKHIS_SETTINGS", "");
    expect(again).toEqual(settings);
    const sameSplit = makeSplit(dataset, { by: again.split, seed: again.seed });
    expect(sameSplit).toEqual(split);
    const features = await extractFeatures(dataset, loaded.backbone);
    const labels = dataset.records.map(({ label }) => label);
    const training = await trainHead({ features, labels, split: sameSplit, classCount: 2, settings: again });
    const classifier = buildClassifier({
      ...loaded,
      ...{ head: training.head, dataset, settings: again, runId: "again" },
    });
    expect(predictSplit(dataset, sameSplit, features, classifier)).toEqual(results.predictions);
    expect(await loadHistory(run)).toHaveLength(training.history.length);
    await expect(settingsOfRun("never")).rejects.toThrow(/no run never/);
    await expect(settingsOfRun("../escape")).rejects.toThrow(/run's id/);
  });

  it("is the one that npm start is at, if that has finished, whatever is newer", async () => {
    const newer = await startRun(settings);
    await saveRun(newer, { ...results, summary: { ...results.summary, id: newer.id } });
    expect((await loadRun()).id).toBe(newer.id);
    vi.stubEnv("BREAKHIS_RUN", run.id);
    expect((await loadRun()).id).toBe(run.id);
    expect((await loadRun("latest")).id).toBe(newer.id);
    vi.stubEnv("BREAKHIS_RUN", "");
    expect((await listRuns()).map(({ id, summary }) => [id, summary?.id])).toEqual([
      [newer.id, newer.id],
      [run.id, run.id],
    ]);
  });

  it("is refused with a damaged summary", async () => {
    const damaged = await startRun(settings);
    writeFileSync(join(damaged.folder, "summary.json"), "{");
    await expect(loadRun(damaged.id)).rejects.toThrow(/summary\.json is damaged/);
  });
});
