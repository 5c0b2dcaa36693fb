import type { EpochRecord } from "../../training/head/train";
import { type ListedRun, listRuns, loadHistory } from "../../training/runs/run-log";
import { categoryColour } from "../display/colours";
import { axis, type Figure, figure, roundTo, type Trace } from "../display/figure";
import { escapeLabel } from "../display/html";
import { differingSettings, settingName, settingText } from "./run-differences";

/** A run with its epochs. */
export interface RunWithHistory extends ListedRun {
  history: readonly EpochRecord[];
}

/**
 * Draws loss and accuracy of chosen runs over each other, each named with the settings in which they differ.
 *
 * @param ids - Runs, finished or not; `showRuns` lists all of them.
 * @throws Error if one of them is not there.
 *
 * @example
 * await plotRuns(["2026-03-14T15-09-26", "2026-03-14T15-12-01"]);
 */
export async function plotRuns(ids: readonly string[]): Promise<Figure> {
  const all = await listRuns();
  const chosen = ids.map(async (id): Promise<RunWithHistory> => {
    const run = all.find((other) => other.id === id);
    if (run === undefined) throw new Error(`There is no run "${id}": showRuns() lists all there are.`);
    return { ...run, history: await loadHistory(run) };
  });
  return plotRunCurves(await Promise.all(chosen));
}

/** The same for runs that were read already. */
export function plotRunCurves(runs: readonly RunWithHistory[]): Figure {
  const names = differingSettings(runs);
  const traces = runs.flatMap((run, i) => {
    const settings = names.map((name) => `${settingName(name)} ${settingText(run.settings[name])}`);
    const origin = run.summary?.synthetic === true ? ["synthetic"] : [];
    const name = escapeLabel([run.id, ...origin, ...settings].join(", "));
    return (["validation", "train"] as const).flatMap((part) => runCurves(run, part, name, i));
  });
  return figure(traces, {
    title: "Runs compared: validation solid, train dotted",
    grid: { rows: 1, columns: 2, pattern: "independent", xgap: 0.16 },
    xaxis: axis("epoch", { tickformat: "d" }),
    xaxis2: axis("epoch", { tickformat: "d" }),
    yaxis: axis("loss, cross-entropy", { rangemode: "tozero" }),
    yaxis2: axis("accuracy, %", { range: [0, 103] }),
    legend: { x: 0, y: -0.22, yanchor: "top" },
    height: 400 + 20 * runs.length,
    margin: { l: 64, r: 24, t: 64, b: 80 + 20 * runs.length },
  });
}

function runCurves(run: RunWithHistory, part: "validation" | "train", name: string, i: number): Trace[] {
  const isMain = part === "validation";
  const curve = (y: number[], axisNumber: string, showlegend: boolean): Trace => ({
    type: "scatter",
    mode: "lines",
    name: isMain ? name : `${name}, train`,
    legendgroup: run.id,
    showlegend,
    x: run.history.map(({ epoch }) => epoch),
    y,
    xaxis: `x${axisNumber}`,
    yaxis: `y${axisNumber}`,
    line: { color: categoryColour(i), width: isMain ? 2.5 : 1.5, dash: isMain ? "solid" : "dot" },
  });
  const loss = run.history.map((record) => roundTo(isMain ? record.validationLoss : record.trainLoss, 4));
  const accuracy = run.history.map((record) =>
    roundTo(100 * (isMain ? record.validationAccuracy : record.trainAccuracy), 2),
  );
  return [curve(loss, "", isMain), curve(accuracy, "2", false)];
}
