import type { ListedRun } from "../../training/runs/run-log";
import type { RunSummary } from "../../training/runs/run-summary";
import { partColours, referenceColour } from "../display/colours";
import { axis, type Figure, figure, roundTo, type Trace } from "../display/figure";
import { escapeLabel } from "../display/html";

/** More bars of runs than this can't be told apart; the newest are shown. */
const runLimit = 30;

/** Draws the accuracy of every finished run by image, the oldest first, beside that of the majority class. */
export function plotRunHistory(runs: readonly ListedRun[]): Figure {
  const finished = runs
    .filter((run) => run.summary !== null)
    .slice(0, runLimit)
    .reverse();
  const names = finished.map(({ id, summary }) => escapeLabel(summary!.synthetic ? `${id}, synthetic` : id));
  const series = (
    name: string,
    score: (summary: RunSummary) => number | undefined,
    marker: object,
  ): Trace => ({
    type: "scatter",
    mode: "markers",
    name,
    x: names,
    y: finished.map(({ summary }) => percentCell(score(summary!))),
    marker: { size: 11, ...marker },
  });
  const traces = [
    series("validation", (summary) => summary.validation?.accuracy, {
      color: partColours.validation,
      symbol: "diamond",
    }),
    series("test", (summary) => summary.test?.accuracy, { color: partColours.test, symbol: "square" }),
    series("always the majority class (test)", (summary) => summary.test?.majorityClassAccuracy, {
      color: referenceColour,
      symbol: "line-ew-open",
      line: { width: 3 },
    }),
  ];
  return figure(traces, {
    title: "Accuracy of every run, by image",
    xaxis: axis("run", { type: "category" }),
    yaxis: axis("accuracy, %", { range: [0, 103] }),
  });
}

function percentCell(share: number | null | undefined): number | null {
  return share === null || share === undefined ? null : roundTo(100 * share, 1);
}
