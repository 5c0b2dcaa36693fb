import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { generateDemoDataset } from "../../../src/data/demo/demo";
import { gatherMaterial } from "../../../src/experiments/runs/run-material";
import { type TrainedRun, trainOn, trainRun } from "../../../src/experiments/runs/train-run";
import { loadClassifier } from "../../../src/model/classifier/classifier";
import { requestStop } from "../../../src/runtime/interruption";
import { projectRoot } from "../../../src/runtime/paths";
import { onProgress } from "../../../src/runtime/progress";
import { completeSettings, type GivenSettings } from "../../../src/runtime/settings";
import { startRun } from "../../../src/training/runs/run-folder";
import { listRuns, loadRun, saveRun, settingsOfRun } from "../../../src/training/runs/run-log";
import { shareWeights } from "../../support/model/shared-weights";
import { temporaryFolder } from "../../support/temporary-folder";

// Drawing the whole synthetic set takes a while; a small one of the same name lies there.
vi.mock("../../../src/data/demo/demo", async (original) => ({
  ...(await original<typeof import("../../../src/data/demo/demo")>()),
  ensureDemoDataset: async () => join(process.env["BREAKHIS_DATA"]!, "demo"),
}));

const home = temporaryFolder("train-run");
const data = join(home, "demo");
const other = join(home, "other");
const quick: GivenSettings = {
  data,
  backbone: "efficientnet-lite0",
  inputSize: 32,
  hiddenUnits: [8],
  epochs: 2,
};
const settingsWith = (changed: GivenSettings = {}) => completeSettings({ ...quick, ...changed });

