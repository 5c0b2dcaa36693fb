import type { StainAblation } from "../../experiments/stain-ablation";
import type { Interval } from "../../scores/intervals/bootstrap";
import { categoryColour } from "../display/colours";
import { noteDisplay } from "../display/display";
import { errorBars, inPercent } from "../display/error-bars";
import { axis, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { percent } from "../display/findings";
import { referenceLine } from "../display/reference-line";
import { shareText } from "../display/score-names";
import type { FigureOrNote } from "./run-figures";

const stopped = "The comparison of stains was stopped before a seed was finished, so nothing can be said.";

const arms = [
  { arm: "none", name: "as they are" },
  { arm: "normalised", name: "normalised" },
  { arm: "augmented", name: "augmented" },
] as const;

/**
 * Draws the accuracy on the test images with stains as they are, normalised, and augmented.
 *
 * @param majorityAccuracy - Of always answering the test part's majority class, in [0, 1].
 */
export function plotStains(
  ablation: StainAblation,
  majorityAccuracy: number,
  synthetic = false,
): FigureOrNote {
  const { accuracy, seeds } = ablation;
  if (accuracy === null) return noteDisplay(stopped);
  const intervals = arms.map(({ arm }) => accuracy[arm]);
  const means: Trace = {
    type: "scatter",
    mode: "markers",
    name: `mean of ${seeds.length} seeds, ${roundTo(100 * accuracy.none.level, 1)} % interval`,
    x: arms.map(({ name }) => name),
    y: intervals.map(({ value }) => inPercent(value)),
    text: intervals.map(shareText),
    hovertemplate: "%{text}<extra></extra>",
    error_y: errorBars(intervals),
    marker: { size: 13, color: categoryColour(0) },
  };
  const majority = referenceLine(
    `always the majority class: ${percent(majorityAccuracy)}`,
    arms.map(({ name }) => name),
    arms.map(() => inPercent(majorityAccuracy)),
  );
  return figure([majority, means], {
    title: titleWithOrigin("Accuracy on the test images, by what is done about stains", synthetic),
    xaxis: axis("stains of the training images", { type: "category" }),
    yaxis: axis("accuracy, %", { range: [0, 103] }),
    height: 420,
    width: 760,
  });
}

/** Says what treating stains brought; it claims a gain or a loss only where the interval leaves zero out. */
export function describeStains({ accuracy, seeds, complete }: StainAblation): string {
  if (accuracy === null) return stopped;
  const base = `With stains as they are, accuracy on the test images is ${shareText(accuracy.none)}, mean of ${seeds.length} seeds.`;
  const gains = [
    gainText("Normalisation", accuracy.normalisedGain),
    gainText("Augmentation", accuracy.augmentedGain),
  ];
  const ending = complete ? [] : ["It was stopped before all seeds were finished."];
  return [base, ...gains, ...ending].join(" ");
}

function gainText(what: string, { value, low, high, level }: Interval): string {
  if (value === null || low === null || high === null) return `${what}: nothing can be said.`;
  const points = (share: number) => (100 * share).toFixed(1);
  const range = `${roundTo(100 * level, 1)} % interval ${points(low)} to ${points(high)}`;
  if (low > 0) return `${what} gains ${points(value)} points (${range}).`;
  if (high < 0) return `${what} loses ${points(-value)} points (${range}).`;
  return `${what} could not be shown to change it: ${points(value)} points (${range}).`;
}
