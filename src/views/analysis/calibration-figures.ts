import type { CalibratedTest } from "../../scores/calibrated-test";
import type { Reliability } from "../../scores/probability-scores";
import { categoryColour } from "../display/colours";
import { axis, type Figure, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { escapeLabel } from "../display/html";
import { referenceLine } from "../display/reference-line";

/** Probabilities before or after calibration, and how far they can be taken at their word. */
export interface CalibrationSeries {
  /** For example "as trained" or "after a temperature of 1.40". */
  name: string;
  reliability: Reliability;
  /** Brier score, in [0, 1]; 0 is best. */
  brier: number;
}

/** The test part's probabilities as the classifier gives them, and after the temperature. */
export function calibrationSeries({ fit, before, after }: CalibratedTest): CalibrationSeries[] {
  return [
    { name: "as trained", ...before },
    { name: `after a temperature of ${fit.temperature.toFixed(2)}`, ...after },
  ];
}

/**
 * Draws a reliability diagram: what share of the images to which a probability was given turned out to be of that
 * class, beside the line on which both are equal; below, how many images each point stands for.
 *
 * @param positiveName - The class whose probability is judged.
 */
export function plotReliability(
  series: readonly CalibrationSeries[],
  positiveName: string,
  synthetic = false,
): Figure {
  const name = escapeLabel(positiveName);
  const perfect = referenceLine("can be taken at their word", [0, 1], [0, 1]);
  return figure([perfect, ...series.flatMap(tracesOf)], {
    title: titleWithOrigin(`Probabilities of ${name}, and how often it was`, synthetic),
    xaxis: axis(`probability of ${name}`, { range: [-0.02, 1.02], anchor: "y2" }),
    yaxis: axis(`share that is ${name}`, { range: [-0.03, 1.03], domain: [0.34, 1] }),
    yaxis2: axis("images", { domain: [0, 0.22], rangemode: "tozero" }),
    barmode: "group",
    legend: { orientation: "h", x: 0, y: -0.16, yanchor: "top" },
    height: 560,
    width: 720,
    margin: { l: 64, r: 24, t: 60, b: 110 },
  });
}

function tracesOf({ name, reliability, brier }: CalibrationSeries, i: number): Trace[] {
  const bins = reliability.bins.filter(({ count }) => count > 0);
  const colour = categoryColour(i);
  const error = reliability.expectedCalibrationError.toFixed(3);
  const group = `series-${i}`;
  return [
    {
      type: "scatter",
      mode: "lines+markers",
      name: `${escapeLabel(name)}: ECE ${error}, Brier ${brier.toFixed(3)}`,
      legendgroup: group,
      x: bins.map(({ meanConfidence }) => roundTo(meanConfidence!, 3)),
      y: bins.map(({ observed }) => roundTo(observed!, 3)),
      text: bins.map(
        ({ count, low, high }) => `${count} images from ${low.toFixed(1)} to ${high.toFixed(1)}`,
      ),
      hovertemplate: "%{y:.2f} at %{x:.2f}<br>%{text}<extra></extra>",
      line: { color: colour, width: 2, dash: i === 0 ? "solid" : "dot" },
      marker: { size: 9, symbol: i === 0 ? "circle" : "diamond", color: colour },
    },
    {
      type: "bar",
      name: escapeLabel(name),
      legendgroup: group,
      showlegend: false,
      x: reliability.bins.map(({ low, high }) => roundTo((low + high) / 2, 3)),
      y: reliability.bins.map(({ count }) => count),
      yaxis: "y2",
      marker: { color: colour },
    },
  ];
}

/** Says which temperature was fitted, and what it changed on images that it was not fitted on. */
export function describeCalibration({ fit, before, after }: CalibratedTest): string {
  const images = before.reliability.bins.reduce((sum, { count }) => sum + count, 0);
  const error = changeText(
    before.reliability.expectedCalibrationError,
    after.reliability.expectedCalibrationError,
  );
  const brier = changeText(before.brier, after.brier);
  return `${fit.description} On the ${images} test images the expected calibration error ${error}, and the Brier score ${brier}.`;
}

function changeText(before: number, after: number): string {
  const [from, to] = [before.toFixed(3), after.toFixed(3)];
  if (from === to) return `stays at ${from}`;
  return `${after < before ? "falls" : "rises"} from ${from} to ${to}`;
}
