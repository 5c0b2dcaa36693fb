import type { Dataset } from "../../data/dataset";
import { largest } from "../../runtime/many";
import type { FineTuning } from "../../training/fine-tuning/fine-tune";
import type { EpochRecord, TrainingResult } from "../../training/head/train";
import { countImages } from "./dataset-counts";

/** Stands wherever results do. */
export const notMedicalDevice =
  "Not a medical device: this is for learning and research, and must not be used to diagnose anybody.";

/**
 * Says which class is the most frequent and what always answering it would reach.
 *
 * @example
 * describeBalance(["benign", "malignant"], [30, 70]);
 * // "malignant is the most frequent class: always answering it would be right for 70 of 100 images (70.0 %)."
 */
export function describeBalance(classes: readonly string[], counts: readonly number[]): string {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return "There are no images.";
  const most = largest(counts);
  const share = percent(most / total);
  if (classes.length > 1 && counts.every((count) => count === most)) {
    return `All classes are equally frequent: always answering one of them would be right for ${share} of the images.`;
  }
  const name = classes[counts.indexOf(most)];
  return `${name} is the most frequent class: always answering it would be right for ${most} of ${total} images (${share}).`;
}

/** Says which class of a data set is the most frequent and what always answering it would reach. */
export function describeClassBalance(dataset: Dataset): string {
  const counts = countImages(dataset, "class").map((count) => count.total);
  return describeBalance(dataset.classes, counts);
}

/**
 * Says how far apart train and validation are at the epoch whose weights are kept.
 *
 * @param bestEpoch - From 1 on; 0 if no epoch ended.
 */
export function describeGap(history: readonly EpochRecord[], bestEpoch: number): string {
  const best = history.find((record) => record.epoch === bestEpoch);
  if (best === undefined) return "Training ended before its first epoch did, so there is nothing to compare.";
  const points = 100 * (best.trainAccuracy - best.validationAccuracy);
  const comparison =
    Math.abs(points) < 0.05
      ? "the same on both"
      : `${Math.abs(points).toFixed(1)} percentage points ${points > 0 ? "lower" : "higher"} on validation`;
  return (
    `At epoch ${bestEpoch}, the best of ${history.length}, accuracy is ${percent(best.trainAccuracy)} on train ` +
    `and ${percent(best.validationAccuracy)} on validation: ${comparison}.`
  );
}

const endings: Record<TrainingResult["ended"], string> = {
  completed: "Training went through all its epochs.",
  "early-stopping": "Training stopped early, because the validation loss did not get better any more.",
  interrupted: "Training was stopped by hand.",
};

/** Says how training ended, and how far apart train and validation are at the epoch whose weights are kept. */
export function describeTraining(training: Pick<TrainingResult, "history" | "bestEpoch" | "ended">): string {
  return `${endings[training.ended]} ${describeGap(training.history, training.bestEpoch)}`;
}

/** Says what fine-tuning trained, and what that brought on validation. */
export function describeFineTuning(tuned: FineTuning): string {
  const { from, trainedWeights, before, history, bestEpoch, activationBytes } = tuned;
  const count = trainedWeights.backbone.toLocaleString("en-US");
  const kept =
    activationBytes === 0 ? "" : ` (${Math.ceil(activationBytes / 1e6)} MB of activations in the cache)`;
  const trained = `Trained along: everything from ${from} on, ${count} weights of the backbone${kept}.`;
  const best = history.find(({ epoch }) => epoch === bestEpoch);
  if (best === undefined) {
    return `${trained} No epoch had a lower validation loss by patient than before (${before.validationPatientLoss.toFixed(3)}), so everything stays as it was.`;
  }
  return (
    `${trained} ${endings[tuned.ended]} At epoch ${bestEpoch} the validation loss by patient is ` +
    `${best.validationPatientLoss!.toFixed(3)}, before it was ${before.validationPatientLoss.toFixed(3)}; accuracy on ` +
    `validation images is ${percent(best.validationAccuracy)}, before it was ${percent(before.validationAccuracy)}.`
  );
}

/** Says how an accuracy compares with that of always answering the majority class; both in [0, 1]. */
export function describeAccuracy(unit: string, accuracy: number, majorityAccuracy: number): string {
  const points = 100 * (accuracy - majorityAccuracy);
  const comparison =
    Math.abs(points) < 0.05
      ? "no better than"
      : `${Math.abs(points).toFixed(1)} percentage points ${points > 0 ? "above" : "below"}`;
  return `By ${unit}, ${percent(accuracy)} of the test part is recognised, ${comparison} always answering the majority class (${percent(majorityAccuracy)}).`;
}

/** A share in [0, 1] as people read it; a dash where it is undefined. */
export function percent(share: number): string {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`;
}

/** What is looked for; where no class is, what probabilities are of is the answer itself. */
export function positiveNameOf(about: Pick<Dataset, "classes" | "positiveClass">): string {
  const { classes, positiveClass } = about;
  return positiveClass === null ? "the answer" : classes[positiveClass]!;
}
