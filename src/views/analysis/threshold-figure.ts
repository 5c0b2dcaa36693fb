import type { Attempt } from "../../runtime/attempt";
import { shareIntervals } from "../../scores/intervals/matrix-intervals";
import type { ThresholdMatrices } from "../../scores/triage/threshold-curve";
import { binaryAnswers, type RunAnswers } from "../../training/runs/binary-answers";
import { shareHeat } from "../display/colours";
import { axis, type Figure, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { escapeLabel } from "../display/html";
import { show } from "../display/notebook";
import { matrixCellText } from "./evaluation-figures";
import { type FigureOrNote, plotRunConfusion } from "./run-figures";

/** What the slider's figure is about. */
export interface ThresholdFigureOptions {
  classes: readonly string[];
  positiveClass: number;
  /** The one in use, at which the slider starts. */
  threshold: number;
  synthetic?: boolean;
}

type Matrix = ThresholdMatrices["image"];

/**
 * Draws confusion matrices of images and of patients side by side, with a slider for the threshold: each cell holds
 * its count and its share of the row, with the share's interval in parentheses where there is one, and is as dark as
 * that share.
 *
 * @param curve - At least one threshold, rising.
 */
export function plotThresholdMatrices(
  curve: readonly ThresholdMatrices[],
  options: ThresholdFigureOptions,
): Figure {
  const { classes, threshold, positiveClass, synthetic = false } = options;
  const start = nearestStep(curve, threshold);
  const names = classes.map(escapeLabel);
  const panels = panelsOf(curve[start]!);
  const traces = panels.map(({ unit, matrix }, i) => heatmap(unit, matrix, names, i));
  return figure(traces, {
    title: titleWithOrigin("Test part: true class and answer, at any threshold", synthetic),
    grid: { rows: 1, columns: panels.length, pattern: "independent", xgap: 0.28 },
    ...panelAxes(panels.length),
    annotations: panels.map(({ unit, matrix }, i) => panelTitle(unit, matrix, i)),
    sliders: [slider(curve, start, `${escapeLabel(classes[positiveClass])} is answered from probability `)],
    height: 500,
    width: panels.length === 1 ? 520 : 860,
    margin: { l: 64, r: 24, t: 92, b: 120 },
  });
}

/**
 * Draws a run's confusion matrices with their slider, of subtypes those of the answers benign and malignant that follow;
 * where no single threshold decides, those of the images as they are, with intervals as well.
 *
 * @param curve - Of the run's test part.
 */
export function plotRunMatrices(run: RunAnswers, curve: Attempt<ThresholdMatrices[]>): FigureOrNote {
  const { classes, positiveClass, threshold, synthetic } = binaryAnswers(run).summary;
  if (curve.ok === false || positiveClass === null) return plotRunClasses(run);
  return plotThresholdMatrices(curve.value, { classes, positiveClass, threshold, synthetic });
}

/** Draws the confusion matrix of a run's own classes, counting test images, with intervals. */
export function plotRunClasses({ summary, predictions }: RunAnswers): FigureOrNote {
  const test = predictions.filter(({ split }) => split === "test");
  const answers = test.map(({ predicted }) => predicted);
  const intervals = test.length === 0 ? undefined : shareIntervals(test, answers, summary.classes.length);
  return plotRunConfusion(summary, "images", intervals);
}

/** Shows a run's confusion matrices; of subtypes also that of the subtypes, first. */
export function showRunMatrices(run: RunAnswers, curve: Attempt<ThresholdMatrices[]>): void {
  if (binaryAnswers(run) !== run) show(plotRunClasses(run));
  show(plotRunMatrices(run, curve));
}

/** Index of the threshold that lies nearest to the one in use. */
function nearestStep(curve: readonly ThresholdMatrices[], threshold: number): number {
  let nearest = 0;
  curve.forEach((step, i) => {
    if (Math.abs(step.threshold - threshold) < Math.abs(curve[nearest]!.threshold - threshold)) nearest = i;
  });
  return nearest;
}

function panelsOf({ image, patient }: ThresholdMatrices): { unit: string; matrix: Matrix }[] {
  const images = { unit: "images", matrix: image };
  return patient === null ? [images] : [images, { unit: "patients", matrix: patient }];
}

function cellsOf({ counts, shares, intervals }: Matrix): { z: (number | null)[][]; text: string[][] } {
  return {
    z: shares.map((row) => row.map((share) => (Number.isNaN(share) ? null : roundTo(100 * share, 1)))),
    text: counts.map((row, i) =>
      row.map((count, j) => matrixCellText(count, shares[i]![j]!, intervals?.[i]?.[j])),
    ),
  };
}

function heatmap(unit: string, matrix: Matrix, names: string[], panel: number): Trace {
  const axisNumber = panel === 0 ? "" : String(panel + 1);
  return {
    type: "heatmap",
    name: unit,
    x: names,
    y: names,
    ...cellsOf(matrix),
    xaxis: `x${axisNumber}`,
    yaxis: `y${axisNumber}`,
    texttemplate: "%{text}",
    textfont: { size: 16 },
    hovertemplate: "true %{y}, answered %{x}<br>%{text} of the row<extra></extra>",
    ...shareHeat,
    showscale: false,
  };
}

function panelAxes(panels: number): Record<string, unknown> {
  const x = axis("answer", { type: "category", showgrid: false });
  const y = axis("true class", { type: "category", autorange: "reversed", showgrid: false });
  return panels === 1
    ? { xaxis: x, yaxis: y }
    : { xaxis: x, yaxis: y, xaxis2: x, yaxis2: { ...y, title: { text: "" } } };
}

function panelTitle(unit: string, { counts }: Matrix, panel: number): Record<string, unknown> {
  const total = counts.flat().reduce((sum, count) => sum + count, 0);
  const x = panel === 0 ? "x domain" : "x2 domain";
  const y = panel === 0 ? "y domain" : "y2 domain";
  return {
    xref: x,
    yref: y,
    x: 0.5,
    y: 1,
    yanchor: "bottom",
    text: `<b>${total} ${unit}</b>`,
    showarrow: false,
  };
}

function slider(curve: readonly ThresholdMatrices[], active: number, prefix: string) {
  const steps = curve.map((at) => {
    const cells = panelsOf(at).map(({ matrix }) => cellsOf(matrix));
    const change = { z: cells.map(({ z }) => z), text: cells.map(({ text }) => text) };
    const label = at.threshold.toFixed(2);
    return { method: "restyle", label, args: [change, cells.map((_, trace) => trace)] };
  });
  return {
    active,
    steps,
    currentvalue: { prefix, xanchor: "left", font: { size: 14 } },
    pad: { t: 56, b: 0 },
    ticklen: 4,
    font: { size: 11 },
    bgcolor: "rgba(134, 134, 134, 0.35)",
    activebgcolor: "#1f7fc4",
    bordercolor: "#868686",
    tickcolor: "#868686",
  };
}
