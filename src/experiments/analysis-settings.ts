import type { TriageLevel } from "../scores/triage/triage";

/** What the analysis of a run is asked to do; none of it changes the classifier. */
export interface AnalysisSettings {
  /** Share of positives that a second look must still find, in (0, 1]; the threshold is chosen for it on validation. */
  targetSensitivity: number;
  /** What the threshold is compared with: each image, or the mean of a patient's images. */
  triageLevel: TriageLevel;
  /** Share of positives among those examined, in [0, 1], for predictive values; a test set's own mix is arbitrary. */
  prevalence: number;
  /** Resamples of the patients behind each interval; 2,000 give stable bounds. */
  resamples: number;
  /** Seeds of the leakage audit; each trains two heads. */
  auditSeeds: number;
  /** Folds of the cross-validation; each trains one head a repeat. */
  folds: number;
  repeats: number;
  /** Folder of BreaKHis' published fold files, on which the recipe is trained and tested too; null leaves it out. */
  foldFiles: string | null;
  /** The most confident errors that are explained; a few right answers are added. */
  explainedErrors: number;
  /** Whether heads on other training parts than the run's get features of their own, where stains are normalised. */
  refitStain: boolean;
  /** Whether to train once more on normalised stains, which computes all features anew. */
  stainAblation: boolean;
}

/** 1, 2 … count: the seeds of a repeated computation. */
export function firstSeeds(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
