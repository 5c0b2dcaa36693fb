import { refuseDuplicates } from "../../data/split/split";
import { indexOfLargest } from "../../model/classifier/decision";
import { buildHead, type Head } from "../../model/classifier/head";
import { breathe, runCooperatively } from "../../runtime/interruption";
import { startProgress } from "../../runtime/progress";
import { createRandom } from "../../runtime/random";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import type { Settings } from "../../runtime/settings";
import { crossEntropy, softmax } from "../../scores/cross-entropy";
import { type BatchOptions, cutIntoBatches, drawViews, type WeighedRows } from "./epoch-batches";
import type { GradientMethod } from "./head-gradient";
import { weighImages } from "./sample-weights";
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
  /** By patient, where that decides which epoch is the best: see `patientLoss`. */
  validationPatientLoss?: number;
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
> &
  Partial<Pick<Settings, "allowDuplicatesAcrossParts" | "averageViews">>;

/** Who is told how training goes on. */
export interface TrainingListener {
  /**
   * Called after each epoch; training waits for it.
   *
   * @param validationProbabilities - Shape [validation images, classCount], in the order of `split.validation`.
   */
  onEpoch?: (
    record: EpochRecord,
    history: readonly EpochRecord[],
    validationProbabilities: Float32Array,
  ) => void | Promise<void>;
  /** Called after each batch, with the images that the epoch has learned from so far. */
  onBatch?: (epoch: number, imagesLearned: number) => void;
}

