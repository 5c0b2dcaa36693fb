import type { Dataset } from "../data/record";
import { splitByPatient } from "../data/split/split";
import { answeringViews } from "../model/classifier/predict-rows";
import type { Features } from "../model/features/features";
import { calibratePredictions, fitTemperature, type TemperatureFit } from "../scores/calibration";
import { predictSplit } from "../scores/evaluate";
import { type ScoreIntervals, scoreWithIntervals } from "../scores/intervals/score-intervals";
import type { Prediction } from "../scores/prediction";
import {
  type ChosenThreshold,
  chooseThreshold,
  type TriageLevel,
  type TriageTarget,
} from "../scores/triage/triage";
import { crossValidateTriage, evaluateTriage, type TriageReport } from "../scores/triage/triage-report";
import { tumourAnswers, tumourRule } from "../scores/tumour-answer";
import { type TrainingSettings, trainHead } from "../training/head/train";
import { targetsOf } from "../training/head/training-data";
import type { Recipe } from "./compare-recipes";
import { type CrossValidation, crossValidate, type FoldResult } from "./cross-validation";
import type { FeaturesFor } from "./features-for";
import { auditLeakage, type LeakageAudit } from "./leakage";

/** One row of the triage table. */
export interface TriageRow {
  targetSensitivity: number;
  level: TriageLevel;
  report: TriageReport;
  /** One, or one a fold. */
  thresholds: ChosenThreshold[];
}

/** All that is measured about a head on a data set; JSON can hold it. */
export interface Evaluation {
  method: "cross-validation" | "hold-out";
  dataset: { name: string; synthetic: boolean; classes: string[]; positiveClass: number | null };
  backbone: string;
  seed: number;
  /** Null after an interrupt before the first fold. */
  scores: ScoreIntervals | null;
  /** Of the answers benign and malignant that follow, where the classes are BreaKHis' subtypes. */
  tumour?: ScoreIntervals;
  triage: TriageRow[];
  folds: FoldResult[];
  audit: LeakageAudit | null;
  /** Of a hold-out: fitted on validation; its scores are of calibrated probabilities. */
  temperature: TemperatureFit | null;
  complete: boolean;
  /** What was done to the images; nothing where it is not noted. */
  recipe?: Recipe;
}

interface EvaluationTask {
  dataset: Dataset;
  features: Features;
  /** Where they depend on who is learned from, as with normalised stains: used in place of `features`. */
  featuresFor?: FeaturesFor;
  settings: TrainingSettings;
  /** Sensitivities of the triage table. */
  targets: readonly number[];
  /** Heads of an ensemble that answers in each fold; 1 by default. */
  ensemble?: number;
}

/** Scores of what follows from subtypes; nothing for other classes. */
function scoreTumour(
  predictions: readonly Prediction[],
  classes: readonly string[],
): Pick<Evaluation, "tumour"> {
  const answers = predictions.length === 0 ? null : tumourAnswers(predictions, classes);
  return answers === null ? {} : { tumour: scoreWithIntervals(answers, tumourRule) };
}

const levels: readonly TriageLevel[] = ["image", "patient"];

/** Triage for each level and wanted sensitivity; none where no class is looked for. */
function triageRows(
  { dataset: { positiveClass }, targets }: EvaluationTask,
  tabulate: (
    wanted: Pick<TriageTarget, "targetSensitivity" | "level" | "positiveClass">,
  ) => Pick<TriageRow, "report" | "thresholds">,
): TriageRow[] {
  if (positiveClass === null) return [];
  return levels.flatMap((level) =>
    targets.map((targetSensitivity) => ({
      targetSensitivity,
      level,
      ...tabulate({ targetSensitivity, level, positiveClass }),
    })),
  );
}

function heading({ dataset, features, settings }: EvaluationTask) {
  const { name, synthetic, classes, positiveClass } = dataset;
  return {
    dataset: { name, synthetic, classes, positiveClass },
    backbone: features.backbone,
    seed: settings.seed,
  };
}

/** Cross-validates by patient, tabulates triage from the pooled predictions, and audits leakage. */
export async function evaluateDataset(
  task: EvaluationTask & {
    folds: number;
    repeats: number;
    auditSeeds: number;
    /** Called with the cross-validation, before triage and audit. */
    onValidated?: (validated: CrossValidation) => Promise<void>;
  },
): Promise<Evaluation> {
  const { dataset, auditSeeds, settings } = task;
  const { positiveClass } = dataset;
  const validated = await crossValidate(task);
  await task.onValidated?.(validated);
  const { predictions } = validated;
  const triage = validated.complete
    ? triageRows(task, (wanted) => crossValidateTriage(predictions, wanted))
    : [];
  const seeds = Array.from({ length: auditSeeds }, (_, i) => settings.seed + i);
  const audit = auditSeeds > 0 && validated.complete ? await auditLeakage({ ...task, seeds }) : null;
  return {
    method: "cross-validation",
    ...heading(task),
    scores:
      predictions.length === 0 ? null : scoreWithIntervals(predictions, { positiveClass, threshold: 0.5 }),
    ...scoreTumour(predictions, dataset.classes),
    triage,
    folds: validated.folds,
    audit,
    temperature: null,
    complete: validated.complete && audit?.complete !== false,
  };
}

/**
 * Trains on one split by patient; temperature and triage thresholds are chosen on validation, and all is reported on
 * test.
 */
export async function evaluateHoldOut(task: EvaluationTask): Promise<Evaluation> {
  const { dataset, featuresFor, settings } = task;
  const { positiveClass } = dataset;
  const rule = { positiveClass, threshold: 0.5 };
  const split = splitByPatient(dataset, settings.seed);
  const features = featuresFor === undefined ? task.features : await featuresFor(dataset, split.train);
  const { head, ended } = await trainHead({
    features,
    ...targetsOf(dataset),
    split,
    classCount: dataset.classes.length,
    settings,
  });
  const raw = predictSplit(dataset, split, features, {
    head,
    ...rule,
    views: answeringViews(features, settings),
  });
  const temperature = fitTemperature(raw.filter((one) => one.split === "validation"));
  const predictions = calibratePredictions(raw, temperature.temperature, rule);
  const part = (name: "validation" | "test") => predictions.filter((one) => one.split === name);
  const triage = triageRows(task, (wanted) => {
    const locked = chooseThreshold(part("validation"), wanted);
    return { thresholds: [locked], report: evaluateTriage(part("test"), locked) };
  });
  return {
    method: "hold-out",
    ...heading(task),
    scores: scoreWithIntervals(part("test"), rule),
    ...scoreTumour(part("test"), dataset.classes),
    triage,
    folds: [],
    audit: null,
    temperature,
    complete: ended !== "interrupted",
  };
}
