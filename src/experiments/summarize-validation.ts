import { type FoldScores, scoreFolds } from "../scores/fold-scores";
import { type ScoreIntervals, scoreWithIntervals } from "../scores/intervals/score-intervals";
import { type RecognitionRates, recognitionRates } from "../scores/patient-scores";
import type { CrossValidation } from "./cross-validation";

/** What cross-validation gave, without the predictions themselves. */
export interface ValidatedScores
  extends Pick<CrossValidation, "foldCount" | "repeats" | "complete" | "seconds"> {
  /** Of those that were finished. */
  folds: FoldScores[];
  scores: ScoreIntervals;
  /** Both accuracies that BreaKHis results are published with, of the first repeat. */
  rates: RecognitionRates;
}

/** The scores of a cross-validation with their intervals, fold by fold and pooled. */
export function summarizeValidation(
  validation: CrossValidation,
  positiveClass: number | null,
  resamples: number,
): ValidatedScores {
  const { predictions, foldCount, repeats, complete, seconds } = validation;
  return {
    foldCount,
    repeats,
    complete,
    seconds,
    folds: scoreFolds(predictions, positiveClass),
    scores: scoreWithIntervals(predictions, { positiveClass, threshold: 0.5 }, { resamples }),
    rates: recognitionRates(predictions.filter(({ repeat }) => repeat === 0)),
  };
}
