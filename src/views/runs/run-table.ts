import { type ListedRun, listRuns } from "../../training/runs/run-log";
import { type HtmlDisplay, htmlDisplay, noteDisplay } from "../display/display";
import { roundTo } from "../display/figure";
import { type Cell, tableHtml } from "../display/table-html";
import { codeOf, describeChanges, differingSettings, settingName, settingText } from "./run-differences";

/** How runs are listed. */
export interface RunTableOptions {
  /** A column's name, for example "validation accuracy, %"; by default the newest run comes first. */
  sortBy?: string;
  /** Smallest first; by default the largest number, or the last name, comes first. */
  ascending?: boolean;
}

interface Row {
  cells: Record<string, Cell>;
  /** Columns whose value is another one than in the run before. */
  changed: ReadonlySet<string>;
}

/**
 * Lists every run with its scores, the settings in which runs differ, and what each changed since the one before it;
 * changed cells are marked. Show it as a cell's last value.
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
  const rows = runs.map((run, i) => rowOf(run, runs[i + 1], names));
  const columns = Object.keys(rows[0]!.cells);
  const sorted = sortRows(rows, columns, options);
  const order = options.sortBy === undefined ? "the newest first" : `by ${options.sortBy}`;
  const caption = `All runs, ${order}; marked is what changed since the run before`;
  const html = tableHtml(
    columns,
    sorted.map(({ cells }) => columns.map((column) => cells[column]!)),
    caption,
    (row, column) => sorted[row]!.changed.has(columns[column]!),
  );
  return htmlDisplay(html, `Table of ${runs.length} runs`);
}

function rowOf(
  run: ListedRun,
  before: ListedRun | undefined,
  names: readonly (keyof ListedRun["settings"])[],
): Row {
  const { id, settings, summary } = run;
  const setting = (of: ListedRun, name: (typeof names)[number]): Cell => {
    const value = of.settings[name];
    return typeof value === "number" ? value : settingText(value);
  };
  const changes = before === undefined ? null : describeChanges(before, run);
  return {
    cells: {
      run: id,
      "changed since the run before": changes === null ? "the first run" : changes.join("; ") || "nothing",
      "data set":
        summary === null
          ? "not finished"
          : summary.synthetic
            ? `${summary.dataset} (synthetic)`
            : summary.dataset,
      backbone: summary?.backbone ?? null,
      ...Object.fromEntries(names.map((name) => [settingName(name), setting(run, name)])),
      "best epoch": summary?.bestEpoch ?? null,
      "validation accuracy, %": percentCell(summary?.validation?.accuracy),
      "test accuracy, %": percentCell(summary?.test?.accuracy),
      "majority class (test), %": percentCell(summary?.test?.majorityClassAccuracy),
      "AUC (test)": summary?.test?.auc ?? null,
      "training, s": secondsCell(summary?.timings["training"]),
      code: codeOf(run) ?? null,
    },
    changed: new Set(
      before === undefined
        ? []
        : names
            .filter((name) => settingText(settings[name]) !== settingText(before.settings[name]))
            .map(settingName),
    ),
  };
}

function sortRows(
  rows: readonly Row[],
  columns: readonly string[],
  options: RunTableOptions,
): readonly Row[] {
  const { sortBy, ascending = false } = options;
  if (sortBy === undefined) return rows;
  if (!columns.includes(sortBy)) {
    throw new RangeError(
      `Runs can be sorted by ${columns.map((name) => `"${name}"`).join(", ")}; found "${sortBy}".`,
    );
  }
  const sign = ascending ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [one, other] = [a.cells[sortBy]!, b.cells[sortBy]!];
    // What is not known comes last, either way.
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return sign * (one < other ? -1 : one > other ? 1 : 0);
  });
}

function percentCell(share: number | null | undefined): number | null {
  return share === null || share === undefined ? null : roundTo(100 * share, 1);
}

const secondsCell = (seconds: number | undefined) => (seconds === undefined ? null : roundTo(seconds, 1));
