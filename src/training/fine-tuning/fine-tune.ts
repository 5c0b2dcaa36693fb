import type { Dataset } from "../../data/dataset";
import type { ImageTransform } from "../../data/images/image-transform";
import { refuseDuplicates } from "../../data/split/split";
import type { OpenBackbone } from "../../model/backbones/architecture";
import type { Stage } from "../../model/backbones/stages";
import { fineTunedBackbone } from "../../model/backbones/tuned-weights";
import { indexOfLargest } from "../../model/classifier/decision";
import { type Head, headClassCount } from "../../model/classifier/head";
import { checkHeadFits } from "../../model/classifier/head-file";
import { type Activations, extractActivations, stageIndex } from "../../model/features/activations";
import { breathe, runCooperatively } from "../../runtime/interruption";
import { startProgress } from "../../runtime/progress";
import { createRandom, type Random } from "../../runtime/random";
import { refusal } from "../../runtime/refusal";
import {
  completeFineTuning,
  type FineTuneSettings,
  pickFineTuning,
  type Settings,
} from "../../runtime/settings";
import { tf } from "../../runtime/tensorflow";
import { crossEntropy, softmax } from "../../scores/cross-entropy";
import { countClasses } from "../head/class-weights";
import { dropoutMask } from "../head/epoch-batches";
import { weighImages } from "../head/sample-weights";
import { divergence, type EpochRecord, type TrainingListener, type TrainingResult } from "../head/train";
import type { TrainingParts } from "../head/training-data";
import { createFineTuningStep, type FineTuningBatch, type FineTuningStep } from "./fine-tuning-step";
import { learningRateFactor, stageFactors } from "./learning-rate";
import { patientLoss } from "./patient-loss";
import type { TuningKeeper, TuningProgress } from "./tuning-progress";

/** What is fine-tuned, on what, and how; what is left out of `FineTuneSettings` takes its default. */
export interface FineTuningTask extends Partial<FineTuneSettings>, TrainingListener {
  dataset: Dataset;
  /** Its weights stay as they are. */
  backbone: OpenBackbone;
  /** One that was trained on the backbone's features: a random one would spoil the stages below in its first steps. */
  head: Head;
  split: TrainingParts;
  /** Of the whole training; the rest is in `FineTuneSettings`. */
  settings: Pick<Settings, "dropout" | "l2" | "classWeights" | "seed"> &
    Partial<Pick<Settings, "allowDuplicatesAcrossParts">>;
  /** What was done to each image before the head's features were computed; by default nothing. */
  transform?: ImageTransform | null;
  /** False where a live view shows it. */
  showProgress?: boolean;
  /** Where each whole epoch is kept, and where one goes on from that was stopped or killed; by default nowhere. */
  keeper?: Pick<TuningKeeper, "load" | "save">;
}

/** How good the classifier is on the validation part. */
export type ValidationScore = Required<
  Pick<EpochRecord, "validationLoss" | "validationAccuracy" | "validationPatientLoss">
>;

/** What fine-tuning leaves. */
export interface FineTuning {
  /**
   * With the weights of the best epoch. Frozen stages are shared with the backbone that was given: dispose of this one
   * first. Where no epoch was better, it computes what the given one does.
   */
  backbone: OpenBackbone;
  /** Of the best epoch. */
  head: Head;
  /**
   * Training losses and accuracies are those met while learning, with dropout; the rest is as in `trainHead`, and
   * `validationPatientLoss` decides.
   */
  history: EpochRecord[];
  /** Before the first step. */
  before: ValidationScore;
  /** The epoch with the lowest validation loss by patient; 0 if none was better than before. */
  bestEpoch: number;
  ended: TrainingResult["ended"];
  /** Name of the lowest stage that was trained. */
  from: string;
  /** Weights that were trained, in the backbone and in the head. */
  trainedWeights: { backbone: number; head: number };
  /** On disk, for the frozen stages. */
  activationBytes: number;
  seconds: { activations: number; training: number };
}

