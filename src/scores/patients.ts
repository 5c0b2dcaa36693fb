import { type DecisionRule, decide, indexOfLargest } from "../model/classifier/decision";
import { groupBy } from "../runtime/group-by";
import { largest } from "../runtime/many";
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

type Labelled = Pick<Prediction, "patient" | "label">;

/**
 * Whether labels say what an image shows, as in sets of patches, rather than what its patient has: whether most positive
 * patients (where no class is positive, most patients), and at least two, have images of other classes, too. One image
 * with a wrong label does not make it so.
 */
export function labelsAreOfImages(predictions: readonly Labelled[], positiveClass: number | null): boolean {
  const patients = [...groupBy(predictions, ({ patient }) => patient).values()];
  const asked = patients.filter(
    (images) => positiveClass === null || images.some(({ label }) => label === positiveClass),
  );
  const mixed = asked.filter((images) => images.some(({ label }) => label !== images[0]!.label));
  return mixed.length > 1 && 2 * mixed.length > asked.length;
}

/** What counts as a patient's class here, for whoever reads a table. */
export function describePatientClass(predictions: readonly Labelled[], positiveClass: number | null): string {
  if (predictions.every(({ patient }) => patient === null)) return "No image's patient is known.";
  return labelsAreOfImages(predictions, positiveClass)
    ? "Labels are about images here: most patients have images of several classes, so a patient has no class to be recognised, and a patient counts as positive, for triage, who has a positive image."
    : "Labels are about patients here: a patient's class is that of most of the images.";
}

/** The patients who are positive: with a positive image where labels are of images, else by the label of most. */
export function positivePatients(predictions: readonly Labelled[], positiveClass: number): Set<string> {
  const ofImages = labelsAreOfImages(predictions, positiveClass);
  const groups = [...groupBy(predictions, ({ patient }) => patient)];
  const positive = groups.filter(([, images]) => {
    const count = images.filter(({ label }) => label === positiveClass).length;
    return ofImages
      ? count > 0
      : majorityLabel(
          images.map(({ label }) => label),
          positiveClass,
        ) === positiveClass;
  });
  return new Set(positive.map(([patient]) => patient));
}

/** The most frequent label; among equally frequent ones the positive class, which must not be missed. */
function majorityLabel(labels: readonly number[], positiveClass: number | null): number {
  const counts = new Array<number>(largest(labels) + 1).fill(0);
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
 * @returns One prediction a patient, in order of first appearance; none where labels are of images, so that patients
 * have no class: see `labelsAreOfImages`.
 */
export function aggregateByPatient(
  predictions: readonly Prediction[],
  rule: DecisionRule,
): PatientPrediction[] {
  if (labelsAreOfImages(predictions, rule.positiveClass)) return [];
  return averageByPatient(predictions).map(({ patient, images, probabilities }) => {
    const labels = images.map(({ label }) => label);
    return {
      patient,
      images: images.length,
      label: majorityLabel(labels, rule.positiveClass),
      probabilities,
      predicted: decide(probabilities, rule),
      mixed: new Set(labels).size > 1,
    };
  });
}
