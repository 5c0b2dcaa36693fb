import { rowShares } from "../../scores/confusion-matrix";
import type { PrecisionRecallCurve, RocCurve } from "../../scores/curves";
import type { Interval } from "../../scores/intervals/bootstrap";
import { categoryColour, referenceColour, shareHeat } from "../display/colours";
import { pickDrawn } from "../display/drawn-points";
import { axis, type Figure, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { escapeLabel } from "../display/html";
import { referenceLine } from "../display/reference-line";

/**
 * Draws a confusion matrix; each cell holds its count and its share of the row, and is as dark as that share.
 *
 * @param matrix - Shape [classes, classes], rows true, columns predicted.
 * @param unit - What is counted, in the plural: "images" or "patients".
 */
export function plotConfusionMatrix(
  matrix: readonly (readonly number[])[],
  classes: readonly string[],
  unit: string,
  synthetic = false,
  intervals?: readonly (readonly Interval[])[],
): Figure {
  const names = classes.map(escapeLabel);
  const shares = rowShares(matrix);
  const cell: Trace = {
    type: "heatmap",
    name: escapeLabel(unit),
    x: names,
    y: names,
    z: shares.map((row) => row.map((share) => (Number.isNaN(share) ? null : roundTo(100 * share, 1)))),
    text: matrix.map((row, i) =>
      row.map((count, j) => matrixCellText(count, shares[i]![j]!, intervals?.[i]?.[j])),
    ),
    texttemplate: "%{text}",
    textfont: { size: 16 },
    hovertemplate: `true %{y}, predicted %{x}<br>%{text} of the row<extra></extra>`,
    ...shareHeat,
    colorbar: { title: { text: "% of row" }, thickness: 12 },
  };
  return figure([cell], {
    title: titleWithOrigin(`Test ${escapeLabel(unit)}: true class and answer`, synthetic),
    xaxis: axis("predicted class", { type: "category", showgrid: false }),
    yaxis: axis("true class", { type: "category", autorange: "reversed", showgrid: false }),
    height: 220 + 90 * classes.length,
    width: 320 + 150 * classes.length,
  });
}

/** A cell's count, its share of the row, and the share's interval where there is one. */
export function matrixCellText(count: number, share: number, interval: Interval | undefined): string {
  const text = Number.isNaN(share) ? `${count}` : `${count}<br>${(100 * share).toFixed(1)} %`;
  if (!interval || interval.low === null || interval.high === null) return text;
  return `${text}<br>(${(100 * interval.low).toFixed(0)}–${(100 * interval.high).toFixed(0)})`;
}

/** One receiver operating characteristic with its area, and the point at which decisions are really made. */
export interface RocSeries {
  /** What each score belongs to, in the plural: "images" or "patients". */
  unit: string;
  curve: RocCurve;
  /** Area under the curve, in [0, 1], NaN where only one class is present. */
  auc: number;
  /** The decision threshold that the classifier uses, in [0, 1]. */
  threshold: number;
}

/** Draws receiver operating characteristics beside the line of chance, each with its operating point. */
export function plotRocCurves(series: readonly RocSeries[], positiveName: string, synthetic = false): Figure {
  const name = escapeLabel(positiveName);
  const chance = referenceLine("chance: AUC 0.5", [0, 100], [0, 100]);
  return figure([...series.flatMap(rocTraces), chance], {
    title: titleWithOrigin(`How many ${name} are found, at what price`, synthetic),
    xaxis: axis("false positive rate (100 − specificity), %", { range: [-2, 102], constrain: "domain" }),
    yaxis: axis("true positive rate (sensitivity), %", { range: [-2, 102], scaleanchor: "x" }),
    height: 520,
    width: 760,
  });
}

function rocTraces(series: RocSeries, i: number): Trace[] {
  const colour = categoryColour(i === 0 ? 0 : 4);
  const percent = (rates: readonly number[]) => rates.map((rate) => roundTo(100 * rate, 2));
  const { falsePositiveRates, truePositiveRates } = series.curve;
  const point = operatingPoint(series.curve, series.threshold);
  const area = Number.isNaN(series.auc) ? "undefined, one class only" : series.auc.toFixed(3);
  return [
    {
      type: "scatter",
      mode: "lines",
      name: `${series.unit}: AUC ${area}`,
      x: percent(pickDrawn(falsePositiveRates)),
      y: percent(pickDrawn(truePositiveRates)),
      line: { color: colour, width: 2.5, dash: i === 0 ? "solid" : "dot" },
    },
    {
      type: "scatter",
      mode: "markers",
      name: `${series.unit}: decided at ${series.threshold.toFixed(2)}`,
      x: percent([falsePositiveRates[point]!]),
      y: percent([truePositiveRates[point]!]),
      marker: { color: colour, size: 12, symbol: i === 0 ? "circle" : "diamond" },
    },
  ];
}

/**
 * Finds the point of a curve that a threshold gives: the last whose own threshold is not below it.
 *
 * @param curve - Should hold every distinct score (`dropIntermediate: false`), or the point may be a neighbour.
 */
export function operatingPoint(curve: RocCurve, threshold: number): number {
  let point = 0;
  curve.thresholds.forEach((value, i) => {
    if (value >= threshold) point = i;
  });
  return point;
}

/** One precision–recall curve with its average precision. */
export interface PrecisionRecallSeries {
  /** What each score belongs to, in the plural: "images" or "patients". */
  unit: string;
  curve: PrecisionRecallCurve;
  /** In [0, 1]. */
  averagePrecision: number;
  /** Share of the positive class: the precision of calling everything positive, which is what chance reaches. */
  prevalence: number;
}

/** Draws how many of those called positive are, for each share of the positive ones that is found, beside chance. */
export function plotPrecisionRecall(
  series: readonly PrecisionRecallSeries[],
  positiveName: string,
  synthetic = false,
): Figure {
  const name = escapeLabel(positiveName);
  return figure(series.flatMap(precisionTraces), {
    title: titleWithOrigin(`Of those called ${name}, how many are`, synthetic),
    xaxis: axis("recall (sensitivity), %", { range: [-2, 102] }),
    yaxis: axis("precision (positive predictive value), %", { range: [-2, 102] }),
    height: 480,
    width: 760,
  });
}

function precisionTraces(series: PrecisionRecallSeries, i: number): Trace[] {
  const color = categoryColour(i === 0 ? 0 : 4);
  const dash = i === 0 ? "solid" : "dot";
  const percent = (rates: readonly number[]) => rates.map((rate) => roundTo(100 * rate, 2));
  const share = roundTo(100 * series.prevalence, 1);
  return [
    {
      type: "scatter",
      mode: "lines",
      name: `${series.unit}: average precision ${series.averagePrecision.toFixed(3)}`,
      x: percent(pickDrawn(series.curve.recalls)),
      y: percent(pickDrawn(series.curve.precisions)),
      line: { color, width: 2.5, dash, shape: "hv" },
    },
    {
      ...referenceLine(`${series.unit}, chance: ${share} %`, [0, 100], [share, share]),
      line: { color: referenceColour, dash: i === 0 ? "dash" : "dot", width: 1.5 },
    },
  ];
}

const probabilityBins = 20;

/**
 * Draws how probabilities of the positive class are distributed among each true class.
 *
 * @param probabilities - Shape [n], in [0, 1]; counted in 20 bins, the last of which includes 1.
 * @param trueLabels - Shape [n].
 */
export function plotProbabilities(
  probabilities: readonly number[],
  trueLabels: readonly number[],
  classes: readonly string[],
  colours: readonly string[],
  positiveName: string,
  synthetic = false,
): Figure {
  const bars = classes.map((name, label): Trace => {
    const counts = new Array<number>(probabilityBins).fill(0);
    probabilities.forEach((probability, i) => {
      const bin = Math.min(probabilityBins - 1, Math.floor(probability * probabilityBins));
      if (trueLabels[i] === label) counts[bin]! += 1;
    });
    return {
      type: "bar",
      name: `truly ${escapeLabel(name)}`,
      x: counts.map((_, bin) => roundTo((bin + 0.5) / probabilityBins, 3)),
      y: counts,
      width: 1 / probabilityBins,
      marker: { color: colours[label] },
    };
  });
  const name = escapeLabel(positiveName);
  return figure(bars, {
    title: titleWithOrigin(`How sure the classifier is that an image is ${name}`, synthetic),
    barmode: "stack",
    xaxis: axis(`probability of ${name}`, { range: [0, 1] }),
    yaxis: axis("test images"),
  });
}
