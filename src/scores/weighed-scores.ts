import type { DecisionRule } from "../model/classifier/decision";
import type { WeighedStatistics } from "./intervals/bootstrap";
import { type MatrixScores, scoresOfMatrix } from "./matrix-scores";
import type { Prediction } from "./prediction";

/** A decision beside the truth, about an image or a patient. */
export type Judged = Pick<Prediction, "label" | "probabilities" | "predicted">;

/** The scores that get intervals. */
export type ScoreName = keyof MatrixScores | "auc" | "averagePrecision" | "brierScore";

/**
 * Prepares the headline scores of predictions for resampling: what needs sorting is sorted once, and each call then
 * takes one pass. With all weights 1 they are those of `metrics.ts`, `curves.ts` and `probability-scores.ts`.
 *
 * AUC and average precision are of the positive class against all others, and NaN where no class is positive.
 *
 * @param items - At least one, all with the same number of classes.
 */
export function prepareScores(
  items: readonly Judged[],
  { positiveClass }: Pick<DecisionRule, "positiveClass">,
): WeighedStatistics<ScoreName> {
  const classCount = items[0]!.probabilities.length;
  const cells = Int32Array.from(items, ({ label, predicted }) => label * classCount + predicted);
  const squares = Float64Array.from(items, (item) => squaredDistance(item, classCount));
  const ranking = positiveClass === null ? null : rank(items, positiveClass);
  const matrix = new Float64Array(classCount * classCount);
  return (weights) => {
    matrix.fill(0);
    let squareSum = 0;
    let weightSum = 0;
    for (let i = 0; i < cells.length; i++) {
      matrix[cells[i]!]! += weights[i]!;
      squareSum += weights[i]! * squares[i]!;
      weightSum += weights[i]!;
    }
    return {
      ...scoresOfMatrix(matrix, classCount, positiveClass),
      ...(ranking === null
        ? { auc: Number.NaN, averagePrecision: Number.NaN }
        : scoreRanking(ranking, weights)),
      brierScore: squareSum / weightSum,
    };
  };
}

/** One sample's part in the Brier score: halved for two classes, as in `brierScore`. */
function squaredDistance({ label, probabilities }: Judged, classCount: number): number {
  let sum = 0;
  for (let c = 0; c < classCount; c++) sum += (probabilities[c]! - (label === c ? 1 : 0)) ** 2;
  return classCount === 2 ? sum / 2 : sum;
}

interface Ranking {
  /** Items from the highest score down. */
  order: Int32Array;
  /** Whether each of them is of the positive class. */
  positive: Uint8Array;
  /** Whether the next one has another score. */
  lastOfTie: Uint8Array;
}

function rank(items: readonly Judged[], positiveClass: number): Ranking {
  const scores = Float64Array.from(items, ({ probabilities }) => probabilities[positiveClass]!);
  const order = Int32Array.from(items, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  return {
    order,
    positive: Uint8Array.from(order, (i) => (items[i]!.label === positiveClass ? 1 : 0)),
    lastOfTie: Uint8Array.from(order, (i, at) => (scores[order[at + 1] ?? -1] === scores[i] ? 0 : 1)),
  };
}

/** Area under the ROC curve and average precision in one pass over the scores. */
function scoreRanking(
  { order, positive, lastOfTie }: Ranking,
  weights: Float64Array,
): { auc: number; averagePrecision: number } {
  let [found, falseAlarms, tiedFound, tiedAlarms, area, precisionSum] = [0, 0, 0, 0, 0, 0];
  for (let at = 0; at < order.length; at++) {
    const weight = weights[order[at]!]!;
    if (positive[at] === 1) tiedFound += weight;
    else tiedAlarms += weight;
    if (lastOfTie[at] === 0) continue;
    area += tiedAlarms * (found + tiedFound / 2);
    found += tiedFound;
    falseAlarms += tiedAlarms;
    if (tiedFound > 0) precisionSum += (tiedFound * found) / (found + falseAlarms);
    tiedFound = 0;
    tiedAlarms = 0;
  }
  return {
    auc: area / (found * falseAlarms),
    averagePrecision: found === 0 ? Number.NaN : precisionSum / found,
  };
}
