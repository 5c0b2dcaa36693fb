import type { Dataset } from "../../data/dataset";
import type { Split } from "../../data/split/split";
import { describeDevice, describeMemory } from "../../runtime/device/device";
import { majorityClassAccuracy } from "../../scores/metrics";
import type { EpochRecord, TrainingResult } from "../../training/head/train";
import type { Figure } from "../display/figure";
import { type LiveOutput, liveOutput } from "../display/notebook";
import { plotTraining } from "./live-figure";
import type { TrainingPlan, TrainingState } from "./training-state";
import { pickWatchedImages } from "./watched-images";

/** A training as it goes on, in one place of a cell's output. */
export interface LiveTraining {
  /** Takes an epoch's results; hand this to the training as its `onEpoch`, or call it there. */
  onEpoch: (
    record: EpochRecord,
    history: readonly EpochRecord[],
    validationProbabilities: Float32Array,
  ) => void;
  /** Hand this to the training as its `onBatch`, so that long epochs are seen to move. */
  onBatch: (epoch: number, imagesLearned: number) => void;
  /** Draws how it ended, with the best epoch's answers, in the same place, and returns it. */
  finish: (training: Pick<TrainingResult, "bestEpoch" | "ended">) => Figure;
}

/** What a live display needs to know beforehand. */
export interface LiveTrainingOptions {
  dataset: Dataset;
  split: Pick<Split, "train" | "validation">;
  /** The plan: early stopping may end sooner. */
  settings: { epochs: number; seed: number };
  /** Where to draw; by default a new place in the running cell. */
  output?: LiveOutput;
  /** The time in milliseconds. */
  now?: () => number;
}

/** Twice a second is as often as a reader can follow; more only slows training down. */
const shortestIntervalMs = 500;

async function planOf({ dataset, split, settings }: LiveTrainingOptions): Promise<TrainingPlan> {
  const validationLabels = split.validation.map((row) => dataset.records[row]!.label);
  return {
    epochs: settings.epochs,
    trainImages: split.train.length,
    classes: dataset.classes,
    positiveClass: dataset.positiveClass,
    validationLabels,
    majorityAccuracy: validationLabels.length === 0 ? 0 : majorityClassAccuracy(validationLabels),
    watched: await pickWatchedImages(dataset, split.validation, { seed: settings.seed }),
    synthetic: dataset.synthetic,
  };
}

function deviceText(): string {
  const { kind, name, cores, tensorflowVersion } = describeDevice();
  const where = kind === "gpu" ? `GPU ${name}` : `${name}, ${cores} cores`;
  return `${where} · TensorFlow ${tensorflowVersion}`;
}

function memoryText(): string {
  const { tensors, tensorBytes, processBytes } = describeMemory();
  const megabytes = (bytes: number) =>
    `${(bytes / 1e6).toLocaleString("en-US", { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;
  const held = `process ${megabytes(processBytes)}`;
  // A head learns inside TensorFlow's graph, where none of them are.
  return tensors === 0 ? held : `${tensors} tensors of ${megabytes(tensorBytes)}, ${held}`;
}

/** How far a training is, and what it said of the validation part last and at its best. */
class TrainingProgress {
  private history: EpochRecord[] = [];
  private current: TrainingState["said"] = null;
  private best: TrainingState["said"] = null;
  private lowestLoss = Number.POSITIVE_INFINITY;
  private epoch = 0;
  private imagesLearned = 0;

  noteBatch(epoch: number, imagesLearned: number): void {
    this.epoch = epoch;
    this.imagesLearned = imagesLearned;
  }

  noteEpoch(record: EpochRecord, trainImages: number, probabilities: Float32Array): void {
    this.noteBatch(record.epoch, trainImages);
    this.history = [...this.history, record];
    this.current = { epoch: record.epoch, probabilities };
    const loss = record.validationPatientLoss ?? record.validationLoss;
    if (loss < this.lowestLoss) {
      this.lowestLoss = loss;
      this.best = this.current;
    }
  }

  state(ended: TrainingState["ended"]): Pick<TrainingState, "history" | "epoch" | "imagesLearned" | "said"> {
    const { history, epoch, imagesLearned } = this;
    return { history, epoch, imagesLearned, said: ended === null ? this.current : this.best };
  }
}

/**
 * Opens a live display of a training in the running cell, redrawn at most twice a second: progress, curves, the confusion
 * matrix and some images of the validation part, device and memory.
 *
 * @example
 * const live = await liveTraining({ dataset, split, settings });
 * live.finish(await trainHead({ …, ...live }));
 */
export async function liveTraining(options: LiveTrainingOptions): Promise<LiveTraining> {
  const { output = liveOutput(), now = Date.now } = options;
  const plan = await planOf(options);
  const device = deviceText();
  const startedAtMs = now();
  const progress = new TrainingProgress();
  let drawnAtMs = Number.NEGATIVE_INFINITY;

  const draw = (ended: TrainingState["ended"]): Figure => {
    drawnAtMs = now();
    const elapsedSeconds = (drawnAtMs - startedAtMs) / 1000;
    const state = { ...progress.state(ended), elapsedSeconds, ended, device, memory: memoryText() };
    const drawn = plotTraining(plan, state);
    output.update(drawn);
    return drawn;
  };
  const drawIfDue = () => {
    if (now() - drawnAtMs >= shortestIntervalMs) draw(null);
  };

  draw(null);
  return {
    onBatch(epoch, imagesLearned) {
      progress.noteBatch(epoch, imagesLearned);
      drawIfDue();
    },
    onEpoch(record, _history, probabilities) {
      progress.noteEpoch(record, plan.trainImages, probabilities);
      drawIfDue();
    },
    finish: ({ bestEpoch, ended }) => draw({ bestEpoch, ended }),
  };
}