/** One part of the split. */
interface Part {
  /** Indices of records. */
  rows: readonly number[];
  labels: number[];
  /** Factor of each image in the loss. */
  weights: number[];
  patients: (string | null)[];
}

interface Parts {
  train: Part;
  validation: Part;
}

function selectParts({ dataset, head, split, settings }: FineTuningTask): Parts {
  const labelsOf = (rows: readonly number[]) => rows.map((row) => dataset.records[row]!.label);
  const classCount = headClassCount(head);
  for (const part of ["train", "validation"] as const) {
    if (split[part].length === 0) {
      throw refusal(
        `The ${part} part has no images: fine-tuning needs some. Choose another split or more data.`,
      );
    }
  }
  if (settings.allowDuplicatesAcrossParts !== true) refuseDuplicates(dataset.records, split);
  const trainLabels = labelsOf(split.train);
  const missing = countClasses(trainLabels, classCount).indexOf(0);
  if (missing >= 0) {
    throw refusal(
      `No training image is of class ${missing}, so it can't be learned. Choose another split or more data.`,
    );
  }
  const select = (rows: readonly number[]) => ({
    rows,
    labels: labelsOf(rows),
    patients: rows.map((row) => dataset.records[row]!.patient),
  });
  const parts = { train: select(split.train), validation: select(split.validation) };
  const weights = weighImages(settings.classWeights, parts, classCount);
  return {
    train: { ...parts.train, weights: weights.train },
    validation: { ...parts.validation, weights: weights.validation },
  };
}

/** Sums over images. */
class Tally {
  private loss = 0;
  private weights = 0;
  private correct = 0;
  private images = 0;

  add(logits: Float32Array, label: number, weight: number): void {
    this.loss += weight * crossEntropy(logits, label);
    this.weights += weight;
    this.images++;
    if (indexOfLargest(logits) === label) this.correct++;
  }

  get scores(): { loss: number; accuracy: number } {
    return { loss: this.loss / this.weights, accuracy: this.correct / this.images };
  }
}

/** What goes through a whole fine-tuning. */
interface Session {
  task: FineTuningTask;
  tuning: FineTuneSettings;
  parts: Parts;
  activations: Activations;
  step: FineTuningStep;
  classCount: number;
  signal: AbortSignal;
}

/** Positions of a part, cut into pieces. */
function cut(positions: readonly number[], size: number): number[][] {
  const count = Math.ceil(positions.length / size);
  return Array.from({ length: count }, (_, i) => positions.slice(i * size, (i + 1) * size));
}

/**
 * Goes through pieces of a part with their activations, the next ones being read meanwhile; false if it was stopped.
 *
 * @param work - The input is disposed of after it.
 */
async function forEachPiece(
  { activations, signal }: Session,
  part: Part,
  pieces: readonly number[][],
  work: (input: tf.Tensor4D, positions: readonly number[], piece: number) => void,
): Promise<boolean> {
  const load = (piece: number) => {
    const positions = pieces[piece];
    const loading = positions && activations.load(positions.map((position) => part.rows[position]!));
    // A failure belongs to whoever waits for it; where that is nobody, it is nobody's.
    loading?.catch(() => undefined);
    return loading;
  };
  let ahead = load(0);
  try {
    for (const [piece, positions] of pieces.entries()) {
      // Lets the live view redraw and an interrupt arrive: nothing in TensorFlow does.
      await breathe();
      if (signal.aborted) return false;
      const input = (await ahead)!;
      ahead = load(piece + 1);
      try {
        work(input, positions, piece);
      } finally {
        input.dispose();
      }
    }
    return true;
  } finally {
    const unused = await ahead?.catch(() => undefined);
    unused?.dispose();
  }
}

const readLogits = (logits: tf.Tensor2D): Float32Array => {
  const values = logits.dataSync<"float32">();
  logits.dispose();
  return values;
};

