import { largest } from "../../runtime/many";
import type { EpochRecord } from "../../training/head/train";
import { partColours, referenceColour } from "../display/colours";
import { axis, type Figure, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { referenceLine } from "../display/reference-line";

/** What training curves are drawn with besides the epochs themselves. */
export interface CurveOptions {
  /** The epoch whose weights are kept, marked by a line. */
  bestEpoch?: number;
  /** Accuracy of always answering the majority class on the validation part, in [0, 1], drawn for comparison. */
  majorityAccuracy?: number;
  /** Epochs on the horizontal axis from the start, so that a live figure does not change its scale. */
  plannedEpochs?: number;
  synthetic?: boolean;
}

/** Draws loss (left) and accuracy (right) of train and validation, epoch by epoch. */
export function plotTrainingCurves(history: readonly EpochRecord[], options: CurveOptions = {}): Figure {
  const lastEpoch = largest([1, options.plannedEpochs ?? 0, ...history.map((record) => record.epoch)]);
  const drawn = drawnEpochs(history);
  const epochAxis = { range: [0.5, lastEpoch + 0.5], tickformat: "d" };
  return figure([...lossCurves(drawn), ...accuracyCurves(drawn, options, lastEpoch)], {
    title: titleWithOrigin("Loss and accuracy, epoch by epoch", options.synthetic ?? false),
    grid: { rows: 1, columns: 2, pattern: "independent", xgap: 0.16 },
    xaxis: axis("epoch", epochAxis),
    xaxis2: axis("epoch", epochAxis),
    yaxis: axis("loss, cross-entropy", { rangemode: "tozero" }),
    yaxis2: axis("accuracy, %", { range: [0, 103] }),
    legend: { orientation: "h", x: 0, y: -0.22, yanchor: "top" },
    margin: { l: 64, r: 24, t: 64, b: 96 },
    shapes:
      options.bestEpoch === undefined ? [] : ["x", "x2"].map((x) => bestEpochLine(x, options.bestEpoch!)),
    annotations: options.bestEpoch === undefined ? [] : [bestEpochLabel(options.bestEpoch)],
    // Keeps what the reader zoomed into while the figure is updated.
    uirevision: "training",
  });
}

/** Stretches of a long training of which two epochs are drawn each: a curve is some 300 pixels wide. */
const stretches = 150;

/**
 * The epochs that are drawn: all of them, or of a long training those with the lowest and the highest loss on the
 * validation part in each stretch, with the first and the last. Thousands would keep a browser busy that has to draw
 * them twice a second.
 */
function drawnEpochs(history: readonly EpochRecord[]): readonly EpochRecord[] {
  if (history.length <= 2 * stretches) return history;
  const length = Math.ceil(history.length / stretches);
  const chosen = new Set([history[0]!]);
  for (let start = 0; start < history.length; start += length) {
    const stretch = history.slice(start, start + length);
    const byLoss = [...stretch].sort((a, b) => a.validationLoss - b.validationLoss);
    const ends = [byLoss[0]!, byLoss.at(-1)!].sort((a, b) => a.epoch - b.epoch);
    for (const record of ends) chosen.add(record);
  }
  return [...chosen.add(history.at(-1)!)];
}

/** With more epochs than this, marks run into each other, and cost time to draw. */
const markerLimit = 100;

function lossCurves(history: readonly EpochRecord[]): Trace[] {
  return [
    curve("train", history, (record) => roundTo(record.trainLoss, 4), ""),
    curve("validation", history, (record) => roundTo(record.validationLoss, 4), ""),
  ];
}

function accuracyCurves(history: readonly EpochRecord[], options: CurveOptions, lastEpoch: number): Trace[] {
  const curves = [
    curve("train", history, (record) => roundTo(100 * record.trainAccuracy, 2), "2"),
    curve("validation", history, (record) => roundTo(100 * record.validationAccuracy, 2), "2"),
  ].map((trace) => ({ ...trace, showlegend: false }));
  if (options.majorityAccuracy === undefined) return curves;
  const share = roundTo(100 * options.majorityAccuracy, 1);
  const majority: Trace = {
    ...referenceLine(`always the majority class: ${share} %`, [1, lastEpoch], [share, share]),
    xaxis: "x2",
    yaxis: "y2",
  };
  return [...curves, majority];
}

function curve(
  part: "train" | "validation",
  history: readonly EpochRecord[],
  value: (record: EpochRecord) => number,
  axisNumber: "" | "2",
): Trace {
  return {
    type: "scatter",
    mode: history.length > markerLimit ? "lines" : "lines+markers",
    name: part,
    legendgroup: part,
    x: history.map((record) => record.epoch),
    y: history.map(value),
    xaxis: `x${axisNumber}`,
    yaxis: `y${axisNumber}`,
    line: { color: partColours[part], width: 2 },
    marker: { size: 5, symbol: part === "train" ? "circle" : "diamond" },
  };
}

function bestEpochLine(x: string, epoch: number): Record<string, unknown> {
  const line = { color: referenceColour, width: 1.5, dash: "dot" };
  return { type: "line", xref: x, yref: "paper", x0: epoch, x1: epoch, y0: 0, y1: 1, line };
}

function bestEpochLabel(epoch: number): Record<string, unknown> {
  const place = { xref: "x", yref: "paper", x: epoch, y: 1, yanchor: "bottom" };
  return { ...place, text: `best epoch: ${epoch}`, showarrow: false };
}
