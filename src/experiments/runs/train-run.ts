import { buildClassifier, type Classifier } from "../../model/classifier/classifier";
import { fitFamiliarity } from "../../model/classifier/fit-familiarity";
import { describeScales } from "../../model/classifier/trained-scale";
import type { Features } from "../../model/features/features";
import { refuseOtherFeatures } from "../../model/features/features-origin";
import { extractTreated } from "../../model/features/treatment";
import { attempt, valueOr } from "../../runtime/attempt";
import type { Settings } from "../../runtime/settings";
import { predictSplit } from "../../scores/evaluate";
import type { Prediction } from "../../scores/prediction";
import type { FineTuning } from "../../training/fine-tuning/fine-tune";
import { type TrainingResult, trainHead } from "../../training/head/train";
import { targetsOf } from "../../training/head/training-data";
import { discardRun, type Run } from "../../training/runs/run-folder";
import { type RunSummary, saveHistory, saveRun, startRun } from "../../training/runs/run-log";
import { noteFailure, noteTraining } from "../../training/runs/run-state";
import { type RunListener, watched } from "./run-listener";
import { gatherMaterial, type RunMaterial } from "./run-material";
import { summarizeRun } from "./summarize";
import { tuneRun, tuningKeeperOf } from "./tune-run";

/** A run that was trained and kept, with all that it was made of. Tensors of its backbone are freed. */
export interface TrainedRun extends RunMaterial {
  run: Run;
  /** Of the head. */
  training: TrainingResult;
  /** Null where the backbone stayed as it was. */
  fineTuning: FineTuning | null;
  classifier: Classifier;
  predictions: Prediction[];
  summary: RunSummary;
}

/** What was trained: the features are those of the backbone. */
interface Trained extends Pick<TrainedRun, "training" | "fineTuning"> {
  backbone: RunMaterial["backbone"];
  head: TrainingResult["head"];
  features: Features;
  /** In seconds, by step. */
  timings: Record<string, number>;
}

/** Trains the head, and keeps each epoch at once. */
function trainHeadOf(run: Run, material: RunMaterial, listener: RunListener): Promise<TrainingResult> {
  const { dataset, split, settings, features } = material;
  return watched(listener, { dataset, split, settings }, ({ onEpoch, ...calls }) =>
    trainHead({
      ...{ features, ...targetsOf(dataset), split, settings },
      classCount: dataset.classes.length,
      ...calls,
      onEpoch: async (record, history, probabilities) => {
        await onEpoch(record, history, probabilities);
        await saveHistory(run, history);
      },
    }),
  );
}

/** Scores what was trained, and writes it into the run's folder, whole. */
async function keep(
  run: Run,
  material: RunMaterial,
  trained: Trained,
  { say }: RunListener,
): Promise<TrainedRun> {
  const { dataset, split, settings, treatment, explanation, base } = material;
  const { backbone, head, features, timings, training, fineTuning } = trained;
  const usual = await attempt(() => fitFamiliarity(dataset, split, features));
  if (usual.ok === false) say?.(`This classifier can't warn of images unlike its own: ${usual.reason}`);
  const classifier = buildClassifier({
    ...{ backbone, head, dataset, settings, treatment },
    runId: run.id,
    familiarity: valueOr(usual, null),
    scales: describeScales(split.train.map((row) => dataset.records[row]!)),
  });
  const predictions = predictSplit(dataset, split, features, classifier);
  const summary = summarizeRun({
    ...{ run, dataset, split, classifier, explanation, training, fineTuning, predictions, timings },
    ...(base === undefined ? {} : { base }),
  });
  const { history } = training;
  const { origin } = features;
  await saveRun(run, { dataset, split, classifier, history, predictions, summary, origin });
  return { ...material, run, training, fineTuning, classifier, predictions, summary };
}