/** Scores the validation part; null if it was stopped. */
async function validate(
  session: Session,
): Promise<{ score: ValidationScore; probabilities: Float32Array } | null> {
  const { parts, step, tuning, classCount } = session;
  const part = parts.validation;
  const all = new Float32Array(part.rows.length * classCount);
  const pieces = cut([...part.rows.keys()], tuning.batchSize);
  const finished = await forEachPiece(session, part, pieces, (input, positions) => {
    all.set(readLogits(step.logits(input)), positions[0]! * classCount);
  });
  if (!finished) return null;
  const tally = new Tally();
  part.labels.forEach((label, i) => {
    tally.add(all.subarray(i * classCount, (i + 1) * classCount), label, part.weights[i]!);
  });
  const { loss, accuracy } = tally.scores;
  if (!Number.isFinite(loss)) throw divergence(loss, tuning);
  if (!step.isFinite()) throw divergence(Number.NaN, tuning);
  const probabilities = softmax(all, classCount);
  const { labels, patients } = part;
  const byPatient = patientLoss({ probabilities, classCount, labels, patients });
  const score = { validationLoss: loss, validationAccuracy: accuracy, validationPatientLoss: byPatient };
  return { score, probabilities };
}

function makeBatch(
  session: Session,
  input: tf.Tensor4D,
  positions: readonly number[],
  stepImages: number,
  random: Random,
): FineTuningBatch {
  const { task, parts } = session;
  const { labels, weights } = parts.train;
  const { dropout } = task.settings;
  const hidden = dropout > 0 ? task.head.layers.slice(0, -1) : [];
  return {
    input,
    labels: tf.tensor1d(Int32Array.from(positions, (position) => labels[position]!)),
    shares: tf.tensor2d(
      Float32Array.from(positions, (position) => weights[position]! / stepImages),
      [positions.length, 1],
    ),
    masks: hidden.map(({ units }) =>
      tf.tensor2d(dropoutMask(positions.length, positions.length, units, dropout, random), [
        positions.length,
        units,
      ]),
    ),
  };
}

/** Learns from every training image once; null if it was stopped on the way. */
async function learnEpoch(
  session: Session,
  order: readonly number[],
  random: Random,
  options: { epoch: number; firstStep: number; steps: number },
): Promise<{ loss: number; accuracy: number } | null> {
  const { task, tuning, parts, step, classCount } = session;
  const { labels, weights } = parts.train;
  const { batchSize, accumulation, warmUp } = tuning;
  const pieces = cut(order, batchSize);
  const stepSize = batchSize * accumulation;
  const tally = new Tally();
  let learned = 0;
  const finished = await forEachPiece(session, parts.train, pieces, (input, positions, piece) => {
    const done = Math.floor(piece / accumulation);
    const stepImages = Math.min(stepSize, order.length - done * stepSize);
    const endsStep = (piece + 1) % accumulation === 0 || piece === pieces.length - 1;
    const factor = learningRateFactor(options.firstStep + done, { steps: options.steps, warmUp });
    const { input: _, ...own } = makeBatch(session, input, positions, stepImages, random);
    try {
      const logits = readLogits(step.learn({ input, ...own }, endsStep ? factor : null));
      positions.forEach((position, i) => {
        const row = logits.subarray(i * classCount, (i + 1) * classCount);
        tally.add(row, labels[position]!, weights[position]!);
      });
    } finally {
      tf.dispose([own.labels, own.shares, ...own.masks]);
    }
    learned += positions.length;
    task.onBatch?.(options.epoch, learned);
  });
  if (!finished) return null;
  if (!Number.isFinite(tally.scores.loss)) throw divergence(tally.scores.loss, tuning);
  return tally.scores;
}

/** What the best epoch left; nothing yet where none was better than before. */
interface Outcome extends Pick<TuningProgress, "best" | "history" | "before"> {
  ended: TrainingResult["ended"];
}

