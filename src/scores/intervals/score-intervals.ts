import type { DecisionRule } from "../../model/classifier/decision";
import { groupBy } from "../../runtime/group-by";
import { majorityClassAccuracy } from "../metrics";
import { recognitionRates } from "../patient-scores";
import { aggregateByPatient, describePatientClass, type PatientPrediction } from "../patients";
import type { Prediction } from "../prediction";
import { type Judged, prepareScores, type ScoreName } from "../weighed-scores";
import {
  type BootstrapOptions,
  bootstrapIntervals,
  type Clustered,
  describeCoarseness,
  type Interval,
  noPredictions,
} from "./bootstrap";
import { namedShares } from "./named-shares";
import { shareInterval } from "./share-interval";

/** Scores with intervals, beside what always answering the most frequent class reaches. */
export interface ScoredLevel {
  /** Images, or patients, of one group. */
  count: number;
  scores: Record<ScoreName, Interval>;
  majorityClassAccuracy: number;
}

/** Scores of patients. */
export interface ScoredPatients extends ScoredLevel {
  /** Mean of the shares of each patient's images that are right (Spanhol et al. 2016). */
  patientRecognitionRate: Interval;
  /** How much one patient weighs, in a sentence. */
  coarseness: string;
}

/** What can be said about predictions, by image and by patient. */
export interface ScoreIntervals {
  image: ScoredLevel;
  /** Null where no patient is known, or labels are about images. */
  patient: ScoredPatients | null;
  /** What counts as a patient's class, or why there is none, in a sentence. */
  patientClass: string;
  /** Repeats over which numbers are averaged. */
  groups: number;
}

/** Whatever carries a repeat is scored repeat by repeat; other predictions are one group. */
type Repeated = Prediction & { repeat?: number };

/** Divides pooled predictions into the repeats they come from. */
export function groupByRepeat<T extends { repeat?: number }>(predictions: readonly T[]): T[][] {
  const groups = [...groupBy(predictions, ({ repeat }) => repeat ?? 0)];
  return groups.sort(([one], [other]) => one - other).map(([, group]) => group);
}

/** How the intervals of a table of scores are made, for whoever reads it. */
export const intervalMethod =
  "Intervals of shares are Clopper and Pearson's for as many independent trials as the images are worth: those of one patient resemble each other. Intervals of AUC, average precision, Matthews' correlation, the Brier score and the log loss resample patients: with few of a class, or near 1, the true ones are wider.";

/** Scores with their intervals: of shares and what is made of them exact ones, of the rest those that resample patients. */
function scoreLevel<T extends Judged & Clustered>(
  groups: readonly (readonly T[])[],
  rule: DecisionRule,
  options: BootstrapOptions,
): ScoredLevel {
  const resampled = bootstrapIntervals(groups, (items) => prepareScores(items, rule), options);
  for (const name of Object.keys(resampled) as ScoreName[]) {
    const { low, high } = resampled[name];
    // Patients who all came out the same give the same number however they are drawn, which says nothing about others.
    if (low === high) resampled[name] = { ...resampled[name], low: null, high: null };
  }
  const first = groups[0]!;
  return {
    count: first.length,
    scores: { ...resampled, ...namedShares(groups, resampled, rule, options) },
    majorityClassAccuracy: majorityClassAccuracy(first.map(({ label }) => label)),
  };
}

/**
 * Scores predictions of a test set, or out-of-fold ones of a cross-validation, with intervals: see `shareInterval` and
 * `bootstrapIntervals`.
 *
 * Repeats of a cross-validation are scored one by one and averaged: they are no new patients, and pooling them as
 * images would pretend so.
 *
 * @throws RangeError if there are no predictions.
 */
export function scoreWithIntervals(
  predictions: readonly Repeated[],
  rule: DecisionRule,
  options: BootstrapOptions = {},
): ScoreIntervals {
  if (predictions.length === 0) throw noPredictions();
  const groups = groupByRepeat(predictions);
  const patients = groups.map((items) => aggregateByPatient(items, rule));
  return {
    image: scoreLevel(groups, rule, options),
    patient: patients.every(({ length }) => length > 0)
      ? scorePatients(groups, patients, rule, options)
      : null,
    patientClass: describePatientClass(predictions, rule.positiveClass),
    groups: groups.length,
  };
}

function scorePatients(
  groups: readonly (readonly Repeated[])[],
  patients: readonly (readonly PatientPrediction[])[],
  rule: DecisionRule,
  options: BootstrapOptions,
): ScoredPatients {
  const rates = groups.map((items) => recognitionRates(items).patients);
  const level = scoreLevel(patients, rule, options);
  return {
    ...level,
    patientRecognitionRate: shareInterval(
      rates,
      () => true,
      ({ score }) => score,
      options,
    ),
    coarseness: describeCoarseness(level.count, kindOf(groups[0]![0]!)),
  };
}

/** Which patients these are, for a sentence: out-of-fold ones are all there are. */
const kindOf = (prediction: Repeated): string => (prediction.repeat === undefined ? prediction.split : "");
