import { openDataset } from "../src/data/dataset";
import { makeSplit } from "../src/data/split/split";
import { loadBackbone, usualSize } from "../src/model/backbones/backbone";
import { buildClassifier } from "../src/model/classifier/classifier";
import { extractFeatures } from "../src/model/features/features";
import { completeSettings, type Settings } from "../src/runtime/settings";
import { evaluatePart, predictSplit } from "../src/scores/evaluate";
import { scoreWithIntervals } from "../src/scores/intervals/score-intervals";
import { trainHead } from "../src/training/head/train";
import type { BenchContext, Benchmark, Sides } from "./benchmark";
import { breakhis400Count, syntheticImages } from "./images";
import { useOwnCache } from "./own-cache";

/** PerceptiLabs' article on 1,693 images at 400X: seconds for training alone. */
const articleSeconds = 256;
/** What a second run may take. */
const warmSeconds = 5;

/** Seconds since the last call, by the name of what was done. */
function stopwatch() {
  const laps: string[] = [];
  const startedAt = performance.now();
  let last = startedAt;
  return {
    lap(name: string) {
      const now = performance.now();
      laps.push(`${name} ${((now - last) / 1000).toFixed(1)} s`);
      last = now;
    },
    seconds: () => (last - startedAt) / 1000,
    text: () => laps.join(", "),
  };
}

/** What notebooks 03 and 04 do first: from a folder of images to scores with intervals. */
async function runAll(folder: string, settings: Settings) {
  const watch = stopwatch();
  const dataset = await openDataset(folder, { stretchTo: settings.inputSize ?? usualSize });
  watch.lap("looking into the images");
  const { backbone } = await loadBackbone(settings);
  watch.lap("loading the backbone");
  const features = await extractFeatures(dataset, backbone);
  watch.lap("features");
  const { classes, positiveClass } = dataset;
  const split = makeSplit(dataset, { by: settings.split, seed: settings.seed });
  const labels = dataset.records.map(({ label }) => label);
  const task = { features, labels, split, classCount: classes.length, settings, showProgress: false };
  const { head, history } = await trainHead(task);
  watch.lap(`training (${history.length} epochs)`);
  const classifier = buildClassifier({ backbone, head, dataset, settings, runId: null });
  const predictions = predictSplit(dataset, split, features, classifier);
  for (const part of ["validation", "test"] as const) evaluatePart(predictions, part, classifier);
  scoreWithIntervals(
    predictions.filter((prediction) => prediction.split === "test"),
    { positiveClass, threshold: classifier.threshold },
  );
  backbone.dispose();
  watch.lap("evaluation");
  return { seconds: watch.seconds(), text: watch.text(), computed: features.computed };
}

async function prepare(context: BenchContext, warm: boolean): Promise<Sides> {
  const weights = await context.resnet50Weights();
  const folder = await syntheticImages(breakhis400Count);
  const cache = await useOwnCache();
  const settings = completeSettings({ backbone: "resnet50", weights });
  if (warm) await runAll(folder, settings);
  let note = "";
  return {
    baselineName: warm ? "the goal" : "PerceptiLabs' article, training alone",
    async ours() {
      if (!warm) cache.clear();
      const { seconds, text, computed } = await runAll(folder, settings);
      if (computed !== (warm ? 0 : breakhis400Count)) throw new Error(`${computed} images were computed.`);
      note = `${text}. Weights: ${weights.slice(weights.lastIndexOf("/") + 1)}.`;
      return seconds;
    },
    baseline: async () => (warm ? warmSeconds : articleSeconds),
    note: () => note,
    close: cache.close,
  };
}

/** A run at the size of BreaKHis at 400X, on synthetic images: with an empty cache, and again. */
export const wholeRunBenchmarks: Benchmark[] = [
  {
    name: `Whole run on ${breakhis400Count} images, nothing cached`,
    unit: "s",
    goal: 1,
    mostRounds: 1,
    prepare: (context) => prepare(context, false),
  },
  {
    name: `Whole run on ${breakhis400Count} images, again`,
    unit: "s",
    goal: 1,
    mostRounds: 3,
    prepare: (context) => prepare(context, true),
  },
];
