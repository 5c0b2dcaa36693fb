import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openDataset } from "../../../src/data/dataset";
import { generateDemoDataset } from "../../../src/data/demo/demo";
import { makeSplit } from "../../../src/data/split/split";
import { saveTriage, triageRun } from "../../../src/experiments/run-triage";
import { summarizeRun } from "../../../src/experiments/summarize";
import { loadBackbone } from "../../../src/model/backbones/backbone";
import { buildClassifier } from "../../../src/model/classifier/classifier";
import { fitFamiliarity } from "../../../src/model/classifier/familiarity";
import { extractFeatures } from "../../../src/model/features/features";
import { resolveSettings } from "../../../src/runtime/settings";
import { calibrateTest } from "../../../src/scores/calibrated-test";
import { predictSplit } from "../../../src/scores/evaluate";
import { trainHead } from "../../../src/training/head/train";
import { saveRun } from "../../../src/training/runs/run-log";

/** A run as notebooks 03 and 04 leave it, of small synthetic images and a small input. */
export interface SmallRun {
  folder: string;
  /** The images that it was trained on. */
  images: string;
  classifierFolder: string;
}

/** Does what the cells of notebooks 03 and 04 do, without the figures, in a few seconds; `$BREAKHIS_RUNS` is `home/runs`. */
export async function makeSmallRun(home: string): Promise<SmallRun> {
  const images = join(home, "images");
  const folder = join(home, "runs", "run");
  const classifierFolder = join(folder, "classifier");
  mkdirSync(folder, { recursive: true });
  await generateDemoDataset(images, { patients: 16, imagesPerPatient: 4, width: 175, height: 115 });
  const settings = resolveSettings({
    data: images,
    backbone: "efficientnet-lite0",
    inputSize: 64,
    epochs: 4,
  });
  const dataset = await openDataset(images);
  const split = makeSplit(dataset, { by: "patient", seed: settings.seed });
  const { backbone, explanation } = await loadBackbone(settings);
  const features = await extractFeatures(dataset, backbone);
  const labels = dataset.records.map(({ label }) => label);
  const training = await trainHead({ features, labels, split, settings, classCount: 2, showProgress: false });
  const run = { id: "run", folder };
  const familiarity = fitFamiliarity(dataset, split, features);
  const parts = { backbone, head: training.head, dataset, settings, runId: run.id };
  const classifier = buildClassifier({ ...parts, familiarity });
  const predictions = predictSplit(dataset, split, features, classifier);
  const summary = summarizeRun({
    run,
    dataset,
    split,
    classifier,
    explanation,
    training,
    predictions,
    timings: {},
  });
  const { history } = training;
  await saveRun(run, { dataset, split, classifier, history, predictions, summary });
  backbone.dispose();
  const asked = { targetSensitivity: 0.9, triageLevel: "image" as const, bootstrap: { resamples: 20 } };
  const { locked } = triageRun({ ...asked, predictions, positiveClass: 1 });
  const { fit } = calibrateTest(predictions, { positiveClass: 1, threshold: 0.5 });
  await saveTriage({ folder, classifierFolder }, locked, fit.temperature);
  return { folder, images, classifierFolder };
}
