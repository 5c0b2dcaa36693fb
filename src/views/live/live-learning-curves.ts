import {
  type LearningCurves,
  type LearningCurvesTask,
  type LearningPoint,
  measureLearningCurves,
} from "../../experiments/learning-curves";
import { largest, smallest } from "../../runtime/many";
import type { Interval } from "../../scores/intervals/bootstrap";
import { categoryColour } from "../display/colours";
import { errorBars, inPercent } from "../display/error-bars";
import { axis, type Figure, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { escapeLabel } from "../display/html";
import { type LiveOutput, liveOutput } from "../display/notebook";
import { type PlainTable, plainTable } from "../display/plain-table";
import { referenceLine } from "../display/reference-line";
import { scoreText } from "../display/score-names";

const balancedAccuracyOf = ({ scores }: LearningPoint): Interval => scores.image.scores.balancedAccuracy;

const armsOf = (points: readonly LearningPoint[]): string[] => [...new Set(points.map(({ arm }) => arm))];

/** What answering by chance reaches, in balanced accuracy. */
const chanceOf = (classCount: number): number => inPercent(1 / classCount);

function armTrace(name: string, i: number, points: readonly LearningPoint[]): Trace {
  const own = points.filter(({ arm }) => arm === name);
  return {
    type: "scatter",
    mode: "lines+markers",
    name: escapeLabel(name),
    x: own.map(({ patients }) => roundTo(patients, 1)),
    y: own.map((point) => inPercent(balancedAccuracyOf(point).value)),
    text: own.map(
      ({ images, share }) => `${roundTo(100 * share, 1)} % of the patients, ${Math.round(images)} images`,
    ),
    hovertemplate: "%{y} % with %{x} patients<br>%{text}<extra></extra>",
    error_y: { ...errorBars(own.map(balancedAccuracyOf), 5), thickness: 1.5 },
    line: { color: categoryColour(i), width: 2 },
    marker: { size: 9, color: categoryColour(i), symbol: ["circle", "diamond", "square"][i % 3] },
  };
}

/**
 * Draws how good each way of learning is with few and with many patients: balanced accuracy on the images of the test
 * part, with intervals that resample its patients.
 */
export function plotLearningCurves(
  points: readonly LearningPoint[],
  options: { classCount: number; synthetic?: boolean },
): Figure {
  const { classCount, synthetic = false } = options;
  const patients = points.map((point) => point.patients);
  const chance: Trace = {
    ...referenceLine(
      `guessing: ${chanceOf(classCount)} %`,
      [smallest(patients), largest(patients)],
      [chanceOf(classCount), chanceOf(classCount)],
    ),
    hoverinfo: "skip",
  };
  const level = points[0] === undefined ? 95 : roundTo(100 * balancedAccuracyOf(points[0]).level, 1);
  return figure([...armsOf(points).map((name, i) => armTrace(name, i, points)), chance], {
    title: titleWithOrigin("How many patients does it take?", synthetic),
    xaxis: axis("patients learned from (logarithmic)", {
      type: "log",
      tickvals: [...new Set(patients)],
      ticktext: [...new Set(patients)].map((count) => String(roundTo(count, 1))),
    }),
    yaxis: axis(`balanced accuracy, %, ${level} % interval`),
    legend: { orientation: "h", x: 0, y: -0.22, yanchor: "top" },
    height: 480,
    margin: { l: 64, r: 24, t: 60, b: 120 },
  });
}

/** The same points as a table, with AUC where there is one. */
export function learningCurvesTable({ points }: LearningCurves, synthetic = false): PlainTable {
  const rows = points.map((point) => ({
    "learned with": point.arm,
    patients: roundTo(point.patients, 1),
    images: Math.round(point.images),
    "balanced accuracy": scoreText("balancedAccuracy", balancedAccuracyOf(point)),
    AUC: scoreText("auc", point.scores.image.scores.auc),
  }));
  return plainTable(rows, titleWithOrigin("Learning curves, on the images of the test part", synthetic));
}

/**
 * Measures learning curves and draws them as they grow, in one place of the running cell.
 *
 * @throws Error as `measureLearningCurves` does.
 */
export async function learningCurves(
  task: LearningCurvesTask & { output?: LiveOutput },
): Promise<LearningCurves> {
  const { output = liveOutput(), ...rest } = task;
  const options = { classCount: task.dataset.classes.length, synthetic: task.dataset.synthetic };
  const onPoint: LearningCurvesTask["onPoint"] = (points) => {
    task.onPoint?.(points);
    output.update(plotLearningCurves(points, options));
  };
  return measureLearningCurves({ ...rest, onPoint });
}

/** Whether two intervals don't meet: a cautious test, since both are of the same patients. */
function liesAbove(one: Interval, other: Interval): boolean {
  return one.low !== null && other.high !== null && one.low > other.high;
}

/** Says what the curves show at their smallest and at their largest share, as far as intervals allow. */
export function describeLearningCurves(curves: LearningCurves): string {
  const { points, testPatients, complete } = curves;
  if (points.length === 0) return "It was stopped before a point was finished, so nothing can be said.";
  const shares = [...new Set(points.map(({ share }) => share))];
  const sentences = [...new Set([shares[0]!, shares[shares.length - 1]!])].map((share) => {
    const own = points.filter((point) => point.share === share);
    const best = own.reduce((one, other) =>
      (balancedAccuracyOf(other).value ?? 0) > (balancedAccuracyOf(one).value ?? 0) ? other : one,
    );
    const interval = balancedAccuracyOf(best);
    const clear = own.every((other) => other === best || liesAbove(interval, balancedAccuracyOf(other)));
    const others = own.length === 1 ? "" : clear ? ", clearly ahead" : "; the others are not clearly worse";
    return `With ${roundTo(best.patients, 1)} patients, ${best.arm} did best: balanced accuracy ${scoreText("balancedAccuracy", interval)}${others}.`;
  });
  const stopped = complete ? "" : " It was stopped before the end.";
  return `${sentences.join(" ")} Judged on ${testPatients} patients of whom none was learned from.${stopped}`;
}
