import { referenceColour, shareHeat } from "../display/colours";
import { displayable } from "../display/display";
import { type Figure, figure, plotlyMimeType, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { escapeLabel } from "../display/html";
import { liveHtml } from "./live-html";
import { plotTrainingCurves } from "./training-figures";
import {
  type Answer,
  answersOf,
  currentMatrix,
  footerLine,
  progressLine,
  shareDone,
  type TrainingPlan,
  type TrainingState,
} from "./training-state";

/** Where things are, as shares of the drawing's width and height. */
const place = {
  bar: { low: 0.93, high: 0.95 },
  charts: [0.47, 0.83],
  loss: [0, 0.3],
  accuracy: [0.38, 0.68],
  matrix: [0.79, 1],
  legend: 0.36,
  pictures: { top: 0.26, height: 0.155 },
  captions: 0.105,
  footer: -0.01,
} as const;

const picturesHeading = "<b>Some validation images</b>: the truth, and what the head takes them for";

/**
 * Draws a training as it stands: progress, loss and accuracy by epoch, the validation part's confusion matrix, some of
 * its images with what the head takes them for, device and memory. Without scripts it is a page of tables.
 */
export function plotTraining(plan: TrainingPlan, state: TrainingState): Figure {
  const answers = answersOf(plan, state);
  const text = [titleWithOrigin("Training", plan.synthetic), progressLine(plan, state)];
  const drawn = figure(
    [
      ...plotTrainingCurves(state.history, {
        majorityAccuracy: plan.majorityAccuracy,
        plannedEpochs: state.ended === null ? plan.epochs : 1,
      }).data,
      matrixTrace(plan, answers),
    ],
    {
      title: text[0],
      height: 680,
      margin: { l: 60, r: 20, t: 50, b: 44 },
      ...liveAxes(plan, state),
      legend: { orientation: "h", x: 0, y: place.legend, yanchor: "top", traceorder: "normal" },
      shapes: [...barShapes(shareDone(plan, state)), ...bestEpochLines(state)],
      images: plan.watched.map((image, i) => pictureOf(image.thumbnail, i, plan.watched.length)),
      annotations: [
        ...headings(state),
        note(text[1]!, 0, place.bar.high, { yanchor: "bottom" }),
        note(picturesHeading, 0, place.pictures.top + 0.01, { yanchor: "bottom" }),
        ...plan.watched.map((image, i) =>
          note(captionOf(plan, answers[image.position], image), i / plan.watched.length, place.captions, {
            yanchor: "top",
            font: { size: 11 },
          }),
        ),
        note(escapeLabel(footerLine(state)), 0, place.footer, {
          yanchor: "top",
          font: { size: 11 },
        }),
      ],
      // Keeps what the reader zoomed into while the figure is updated.
      uirevision: "training",
    },
  );
  const { data, layout } = drawn;
  return displayable({ data, layout }, () => ({
    [plotlyMimeType]: { data, layout },
    "text/html": liveHtml(plan, state),
    "text/plain": text.join(". "),
  }));
}

/** A line of text whose lower or upper left corner is given. */
function note(text: string, x: number, y: number, more: Record<string, unknown>): Record<string, unknown> {
  return {
    text,
    x,
    y,
    xref: "paper",
    yref: "paper",
    xanchor: "left",
    align: "left",
    showarrow: false,
    ...more,
  };
}

function headings(state: TrainingState): Record<string, unknown>[] {
  const epoch = state.said === null ? "" : `, epoch ${state.said.epoch}`;
  const all: [string, number][] = [
    ["<b>Loss</b>", place.loss[0]],
    ["<b>Accuracy</b>", place.accuracy[0]],
    [`<b>Validation${epoch}</b>`, place.matrix[0]],
  ];
  return all.map(([text, x]) => note(text, x, place.charts[1] + 0.01, { yanchor: "bottom" }));
}

function liveAxes(plan: TrainingPlan, state: TrainingState): Record<string, unknown> {
  // Afterwards the curves take the whole width, also where training ended early.
  const last = state.ended === null ? plan.epochs : Math.max(1, state.history.length);
  const epochs = { title: { text: "epoch", standoff: 6 }, range: [0.5, last + 0.5], tickformat: "d" };
  const upright = { domain: [...place.charts] };
  const category = { type: "category", showgrid: false, zeroline: false };
  return {
    xaxis: { ...epochs, domain: [...place.loss], anchor: "y" },
    yaxis: { ...upright, title: { text: "cross-entropy", standoff: 6 }, rangemode: "tozero", anchor: "x" },
    xaxis2: { ...epochs, domain: [...place.accuracy], anchor: "y2" },
    yaxis2: { ...upright, title: { text: "%", standoff: 6 }, range: [0, 103], anchor: "x2" },
    xaxis3: {
      ...category,
      title: { text: "predicted", standoff: 6 },
      domain: [...place.matrix],
      anchor: "y3",
    },
    yaxis3: {
      ...category,
      ...upright,
      title: { text: "true", standoff: 6 },
      autorange: "reversed",
      tickangle: -90,
      anchor: "x3",
    },
  };
}

function matrixTrace(plan: TrainingPlan, answers: readonly Answer[]): Trace {
  const matrix = currentMatrix(plan, answers);
  const names = plan.classes.map(escapeLabel);
  const shares = matrix.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => (total === 0 ? 0 : roundTo((100 * count) / total, 1)));
  });
  return {
    type: "heatmap",
    name: "validation images",
    x: names,
    y: names,
    z: shares,
    text: matrix.map((row) => row.map(String)),
    texttemplate: "%{text}",
    textfont: { size: 15 },
    hovertemplate: "true %{y}, predicted %{x}<br>%{text} images<extra></extra>",
    xaxis: "x3",
    yaxis: "y3",
    ...shareHeat,
    showscale: false,
  };
}

