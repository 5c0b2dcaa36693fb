import type { Dataset } from "../../data/record";
import type { Split } from "../../data/split/split-value";
import type { Settings } from "../../runtime/settings";
import type { TrainingResult, TrainingTask } from "../../training/head/train";

/** Somebody who looks on while a head, or a backbone with it, is trained. */
export interface TrainingWatch extends Pick<TrainingTask, "onBatch"> {
  onEpoch: NonNullable<TrainingTask["onEpoch"]>;
  finish(training: Pick<TrainingResult, "bestEpoch" | "ended">): void;
}

/** What is about to be trained. */
export interface WatchedTraining {
  dataset: Dataset;
  split: Split;
  settings: Pick<Settings, "epochs" | "seed">;
}

/** Somebody who is told what a run does; nothing of it changes the run. */
export interface RunListener {
  /** Takes sentences, as they come. */
  say?: (sentence: string) => void;
  /** Opens a view of a training that begins. */
  watch?: (training: WatchedTraining) => Promise<TrainingWatch>;
}

/** What a training calls while it goes on. */
export interface WatchedCalls extends Pick<TrainingWatch, "onEpoch"> {
  onBatch?: NonNullable<TrainingTask["onBatch"]>;
  /** False where somebody watches, and sees how far it is. */
  showProgress: boolean;
}

/** Opens the listener's view of a training, if it has one, and closes it with what the training came to. */
export async function watched<T extends Pick<TrainingResult, "bestEpoch" | "ended">>(
  { watch }: RunListener,
  training: WatchedTraining,
  work: (calls: WatchedCalls) => Promise<T>,
): Promise<T> {
  if (watch === undefined) return work({ onEpoch: () => undefined, showProgress: true });
  const { onEpoch, onBatch, finish } = await watch(training);
  const calls = { onEpoch, showProgress: false, ...(onBatch === undefined ? {} : { onBatch }) };
  const result = await work(calls);
  finish(result);
  return result;
}
