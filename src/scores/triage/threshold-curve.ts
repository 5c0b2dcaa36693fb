import { decide } from "../../model/classifier/decision";
import { rangeRefusal } from "../../runtime/refusal";
import { confusionMatrix, rowShares } from "../confusion-matrix";
import type { BootstrapOptions, Clustered, Interval } from "../intervals/bootstrap";
import { shareIntervals } from "../intervals/matrix-intervals";
import { aggregateByPatient } from "../patients";
import type { Prediction } from "../prediction";
import type { Judged } from "../weighed-scores";

/** Confusion matrices at one threshold; rows are true classes. */
export interface ThresholdMatrices {
  threshold: number;
  image: SharedMatrix;
  /** Null where no patient is known. */
  patient: SharedMatrix | null;
}

/** A confusion matrix, its shares of each row, and how far these can be trusted. */
export interface SharedMatrix {
  counts: number[][];
  shares: number[][];
  /** Of the shares, resampling patients; not there where it was not asked for. */
  intervals?: Interval[][];
}

/** 0, 0.01 … 1: the steps of a slider. */
export const sliderThresholds: readonly number[] = Array.from({ length: 101 }, (_, i) => i / 100);

function matrixAt(
  judged: readonly (Judged & Clustered)[],
  positiveClass: number,
  threshold: number,
  bootstrap: BootstrapOptions | null,
): SharedMatrix {
  const predicted = judged.map(({ probabilities }) => decide(probabilities, { positiveClass, threshold }));
  const counts = confusionMatrix(
    judged.map(({ label }) => label),
    predicted,
    2,
  );
  const plain = { counts, shares: rowShares(counts) };
  if (bootstrap === null) return plain;
  return { ...plain, intervals: shareIntervals(judged, predicted, 2, bootstrap) };
}

/**
 * Computes the confusion matrices at each of several thresholds, for a slider: by image, and by patient, whose mean
 * probability is compared with it.
 *
 * A share is NaN in the row of a class that does not occur.
 *
 * @param thresholds - By default `sliderThresholds`.
 * @param bootstrap - How the shares' intervals are resampled; null, the default, leaves them out.
 * @throws RangeError if there are no predictions, or more than two classes, which no single threshold tells apart.
 */
export function thresholdCurve(
  predictions: readonly Prediction[],
  positiveClass: number,
  thresholds: readonly number[] = sliderThresholds,
  bootstrap: BootstrapOptions | null = null,
): ThresholdMatrices[] {
  const classCount = predictions[0]?.probabilities.length ?? 2;
  if (classCount !== 2) {
    throw rangeRefusal(`A threshold decides between two classes, found ${classCount}.`);
  }
  const patients = aggregateByPatient(predictions, { positiveClass, threshold: 0.5 });
  return thresholds.map((threshold) => ({
    threshold,
    image: matrixAt(predictions, positiveClass, threshold, bootstrap),
    patient: patients.length === 0 ? null : matrixAt(patients, positiveClass, threshold, bootstrap),
  }));
}
