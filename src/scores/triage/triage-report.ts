import { groupBy } from "../../runtime/group-by";
import { pushAll } from "../../runtime/many";
import {
  type BootstrapOptions,
  bootstrapIntervals,
  type Interval,
  type WeighedStatistics,
} from "../intervals/bootstrap";
import { exactInterval, type ProportionInterval } from "../intervals/exact-interval";
import { groupByRepeat } from "../intervals/score-intervals";
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
  /** Those with a positive image. */
  positivePatients: number;
  /** Positive patients none of whose images would be looked at again: the cancer goes unseen. */
  missedPatients: number;
  /** Positive patients with at least one positive image that would not be. */
  partlyMissedPatients: number;
  /** With intervals that resample patients; null where undefined. */
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
  /** Exact interval for the share of positive patients missed; counts of several repeats are rounded. */
  missedPatientsExact: ProportionInterval;
}

/** An image and whether somebody looks again. */
interface Triaged {
  patient: string | null;
  file: string;
  label: number;
  isPositive: boolean;
  looked: boolean;
  repeat: number;
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
  return predictions.map((prediction) => ({
    patient: prediction.patient,
    file: prediction.file,
    label: prediction.label,
    isPositive: prediction.label === locked.positiveClass,
    looked: scoreOf(prediction) >= locked.threshold,
    repeat: prediction.repeat ?? 0,
  }));
}

function byPatient(images: readonly Triaged[]): TriagedPatient[] {
  return [...groupBy(images, ({ patient }) => patient)].map(([patient, own]) => ({
    patient,
    label: own[0]!.label,
    isPositive: own.some(({ isPositive }) => isPositive),
    spared: own.every(({ looked }) => !looked),
    partlyMissed: own.some(({ isPositive, looked }) => isPositive && !looked),
  }));
}

/** Share of the items that a test picks, among those that another picks, by weight. */
function weighedShare<T>(items: readonly T[], of: (item: T) => boolean, has: (item: T) => boolean) {
  const whole = Float64Array.from(items, (item) => (of(item) ? 1 : 0));
  const part = Float64Array.from(items, (item, i) => (whole[i] === 1 && has(item) ? 1 : 0));
  return (weights: Float64Array): number => {
    let [sum, total] = [0, 0];
    for (let i = 0; i < weights.length; i++) {
      sum += weights[i]! * part[i]!;
      total += weights[i]! * whole[i]!;
    }
    return sum / total;
  };
}

function prepareImages(
  items: readonly Triaged[],
): WeighedStatistics<"imagesSpared" | "sensitivity" | "specificity"> {
  const spared = weighedShare(
    items,
    () => true,
    ({ looked }) => !looked,
  );
  const found = weighedShare(
    items,
    ({ isPositive }) => isPositive,
    ({ looked }) => looked,
  );
  const released = weighedShare(
    items,
    ({ isPositive }) => !isPositive,
    ({ looked }) => !looked,
  );
  return (weights) => ({
    imagesSpared: spared(weights),
    sensitivity: found(weights),
    specificity: released(weights),
  });
}

function preparePatients(
  items: readonly TriagedPatient[],
): WeighedStatistics<"patientsSpared" | "missedPatients" | "partlyMissedPatients"> {
  const spared = weighedShare(
    items,
    () => true,
    (patient) => patient.spared,
  );
  const missed = weighedShare(
    items,
    ({ isPositive }) => isPositive,
    (patient) => patient.spared,
  );
  const partly = weighedShare(
    items,
    ({ isPositive }) => isPositive,
    ({ partlyMissed }) => partlyMissed,
  );
  return (weights) => ({
    patientsSpared: spared(weights),
    missedPatients: missed(weights),
    partlyMissedPatients: partly(weights),
  });
}

function report(images: readonly Triaged[], options: BootstrapOptions): TriageReport {
  const groups = groupByRepeat(images);
  const patients = groups.map(byPatient);
  if (patients.some(({ length }) => length === 0)) {
    throw new Error("Triage is reported for patients too, but no patient is known.");
  }
  const meanCount = <T>(lists: readonly (readonly T[])[], picks: (item: T) => boolean) =>
    lists.reduce((sum, list) => sum + list.filter(picks).length, 0) / lists.length;
  const positivePatients = meanCount(patients, ({ isPositive }) => isPositive);
  const missedPatients = meanCount(patients, ({ isPositive, spared }) => isPositive && spared);
  return {
    images: groups[0]!.length,
    positiveImages: meanCount(groups, ({ isPositive }) => isPositive),
    missedImages: meanCount(groups, ({ isPositive, looked }) => isPositive && !looked),
    patients: patients[0]!.length,
    positivePatients,
    missedPatients,
    partlyMissedPatients: meanCount(patients, ({ partlyMissed }) => partlyMissed),
    shares: {
      ...bootstrapIntervals(groups, prepareImages, options),
      ...bootstrapIntervals(patients, preparePatients, options),
    },
    missedPatientsExact: exactInterval(
      Math.round(missedPatients),
      Math.round(positivePatients),
      options.level,
    ),
  };
}

/**
 * Reports what a locked threshold does to images it was not chosen on: the work it spares, and the cancers it misses.
 *
 * With the level "patient", all images of a patient are looked at, or none.
 *
 * @param predictions - Of test.
 * @throws RangeError if there are none; Error if no patient is known.
 */
export function evaluateTriage(
  predictions: readonly Prediction[],
  locked: ChosenThreshold,
  options: BootstrapOptions = {},
): TriageReport {
  if (predictions.length === 0) {
    throw new RangeError("There are no predictions to triage: is this part of the split empty?");
  }
  return report(triage(predictions, locked), options);
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
  options: BootstrapOptions = {},
): CrossValidatedTriage {
  const thresholds: CrossValidatedTriage["thresholds"] = [];
  const images: Triaged[] = [];
  for (const group of groupByRepeat(predictions)) {
    const folds = [...new Set(group.map(({ fold }) => fold))].sort((a, b) => a - b);
    if (folds.length < 2) {
      throw new Error("A threshold for a fold is chosen on the other folds, and there is only one.");
    }
    for (const fold of folds) {
      const held = group.filter((prediction) => prediction.fold === fold);
      const others = group.filter((prediction) => prediction.fold !== fold);
      const locked = chooseThreshold(others, { ...wanted, chosenOn: "the other folds" });
      thresholds.push({ ...locked, fold, repeat: held[0]!.repeat });
      pushAll(images, triage(held, locked));
    }
  }
  if (images.length === 0) throw new RangeError("There are no predictions to triage: did no fold finish?");
  return { report: report(images, options), thresholds };
}
