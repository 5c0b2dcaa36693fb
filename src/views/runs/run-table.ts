import { type ListedRun, listRuns } from "../../training/runs/run-log";
import type { RunSummary } from "../../training/runs/run-summary";
import { type HtmlDisplay, htmlDisplay, noteDisplay } from "../display/display";
import { roundTo } from "../display/figure";
import { type Cell, tableHtml } from "../display/table-html";
import {
  codeOf,
  describeChanges,
  differingSettings,
  settingName,
  settingOf,
  settingText,
} from "./run-differences";

/** How runs are listed. */
export interface RunTableOptions {
  /** A column's or a setting's name, such as "validation accuracy, %" or "learning rate", or "best epoch" or "training, s"; by default the newest run comes first. */
  sortBy?: string;
  /** Smallest first; by default the largest number, or the last name, comes first. */
  ascending?: boolean;
}

interface Row {
  cells: Record<string, Cell>;
  /** What rows can be sorted by besides: each setting by its name in words, the best epoch, seconds of training. */
  hidden: Record<string, Cell>;
}

/**
 * Lists every run: what it changed since the one before it, how it ended, its scores, then the settings in which runs
 * differ, and the code if they differ in it. Show it as a cell's last value.
 *
 * @throws RangeError if there is no column to sort by of this name; it names those there are.
 *
 * @example
 * await showRuns({ sortBy: "validation accuracy, %" });
 */
export async function showRuns(options: RunTableOptions = {}): Promise<HtmlDisplay> {
  return runsDisplay(await listRuns(), options);
}

/** The same for runs that were read already, the newest first. */
export function runsDisplay(runs: readonly ListedRun[], options: RunTableOptions = {}): HtmlDisplay {
  if (runs.length === 0) return noteDisplay("There are no runs yet.");
  const names = differingSettings(runs);
  const codeDiffers = new Set(runs.flatMap((run) => codeOf(run) ?? [])).size > 1;
  const rows = runs.map((run, i) => rowOf(run, runs[i + 1], names, codeDiffers));
  const columns = Object.keys(rows[0]!.cells);
  const sorted = sortRows(rows, columns, options);
  const order = options.sortBy === undefined ? "the newest first" : `by ${options.sortBy}`;
  const values = sorted.map(({ cells }) => columns.map((column) => cells[column]!));
  return htmlDisplay(tableHtml(columns, values, `All runs, ${order}`), `Table of ${runs.length} runs`);
}

const endings: Record<RunSummary["ended"], string> = {
  completed: "all epochs done",
  "early-stopping": "stopped early",
  interrupted: "stopped by hand",
};

/** More of a reason than this makes rows higher than results are worth. */
const longestReason = 90;

const bestEpochOf = ({ fineTuning, bestEpoch }: RunSummary): number => fineTuning?.bestEpoch ?? bestEpoch;

/** How a run ended, with its best epoch and the seconds that training took, or how it stands without results. */
function endingOf({ summary, unfinished }: ListedRun): string {
  if (summary !== null) {
    const seconds = secondsOf(summary);
    const took = seconds === null ? [] : [`${seconds.toFixed(1)} s`];
    const ended = endings[summary.fineTuning?.ended ?? summary.ended];
    return [ended, `best epoch ${bestEpochOf(summary)}`, ...took].join(", ");
  }
  if (unfinished === undefined || unfinished.state === "unknown") return "not finished";
  if (unfinished.state !== "failed") return unfinished.state;
  const { reason } = unfinished;
  return `failed: ${reason.length > longestReason ? `${reason.slice(0, longestReason - 1)}…` : reason}`;
}

function rowOf(
  run: ListedRun,
  before: ListedRun | undefined,
  names: readonly (keyof ListedRun["settings"])[],
  codeDiffers: boolean,
): Row {
  const { id, settings, summary } = run;
  const changes = before === undefined ? null : describeChanges(before, run);
  const sortable = Object.entries(settings).map(([name, value]) => [
    settingName(name),
    typeof value === "number" ? value : settingText(value),
  ]);
  const code = codeOf(run);
  return {
    cells: {
      run: id,
      "changed since the run before": changes === null ? "the first run" : changes.join("; ") || "nothing",
      ended: endingOf(run),
      "validation accuracy, %": percentCell(summary?.validation?.accuracy),
      "test accuracy, %": percentCell(summary?.test?.accuracy),
      "majority class (test), %": percentCell(summary?.test?.majorityClassAccuracy),
      "AUC (test)": summary?.test?.auc ?? null,
      "data set, backbone": summary === null ? null : describeMaterial(summary),
      settings: [
        ...names.map((name) => `${settingName(name)} ${settingOf(name, settings[name])}`),
        ...(codeDiffers && code !== undefined ? [`code ${code}`] : []),
      ].join("; "),
    },
    hidden: {
      ...Object.fromEntries(sortable),
      "best epoch": summary === null ? null : bestEpochOf(summary),
      "training, s": summary === null ? null : secondsOf(summary),
    },
  };
}

const describeMaterial = ({ dataset, synthetic, backbone, fineTuning }: RunSummary): string =>
  `${dataset}${synthetic ? " (synthetic)" : ""}, ${backbone}${fineTuning === undefined ? "" : ` from ${fineTuning.from} on`}`;

function sortRows(
  rows: readonly Row[],
  columns: readonly string[],
  options: RunTableOptions,
): readonly Row[] {
  const { sortBy, ascending = false } = options;
  if (sortBy === undefined) return rows;
  const known = [...columns, ...Object.keys(rows[0]!.hidden)];
  if (!known.includes(sortBy)) {
    throw new RangeError(
      `Runs can be sorted by ${known.map((name) => `"${name}"`).join(", ")}; found "${sortBy}".`,
    );
  }
  const sign = ascending ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [one, other] = [a, b].map(({ cells, hidden }) => cells[sortBy] ?? hidden[sortBy] ?? null) as Cell[];
    // What is not known comes last, either way.
    if (one == null || other == null) return Number(one == null) - Number(other == null);
    return sign * (one < other ? -1 : one > other ? 1 : 0);
  });
}

function percentCell(share: number | null | undefined): number | null {
  return share === null || share === undefined ? null : roundTo(100 * share, 1);
}

function secondsOf({ timings }: RunSummary): number | null {
  const seconds = timings["training"];
  return seconds === undefined ? null : roundTo(seconds, 1);
}
