import { indexOfLargest } from "../model/decision";
import { buildHead, copyHead, type Head, headLogits, headTensors } from "../model/head";
import { breathe, runCooperatively } from "../runtime/interruption";
import { startProgress } from "../runtime/progress";
import { createRandom } from "../runtime/random";
import type { Settings } from "../runtime/settings";
import { tf } from "../runtime/tensorflow";
import { balancedClassWeights } from "./class-weights";
import {
  type FeatureTable,
  type LabelledRows,
  selectTrainingData,
  type TrainingParts,
} from "./training-data";
import { createTrainingStep, type TrainingStep } from "./training-step";

/**
 * How well the head did after an epoch, on both parts in the same way: a pass without dropout after the
 * epoch's last step. Losses are weighted mean cross-entropies without the L2 penalty; accuracies lie in [0, 1].
 */
export interface EpochRecord {
  /** From 1 on. */
  epoch: number;
  trainLoss: number;
  trainAccuracy: number;
  validationLoss: number;
  validationAccuracy: number;
  /** Since training began. */
  elapsedSeconds: number;
}

/** The settings that training depends on. */
export type TrainingSettings = Pick<
  Settings,
  | "hiddenUnits"
  | "dropout"
  | "l2"
  | "learningRate"
  | "epochs"
  | "batchSize"
  | "classWeights"
  | "patience"
  | "seed"
>;

/** What a head is trained on, and how. */
export interface TrainingTask {
  features: FeatureTable;
  /** One class index a record. */
  labels: readonly number[];
  /** Records to learn from and to validate with; a split's test records are never looked at. */
  split: TrainingParts;
  /** At least 2. */
  classCount: number;
  settings: TrainingSettings;
  /** Called after each epoch; training waits for it. */
  onEpoch?: (record: EpochRecord, history: readonly EpochRecord[]) => void | Promise<void>;
  /** False where many heads are trained and the whole shows its own progress. */
  showProgress?: boolean;
}

/** What training leaves. */
export interface TrainingResult {
  /** The weights of the best epoch. */
  head: Head;
  history: EpochRecord[];
  /** The epoch with the lowest validation loss; 0 if training was interrupted before the first one ended. */
  bestEpoch: number;
  ended: "completed" | "early-stopping" | "interrupted";
}

/** One part of the data on the device, with the weight of each row. */
interface LoadedRows extends LabelledRows {
  tensor: tf.Tensor2D;
  sampleWeights: Float32Array;
}

function loadRows(rows: LabelledRows, classWeights: readonly number[]): LoadedRows {
  return {
    ...rows,
    tensor: tf.tensor2d(rows.values, [rows.count, rows.width]),
    sampleWeights: Float32Array.from(rows.labels, (label) => classWeights[label]!),
  };
}

/** Minus the logarithm of the softmax at the true class, without overflow however large the logits. */
function crossEntropy(logits: Float32Array, label: number): number {
  const largest = logits[indexOfLargest(logits)]!;
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return Math.log(total) + largest - logits[label]!;
}

/** Weighted mean cross-entropy and accuracy of the head on a part. */
function score(head: Head, rows: LoadedRows): { loss: number; accuracy: number } {
  const output = tf.tidy(() => headLogits(headTensors(head), rows.tensor));
  const logits = output.dataSync<"float32">();
  output.dispose();
  const classCount = logits.length / rows.count;
  let loss = 0;
  let weights = 0;
  let correct = 0;
  for (let i = 0; i < rows.count; i++) {
    const row = logits.subarray(i * classCount, (i + 1) * classCount);
    loss += rows.sampleWeights[i]! * crossEntropy(row, rows.labels[i]!);
    weights += rows.sampleWeights[i]!;
    if (indexOfLargest(row) === rows.labels[i]) correct++;
  }
  return { loss: loss / weights, accuracy: correct / rows.count };
}

function divergence(loss: number, settings: TrainingSettings): Error {
  return new Error(
    `Training diverged: the loss became ${loss}. The learning rate ${settings.learningRate} is probably too high; try ${settings.learningRate / 10}.`,
  );
}

