import { dirname, resolve } from "node:path";
import { readRunFile, summaryFile } from "../training/runs/run-folder";
import type { RunSummary } from "../training/runs/run-summary";
import type { Findings } from "../views/analysis/analysis";

/** What the run that trained a classifier found out about it, as far as it lies beside it. */
export interface RunResults {
  summary: RunSummary | null;
  /** Scores with intervals, if the run was analysed. */
  findings: Findings | null;
}

/**
 * Reads `summary.json` and `report.json` of the run folder that a classifier lies in.
 *
 * @param runId - The classifier's; another run's results are not taken for its own.
 * @throws Error naming the file if one is damaged.
 */
export async function loadRunResults(classifierFolder: string, runId: string | null): Promise<RunResults> {
  const runFolder = dirname(resolve(classifierFolder));
  const summary = await readRunFile<RunSummary>(runFolder, summaryFile);
  if (summary === null || summary.id !== runId) return { summary: null, findings: null };
  const remedy = "Make the run's report again: npm run report.";
  const report = await readRunFile<{ findings?: Findings | null }>(runFolder, "report.json", remedy);
  return { summary, findings: report?.findings ?? null };
}
