import type { DecisionRule } from "../model/classifier/decision";
import { type CurveAreas, prepareAreas } from "./curves";
import type { WeighedStatistics } from "./intervals/bootstrap";
import { type MatrixScores, scoresOfMatrix } from "./metrics";
import type { Prediction } from "./prediction";
import { brierTerm, logLossTerm } from "./probability-scores";

/** A decision beside the truth, about an image or a patient. */
export type Judged = Pick<Prediction, "label" | "probabilities" | "predicted">;

/** The scores that get intervals. */
export type ScoreName = keyof MatrixScores | keyof CurveAreas | "brierScore" | "logLoss";

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
  const squares = Float64Array.from(items, ({ label, probabilities }) => brierTerm(label, probabilities));
  const losses = Float64Array.from(items, ({ label, probabilities }) => logLossTerm(label, probabilities));
  const areasOf = positiveClass === null ? () => unknownAreas : rankingOf(items, positiveClass);
  const matrix = new Float64Array(classCount * classCount);
  return (weights) => {
    matrix.fill(0);
    let squareSum = 0;
    let lossSum = 0;
    let weightSum = 0;
    for (let i = 0; i < cells.length; i++) {
      matrix[cells[i]!]! += weights[i]!;
      squareSum += weights[i]! * squares[i]!;
      lossSum += weights[i]! * losses[i]!;
      weightSum += weights[i]!;
    }
    return {
      ...scoresOfMatrix(matrix, classCount, positiveClass),
      ...areasOf(weights),
      brierScore: squareSum / weightSum,
      logLoss: lossSum / weightSum,
    };
  };
}

const unknownAreas: CurveAreas = { auc: Number.NaN, averagePrecision: Number.NaN };

function rankingOf(items: readonly Judged[], positiveClass: number) {
  return prepareAreas(
    Uint8Array.from(items, ({ label }) => (label === positiveClass ? 1 : 0)),
    Float64Array.from(items, ({ probabilities }) => probabilities[positiveClass]!),
  );
}
