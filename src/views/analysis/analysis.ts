import { join } from "node:path";
import type { AnalysisSettings } from "../../experiments/analysis-settings";
import type { LeakageAudit } from "../../experiments/leakage";
import type { RunTriage } from "../../experiments/runs/run-triage";
import type { StainAblation } from "../../experiments/stain-ablation";
import type { ValidatedScores } from "../../experiments/summarize-validation";
import type { SanityCheck } from "../../model/explanation/sanity-check";
import type { Attempt } from "../../runtime/attempt";
import { writeFileAtomically } from "../../runtime/files/write-file";
import type { CalibratedTest } from "../../scores/calibrated-test";
import type { Grouping, GroupScores } from "../../scores/group-scores";
import type { ScoreIntervals } from "../../scores/intervals/score-intervals";
import type { RecognitionRates } from "../../scores/patient-scores";
import type { CrossValidatedTriage } from "../../scores/triage/triage-report";
import { readRunFile } from "../../training/runs/run-folder";
import type { DataCard } from "../dataset/data-card";
import type { Trace } from "../display/figure";
import type { ExplainedImage } from "./explanations";
import type { PicturedWork } from "./work-list";

/** Scores of the groups by one property, or why there are none. */
export interface GroupedScores {
  by: Grouping;
  groups: Attempt<GroupScores[]>;
}

/** The findings of an analysis, in numbers and sentences: what `report.json` holds. */
export interface Findings {
  run: string;
  /** ISO 8601. */
  created: string;
  asked: AnalysisSettings;
  data: DataCard;
  scores: Attempt<ScoreIntervals>;
  calibration: Attempt<CalibratedTest>;
  grouped: GroupedScores[];
  patientScores: Attempt<RecognitionRates>;
  triage: Attempt<Omit<RunTriage, "work" | "curve">>;
  crossValidation: Attempt<ValidatedScores & { sentence: string }>;
  crossValidatedTriage: Attempt<CrossValidatedTriage>;
  leakage: Attempt<LeakageAudit>;
  /** Mean rank correlations of the sanity check; null where it was not made. */
  sanity: (Pick<SanityCheck, "meanHeadCorrelation" | "meanTopCorrelation"> & { sentence: string }) | null;
  /** What normalised and augmented stains change; null where it was not asked for. */
  stain: Attempt<StainAblation> | null;
}

/** A figure without its looks in a notebook. */
export interface PlainFigure {
  data: Trace[];
  layout: Record<string, unknown>;
}

/** The figures of a report, by name, in the order in which they are shown. */
export type AnalysisFigures = Record<string, PlainFigure>;

/** A run's `analysis.json`: everything a report is made of besides the run itself. */
export interface Analysis {
  format: 1;
  findings: Findings;
  figures: AnalysisFigures;
  explained: ExplainedImage[];
  work: { rows: PicturedWork[]; total: number };
}

const analysisFile = "analysis.json";

/** Keeps an analysis in its run's folder, whole or not at all; returns the path. */
export async function saveAnalysis(runFolder: string, analysis: Analysis): Promise<string> {
  const path = join(runFolder, analysisFile);
  // What is undefined (NaN) or without bound (the threshold at which nobody looks) becomes null.
  await writeFileAtomically(path, `${JSON.stringify(analysis)}\n`);
  return path;
}

/**
 * Reads what `saveAnalysis` wrote.
 *
 * @returns Null if the run was not analysed.
 * @throws Error naming the file if it is damaged or of another format.
 */
export async function loadAnalysis(runFolder: string): Promise<Analysis | null> {
  const again = "Run notebook 04 (04-analyse-results) again.";
  const analysis = await readRunFile<Analysis>(runFolder, analysisFile, again);
  if (analysis !== null && analysis.format !== 1) {
    throw new Error(`${join(runFolder, analysisFile)} is of another version. ${again}`);
  }
  return analysis;
}
