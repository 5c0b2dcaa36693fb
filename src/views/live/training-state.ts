import { decide } from "../../model/classifier/decision";
import { confusionMatrix } from "../../scores/confusion-matrix";
import type { EpochRecord, TrainingResult } from "../../training/head/train";
import { durationText } from "../display/progress-bar";

/** A validation image that a live display shows, whatever the head says about it. */
export interface WatchedImage {
  /** Its position in the validation part. */
  position: number;
  /** A small copy, as a data URL. */
  thumbnail: string;
  /** What it is called below the picture, for example its patient. */
  origin: string;
}

/** What does not change while a head is trained. */
export interface TrainingPlan {
  /** Epochs at most; early stopping may end sooner. */
  epochs: number;
  /** Images an epoch learns from. */
  trainImages: number;
  classes: readonly string[];
  positiveClass: number | null;
  /** True classes of the validation part, in its order. */
  validationLabels: readonly number[];
  /** Accuracy of always answering the validation part's most frequent class, in [0, 1]. */
  majorityAccuracy: number;
  watched: readonly WatchedImage[];
  synthetic: boolean;
}

/** How far a training has come. */
export interface TrainingState {
  history: readonly EpochRecord[];
  /** Of the current epoch, or of the one that just ended. */
  imagesLearned: number;
  /** The epoch that is being learned, from 1 on; 0 before the first. */
  epoch: number;
  elapsedSeconds: number;
  /** What the head says of the validation images, shape [images, classes], and after which epoch; null before the first ended. */
  said: { epoch: number; probabilities: Float32Array } | null;
  /** In words, without line breaks. */
  device: string;
  memory: string;
  /** Null while it goes on. */
  ended: Pick<TrainingResult, "bestEpoch" | "ended"> | null;
}

const endings: Record<TrainingResult["ended"], string> = {
  completed: "all epochs done",
  "early-stopping": "stopped early, since validation got no better",
  interrupted: "stopped by hand",
};

/** Device and memory; while it goes on also what becomes of it in a closed page. */
export function footerLine({ device, memory, ended }: TrainingState): string {
  const parts = [device, memory];
  if (ended === null) parts.push("goes on if this page is closed, and is here when it is opened again");
  return parts.join(" · ");
}

/** Share of the planned work that is done, in [0, 1]. */
export function shareDone({ epochs, trainImages }: TrainingPlan, state: TrainingState): number {
  return Math.min(1, imagesSoFar(trainImages, state) / (epochs * trainImages));
}

/**
 * Where a training stands, in one line: epoch, images a second and time left, or how it ended.
 *
 * @example
 * progressLine(plan, state); // "Epoch 12 of 30 · 8,410 images a second · at most 2 s left"
 */
export function progressLine(plan: TrainingPlan, state: TrainingState): string {
  const { epoch, elapsedSeconds, ended, history } = state;
  if (ended !== null) {
    const none = history.length === 0 ? "no epoch was finished" : "no epoch was better than before";
    const best = ended.bestEpoch > 0 ? `best epoch ${ended.bestEpoch}` : none;
    const took = elapsedSeconds < 10 ? `${elapsedSeconds.toFixed(1)} s` : durationText(elapsedSeconds);
    const epochs = `${history.length} of ${plan.epochs} epochs in ${took}`;
    return [epochs, ...paceOf(plan, state), endings[ended.ended], best].join(" · ");
  }
  if (epoch === 0) return `Epoch 1 of ${plan.epochs} begins`;
  const share = shareDone(plan, state);
  const left = share > 0 ? [`at most ${durationText((elapsedSeconds * (1 - share)) / share)} left`] : [];
  return [`Epoch ${epoch} of ${plan.epochs}`, ...paceOf(plan, state), ...left].join(" · ");
}

function imagesSoFar(trainImages: number, { epoch, imagesLearned }: TrainingState): number {
  return Math.max(0, epoch - 1) * trainImages + imagesLearned;
}

function paceOf({ trainImages }: TrainingPlan, state: TrainingState): string[] {
  const images = imagesSoFar(trainImages, state);
  if (images === 0 || state.elapsedSeconds <= 0) return [];
  const pace = Number((images / state.elapsedSeconds).toPrecision(3));
  return [`${pace.toLocaleString("en-US")} images a second`];
}

/** What the head says of one image, beside the truth. */
export interface Answer {
  label: number;
  predicted: number;
  /** Of the predicted class, in [0, 1]. */
  probability: number;
}

/** The head's answer for each validation image; none before the first epoch has ended. */
export function answersOf(plan: TrainingPlan, { said }: TrainingState): Answer[] {
  if (said === null) return [];
  const classCount = plan.classes.length;
  return plan.validationLabels.map((label, i) => {
    const row = said.probabilities.subarray(i * classCount, (i + 1) * classCount);
    const predicted = decide(row, { positiveClass: plan.positiveClass, threshold: 0.5 });
    return { label, predicted, probability: row[predicted]! };
  });
}

/** The validation part's confusion matrix as it is now; all zeros before the first epoch has ended. */
export function currentMatrix(plan: TrainingPlan, answers: readonly Answer[]): number[][] {
  if (answers.length === 0) return plan.classes.map(() => plan.classes.map(() => 0));
  return confusionMatrix(
    answers.map(({ label }) => label),
    answers.map(({ predicted }) => predicted),
    plan.classes.length,
  );
}