/** Learns from every row once, in the given order; false if it was stopped on the way. */
async function runEpoch(
  step: TrainingStep,
  rows: LoadedRows,
  order: readonly number[],
  settings: TrainingSettings,
  signal: AbortSignal,
): Promise<boolean> {
  for (let first = 0; first < order.length; first += settings.batchSize) {
    // Lets the live view redraw and an interrupt arrive: nothing in TensorFlow does.
    await breathe();
    if (signal.aborted) return false;
    const indices = Int32Array.from(order.slice(first, first + settings.batchSize));
    const features = tf.tidy(() => tf.gather(rows.tensor, tf.tensor1d(indices, "int32")));
    try {
      const loss = step.learn({
        features,
        labels: indices.map((row) => rows.labels[row]!),
        sampleWeights: Float32Array.from(indices, (row) => rows.sampleWeights[row]!),
      });
      if (!Number.isFinite(loss)) throw divergence(loss, settings);
    } finally {
      features.dispose();
    }
  }
  return true;
}

/** Scores both parts, and stops where the numbers have left the range of numbers. */
function scoreEpoch(
  step: TrainingStep,
  train: LoadedRows,
  validation: LoadedRows,
  settings: TrainingSettings,
): Omit<EpochRecord, "epoch" | "elapsedSeconds"> {
  const trainScore = score(step.head, train);
  const validationScore = score(step.head, validation);
  if (!Number.isFinite(validationScore.loss)) throw divergence(validationScore.loss, settings);
  return {
    trainLoss: trainScore.loss,
    trainAccuracy: trainScore.accuracy,
    validationLoss: validationScore.loss,
    validationAccuracy: validationScore.accuracy,
  };
}

async function runTraining(
  task: TrainingTask,
  train: LoadedRows,
  validation: LoadedRows,
  signal: AbortSignal,
): Promise<TrainingResult> {
  const { settings, classCount } = task;
  const { hiddenUnits, seed } = settings;
  const startedAt = performance.now();
  const random = createRandom(seed).fork("training");
  const shuffling = random.fork("order");
  const start = buildHead({ inputs: train.width, hiddenUnits, classCount, seed });
  const step = createTrainingStep(start, { ...settings, random: random.fork("dropout") });
  const rows = Array.from({ length: train.count }, (_, i) => i);
  const result: TrainingResult = { head: start, history: [], bestEpoch: 0, ended: "completed" };
  let lowestLoss = Number.POSITIVE_INFINITY;

  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    const finished = await runEpoch(step, train, shuffling.shuffle(rows), settings, signal);
    if (!finished) return { ...result, ended: "interrupted" };
    const scores = scoreEpoch(step, train, validation, settings);
    const record = { epoch, ...scores, elapsedSeconds: (performance.now() - startedAt) / 1000 };
    result.history.push(record);
    if (record.validationLoss < lowestLoss) {
      lowestLoss = record.validationLoss;
      result.bestEpoch = epoch;
      result.head = copyHead(step.head);
    }
    await task.onEpoch?.(record, result.history);
    if (epoch - result.bestEpoch >= settings.patience) return { ...result, ended: "early-stopping" };
  }
  return result;
}

/**
 * Trains a head on cached features: Adam with Keras's values on softmax cross-entropy, in shuffled
 * mini-batches, with dropout after each hidden layer, an L2 penalty on kernels, and class weights.
 *
 * Stops when the validation loss has not improved for `patience` epochs, and always returns the best
 * epoch's weights. An interrupt ends it with the best so far. On a CPU the same seed gives the same
 * result bit for bit.
 *
 * @throws Error if a part is empty, a class has no training image, or the loss stops being a number.
 */
export async function trainHead(task: TrainingTask): Promise<TrainingResult> {
  const { settings, classCount } = task;
  const data = selectTrainingData(task.features, task.labels, task.split, classCount);
  const classWeights =
    settings.classWeights === "balanced"
      ? balancedClassWeights(data.train.labels, classCount)
      : new Array<number>(classCount).fill(1);
  const train = loadRows(data.train, classWeights);
  const validation = loadRows(data.validation, classWeights);
  const progress =
    task.showProgress === false ? null : startProgress("Training the head", settings.epochs, "epochs");
  const onEpoch: TrainingTask["onEpoch"] = async (record, history) => {
    progress?.advance();
    await task.onEpoch?.(record, history);
  };
  try {
    return await runCooperatively("training the head", (signal) =>
      runTraining({ ...task, onEpoch }, train, validation, signal),
    );
  } finally {
    progress?.finish();
    tf.dispose([train.tensor, validation.tensor]);
  }
}
