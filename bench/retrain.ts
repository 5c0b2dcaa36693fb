import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gatherRows } from "../src/model/features/feature-rows";
import { createRandom } from "../src/runtime/random";
import { balancedClassWeights } from "../src/training/head/class-weights";
import {
  computeHeadGradients,
  differentiateHead,
  type GradientMethod,
} from "../src/training/head/head-gradient";
import { type TrainingSettings, type TrainingTask, trainHead } from "../src/training/head/train";
import type { Benchmark, Sides } from "./benchmark";
import { startKeras } from "./keras-process";

// 70 % and 15 % of BreaKHis at 400X, and the width of ResNet50's features.
const trainCount = 1185;
const validationCount = 254;
const width = 2048;
const probeEpochs = 4;

/** Numbers like a backbone's: not negative, a good part of them 0, a little different from class to class. */
function createFeatures(): { values: Float32Array; labels: number[] } {
  const random = createRandom(1);
  const labels = Array.from({ length: trainCount + validationCount }, () => (random.next() < 0.3 ? 0 : 1));
  const values = Float32Array.from({ length: labels.length * width }, (_, i) => {
    const shift = i % 16 === 0 ? 0.3 * labels[Math.floor(i / width)]! : 0;
    return Math.max(0, random.normal() + shift);
  });
  return { values, labels };
}

function createTask(batchSize: number, gradientMethod: GradientMethod): TrainingTask {
  const { values, labels } = createFeatures();
  const rows = labels.map((_, i) => i);
  const settings: TrainingSettings = {
    hiddenUnits: [128, 64],
    dropout: 0.2,
    l2: 1e-4,
    learningRate: 1e-3,
    epochs: 30,
    batchSize,
    classWeights: "balanced",
    patience: 30,
    seed: 1,
  };
  const split = { train: rows.slice(0, trainCount), validation: rows.slice(trainCount) };
  const features = { values, width };
  return { features, labels, split, classCount: 2, settings, gradientMethod, showProgress: false };
}

async function secondsOf(task: TrainingTask): Promise<number> {
  const startedAt = performance.now();
  const { history } = await trainHead(task);
  if (history.length !== task.settings.epochs) throw new Error(`Only ${history.length} epochs were trained.`);
  return (performance.now() - startedAt) / 1000;
}

/** Keras on the same rows, in the quickest of the ways whose names begin as given. */
async function prepareKeras(task: TrainingTask, folder: string, prefix: string) {
  const features = join(folder, "features.f32");
  await writeFile(
    features,
    gatherRows(
      task.features.values,
      task.features.width,
      task.labels.map((_, row) => row),
    ),
  );
  const request = {
    train: trainCount,
    validation: validationCount,
    width,
    features,
    labels: task.labels,
    classWeights: balancedClassWeights(task.labels.slice(0, trainCount), 2),
  };
  const keras = startKeras("retrain.py");
  const secondsIn = async (way: string, epochs: number) =>
    (
      await keras.ask<{ value: number }>({
        ...request,
        way,
        settings: { ...task.settings, epochs },
      })
    ).value;
  const { ways } = await keras.ask<{ ways: string[] }>({});
  let best = { way: "", seconds: Number.POSITIVE_INFINITY };
  for (const way of ways.filter((name) => name.startsWith(prefix))) {
    const seconds = await secondsIn(way, probeEpochs);
    if (seconds < best.seconds) best = { way, seconds };
  }
  return { way: best.way, run: () => secondsIn(best.way, task.settings.epochs), close: keras.close };
}

async function prepare(task: TrainingTask, prefix: string): Promise<Sides> {
  const folder = await mkdtemp(join(tmpdir(), "breakhis-lab-bench-"));
  const keras = await prepareKeras(task, folder, prefix);
  await trainHead({ ...task, settings: { ...task.settings, epochs: 1 } });
  return {
    baselineName: `Keras, ${keras.way}`,
    ours: () => secondsOf(task),
    baseline: keras.run,
    async close() {
      await keras.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function retraining(
  name: string,
  batchSize: number,
  gradientMethod: GradientMethod,
  prefix: string,
  goal: number,
): Benchmark {
  return {
    name: `${name}, batch ${batchSize}`,
    unit: "s",
    goal,
    prepare: () => prepare(createTask(batchSize, gradientMethod), prefix),
  };
}

const byHand = "Retrain the head";
const general = "Retrain with TensorFlow.js' gradient";

/**
 * Training the head on cached features, 30 epochs. "plain fit" is Keras's `Model.fit` on arrays, "fit" the best
 * that can be made of it (`tf.data`, several steps at once), "loop" a `tf.function` of one's own; Keras is built
 * and traced beforehand, and our side also scores the training part each epoch.
 */
export const retrainBenchmarks: Benchmark[] = [
  retraining(`${byHand}, against plain fit`, 32, computeHeadGradients, "plain", 2.5),
  retraining(`${byHand}, against plain fit`, 128, computeHeadGradients, "plain", 2.5),
  retraining(`${general}, against plain fit`, 32, differentiateHead, "plain", 1),
  retraining(`${general}, against plain fit`, 128, differentiateHead, "plain", 1.3),
  retraining(`${byHand}, against fit`, 32, computeHeadGradients, "fit", 2.5),
  retraining(`${byHand}, against fit`, 128, computeHeadGradients, "fit", 2.5),
  retraining(`${general}, against fit`, 32, differentiateHead, "fit", 1),
  retraining(`${general}, against fit`, 128, differentiateHead, "fit", 1.3),
  retraining(`${byHand}, against a loop`, 32, computeHeadGradients, "loop", 1),
  retraining(`${byHand}, against a loop`, 128, computeHeadGradients, "loop", 1),
];