/** Fine-tunes after the head, where the settings ask for it, and keeps what came of it; null if there is nothing to keep. */
async function tuneAndKeep(
  run: Run,
  material: RunMaterial,
  trained: Trained,
  listener: RunListener,
): Promise<TrainedRun | string> {
  const { settings, dataset, treatment } = material;
  if (settings.fineTune === null) return keep(run, material, trained, listener);
  const keeper = tuningKeeperOf(material, listener);
  const tuned = await tuneRun(settings.fineTune, material, trained.head, listener, keeper);
  const { backbone, head, seconds } = tuned;
  try {
    if (tuned.ended === "interrupted" && tuned.history.length === 0) {
      return "Stopped before the first epoch of fine-tuning ended, so no run is kept.";
    }
    const features = await extractTreated(dataset, backbone, treatment);
    if (!features.complete) {
      return "Stopped before the fine-tuned backbone had seen all images, so no run is kept yet. Run this cell again to go on.";
    }
    const timings = {
      ...trained.timings,
      activations: seconds.activations,
      fineTuning: seconds.training,
      tunedFeatures: features.seconds,
    };
    const all = { ...trained, fineTuning: tuned, backbone, head, features, timings };
    const kept = await keep(run, material, all, listener);
    // One that was stopped goes on from there when the same settings are trained with again.
    if (tuned.ended !== "interrupted") await keeper.forget();
    return kept;
  } finally {
    backbone.dispose();
  }
}

/** Trains as far as it gets; a sentence where there is nothing to keep. */
async function trainAndKeep(
  run: Run,
  material: RunMaterial,
  listener: RunListener,
): Promise<TrainedRun | string> {
  const { backbone, features } = material;
  const training = await trainHeadOf(run, material, listener);
  if (training.bestEpoch === 0) {
    return "Stopped before the first epoch ended: nothing was learned, so no run is kept.";
  }
  const timings = { features: features.seconds, training: training.history.at(-1)!.elapsedSeconds };
  const trained = { training, fineTuning: null, backbone, head: training.head, features, timings };
  return tuneAndKeep(run, material, trained, listener);
}

/**
 * Trains with material that is ready, and keeps the run; see `trainRun`.
 *
 * @throws Error if the features are not what the settings ask for.
 */
export async function trainOn(material: RunMaterial, listener: RunListener = {}): Promise<TrainedRun | null> {
  const { settings, dataset, features, backbone, treatment } = material;
  if (!features.complete) {
    const there = "those that are there are kept. Run this cell again to go on.";
    listener.say?.(`Stopped before all features were computed; ${there}`);
    return null;
  }
  refuseOtherFeatures(features.origin, { settings, dataset, backbone, stain: treatment.stain });
  const run = await startRun(settings);
  try {
    await noteTraining(run);
    const result = await trainAndKeep(run, material, listener);
    if (typeof result !== "string") return result;
    await discardRun(run);
    listener.say?.(result);
    return null;
  } catch (error) {
    await noteFailure(run, error);
    throw error;
  }
}

/**
 * From settings to a kept run, whatever was done before and whichever setting was changed: opens the images, splits them,
 * computes the features that are not there yet, trains the head, fine-tunes the backbone if the settings ask for it, and
 * keeps the run, whole and scored. What is there already is not computed again.
 *
 * A stop ends it with what is learned by then, and that is kept; the same settings again go on with what was not finished.
 *
 * @param listener - Told what is done, and shown the training as it goes on.
 * @returns Null where it was stopped before the first epoch ended: then nothing is kept.
 * @throws Error that says what is wrong with settings, images or weights; or as `trainHead` and `fineTune` do. The run
 * then stands in the list with the reason.
 *
 * @example
 * const trained = await trainRun(resolveSettings({ data: "data/demo", epochs: 10 }));
 */
export async function trainRun(asked: Settings, listener: RunListener = {}): Promise<TrainedRun | null> {
  const material = await gatherMaterial(asked, listener.say);
  listener.say?.(`${material.explanation}\n${material.description}`);
  return trainOn(material, listener);
}