beforeAll(async () => {
  const options = { patients: 16, imagesPerPatient: 2, width: 64, height: 48 };
  await generateDemoDataset(data, options);
  await generateDemoDataset(other, { ...options, seed: 5 });
  shareWeights(join(home, "cache"));
});
beforeEach((context) => {
  vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
  vi.stubEnv("BREAKHIS_RUNS", join(home, "runs", context.task.id));
  vi.stubEnv("BREAKHIS_RUN", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

type Kept = Pick<TrainedRun, "run">;
const headOf = ({ run }: Kept) => readFileSync(join(run.folder, "classifier/head.safetensors"), "hex");
const filesOf = ({ run }: Kept) => readdirSync(run.folder).sort();
const runNames = () => readdirSync(process.env["BREAKHIS_RUNS"]!);

/** Names of the steps that are announced while something is done, and do more than begin. */
async function stepsOf(work: () => Promise<unknown>): Promise<Set<string>> {
  const steps = new Set<string>();
  const unsubscribe = onProgress(({ task, done }) => {
    if (done > 0) steps.add(task);
  });
  await work().finally(unsubscribe);
  return steps;
}

async function keptRun(changed: GivenSettings = {}): Promise<TrainedRun> {
  const trained = await trainRun(settingsWith(changed));
  if (trained === null) throw new Error("Nothing was kept.");
  return trained;
}

describe("trainRun", () => {
  it("takes nothing but settings, and keeps the run, whole and scored", async () => {
    const said: string[] = [];
    const trained = await trainRun(settingsWith(), { say: (sentence) => said.push(sentence) });
    const saved = await loadRun();
    expect(saved.id).toBe(trained!.run.id);
    expect(saved.summary.test!.accuracy).toBeGreaterThanOrEqual(0);
    expect(saved.summary.validation!.accuracy).toBeLessThanOrEqual(1);
    expect(saved.predictions).toHaveLength(32);
    const left = ["classifier", "history.jsonl", "predictions.csv", "settings.json", "split.json"];
    expect(filesOf(trained!)).toEqual([...left, "summary.json"]);
    expect(said.join("\n")).toMatch(/EfficientNet-Lite0.*\n32 images: 32 computed, 0 from the cache\./);
  });

  it("trains on what each setting says, whichever was changed last", async () => {
    const changes: GivenSettings[] = [
      { data: other },
      { inputSize: 64 },
      { stain: "normalised" },
      { augmentation: "turns" },
      { augmentation: "turns", averageViews: true },
      { split: "image" },
      { seed: 7 },
      { hiddenUnits: [4] },
      { learningRate: 1e-2 },
    ];
    const kept = [await keptRun()];
    for (const changed of changes) kept.push(await keptRun(changed));
    const { predictions } = kept[4]!;
    expect(new Set(kept.map(headOf)).size).toBe(kept.length - 1);
    // Views that are averaged change what the same head answers.
    expect(headOf(kept[5]!)).toBe(headOf(kept[4]!));
    expect(kept[5]!.predictions).not.toEqual(predictions);
    for (const { run, settings, classifier, summary } of kept) {
      expect(classifier.inputSize).toBe(settings.inputSize);
      expect(classifier.stain !== null).toBe(settings.stain === "normalised");
      expect(summary.dataset).toBe(settings.data === other ? "other" : "demo");
      expect(await settingsOfRun(run.id)).toEqual(settings);
    }
    // And back to the first: the same bytes again.
    expect(headOf(await keptRun())).toBe(headOf(kept[0]!));
  });

  it("computes nothing twice, and looks into images again that were changed", async () => {
    const before = await keptRun({ seed: 11 });
    const again = await stepsOf(() => keptRun({ seed: 12, learningRate: 1e-2 }));
    expect(again).toEqual(new Set(["Looking into images", "Training the head"]));
    const [name] = readdirSync(join(data, "benign"));
    const path = join(data, "benign", name!);
    const bytes = readFileSync(path);
    try {
      const [image] = readdirSync(join(other, "malignant"));
      writeFileSync(path, readFileSync(join(other, "malignant", image!)));
      const trained: TrainedRun[] = [];
      const steps = await stepsOf(async () => trained.push(await keptRun({ seed: 12 })));
      expect(steps).toContain("Computing features");
      const { dataFingerprint } = trained[0]!.summary;
      expect(dataFingerprint).not.toBe(before.summary.dataFingerprint);
      expect(trained[0]!.features.origin!.images).not.toBe(before.features.origin!.images);
    } finally {
      writeFileSync(path, bytes);
    }
  });

  it("names what it took for auto and null, so that others find it", async () => {
    vi.stubEnv("BREAKHIS_DATA", home);
    vi.stubEnv("BREAKHIS_OFFLINE", "1");
    const trained = await keptRun({ backbone: "auto", data: null });
    expect(trained.settings).toMatchObject({ backbone: "efficientnet-lite0", data, weights: null });
    const written = JSON.parse(readFileSync(join(trained.run.folder, "settings.json"), "utf8"));
    expect(written).toEqual(trained.settings);
    const weights = join(home, "cache/weights/efficientnet-lite0.safetensors");
    const named = await keptRun({ backbone: "efficientnet-lite0", weights });
    expect(named.settings.weights).toBe(weights);
    expect(headOf(named)).toBe(headOf(await keptRun()));
  });

  it("names where the labels file lies, so that another folder finds it, too", async () => {
    const file = join(home, "truth.csv");
    const names = readdirSync(data, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".png"),
    );
    const lines = names.map((name) => `${name},${name.includes("SOB_M") ? "malignant" : "benign"}`);
    writeFileSync(file, `file,label\n${lines.join("\n")}\n`);
    const { run } = await keptRun({ labels: relative(process.cwd(), file) });
    expect(await settingsOfRun(run.id)).toMatchObject({ data, labels: file });
  });

  it("keeps nothing, in words, if it is stopped before the first epoch ends, or while features are computed", async () => {
    const said: string[] = [];
    const say = (sentence: string) => said.push(sentence);
    const onBatch = () => void requestStop();
    const watch = async () => ({ onBatch, onEpoch: () => undefined, finish: () => undefined });
    expect(await trainRun(settingsWith({ batchSize: 4 }), { say, watch })).toBeNull();
    expect(said.at(-1)).toMatch(/Stopped before the first epoch ended.*no run is kept/);
    expect(runNames()).toEqual([]);
    const unsubscribe = onProgress(({ task }) => {
      if (task === "Computing features") setImmediate(requestStop);
    });
    const stopped = await trainRun(settingsWith({ inputSize: 40 }), { say }).finally(unsubscribe);
    if (stopped === null) expect(said.at(-1)).toMatch(/Stopped before all features were computed/);
    expect(await trainRun(settingsWith({ inputSize: 40 }))).not.toBeNull();
  });

  it("keeps what was learned until it was stopped", async () => {
    const onEpoch = () => void requestStop();
    const watch = async () => ({ onEpoch, finish: () => undefined });
    const trained = await trainRun(settingsWith({ epochs: 50 }), { watch });
    expect(trained!.summary).toMatchObject({ ended: "interrupted", bestEpoch: 1 });
    expect((await listRuns())[0]!.summary!.ended).toBe("interrupted");
  });

  it("says of a run that came to nothing why, and of one whose process is gone that it crashed", async () => {
    const onEpoch = () => {
      throw new Error("It can't be drawn.");
    };
    const watch = async () => ({ onEpoch, finish: () => undefined });
    await expect(trainRun(settingsWith(), { watch })).rejects.toThrow(/can't be drawn/);
    const [failed] = await listRuns();
    expect(failed!.unfinished).toEqual({ state: "failed", reason: "It can't be drawn." });
    const run = await startRun(settingsWith());
    const trainedBy = { host: (await import("node:os")).hostname(), pid: 2 ** 22, started: "1" };
    writeFileSync(join(run.folder, "state.json"), JSON.stringify({ trainedBy }));
    expect((await listRuns()).find(({ id }) => id === run.id)!.unfinished).toEqual({ state: "crashed" });
    await expect(trainRun(settingsWith({ data: "/no/such/folder" }))).rejects.toThrow(/no\/such\/folder/);
    expect(runNames()).toHaveLength(2);
  });
});

describe("what does not belong to the settings", () => {
  it.each<[GivenSettings, RegExp]>([
    [{ data: other }, /images are others/],
    [{ inputSize: 64 }, /input size is 32 instead of 64/],
    [{ stain: "normalised" }, /normalised stains is false instead of true/],
    [{ augmentation: "turns" }, /number of views is 1 instead of 8/],
  ])("is refused before training: features without %j", async (changed, words) => {
    const { features } = await gatherMaterial(settingsWith());
    const { features: _, ...asked } = await gatherMaterial(settingsWith(changed));
    const stain = changed.stain === undefined ? asked.treatment : { ...asked.treatment, stain: null };
    await expect(trainOn({ ...asked, treatment: stain, features })).rejects.toThrow(words);
  });

  it("is refused when it is to be kept: other features, another split, a head that has learned nothing", async () => {
    const trained = await keptRun();
    const { dataset, split, classifier, predictions, summary, training, features } = trained;
    const { origin } = features;
    const results = { dataset, split, classifier, predictions, summary, origin, history: training.history };
    const keepAs = async (changed: GivenSettings, given = results) =>
      saveRun(await startRun(settingsWith(changed)), given);
    await expect(keepAs({ inputSize: 64 })).rejects.toThrow(/input size is 32 instead of 64/);
    await expect(keepAs({ stain: "normalised" })).rejects.toThrow(/normalised stains/);
    await expect(keepAs({ backbone: "resnet50" })).rejects.toThrow(/backbone is efficientnet-lite0/);
    await expect(keepAs({ seed: 1 })).rejects.toThrow(/split by patient with seed 1, found .* seed 42/);
    const untrained = { ...results, summary: { ...summary, bestEpoch: 0 } };
    await expect(keepAs({}, untrained)).rejects.toThrow(/nothing to keep/);
    await expect(keepAs({}, { ...results, origin: undefined })).rejects.toThrow(/not known/);
    await keepAs({});
  });
});

describe("runs/latest", () => {
  it("that points to a run which is gone means the newest that has finished", async () => {
    const first = await keptRun();
    const second = await keptRun();
    rmSync(second.run.folder, { recursive: true });
    expect((await loadRun("latest")).id).toBe(first.run.id);
  });
});

describe("a run with a fine-tuned backbone", () => {
  it("is one cell too, and answers the same when it is loaded", async () => {
    const trained = await keptRun({ fineTune: { from: "stage7", epochs: 1 } });
    expect(trained.summary.fineTuning).toMatchObject({ from: "stage7", epochs: 1 });
    expect(existsSync(join(trained.run.folder, "classifier/classifier.json"))).toBe(true);
    const classifier = await loadClassifier(join(trained.run.folder, "classifier"));
    expect(classifier.backbone.weights.sha256).toBe(trained.classifier.backbone.weights.sha256);
    classifier.backbone.dispose();
  });
});

describe("a fine-tuning that was stopped or killed", () => {
  const rates = { learningRate: 1e-4, headLearningRate: 3e-3 };
  const fineTune = { from: "stage7", epochs: 3, patience: 3, ...rates };
  // After a single epoch the head has much left to learn.
  const asked = { fineTune, seed: 6, epochs: 1, dropout: 0.1 };

  /** All that it has learned: every epoch's numbers, and the weights that were kept. */
  function learnedBy({ run, fineTuning, predictions }: TrainedRun) {
    const weights = join(run.folder, "classifier/backbone.safetensors");
    return {
      epochs: fineTuning!.history.map(({ elapsedSeconds: _, ...numbers }) => numbers),
      best: fineTuning!.bestEpoch,
      predictions,
      head: headOf({ run }),
      backbone: existsSync(weights) ? readFileSync(weights, "hex") : null,
    };
  }

  it("goes on from its last whole epoch, to the same bytes", async () => {
    const undisturbed = learnedBy(await keptRun(asked));
    expect(undisturbed.epochs).toHaveLength(3);
    expect(undisturbed.best).toBeGreaterThan(0);

    let trainings = 0;
    const watch = async () => {
      trainings++;
      const onEpoch = () => void (trainings === 2 && requestStop());
      return { onEpoch, finish: () => undefined };
    };
    const stopped = await trainRun(settingsWith(asked), { watch });
    expect(stopped!.summary.fineTuning).toMatchObject({ ended: "interrupted", epochs: 1 });
    const said: string[] = [];
    const resumed = await trainRun(settingsWith(asked), { say: (sentence) => said.push(sentence) });
    expect(said.join("\n")).toContain("Goes on from epoch 1, where it was stopped.");
    expect(learnedBy(resumed!)).toEqual(undisturbed);
    // Nothing is left to go on with: the same again begins anew, and comes to the same.
    const again = await trainRun(settingsWith(asked), { say: (sentence) => said.push(sentence) });
    expect(said.filter((sentence) => sentence.startsWith("Goes on"))).toHaveLength(1);
    expect(learnedBy(again!)).toEqual(undisturbed);

    const tsx = join(projectRoot(), "node_modules/tsx/dist/cli.mjs");
    const program = join(projectRoot(), "test/support/runs/killed-tuning.ts");
    const killed = spawnSync(process.execPath, [tsx, program, JSON.stringify(settingsWith(asked))]);
    expect(killed.signal ?? killed.status).not.toBe(0);
    expect((await listRuns())[0]!.unfinished).toEqual({ state: "crashed" });
    const revived = await trainRun(settingsWith(asked), { say: (sentence) => said.push(sentence) });
    expect(said.filter((sentence) => sentence.startsWith("Goes on"))).toHaveLength(2);
    expect(learnedBy(revived!)).toEqual(undisturbed);
  });
});
