import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { RunSummary } from "../training/run-summary";
import type { Findings } from "../views/analysis";

/** What the run that trained a classifier found out about it, as far as it lies beside it. */
export interface RunResults {
  summary: RunSummary | null;
  /** Scores with intervals, if the run was analysed. */
  findings: Findings | null;
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return null;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${path} is damaged: it is not JSON. Make the run's report again: npm run report.`);
  }
}

/**
 * Reads `summary.json` and `report.json` of the run folder that a classifier lies in.
 *
 * @param runId - The classifier's; another run's results are not taken for its own.
 * @throws Error naming the file if one is damaged.
 */
export async function loadRunResults(classifierFolder: string, runId: string | null): Promise<RunResults> {
  const runFolder = dirname(resolve(classifierFolder));
  const summary = (await readJson(join(runFolder, "summary.json"))) as RunSummary | null;
  if (summary === null || summary.id !== runId) return { summary: null, findings: null };
  const report = (await readJson(join(runFolder, "report.json"))) as { findings?: Findings | null } | null;
  return { summary, findings: report?.findings ?? null };
}
