import { groupBy } from "../../runtime/group-by";
import { pushAll } from "../../runtime/many";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import type { Interval } from "../intervals/bootstrap";
import { groupByRepeat } from "../intervals/score-intervals";
import { type ShareOptions, shareInterval } from "../intervals/share-interval";
import { describePatientClass, positivePatients } from "../patients";
import type { OutOfFoldPrediction, Prediction } from "../prediction";
import { type ChosenThreshold, chooseThreshold, decidingScore, type TriageTarget } from "./triage";

/** What a locked threshold does to images it was not chosen on. Counts are means over repeats, if there are several. */
export interface TriageReport {
  images: number;
  positiveImages: number;
  /** Positive images that nobody would look at again. */
  missedImages: number;
  /** Known patients. */
  patients: number;
  /** What counts as a positive patient, or that none is known, in a sentence. */
  patientClass: string;
  /** See `positivePatients`. */
  positivePatients: number;
  /** Positive patients none of whose images would be looked at again: the cancer goes unseen. */
  missedPatients: number;
  /** Positive patients with at least one positive image that would not be. */
  partlyMissedPatients: number;
  /** With intervals, see `shareInterval`; null where undefined, as those of patients are where none is known. */
  shares: {
    /** Images that need no second look. */
    imagesSpared: Interval;
    /** Patients none of whose images needs one. */
    patientsSpared: Interval;
    sensitivity: Interval;
    specificity: Interval;
    missedPatients: Interval;
    partlyMissedPatients: Interval;
  };
}

/** An image and whether somebody looks again. */
interface Triaged {
  patient: string | null;
  file: string;
  label: number;
  isPositive: boolean;
  looked: boolean;
  repeat: number;
  ofPositivePatient: boolean;
}

/** A patient's images taken together. */
interface TriagedPatient {
  patient: string;
  label: number;
  isPositive: boolean;
  spared: boolean;
  partlyMissed: boolean;
}

type Repeated = Prediction & { repeat?: number };

function triage(predictions: readonly Repeated[], locked: ChosenThreshold): Triaged[] {
  const scoreOf = decidingScore(predictions, locked);
  const ill = positivePatients(predictions, locked.positiveClass);
  return predictions.map((prediction) => ({
    patient: prediction.patient,
    file: prediction.file,
    label: prediction.label,
    isPositive: prediction.label === locked.positiveClass,
    // What the classifier itself calls positive is never spared.
    looked: scoreOf(prediction) >= locked.threshold || prediction.predicted === locked.positiveClass,
    ofPositivePatient: prediction.patient !== null && ill.has(prediction.patient),
    repeat: prediction.repeat ?? 0,
  }));
}

function byPatient(images: readonly Triaged[]): TriagedPatient[] {
  return [...groupBy(images, ({ patient }) => patient)].map(([patient, own]) => ({
    patient,
    label: own[0]!.label,
    isPositive: own[0]!.ofPositivePatient,
    spared: own.every(({ looked }) => !looked),
    partlyMissed: own.some(({ isPositive, looked }) => isPositive && !looked),
  }));
}

function report(images: readonly Triaged[], positiveClass: number, options: ShareOptions): TriageReport {
  const groups = groupByRepeat(images);
  const patients = groups.map(byPatient);
  const meanCount = <T>(lists: readonly (readonly T[])[], picks: (item: T) => boolean) =>
    lists.reduce((sum, list) => sum + list.filter(picks).length, 0) / lists.length;
  const ofImages = (whole: (image: Triaged) => boolean, part: (image: Triaged) => boolean) =>
    shareInterval(groups, whole, (image) => (part(image) ? 1 : 0), options);
  const ofPatients = (whole: (one: TriagedPatient) => boolean, part: (one: TriagedPatient) => boolean) =>
    shareInterval(patients, whole, (patient) => (part(patient) ? 1 : 0), options);
  const isPositive = (one: { isPositive: boolean }) => one.isPositive;
  return {
    images: groups[0]!.length,
    positiveImages: meanCount(groups, isPositive),
    missedImages: meanCount(groups, ({ looked, ...one }) => one.isPositive && !looked),
    patients: patients[0]!.length,
    patientClass: describePatientClass(images, positiveClass),
    positivePatients: meanCount(patients, isPositive),
    missedPatients: meanCount(patients, ({ spared, ...one }) => one.isPositive && spared),
    partlyMissedPatients: meanCount(patients, ({ partlyMissed, ...one }) => one.isPositive && partlyMissed),
    shares: {
      imagesSpared: ofImages(
        () => true,
        ({ looked }) => !looked,
      ),
      sensitivity: ofImages(isPositive, ({ looked }) => looked),
      specificity: ofImages(
        (image) => !image.isPositive,
        ({ looked }) => !looked,
      ),
      patientsSpared: ofPatients(
        () => true,
        ({ spared }) => spared,
      ),
      missedPatients: ofPatients(isPositive, ({ spared }) => spared),
      partlyMissedPatients: ofPatients(isPositive, ({ partlyMissed }) => partlyMissed),
    },
  };
}

/**
 * Reports what a locked threshold does to images it was not chosen on: the work it spares, and the cancers it misses.
 *
 * With the level "patient", all images of a patient are looked at, or none.
 *
 * @param predictions - Of test.
 * @throws RangeError if there are none.
 */
export function evaluateTriage(
  predictions: readonly Prediction[],
  locked: ChosenThreshold,
  options: ShareOptions = {},
): TriageReport {
  if (predictions.length === 0) {
    throw rangeRefusal("There are no predictions to triage: is this part of the split empty?");
  }
  return report(triage(predictions, locked), locked.positiveClass, options);
}

/** A triage in which every fold has a threshold of its own. */
export interface CrossValidatedTriage {
  report: TriageReport;
  /** One for each fold of each repeat. */
  thresholds: (ChosenThreshold & { fold: number; repeat: number })[];
}

/**
 * Reports triage from the pooled out-of-fold predictions of a cross-validation, for data too few to spare a test set.
 *
 * Each fold's threshold is chosen on the out-of-fold predictions of the other folds of the same repeat, so no patient
 * helps to choose the threshold that decides about them. What remains shared: the heads of the other folds did train
 * on this fold's images, as in every stacking of out-of-fold predictions; one number a fold hardly carries it over.
 *
 * @throws Error if there are fewer than two folds in a repeat, or the others have no positive to choose by.
 */
export function crossValidateTriage(
  predictions: readonly OutOfFoldPrediction[],
  wanted: Omit<TriageTarget, "chosenOn">,
  options: ShareOptions = {},
): CrossValidatedTriage {
  const thresholds: CrossValidatedTriage["thresholds"] = [];
  const images: Triaged[] = [];
  for (const group of groupByRepeat(predictions)) {
    const folds = [...new Set(group.map(({ fold }) => fold))].sort((a, b) => a - b);
    if (folds.length < 2) {
      throw refusal("A threshold for a fold is chosen on the other folds, and there is only one.");
    }
    for (const fold of folds) {
      const held = group.filter((prediction) => prediction.fold === fold);
      const others = group.filter((prediction) => prediction.fold !== fold);
      const locked = chooseThreshold(others, { ...wanted, chosenOn: "the other folds" });
      thresholds.push({ ...locked, fold, repeat: held[0]!.repeat });
      pushAll(images, triage(held, locked));
    }
  }
  if (images.length === 0) throw rangeRefusal("There are no predictions to triage: did no fold finish?");
  return { report: report(images, wanted.positiveClass, options), thresholds };
}