/** What a head is trained on, and how. */
export interface TrainingTask extends TrainingListener {
  features: FeatureTable;
  /** One class index a record. */
  labels: readonly number[];
  /** One a record, null where it is not known; needed where patients are weighed. */
  patients?: readonly (string | null)[];
  /** Records to learn from and to validate with; a split's test records are only compared with them. */
  split: TrainingParts;
  /** At least 2. */
  classCount: number;
  settings: TrainingSettings;
  /** False where many heads are trained and the whole shows its own progress. */
  showProgress?: boolean;
  /** How the loss is differentiated; by default with the gradient of a tape. */
  gradientMethod?: GradientMethod;
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

/** Both parts, ready to be trained with. */
interface TrainingRows {
  /** The images as they are, on which the head is scored after each epoch. */
  train: WeighedRows;
  /** Those and, behind them, their further views, of which the head learns one an image and epoch; none by default. */
  views?: WeighedRows;
  validation: WeighedRows;
}

function batchSizeOf({ batchSize }: TrainingSettings, { train }: TrainingRows): number {
  return Math.min(batchSize, train.count);
}

/** Rows of one view behind those of the other have the same weights. */
function weighRows(rows: LabelledRows, weights: readonly number[]): WeighedRows {
  const sampleWeights = Float32Array.from({ length: rows.count }, (_, i) => weights[i % weights.length]!);
  return { ...rows, sampleWeights };
}

/** Both parts' rows, each with its weight in the loss. */
function weighParts({ features, labels, patients, split, classCount, settings }: TrainingTask): TrainingRows {
  const { train, validation, views } = selectTrainingData(features, labels, split, classCount);
  if (settings.classWeights === "patients" && patients === undefined)
    throw rangeRefusal('classWeights "patients" needs `patients`, one a record: whose image is it?');
  const patientsOf = (rows: readonly number[]) => rows.map((row) => patients?.[row] ?? null);
  const weights = weighImages(
    settings.classWeights,
    {
      train: { labels: train.labels, patients: patientsOf(split.train) },
      validation: { labels: validation.labels, patients: patientsOf(split.validation) },
    },
    classCount,
  );
  return {
    train: weighRows(train, weights.train),
    validation: weighRows(validation, weights.validation),
    ...(views === null ? {} : { views: weighRows(views, weights.train) }),
  };
}

/** How well the head does on a part. */
interface PartScore {
  /** Weighted mean cross-entropy. */
  loss: number;
  accuracy: number;
}

function score(logits: Float32Array, rows: WeighedRows): PartScore {
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

const divergenceCode = "training-diverged";

/** What is thrown when a loss is no number any more. */
export function divergence(loss: number, settings: Pick<TrainingSettings, "learningRate">): Error {
  const error = refusal(
    `Training diverged: the loss became ${loss}. The learning rate ${settings.learningRate} is probably too high; try ${settings.learningRate / 10}.`,
  );
  return Object.assign(error, { code: divergenceCode });
}

/** Whether an error says that training diverged with these settings; with others it may work. */
export function isDivergence(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === divergenceCode;
}

/** Learns from every row once, in the given order; false if it was stopped on the way. */
async function runEpoch(
  step: TrainingStep,
  rows: WeighedRows,
  order: readonly number[],
  options: BatchOptions & { signal: AbortSignal; onBatch: (imagesLearned: number) => void },
): Promise<boolean> {
  let imagesLearned = 0;
  for (const batch of cutIntoBatches(rows, order, options)) {
    // Lets the live view redraw and an interrupt arrive: nothing in TensorFlow does.
    await breathe();
    if (options.signal.aborted) return false;
    step.learn(batch);
    imagesLearned += batch.count;
    options.onBatch(imagesLearned);
  }
  return true;
}

/** Scores both parts, and stops where the numbers have left the range of numbers. */
function scoreEpoch(
  step: TrainingStep,
  { train, validation }: TrainingRows,
  settings: TrainingSettings,
): { scores: Omit<EpochRecord, "epoch" | "elapsedSeconds">; probabilities: Float32Array } {
  const { logits, finite } = step.evaluate();
  const trainScore = score(logits.train, train);
  const validationScore = score(logits.validation, validation);
  const { loss } = validationScore;
  if (!finite || !Number.isFinite(loss)) throw divergence(finite ? loss : Number.NaN, settings);
  const scores = {
    trainLoss: trainScore.loss,
    trainAccuracy: trainScore.accuracy,
    validationLoss: validationScore.loss,
    validationAccuracy: validationScore.accuracy,
  };
  const classCount = logits.validation.length / validation.count;
  return { scores, probabilities: softmax(logits.validation, classCount) };
}

/** Trains epoch by epoch, and keeps the best one's weights in `result`. */
async function runEpochs(
  task: TrainingTask,
  step: TrainingStep,
  rows: TrainingRows,
  result: TrainingResult,
  signal: AbortSignal,
): Promise<TrainingResult> {
  const { settings } = task;
  const startedAt = performance.now();
  const random = createRandom(settings.seed).fork("training");
  const shuffling = random.fork("order");
  const drawing = random.fork("views");
  const options = {
    batchSize: batchSizeOf(settings, rows),
    droppedUnits: settings.dropout > 0 ? settings.hiddenUnits : [],
    dropout: settings.dropout,
    random: random.fork("dropout"),
    signal,
  };
  const images = rows.train.count;
  const all = Array.from({ length: images }, (_, i) => i);
  const learned = rows.views ?? rows.train;
  let lowestLoss = Number.POSITIVE_INFINITY;

  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    const onBatch = (imagesLearned: number) => task.onBatch?.(epoch, imagesLearned);
    const order = drawViews(shuffling.shuffle(all), images, learned.count / images, drawing);
    const finished = await runEpoch(step, learned, order, { ...options, onBatch });
    if (!finished) return { ...result, ended: "interrupted" };
    const { scores, probabilities } = scoreEpoch(step, rows, settings);
    const record = { epoch, ...scores, elapsedSeconds: (performance.now() - startedAt) / 1000 };
    result.history.push(record);
    if (record.validationLoss < lowestLoss) {
      lowestLoss = record.validationLoss;
      result.bestEpoch = epoch;
      result.head = step.readHead();
    }
    await task.onEpoch?.(record, result.history, probabilities);
    if (epoch - result.bestEpoch >= settings.patience) return { ...result, ended: "early-stopping" };
  }
  return result;
}

async function runTraining(
  task: TrainingTask,
  rows: TrainingRows,
  signal: AbortSignal,
): Promise<TrainingResult> {
  const { settings, classCount } = task;
  const { hiddenUnits, seed, dropout } = settings;
  const start = buildHead({ inputs: rows.train.width, hiddenUnits, classCount, seed });
  const step = createTrainingStep(start, rows, {
    ...settings,
    batchSize: batchSizeOf(settings, rows),
    masked: dropout > 0,
    gradientMethod: task.gradientMethod,
  });
  try {
    const result: TrainingResult = { head: start, history: [], bestEpoch: 0, ended: "completed" };
    return await runEpochs(task, step, rows, result, signal);
  } finally {
    step.dispose();
  }
}

/**
 * Trains a head on cached features: Adam with Keras's values on softmax cross-entropy, in shuffled
 * mini-batches, with dropout after each hidden layer, an L2 penalty on kernels, and weights of classes or patients.
 *
 * Where features come in several views, each epoch learns from one view of each image, drawn anew, and so costs what
 * it costs without; losses and accuracies are of the images as they are.
 *
 * Stops when the validation loss has not improved for `patience` epochs, and always returns the best
 * epoch's weights. An interrupt ends it with the best so far. On a CPU the same seed gives the same
 * result bit for bit.
 *
 * @throws Error if a part is empty, a class has no training image, identical images are in several parts (unless the
 * settings allow it), stains were normalised to images outside the training part, or the loss stops being a number.
 */
export async function trainHead(task: TrainingTask): Promise<TrainingResult> {
  const { settings } = task;
  const rows = weighParts(task);
  const { images } = task.features;
  if (images !== undefined && settings.allowDuplicatesAcrossParts !== true)
    refuseDuplicates(images, task.split);
  const progress =
    task.showProgress === false ? null : startProgress("Training the head", settings.epochs, "epochs");
  const onEpoch: TrainingTask["onEpoch"] = async (record, history, validationProbabilities) => {
    progress?.advance();
    await task.onEpoch?.(record, history, validationProbabilities);
  };
  try {
    return await runCooperatively("training the head", (signal) =>
      runTraining({ ...task, onEpoch }, rows, signal),
    );
  } finally {
    progress?.finish();
  }
}
