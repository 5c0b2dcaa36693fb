import { type DecisionRule, decide, indexOfLargest } from "../model/classifier/decision";
import { groupBy } from "../runtime/group-by";
import type { Prediction } from "./prediction";

/** What the images of one patient say together. */
export interface PatientPrediction {
  patient: string;
  /** Number of images. */
  images: number;
  /** The true class: the label of most images. */
  label: number;
  /** Shape [classCount]: means over the patient's images. */
  probabilities: number[];
  predicted: number;
  /** Whether the images carry different labels. */
  mixed: boolean;
}

/** A patient's images, and what they say on average. */
export interface PatientMean<T> {
  patient: string;
  images: T[];
  /** Shape [classCount]. */
  probabilities: number[];
}

/**
 * Averages the probabilities of each patient's images; images of unknown patients are left out.
 *
 * @returns In order of first appearance.
 */
export function averageByPatient<T extends Pick<Prediction, "patient" | "probabilities">>(
  predictions: readonly T[],
): PatientMean<T>[] {
  return [...groupBy(predictions, ({ patient }) => patient)].map(([patient, images]) => ({
    patient,
    images,
    probabilities: images[0]!.probabilities.map(
      (_, i) => images.reduce((sum, image) => sum + image.probabilities[i]!, 0) / images.length,
    ),
  }));
}

/** The most frequent label; among equally frequent ones the positive class, which must not be missed. */
function majorityLabel(labels: readonly number[], classCount: number, positiveClass: number | null): number {
  const counts = new Array<number>(classCount).fill(0);
  for (const label of labels) counts[label]!++;
  const winner = indexOfLargest(counts);
  return positiveClass !== null && counts[positiveClass] === counts[winner] ? positiveClass : winner;
}

/**
 * Decides about patients: the mean of the probabilities of a patient's images, then the same rule as for an image.
 *
 * A patient whose images carry different labels counts with the label of most of them (the positive class if
 * they are equally many) and is marked as mixed. Images of unknown patients are left out.
 *
 * @returns One prediction a patient, in order of first appearance.
 */
export function aggregateByPatient(
  predictions: readonly Prediction[],
  rule: DecisionRule,
): PatientPrediction[] {
  return averageByPatient(predictions).map(({ patient, images, probabilities }) => {
    const labels = images.map(({ label }) => label);
    return {
      patient,
      images: images.length,
      label: majorityLabel(labels, probabilities.length, rule.positiveClass),
      probabilities,
      predicted: decide(probabilities, rule),
      mixed: new Set(labels).size > 1,
    };
  });
}
