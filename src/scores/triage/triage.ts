import type { LockedThreshold, TriageLevel } from "../../model/classifier/classifier-manifest";
import { decide } from "../../model/classifier/decision";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import type { Interval } from "../intervals/bootstrap";
import { shareInterval } from "../intervals/share-interval";
import { averageByPatient, positivePatients } from "../patients";
import type { Prediction } from "../prediction";

export type { TriageLevel } from "../../model/classifier/classifier-manifest";

/** A threshold with what it was chosen by. */
export interface ChosenThreshold extends LockedThreshold {
  positiveClass: number;
  /** Reached there; at least the target. */
  validationSensitivity: number;
  /** Positive images, or patients, it was chosen on. */
  validationPositives: number;
  /** Of that sensitivity. */
  sensitivityInterval: Interval;
}

/** A threshold to be chosen. */
export interface TriageTarget {
  /** Share of positives that must be looked at again, in (0, 1]. */
  targetSensitivity: number;
  /** "image" by default. */
  level?: TriageLevel;
  positiveClass: number;
  /** "validation" by default. */
  chosenOn?: string;
}

/** An image, or a patient, with the probability that decides about it. */
export interface Ranked {
  score: number;
  isPositive: boolean;
}

/** What a threshold is compared with, and whether it is truly positive: of a patient, see `positivePatients`. */
export function rankedScores(
  predictions: readonly Prediction[],
  level: TriageLevel,
  positiveClass: number,
): Ranked[] {
  if (level === "image") {
    return predictions.map(({ probabilities, label }) => ({
      score: probabilities[positiveClass]!,
      isPositive: label === positiveClass,
    }));
  }
  const ill = positivePatients(predictions, positiveClass);
  return averageByPatient(predictions).map(({ patient, probabilities }) => ({
    score: probabilities[positiveClass]!,
    isPositive: ill.has(patient),
  }));
}

/** From which probability on a classifier with two classes answers the positive one, unless it says otherwise. */
const usualDecision = 0.5;

/** Midway between the lowest score that is to be found and the next one below it, so that none lies on the threshold. */
function belowScore(score: number, ranked: readonly Ranked[]): number {
  const next = ranked.reduce((best, { score: other }) => (other < score && other > best ? other : best), 0);
  return (score + next) / 2;
}

/**
 * Chooses the threshold with the least work whose sensitivity on these predictions is still at least the target: midway
 * between the last score that must be found and the next one, since on the score itself another processor's last digits
 * would decide; never above one half, since nothing that the classifier calls positive is spared. On other images
 * sensitivity will differ; lock the value, then `evaluateTriage`.
 *
 * @param predictions - Of validation, never of the test images that will be reported.
 * @throws RangeError if the target is not in (0, 1]; Error if there is no positive to choose by.
 */
export function chooseThreshold(predictions: readonly Prediction[], wanted: TriageTarget): ChosenThreshold {
  const { targetSensitivity: target, level = "image", positiveClass, chosenOn = "validation" } = wanted;
  if (!(target > 0 && target <= 1)) {
    throw rangeRefusal(`The target sensitivity lies above 0 and up to 1, for example 0.95; found ${target}.`);
  }
  const ranked = rankedScores(predictions, level, positiveClass);
  const positives = ranked
    .filter(({ isPositive }) => isPositive)
    .map(({ score }) => score)
    .sort((a, b) => b - a);
  const count = positives.length;
  if (count === 0) {
    throw refusal(
      `No ${level} of ${chosenOn} is of the positive class, so no threshold can promise a sensitivity: choose another split.`,
    );
  }
  // Without the small allowance, 0.95 × 20 in floating point could ask for a 20th.
  const last = positives[Math.max(1, Math.ceil(target * count - 1e-9)) - 1]!;
  const threshold = Math.min(usualDecision, belowScore(last, ranked));
  // Equal scores fall together, and so do those from one half on, so more may be found than were asked for.
  const found = positives.filter((score) => score >= threshold).length;
  return {
    threshold,
    target,
    level,
    positiveClass,
    chosenOn,
    validationSensitivity: found / count,
    validationPositives: count,
    sensitivityInterval: foundInterval(predictions, { threshold, level, positiveClass }),
    description: describeChoice(level, target, count, found, chosenOn),
  };
}

function foundInterval(
  predictions: readonly Prediction[],
  { threshold, level, positiveClass }: Pick<ChosenThreshold, "threshold" | "level" | "positiveClass">,
): Interval {
  const reaches = (probabilities: readonly number[]): number =>
    probabilities[positiveClass]! >= threshold ? 1 : 0;
  if (level === "image") {
    const isPositive = ({ label }: Prediction) => label === positiveClass;
    return shareInterval<Prediction>([predictions], isPositive, (one) => reaches(one.probabilities));
  }
  const ill = positivePatients(predictions, positiveClass);
  const patients = averageByPatient(predictions).map((one) => ({ ...one, label: positiveClass }));
  return shareInterval<(typeof patients)[number]>(
    [patients],
    ({ patient }) => ill.has(patient),
    (one) => reaches(one.probabilities),
  );
}

function describeChoice(
  level: TriageLevel,
  target: number,
  count: number,
  found: number,
  chosenOn: string,
): string {
  const percent = (share: number) => `${Math.round(1000 * share) / 10} %`;
  const things = `positive ${level}${count === 1 ? "" : "s"}`;
  const start = `Chosen on ${chosenOn}: ${found} of ${count} ${things} are found, for a target of ${percent(target)}.`;
  const step = ` One ${level} more or less changes the sensitivity by ${percent(1 / count)}`;
  return target < 1 && 1 / count > 1 - target + 1e-9
    ? `${start}${step}, so the target can only be met by finding all of them.`
    : `${start}${step}.`;
}

