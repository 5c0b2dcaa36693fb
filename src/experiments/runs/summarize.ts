import type { Dataset } from "../../data/dataset";
import { fingerprintDataset } from "../../data/dataset-fingerprint";
import type { Split } from "../../data/split/split";
import type { Classifier } from "../../model/classifier/classifier";
import { describeCode } from "../../runtime/code-version";
import { describeComputedOn } from "../../runtime/device/device";
import { countParts, evaluatePart, scoreTumourAnswers } from "../../scores/evaluate";
import type { Prediction } from "../../scores/prediction";
import type { FineTuning } from "../../training/fine-tuning/fine-tune";
import type { TrainingResult } from "../../training/head/train";
import type { Run } from "../../training/runs/run-folder";
import type { RunBase, RunSummary } from "../../training/runs/run-summary";

/** What a run's summary is made from. */
export interface SummarySources {
  run: Run;
  dataset: Dataset;
  split: Split;
  classifier: Classifier;
  /** The sentence that `loadBackbone` gives. */
  explanation: string;
  training: Pick<TrainingResult, "ended" | "bestEpoch">;
  /** Nothing where the head alone was trained. */
  fineTuning?: Pick<FineTuning, "from" | "trainedWeights" | "history" | "bestEpoch" | "ended"> | null;
  /** The run that it began with, if it did. */
  base?: RunBase;
  predictions: readonly Prediction[];
  /** In seconds, by step, for example features and training. */
  timings: Record<string, number>;
}

function summarizeFineTuning(tuned: SummarySources["fineTuning"] | null): Pick<RunSummary, "fineTuning"> {
  if (!tuned) return {};
  const { from, trainedWeights, history, bestEpoch, ended } = tuned;
  return { fineTuning: { from, trainedWeights, epochs: history.length, bestEpoch, ended } };
}

function summarizeTumour(predictions: readonly Prediction[], classes: readonly string[]) {
  const tumour = scoreTumourAnswers(predictions, classes);
  return tumour === null ? {} : { tumour };
}

/** Puts together what `summary.json` says about a run: what was computed with, and how good it is. */
export function summarizeRun(sources: SummarySources): RunSummary {
  const { run, dataset, split, classifier, explanation, training, predictions, timings } = sources;
  const { backbone, positiveClass, threshold, classes, provenance } = classifier;
  return {
    id: run.id,
    created: provenance.created,
    ended: training.ended,
    bestEpoch: training.bestEpoch,
    dataset: dataset.name,
    dataFingerprint: fingerprintDataset(dataset),
    code: describeCode(),
    computedOn: describeComputedOn(),
    synthetic: dataset.synthetic,
    classes,
    positiveClass,
    threshold,
    backbone: backbone.name,
    backboneExplanation: explanation,
    weights: { name: backbone.weights.name, sha256: backbone.weights.sha256 },
    ...summarizeFineTuning(sources.fineTuning ?? null),
    ...(sources.base === undefined ? {} : { base: sources.base }),
    split: split.by,
    seed: provenance.seed,
    counts: countParts(dataset, split),
    trainAccuracy: evaluatePart(predictions, "train", classifier)?.accuracy ?? null,
    validation: evaluatePart(predictions, "validation", classifier),
    test: evaluatePart(predictions, "test", classifier),
    ...summarizeTumour(predictions, classes),
    timings,
  };
}
