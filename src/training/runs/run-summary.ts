import type { SplitKind, SplitPart } from "../../data/split/split-value";
import type { Backbone } from "../../model/backbones/architecture";
import type { CodeVersion } from "../../runtime/code-version";
import type { ComputedOn } from "../../runtime/device/device";
import type { PartScores } from "../../scores/prediction";
import type { TrainingResult } from "../head/train";

/** How a backbone was fine-tuned. */
export interface FineTuningSummary {
  /** The lowest stage that was trained. */
  from: string;
  /** Weights that were trained, in the backbone and in the head. */
  trainedWeights: { backbone: number; head: number };
  epochs: number;
  /** 0 if none was better than before: then the backbone stayed as it was. */
  bestEpoch: number;
  ended: TrainingResult["ended"];
}

/** A run whose classifier another one begins with, and the images that it was trained on. */
export interface RunBase {
  id: string;
  dataFingerprint: string | null;
}

/** A run's `summary.json`. */
export interface RunSummary {
  id: string;
  /** ISO 8601. */
  created: string;
  ended: TrainingResult["ended"];
  bestEpoch: number;
  /** Name of the data set. */
  dataset: string;
  /** Of exactly these images with their labels and patients; runs kept before this was noted have none. */
  dataFingerprint?: string;
  /** What computed it; runs kept before this was noted have none. */
  code?: CodeVersion;
  /** The device and its arithmetic; runs kept before this was noted have none. */
  computedOn?: ComputedOn;
  /** Whether it was drawn by the demo's generator: then no number here says anything about tissue. */
  synthetic: boolean;
  classes: string[];
  positiveClass: number | null;
  threshold: number;
  backbone: Backbone["name"];
  /** Which backbone was chosen and why, in one sentence. */
  backboneExplanation: string;
  weights: { name: string; sha256: string };
  /** What was trained of the backbone; nothing where it stayed as it was. */
  fineTuning?: FineTuningSummary;
  /** What notebook 05 began with; nothing where the settings alone say how the run was made. */
  base?: RunBase;
  split: SplitKind;
  seed: number;
  /** Patients are those that are known. */
  counts: Record<SplitPart, { images: number; patients: number }>;
  /** Of the images that were learned from; runs kept before this was noted have none. */
  trainAccuracy?: number | null;
  /** Null where the part is empty. */
  validation: PartScores | null;
  test: PartScores | null;
  /** Of the answers benign and malignant that follow, where the classes are BreaKHis' subtypes. */
  tumour?: { validation: PartScores | null; test: PartScores | null };
  /** In seconds, by step. */
  timings: Record<string, number>;
}
