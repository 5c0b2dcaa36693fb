import type { Dataset } from "../data/dataset";
import type { Split } from "../data/split/split";
import { type Classifier, classifierViews } from "../model/classifier/classifier";
import { fitFamiliarity } from "../model/classifier/familiarity";
import { extractTreated } from "../model/features/treatment";
import { attempt, valueOr } from "../runtime/attempt";
import { predictSplit } from "../scores/evaluate";
import type { FineTuning } from "../training/fine-tuning/fine-tune";
import type { TrainingResult } from "../training/head/train";
import { type Run, type RunSummary, saveRun } from "../training/runs/run-log";
import { summarizeRun } from "./summarize";

/** What a run kept before its backbone was fine-tuned. */
export interface KeptRun {
  run: Run;
  dataset: Dataset;
  split: Split;
  /** Of the head on the frozen backbone. */
  classifier: Classifier;
  /** The sentence that `loadBackbone` gives. */
  explanation: string;
  /** Of the head. */
  training: TrainingResult;
  /** In seconds, by step. */
  timings: Record<string, number>;
}

/**
 * Keeps a fine-tuned classifier in place of the one that the run had: with its own features, predictions and scores.
 *
 * @returns The classifier, which has the backbone of `tuned`, and the run's new summary.
 */
export async function keepTuned(
  tuned: FineTuning,
  kept: KeptRun,
): Promise<{ classifier: Classifier; summary: RunSummary }> {
  const { run, dataset, split, explanation, training } = kept;
  const { backbone, head } = tuned;
  const { stain } = kept.classifier;
  const fittedOn = stain === null ? [] : split.train;
  const treatment = { stain, fittedOn, views: classifierViews(kept.classifier) };
  const features = await extractTreated(dataset, backbone, treatment);
  const usual = valueOr(await attempt(() => fitFamiliarity(dataset, split, features)), null);
  const { familiarity: _, ...before } = kept.classifier;
  const classifier = { ...before, backbone, head, ...(usual === null ? {} : { familiarity: usual }) };
  const predictions = predictSplit(dataset, split, features, classifier);
  const { activations, training: seconds } = tuned.seconds;
  const timings = { ...kept.timings, activations, fineTuning: seconds, tunedFeatures: features.seconds };
  const parts = { run, dataset, split, classifier, explanation, training, fineTuning: tuned };
  const summary = summarizeRun({ ...parts, predictions, timings });
  const { history } = training;
  await saveRun(run, { dataset, split, classifier, history, predictions, summary });
  return { classifier, summary };
}
