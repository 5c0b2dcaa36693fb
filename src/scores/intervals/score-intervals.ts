import type { DecisionRule } from "../../model/classifier/decision";
import { majorityClassAccuracy } from "../metrics";
import { type PatientScore, recognitionRates } from "../patient-scores";
import { aggregateByPatient, type PatientPrediction } from "../patients";
import type { Prediction } from "../prediction";
import { prepareScores, type ScoreName } from "../weighed-scores";
import {
  type BootstrapOptions,
  bootstrapIntervals,
  describeCoarseness,
  type Interval,
  type WeighedStatistics,
} from "./bootstrap";
import { exactInterval, type ProportionInterval } from "./exact-interval";

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
  /** Clopper and Pearson's interval for the share of patients decided correctly; of several groups, their mean, rounded. */
  exactAccuracy: ProportionInterval;
  /** How much one patient weighs, in a sentence. */
  coarseness: string;
}

/** What can be said about predictions, by image and by patient. */
export interface ScoreIntervals {
  image: ScoredLevel;
  /** Null where no patient is known. */
  patient: ScoredPatients | null;
  /** Repeats over which numbers are averaged. */
  groups: number;
}

/** Whatever carries a repeat is scored repeat by repeat; other predictions are one group. */
type Repeated = Prediction & { repeat?: number };

/** Divides pooled predictions into the repeats they come from. */
export function groupByRepeat<T extends { repeat?: number }>(predictions: readonly T[]): T[][] {
  const repeats = [...new Set(predictions.map(({ repeat }) => repeat ?? 0))].sort((a, b) => a - b);
  return repeats.map((number) => predictions.filter(({ repeat }) => (repeat ?? 0) === number));
}

/**
 * Scores predictions of a test set, or out-of-fold ones of a cross-validation, with intervals that resample patients.
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
  const groups = groupByRepeat(predictions);
  const first = groups[0] ?? [];
  const scores = bootstrapIntervals(groups, (items) => prepareScores(items, rule), options);
  const patients = groups.map((items) => aggregateByPatient(items, rule));
  return {
    image: {
      count: first.length,
      scores,
      majorityClassAccuracy: majorityClassAccuracy(first.map(({ label }) => label)),
    },
    patient: patients.every(({ length }) => length > 0)
      ? scorePatients(groups, patients, rule, options)
      : null,
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
  const right = patients.map((group) => group.filter(({ label, predicted }) => label === predicted).length);
  const count = patients[0]!.length;
  const meanRight = right.reduce((sum, value) => sum + value, 0) / right.length;
  return {
    count,
    scores: bootstrapIntervals(patients, (items) => prepareScores(items, rule), options),
    majorityClassAccuracy: majorityClassAccuracy(patients[0]!.map(({ label }) => label)),
    patientRecognitionRate: bootstrapIntervals(rates, prepareRecognition, options).rate,
    exactAccuracy: exactInterval(Math.round(meanRight), count, options.level),
    coarseness: describeCoarseness(count, kindOf(groups[0]![0]!)),
  };
}

/** Which patients these are, for a sentence: out-of-fold ones are all there are. */
const kindOf = (prediction: Repeated): string => (prediction.repeat === undefined ? prediction.split : "");

function prepareRecognition(patients: readonly PatientScore[]): WeighedStatistics<"rate"> {
  return (weights) => {
    let [sum, total] = [0, 0];
    patients.forEach(({ score }, i) => {
      sum += weights[i]! * score;
      total += weights[i]!;
    });
    return { rate: sum / total };
  };
}
