// From a folder to scores and figures, in a process of its own; prints each step's seconds and the peak of memory.
import { openDataset } from "../src/data/dataset";
import { inspectDataset } from "../src/data/integrity/integrity";
import { makeSplit } from "../src/data/split/split";
import { loadBackbone } from "../src/model/backbones/backbone";
import { countValues } from "../src/model/features/feature-rows";
import { extractFeatures } from "../src/model/features/features";
import { principalComponents } from "../src/model/features/projection";
import { largest } from "../src/runtime/many";
import { resolveSettings } from "../src/runtime/settings";
import { rocAuc, rocCurve } from "../src/scores/curves";
import { evaluatePart, predictSplit } from "../src/scores/evaluate";
import { trainHead } from "../src/training/head/train";
import * as figures from "../src/views/figures-door";
import { peakMegabytes } from "./peak-memory";

/** Small, so that what is measured is what surrounds the network. */
const inputSize = 64;

const steps: Record<string, number> = {};

async function step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  steps[name] = (performance.now() - startedAt) / 1000;
  return result;
}

async function main(): Promise<void> {
  const [folder, epochs] = [process.argv[2]!, Number(process.argv[3])];
  const { backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize });
  const dataset = await step("opening", () => openDataset(folder));
  const split = await step("splitting", () => makeSplit(dataset, { by: "patient", seed: 1 }));
  await step("inspecting", () => inspectDataset(dataset, split));
  const features = await step("features", () => extractFeatures(dataset, backbone));
  const settings = resolveSettings({ epochs });
  const labels = dataset.records.map(({ label }) => label);
  const classCount = dataset.classes.length;
  const { head } = await step("training", () => trainHead({ features, labels, split, classCount, settings }));
  const rule = { positiveClass: dataset.positiveClass, threshold: 0.5 };
  const predictions = await step("evaluating", () => {
    const all = predictSplit(dataset, split, features, { ...rule, head });
    evaluatePart(all, "test", rule);
    return all;
  });
  const drawn = await step("figures", () => {
    const test = predictions.filter((one) => one.split === "test");
    const positive = test.map(({ label }) => label === dataset.positiveClass);
    const scores = test.map(({ probabilities }) => probabilities[dataset.positiveClass!]!);
    const curve = rocCurve(positive, scores, { dropIntermediate: false });
    const series = { unit: "images", curve, auc: rocAuc(positive, scores), threshold: 0.5 };
    const map = principalComponents(features.values, features.width, 2);
    return [
      figures.plotMeanColours(dataset, "patient"),
      figures.plotImagesPerPatient(dataset),
      figures.plotSplit(dataset, split),
      figures.plotFeatureMap(dataset, map, "class"),
      figures.plotRocCurves([series], dataset.classes[dataset.positiveClass!]!),
    ];
  });
  const largestFigureMb = largest(drawn.map((figure) => JSON.stringify(figure).length)) / 1e6;
  const featuresMb = (4 * countValues(features.values)) / 1e6;
  console.log(
    JSON.stringify({ images: labels.length, steps, peakMb: peakMegabytes(), featuresMb, largestFigureMb }),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
