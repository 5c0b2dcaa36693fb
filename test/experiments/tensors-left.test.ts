import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Dataset, imagePath, openDataset } from "../../src/data/dataset";
import { generateDemoDataset } from "../../src/data/demo/demo";
import { makeSplit, type Split } from "../../src/data/split/split";
import { crossValidate } from "../../src/experiments/cross-validation";
import { auditLeakage } from "../../src/experiments/leakage";
import { compareStains } from "../../src/experiments/stain-ablation";
import { sweepSettings } from "../../src/experiments/sweep";
import { loadBackbone } from "../../src/model/backbones/backbone";
import {
  buildClassifier,
  type Classifier,
  loadClassifier,
  predictImages,
  saveClassifier,
} from "../../src/model/classifier/classifier";
import { fitFamiliarity } from "../../src/model/classifier/fit-familiarity";
import { gradCam } from "../../src/model/explanation/grad-cam";
import { sanityCheck } from "../../src/model/explanation/sanity-check";
import { extractFeatures, type Features } from "../../src/model/features/features";
import { principalComponents } from "../../src/model/features/projection";
import { countNativeSessions, countNativeValues } from "../../src/runtime/native/native-backend";
import { completeSettings } from "../../src/runtime/settings";
import { tf } from "../../src/runtime/tensorflow";
import { predictSplit } from "../../src/scores/evaluate";
import { differentiateHead } from "../../src/training/head/head-gradient";
import { type TrainingTask, trainHead } from "../../src/training/head/train";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("tensors-left");
const cacheBefore = process.env["BREAKHIS_CACHE"];
const settings = completeSettings({ hiddenUnits: [8], epochs: 2, inputSize: 32, batchSize: 8 });

let dataset: Dataset;
let features: Features;
let split: Split;
let classifier: Classifier;
let task: TrainingTask;

async function loadSmallBackbone() {
  const { backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize: 32 });
  return backbone;
}

beforeAll(async () => {
  const backbone = await loadSmallBackbone();
  process.env["BREAKHIS_CACHE"] = join(folder, "cache");
  const images = join(folder, "images");
  await generateDemoDataset(images, { patients: 12, imagesPerPatient: 3, width: 48, height: 48 });
  dataset = await openDataset(images);
  features = await extractFeatures(dataset, backbone);
  split = makeSplit(dataset, { by: "patient", seed: 1 });
  const labels = dataset.records.map(({ label }) => label);
  task = { features, labels, split, classCount: 2, settings };
  const { head } = await trainHead(task);
  classifier = buildClassifier({ backbone, head, dataset, settings, runId: null });
  await saveClassifier(join(folder, "classifier"), classifier);
  // The layers' weights reach TensorFlow when one of them is first used by itself, and stay there.
  await gradCam(classifier, files(1)[0]!);
});

afterAll(() => {
  classifier.backbone.dispose();
  if (cacheBefore === undefined) delete process.env["BREAKHIS_CACHE"];
  else process.env["BREAKHIS_CACHE"] = cacheBefore;
});

const files = (count: number) => dataset.records.slice(0, count).map((record) => imagePath(dataset, record));

const calls: [name: string, call: () => unknown][] = [
  [
    "loadBackbone, disposed of",
    async () => (await loadClassifier(join(folder, "classifier"))).backbone.dispose(),
  ],
  [
    "extractFeatures",
    () =>
      extractFeatures(dataset, classifier.backbone, { transform: { id: "same", apply: (pixels) => pixels } }),
  ],
  ["trainHead", () => trainHead(task)],
  ["trainHead, by TensorFlow.js' gradient", () => trainHead({ ...task, gradientMethod: differentiateHead })],
  ["predictSplit", () => predictSplit(dataset, split, features, classifier)],
  ["fitFamiliarity", () => fitFamiliarity(dataset, split, features)],
  ["principalComponents", () => principalComponents(features.values, features.width, 2)],
  ["saveClassifier", () => saveClassifier(join(folder, "again"), classifier)],
  ["predictImages", () => predictImages(classifier, files(3))],
  ["gradCam", () => gradCam(classifier, files(1)[0]!)],
  ["sanityCheck", () => sanityCheck(classifier, files(1))],
  ["crossValidate", () => crossValidate({ dataset, features, settings, folds: 2 })],
  [
    "auditLeakage",
    () => auditLeakage({ dataset, features, settings, seeds: [1], bootstrap: { resamples: 20 } }),
  ],
  [
    "sweepSettings",
    () =>
      sweepSettings(
        { learningRate: [1e-3, 1e-2] },
        { dataset, features, split, settings, folds: 2, resamples: 20 },
      ),
  ],
  [
    "compareStains",
    () =>
      compareStains({
        dataset,
        split,
        backbone: classifier.backbone,
        settings,
        bootstrap: { resamples: 20 },
      }),
  ],
];

/** What TensorFlow.js and TensorFlow hold of numbers. */
const held = () => ({ tensors: tf.memory().numTensors, nativeValues: countNativeValues() });

describe("what is left in TensorFlow after a call", () => {
  it.each(calls)("nothing: %s", async (_name, call) => {
    const before = held();
    await call();
    expect(held()).toEqual(before);
    // The graph that trains a head may be kept for the next one like it, but there is no other for each call.
    const sessions = countNativeSessions();
    await call();
    expect({ ...held(), sessions: countNativeSessions() }).toEqual({ ...before, sessions });
  });
});