/** Workload against missed positives at one threshold. */
export interface WorkloadPoint {
  /** Infinity where nobody looks at anything. */
  threshold: number;
  /** Share of all images (or patients) that need a second look. */
  lookShare: number;
  /** Share of the positive ones that do not get it: 1 − sensitivity; NaN without positives. */
  missedShare: number;
  missed: number;
}

/**
 * Computes what each possible threshold costs and misses, from looking at nothing to looking at everything.
 *
 * @throws RangeError if there are no predictions.
 */
export function workloadCurve(
  predictions: readonly Prediction[],
  positiveClass: number,
  level: TriageLevel = "image",
): WorkloadPoint[] {
  const ranked = rankedScores(predictions, level, positiveClass).sort((a, b) => b.score - a.score);
  if (ranked.length === 0) {
    throw rangeRefusal("There are no predictions to draw a curve from: is this part of the split empty?");
  }
  const positives = ranked.filter(({ isPositive }) => isPositive).length;
  const point = (threshold: number, looked: number, missed: number): WorkloadPoint => ({
    threshold,
    lookShare: looked / ranked.length,
    missedShare: missed / positives,
    missed,
  });
  const points = [point(Number.POSITIVE_INFINITY, 0, positives)];
  let missed = positives;
  ranked.forEach(({ score, isPositive }, i) => {
    if (isPositive) missed--;
    if (ranked[i + 1]?.score !== score) points.push(point(score, i + 1, missed));
  });
  return points;
}

/** What a work-list row is listed as. */
export type WorkKind = "positive" | "doubtful" | "unlike" | "negative";

/**
 * What a row is listed as, in the words of the classes: the one vocabulary of lists, tables and files.
 *
 * @param positive - Name of the positive class.
 *
 * @example
 * kindName("negative", "malignant"); // "not malignant"
 */
export function kindName(kind: WorkKind, positive: string): string {
  const names = { positive, doubtful: "doubtful", unlike: "unlike training", negative: `not ${positive}` };
  return names[kind];
}

/** One image of the work list. */
export interface WorkRow {
  /** From 1 on, in the order in which to look. */
  rank: number;
  file: string;
  patient: string | null;
  /** Of the positive class. */
  probability: number;
  /** What the threshold is compared with: the image's probability, or the mean of its patient. */
  score: number;
  kind: WorkKind;
  needsLook: boolean;
}

/** How a work list is sorted. */
export interface WorkRule extends Pick<ChosenThreshold, "threshold" | "level" | "positiveClass"> {
  /** From which probability on the classifier answers the positive class; one half by default. */
  decidesAt?: number;
}

/**
 * Lists images in the order in which to look at them: those that need a look first, the most suspicious of them first.
 *
 * "Positive" are those that the classifier calls so, "doubtful" those that reach the locked threshold and are not called
 * positive, "unlike" those below whose answer is not to be relied on, since they are unlike the training images (a
 * picture of no tissue gets a probability, too), "negative" the rest. All but the last need a look: what the classifier
 * itself calls positive is never spared, wherever the threshold lies. With the level "patient", a patient's images stay
 * together, but for those.
 *
 * @param predictions - With the ways in which each is unlike the training images, where that is known.
 */
export function listWork(
  predictions: readonly (Scored & Pick<Prediction, "file"> & { unlike?: readonly unknown[] })[],
  locked: WorkRule,
): WorkRow[] {
  const { threshold, positiveClass, decidesAt = usualDecision } = locked;
  const scoreOf = decidingScore(predictions, locked);
  return predictions
    .map((prediction) => {
      const score = scoreOf(prediction);
      const { file, patient, probabilities, unlike = [] } = prediction;
      const called = decide(probabilities, { positiveClass, threshold: decidesAt }) === positiveClass;
      const below: WorkKind = unlike.length > 0 ? "unlike" : "negative";
      const kind: WorkKind = called ? "positive" : score >= threshold ? "doubtful" : below;
      const probability = probabilities[positiveClass]!;
      return { file, patient, probability, score, kind, needsLook: kind !== "negative" };
    })
    .sort(
      (one, other) =>
        Number(other.needsLook) - Number(one.needsLook) ||
        other.score - one.score ||
        compareText(one.patient ?? "", other.patient ?? "") ||
        other.probability - one.probability ||
        compareText(one.file, other.file),
    )
    .map((row, i) => ({ rank: i + 1, ...row }));
}

const compareText = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);

/** What a threshold is compared with comes from this; the true class is not needed. */
type Scored = Pick<Prediction, "patient" | "probabilities">;

/** The number that a locked threshold is compared with; an image of an unknown patient is judged by itself. */
export function decidingScore(
  predictions: readonly Scored[],
  { level, positiveClass }: Pick<ChosenThreshold, "level" | "positiveClass">,
): (prediction: Scored) => number {
  const own = ({ probabilities }: Scored) => probabilities[positiveClass]!;
  if (level === "image") return own;
  const means = new Map(
    averageByPatient(predictions).map(({ patient, probabilities }) => [
      patient,
      probabilities[positiveClass]!,
    ]),
  );
  return (prediction) =>
    prediction.patient === null ? own(prediction) : (means.get(prediction.patient) ?? own(prediction));
}
