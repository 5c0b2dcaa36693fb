import type { EpochRecord } from "../training/train";
import type { Figure } from "./figure";
import { type LiveOutput, liveOutput } from "./notebook";
import { type CurveOptions, plotTrainingCurves } from "./training-figures";

/** A training as it goes on: curves of loss and accuracy, redrawn in place; `showProgress` adds the time left. */
export interface LiveTraining {
  /** Takes an epoch's results; hand this to the training as its `onEpoch`. */
  onEpoch: (record: EpochRecord) => void;
  /** Draws the final curves, with the best epoch marked, and returns them. */
  finish: (bestEpoch: number) => Figure;
}

/** What a live view needs to know beforehand. */
export interface LiveTrainingOptions {
  /** Epochs planned, at least 1; early stopping may end sooner. */
  epochs: number;
  /** Accuracy of always answering the majority class on the validation part, in [0, 1]. */
  majorityAccuracy: number;
  synthetic?: boolean;
  /** Where to draw; by default a new place in the running cell. */
  output?: LiveOutput;
  /** The time in milliseconds. */
  now?: () => number;
}

/** Twice a second is as often as a reader can follow; more only slows training down. */
const shortestIntervalMs = 500;

/** Opens a live view of a training in the running cell, redrawn at most twice a second. */
export function liveTraining(options: LiveTrainingOptions): LiveTraining {
  const { epochs, majorityAccuracy, synthetic = false, output = liveOutput(), now = Date.now } = options;
  const history: EpochRecord[] = [];
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  const draw = (more: CurveOptions) => plotTrainingCurves(history, { majorityAccuracy, synthetic, ...more });
  return {
    onEpoch(record) {
      history.push(record);
      if (now() - drawnAtMs < shortestIntervalMs) return;
      drawnAtMs = now();
      output.update(draw({ plannedEpochs: epochs }));
    },
    finish(bestEpoch) {
      const final = draw(bestEpoch > 0 ? { bestEpoch } : {});
      output.update(final);
      return final;
    },
  };
}