function barShapes(share: number): Record<string, unknown>[] {
  const { low, high } = place.bar;
  const rectangle = {
    type: "rect",
    xref: "paper",
    yref: "paper",
    x0: 0,
    y0: low,
    y1: high,
    line: { width: 0 },
  };
  return [
    { ...rectangle, x1: 1, fillcolor: referenceColour, opacity: 0.3 },
    { ...rectangle, x1: share, fillcolor: "#1f7fc4" },
  ];
}

function bestEpochLines({ ended }: TrainingState): Record<string, unknown>[] {
  if (ended === null || ended.bestEpoch === 0) return [];
  const line = { color: referenceColour, width: 1.5, dash: "dot" };
  const epoch = ended.bestEpoch;
  return ["", "2"].map((n) => ({
    type: "line",
    xref: `x${n}`,
    yref: `y${n} domain`,
    x0: epoch,
    x1: epoch,
    y0: 0,
    y1: 1,
    line,
  }));
}

function pictureOf(source: string, i: number, count: number): Record<string, unknown> {
  const { top, height } = place.pictures;
  const size = { sizex: 0.94 / count, sizey: height, sizing: "contain", xanchor: "left", yanchor: "top" };
  return { source, xref: "paper", yref: "paper", x: i / count, y: top, ...size };
}

/** Longer names would run into the next picture's. */
const longestName = 16;

function shortName(name: string): string {
  return escapeLabel(name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name);
}

/** The truth, the patient and the answer, a line each. */
function captionOf(
  plan: TrainingPlan,
  answer: Answer | undefined,
  { position, origin }: TrainingPlan["watched"][number],
): string {
  const truth = `<b>${shortName(plan.classes[plan.validationLabels[position]!]!)}</b><br>${shortName(origin)}`;
  if (answer === undefined) return `${truth}<br>not asked yet`;
  const mark = answer.predicted === answer.label ? "✓" : "✗";
  const share = `${Math.round(100 * answer.probability)} %`;
  return `${truth}<br>${mark} ${shortName(plan.classes[answer.predicted]!)}, ${share}`;
}
