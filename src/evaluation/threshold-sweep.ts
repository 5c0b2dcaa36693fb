import { decide } from "../model/decision";
import type { Prediction } from "../training/run-summary";
import { confusionMatrix, rowShares } from "./confusion-matrix";
import { aggregateByPatient } from "./patients";
import type { Judged } from "./weighed-scores";

/** Confusion matrices at one threshold; rows are true classes. */
export interface ThresholdMatrices {
  threshold: number;
  image: { counts: number[][]; shares: number[][] };
  /** Null where no patient is known. */
  patient: { counts: number[][]; shares: number[][] } | null;
}

/** 0, 0.01 … 1: the steps of a slider. */
export const sliderThresholds: readonly number[] = Array.from({ length: 101 }, (_, i) => i / 100);

function matrixAt(judged: readonly Judged[], positiveClass: number, threshold: number) {
  const predicted = judged.map(({ probabilities }) => decide(probabilities, { positiveClass, threshold }));
  const counts = confusionMatrix(
    judged.map(({ label }) => label),
    predicted,
    2,
  );
  return { counts, shares: rowShares(counts) };
}

/**
 * Computes the confusion matrices at each of several thresholds, for a slider: by image, and by patient, whose mean
 * probability is compared with it.
 *
 * A share is NaN in the row of a class that does not occur.
 *
 * @param thresholds - By default `sliderThresholds`.
 * @throws RangeError if there are no predictions, or more than two classes, which no single threshold tells apart.
 */
export function sweepThresholds(
  predictions: readonly Prediction[],
  positiveClass: number,
  thresholds: readonly number[] = sliderThresholds,
): ThresholdMatrices[] {
  const classCount = predictions[0]?.probabilities.length ?? 2;
  if (classCount !== 2) {
    throw new RangeError(`A threshold decides between two classes, found ${classCount}.`);
  }
  const patients = aggregateByPatient(predictions, { positiveClass, threshold: 0.5 });
  return thresholds.map((threshold) => ({
    threshold,
    image: matrixAt(predictions, positiveClass, threshold),
    patient: patients.length === 0 ? null : matrixAt(patients, positiveClass, threshold),
  }));
}
