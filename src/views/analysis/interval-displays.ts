import { pushAll } from "../../runtime/many";
import type { ScoredLevel, ScoreIntervals } from "../../scores/intervals/score-intervals";
import { negativePredictiveValueAtPrevalence, precisionAtPrevalence } from "../../scores/metrics";
import type { ScoreName } from "../../scores/weighed-scores";
import { categoryColour, referenceColour } from "../display/colours";
import { errorBars, inPercent } from "../display/error-bars";
import { axis, type Figure, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { percent } from "../display/findings";
import { type PlainTable, plainTable } from "../display/plain-table";
import { scoreNames, scoreOrder, scoreText, shareText } from "../display/score-names";
import type { Cell } from "../display/table-html";

/** How a table of scores is headed. */
export interface IntervalOptions {
  /** What was scored, for example "the test part". */
  of: string;
  synthetic?: boolean;
}

/** How a table of scores is headed, and for which prevalence it restates predictive values. */
export interface IntervalTableOptions extends IntervalOptions {
  /** Share of positives among those examined, in [0, 1]; without it nothing is restated. */
  prevalence?: number;
}

/** Scores by image and by patient with their intervals, the accuracy beside that of the majority class. */
export function intervalsTable(scores: ScoreIntervals, options: IntervalTableOptions): PlainTable {
  const { image, patient } = scores;
  const { of, prevalence, synthetic = false } = options;
  const each = (text: (level: ScoredLevel) => Cell) =>
    [text(image), patient === null ? null : text(patient)] as const;
  const rows: Record<string, Cell>[] = [
    row("how many", ...each(({ count }) => String(count))),
    scoreRow("accuracy", scores),
    row("always the majority class", ...each((level) => percent(level.majorityClassAccuracy))),
    ...scoreOrder.slice(1).map((name) => scoreRow(name, scores)),
  ];
  if (prevalence !== undefined) pushAll(rows, predictiveRows(prevalence, each));
  if (patient !== null) {
    rows.push(row("patient recognition rate", null, shareText(patient.patientRecognitionRate)));
  }
  const level = roundTo(100 * image.scores.accuracy.level, 1);
  const caption = titleWithOrigin(`Scores of ${of}, with ${level} % intervals`, synthetic);
  const told = rows.filter((one) =>
    Object.values(one)
      .slice(1)
      .some((cell) => cell !== null && cell !== "–"),
  );
  const columns = ["score", "by image", ...(patient === null ? [] : ["by patient"])];
  return plainTable(told, `${caption}. ${scores.patientClass ?? ""}`.trimEnd(), columns);
}

type ForEachLevel = (text: (level: ScoredLevel) => Cell) => readonly [Cell, Cell];

/** Predictive values where the positive class is as frequent as stated, of the sensitivity and specificity found. */
function predictiveRows(prevalence: number, each: ForEachLevel): Record<string, Cell>[] {
  const at = `if ${roundTo(100 * prevalence, 1)} % are positive`;
  const value = (level: ScoredLevel, compute: typeof precisionAtPrevalence) => {
    const { sensitivity, specificity } = level.scores;
    const [found, spared] = [sensitivity.value ?? Number.NaN, specificity.value ?? Number.NaN];
    return percent(compute(found, spared, prevalence));
  };
  return [
    row(`positive predictive value, ${at}`, ...each((level) => value(level, precisionAtPrevalence))),
    row(
      `negative predictive value, ${at}`,
      ...each((level) => value(level, negativePredictiveValueAtPrevalence)),
    ),
  ];
}

function row(score: string, image: Cell, patient: Cell): Record<string, Cell> {
  return { score, "by image": image, "by patient": patient };
}

function scoreRow(name: ScoreName, { image, patient }: ScoreIntervals): Record<string, Cell> {
  const text = (level: ScoredLevel | null) => (level === null ? null : scoreText(name, level.scores[name]));
  return row(scoreNames[name], text(image), text(patient));
}

/** Matthews' correlation can be negative, the Brier score and the log loss are best at 0: they stay in the table. */
const tabled: readonly ScoreName[] = ["matthewsCorrelation", "brierScore", "logLoss"];
const drawn: readonly ScoreName[] = scoreOrder.filter((name) => !tabled.includes(name));

/** Draws scores by image and by patient with their intervals, beside what takes no skill. */
export function plotScoreIntervals(
  scores: ScoreIntervals,
  classCount: number,
  { of, synthetic = false }: IntervalOptions,
): Figure {
  const { image, patient } = scores;
  const names = drawn.filter((name) => image.scores[name].value !== null);
  const levels = [
    { level: image, unit: "images", symbol: "circle", colour: categoryColour(0) },
    ...(patient === null
      ? []
      : [{ level: patient, unit: "patients", symbol: "diamond", colour: categoryColour(1) }]),
  ];
  const offset = (i: number) => (levels.length === 1 ? 0 : i === 0 ? -0.16 : 0.16);
  const traces = levels.map(
    ({ level, unit, symbol, colour }, i): Trace => ({
      ...points(level, names, offset(i)),
      name: `${level.count} ${unit}`,
      marker: { size: 10, symbol, color: colour },
    }),
  );
  const level = roundTo(100 * image.scores.accuracy.level, 1);
  return figure([noSkill(levels, names, classCount, offset), ...traces], {
    title: titleWithOrigin(`Scores of ${of}, with ${level} % intervals`, synthetic),
    xaxis: axis("%", { range: [-2, 102] }),
    yaxis: axis("", {
      tickvals: names.map((_, i) => i),
      ticktext: names.map((name) => scoreNames[name]),
      range: [names.length - 0.5, -0.5],
      zeroline: false,
    }),
    // Below the axis title, however low the plot is.
    legend: { orientation: "h", x: 0, y: -64 / (44 * names.length), yanchor: "top" },
    height: 156 + 44 * names.length,
    margin: { l: 64, r: 24, t: 60, b: 96 },
  });
}

function points(level: ScoredLevel, names: readonly ScoreName[], offset: number): Trace {
  const intervals = names.map((name) => level.scores[name]);
  return {
    type: "scatter",
    mode: "markers",
    x: intervals.map(({ value }) => inPercent(value)),
    y: names.map((_, i) => i + offset),
    text: names.map((name) => `${scoreNames[name]}: ${scoreText(name, level.scores[name])}`),
    hovertemplate: "%{text}<extra>%{fullData.name}</extra>",
    error_x: errorBars(intervals, 5),
  };
}

/** The majority class for the accuracy; for balanced accuracy and AUC, what guessing reaches. */
function noSkill(
  levels: readonly { level: ScoredLevel }[],
  names: readonly ScoreName[],
  classCount: number,
  offset: (i: number) => number,
): Trace {
  const marks = levels.flatMap(({ level }, i) =>
    names.flatMap((name, y) => {
      if (name === "accuracy") return [{ x: level.majorityClassAccuracy, y: y + offset(i) }];
      if (name === "balancedAccuracy") return [{ x: 1 / classCount, y: y + offset(i) }];
      return name === "auc" ? [{ x: 0.5, y: y + offset(i) }] : [];
    }),
  );
  return {
    type: "scatter",
    mode: "markers",
    name: "no skill: always the majority class (accuracy), or guessing",
    x: marks.map(({ x }) => inPercent(x)),
    y: marks.map(({ y }) => y),
    hovertemplate: "%{x} %<extra>no skill</extra>",
    marker: { symbol: "line-ns-open", size: 16, color: referenceColour, line: { width: 3 } },
  };
}
