import type { ValidatedScores } from "../../experiments/summarize-validation";
import type { FoldScores } from "../../scores/fold-scores";
import type { ScoreIntervals } from "../../scores/intervals/score-intervals";
import { categoryColour, referenceColour } from "../display/colours";
import { errorBars, inPercent } from "../display/error-bars";
import { axis, type Figure, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { shareText } from "../display/score-names";

/** Draws each fold's accuracy by image beside its majority class, and all folds together with their interval. */
export function plotCrossValidation(
  folds: readonly FoldScores[],
  scores: ScoreIntervals,
  synthetic = false,
): Figure {
  const several = folds.some(({ repeat }) => repeat > 0);
  const names = folds.map(
    ({ fold, repeat, patients }) =>
      `${several ? `repeat ${repeat + 1}, ` : ""}fold ${fold + 1}<br>${patients} patients`,
  );
  const single = (name: string, value: (fold: FoldScores) => number, marker: object): Trace => ({
    type: "scatter",
    mode: "markers",
    name,
    x: names,
    y: folds.map((fold) => inPercent(value(fold))),
    hovertemplate: `%{x}: %{y} %<extra>${name}</extra>`,
    marker,
  });
  const traces: Trace[] = [
    single("images of one fold", ({ accuracy }) => accuracy, { size: 10, color: categoryColour(0) }),
    pooled("images of all folds", "all folds,<br>by image", scores.image, categoryColour(0), "circle"),
    ...(scores.patient === null
      ? []
      : [
          pooled(
            "patients of all folds",
            "all folds,<br>by patient",
            scores.patient,
            categoryColour(1),
            "diamond",
          ),
        ]),
    majorityMarks(names, folds, scores),
  ];
  return figure(traces, {
    title: titleWithOrigin("Cross-validation by patient: accuracy on patients never seen", synthetic),
    xaxis: axis("", { type: "category" }),
    yaxis: axis("accuracy, %", { range: [-3, 103] }),
    legend: { orientation: "h", x: 0, y: -0.22, yanchor: "top" },
    height: 460,
    margin: { l: 64, r: 24, t: 60, b: 110 },
  });
}

function pooled(
  name: string,
  place: string,
  { scores: { accuracy } }: ScoreIntervals["image"],
  color: string,
  symbol: string,
): Trace {
  return {
    type: "scatter",
    mode: "markers",
    name: `${name}, ${roundTo(100 * accuracy.level, 1)} % interval`,
    x: [place],
    y: [inPercent(accuracy.value)],
    text: [shareText(accuracy)],
    hovertemplate: "%{text}<extra></extra>",
    error_y: errorBars([accuracy]),
    marker: { size: 13, color, symbol },
  };
}

function majorityMarks(names: string[], folds: readonly FoldScores[], scores: ScoreIntervals): Trace {
  const { image, patient } = scores;
  const pooledPlaces = ["all folds,<br>by image", ...(patient === null ? [] : ["all folds,<br>by patient"])];
  const pooledShares = [
    image.majorityClassAccuracy,
    ...(patient === null ? [] : [patient.majorityClassAccuracy]),
  ];
  return {
    type: "scatter",
    mode: "markers",
    name: "always the majority class",
    x: [...names, ...pooledPlaces],
    y: [...folds.map(({ majorityClassAccuracy }) => majorityClassAccuracy), ...pooledShares].map((share) =>
      inPercent(share),
    ),
    hovertemplate: "%{x}: %{y} %<extra>majority class</extra>",
    marker: { symbol: "line-ew-open", size: 18, color: referenceColour, line: { width: 3 } },
  };
}

/** Says how much was validated, and what came of it. */
export function describeCrossValidation(validated: ValidatedScores): string {
  const { foldCount, repeats, folds, scores, complete, seconds } = validated;
  const planned = foldCount * repeats;
  const extent = complete
    ? `${foldCount} folds${repeats > 1 ? `, ${repeats} times` : ""}`
    : `${folds.length} of ${planned} folds, then it was stopped`;
  const image = shareText(scores.image.scores.accuracy);
  const patient = scores.patient === null ? "" : `, by patient ${shareText(scores.patient.scores.accuracy)}`;
  const coarse = scores.patient === null ? "" : ` ${scores.patient.coarseness}`;
  return `${extent} in ${seconds.toFixed(1)} s: accuracy by image ${image}${patient}.${coarse}`;
}