/** One pass over the training images and its validation, or null if it was stopped on the way. */
async function runEpoch(
  session: Session,
  order: readonly number[],
  dropping: Random,
  at: { epoch: number; firstStep: number; steps: number },
): Promise<{ record: Omit<EpochRecord, "elapsedSeconds">; probabilities: Float32Array } | null> {
  const learned = await learnEpoch(session, order, dropping, at);
  const validated = learned && (await validate(session));
  if (learned === null || validated === null) return null;
  const { loss: trainLoss, accuracy: trainAccuracy } = learned;
  const record = { epoch: at.epoch, trainLoss, trainAccuracy, ...validated.score };
  return { record, probabilities: validated.probabilities };
}

/** What it begins with: the validation part before the first step, or where it was stopped; null if it is stopped now. */
async function begin(session: Session, saved: TuningProgress | null): Promise<Outcome> {
  if (saved !== null) {
    const { history, before, best } = saved;
    return { history, before, best, ended: "completed" };
  }
  const first = await validate(session);
  const nothing = { validationLoss: NaN, validationAccuracy: NaN, validationPatientLoss: NaN };
  const ended = first === null ? "interrupted" : "completed";
  return { best: null, history: [], before: first?.score ?? nothing, ended };
}

const lacksPatience = ({ history, best }: Outcome, { patience }: FineTuneSettings): boolean =>
  history.length - (best?.epoch ?? 0) >= patience;

async function runEpochs(
  session: Session,
  saved: TuningProgress | null,
  onEpoch: FineTuningTask["onEpoch"],
): Promise<Outcome> {
  const { tuning, task, parts, step } = session;
  const random = createRandom(task.settings.seed).fork("fine-tuning");
  const [shuffling, dropping] = [random.fork("order"), random.fork("dropout")];
  if (saved !== null) {
    shuffling.goTo(saved.random.order);
    dropping.goTo(saved.random.dropout);
  }
  const secondsBefore = saved?.history.at(-1)?.elapsedSeconds ?? 0;
  const startedAt = performance.now() - 1000 * secondsBefore;
  const outcome = await begin(session, saved);
  const { history, before } = outcome;
  if (outcome.ended === "interrupted") return outcome;
  const positions = [...parts.train.rows.keys()];
  const stepsPerEpoch = Math.ceil(positions.length / (tuning.batchSize * tuning.accumulation));
  const steps = tuning.epochs * stepsPerEpoch;
  for (let epoch = history.length + 1; epoch <= tuning.epochs; epoch++) {
    if (lacksPatience(outcome, tuning)) break;
    const at = { epoch, firstStep: (epoch - 1) * stepsPerEpoch, steps };
    const done = await runEpoch(session, shuffling.shuffle(positions), dropping, at);
    if (done === null) return { ...outcome, ended: "interrupted" };
    const record = { ...done.record, elapsedSeconds: (performance.now() - startedAt) / 1000 };
    history.push(record);
    const loss = record.validationPatientLoss!;
    if (loss < (outcome.best?.loss ?? before.validationPatientLoss)) {
      outcome.best = { epoch, loss, stages: step.readStages(), head: step.readHead() };
    }
    await task.keeper?.save({
      state: step.readState(),
      random: { order: shuffling.position(), dropout: dropping.position() },
      ...{ history, before, best: outcome.best },
    });
    await onEpoch?.(record, history, done.probabilities);
  }
  return { ...outcome, ended: lacksPatience(outcome, tuning) ? "early-stopping" : "completed" };
}

/** Numbers in the weights that are trained. */
function countTrained(backbone: OpenBackbone, first: number, head: Head): FineTuning["trainedWeights"] {
  const convolutions = backbone.staged.stages.slice(first).flatMap((stage) => stage.convolutions);
  return {
    backbone: convolutions.reduce((sum, { kernel, bias }) => sum + kernel.size + bias.size, 0),
    head: head.layers.reduce((sum, { kernel, bias }) => sum + kernel.length + bias.length, 0),
  };
}

function createStep(
  { head, settings }: FineTuningTask,
  tuning: FineTuneSettings,
  stages: readonly Stage[],
  inputShape: Activations["shape"],
  saved: TuningProgress | null,
): FineTuningStep {
  const factors = stageFactors(stages, tuning.stageDecay);
  return createFineTuningStep(stages, head, {
    stageLearningRates: factors.map((factor) => factor * tuning.learningRate),
    headLearningRate: tuning.headLearningRate,
    l2: settings.l2,
    inputShape,
    masked: settings.dropout > 0,
    state: saved?.state,
  });
}

async function tune(
  task: FineTuningTask,
  tuning: FineTuneSettings,
  first: number,
  onEpoch: FineTuningTask["onEpoch"],
  signal: AbortSignal,
): Promise<FineTuning> {
  const { backbone, head, dataset } = task;
  const parts = selectParts(task);
  const stages = backbone.staged.stages.slice(first);
  const from = stages[0]!.name;
  const startedAt = performance.now();
  const rows = [...parts.train.rows, ...parts.validation.rows];
  const transform = task.transform ?? null;
  const activations = await extractActivations({ dataset, rows, backbone, from, transform });
  const activationsDone = performance.now();
  const saved = (await task.keeper?.load()) ?? null;
  const step = createStep(task, tuning, stages, activations.shape, saved);
  try {
    // Asked to stop while activations were computed: those that are there are kept.
    const stopping = activations.complete ? signal : AbortSignal.abort();
    const classCount = headClassCount(head);
    const session: Session = { task, tuning, parts, activations, step, classCount, signal: stopping };
    const { best, ...outcome } = await runEpochs(session, saved, onEpoch);
    return {
      ...outcome,
      backbone: fineTunedBackbone(backbone, from, best?.stages ?? null),
      head: best?.head ?? head,
      bestEpoch: best?.epoch ?? 0,
      from,
      trainedWeights: countTrained(backbone, first, head),
      activationBytes: activations.bytes,
      seconds: {
        activations: (activationsDone - startedAt) / 1000,
        training: (performance.now() - activationsDone) / 1000,
      },
    };
  } finally {
    step.dispose();
  }
}

/**
 * Trains a backbone's last stages and the head together, from the stage called `from` on; those below stay as they are,
 * byte by byte. Their output is computed once for each image and kept on disk in half precision (`extractActivations`),
 * so that an epoch costs what the trained stages cost. BatchNorm is folded into the convolutions, and its statistics stay
 * those of the backbone.
 *
 * Adam on softmax cross-entropy; lower stages learn more slowly; learning rates rise at first and then fall as half a
 * cosine. It stops when the validation loss *by patient* has not improved for `patience` epochs, and returns the best
 * epoch's weights, or those given if no epoch was better. An interrupt ends it with the best so far. On a CPU the same
 * seed gives the same result bit for bit.
 *
 * @throws RangeError if there is no such stage; Error if a part is empty, a class has no training image, identical images
 * are in several parts (unless the settings allow it), the disk has no room, or the loss stops being a number.
 *
 * @example
 * const tuned = await fineTune({ from: "conv5", dataset, backbone, head, split, settings });
 */
export async function fineTune(task: FineTuningTask): Promise<FineTuning> {
  const { dataset, backbone, head, onEpoch, showProgress } = task;
  const tuning = completeFineTuning(pickFineTuning(task));
  const first = stageIndex(backbone, tuning.from);
  checkHeadFits(head, backbone.featureWidth, dataset.classes.length);
  const progress = showProgress === false ? null : startProgress("Fine-tuning", tuning.epochs, "epochs");
  const report: FineTuningTask["onEpoch"] = async (record, history, probabilities) => {
    progress?.advance();
    await onEpoch?.(record, history, probabilities);
  };
  try {
    return await runCooperatively("fine-tuning", (signal) => tune(task, tuning, first, report, signal));
  } finally {
    progress?.finish();
  }
}
