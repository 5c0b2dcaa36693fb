import type { Dataset } from "../data/dataset-value";
import { splitByPatient } from "../data/split";
import type { Features } from "../model/features";
import { type TrainingSettings, trainHead } from "../training/train";
import type { Interval } from "./bootstrap";
import { calibratePredictions, fitTemperature, type TemperatureFit } from "./calibration";
import { crossValidate, type FoldResult } from "./cross-validation";
import { predictSplit } from "./evaluate";
import { auditLeakage, type LeakageAudit } from "./leakage";
import { type ScoreIntervals, scoreWithIntervals } from "./score-intervals";
import { chooseThreshold, type LockedThreshold, type TriageLevel } from "./triage";
import { crossValidateTriage, evaluateTriage, type TriageReport } from "./triage-report";
import type { ScoreName } from "./weighed-scores";

/** One row of the triage table. */
export interface TriageRow {
  targetSensitivity: number;
  level: TriageLevel;
  report: TriageReport;
  /** One, or one a fold. */
  thresholds: LockedThreshold[];
}

/** All that is measured about a head on a data set; JSON can hold it. */
export interface Evaluation {
  method: "cross-validation" | "hold-out";
  dataset: { name: string; synthetic: boolean; classes: string[]; positiveClass: number | null };
  backbone: string;
  seed: number;
  /** Null after an interrupt before the first fold. */
  scores: ScoreIntervals | null;
  triage: TriageRow[];
  folds: FoldResult[];
  audit: LeakageAudit | null;
  /** Of a hold-out: fitted on validation; its scores are of calibrated probabilities. */
  temperature: TemperatureFit | null;
  complete: boolean;
}

interface EvaluationTask {
  dataset: Dataset;
  features: Features;
  settings: TrainingSettings;
  /** Sensitivities of the triage table. */
  targets: readonly number[];
}

const levels: readonly TriageLevel[] = ["image", "patient"];

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
  task: EvaluationTask & { folds: number; repeats: number; auditSeeds: number },
): Promise<Evaluation> {
  const { dataset, targets, auditSeeds, settings } = task;
  const { positiveClass } = dataset;
  const validated = await crossValidate(task);
  const { predictions } = validated;
  const triage =
    positiveClass === null || !validated.complete
      ? []
      : levels.flatMap((level) =>
          targets.map((targetSensitivity): TriageRow => {
            const wanted = { targetSensitivity, level, positiveClass };
            return { targetSensitivity, level, ...crossValidateTriage(predictions, wanted) };
          }),
        );
  const seeds = Array.from({ length: auditSeeds }, (_, i) => settings.seed + i);
  const audit = auditSeeds > 0 && validated.complete ? await auditLeakage({ ...task, seeds }) : null;
  return {
    method: "cross-validation",
    ...heading(task),
    scores:
      predictions.length === 0 ? null : scoreWithIntervals(predictions, { positiveClass, threshold: 0.5 }),
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
  const { dataset, features, settings, targets } = task;
  const { positiveClass } = dataset;
  const rule = { positiveClass, threshold: 0.5 };
  const split = splitByPatient(dataset, settings.seed);
  const labels = dataset.records.map(({ label }) => label);
  const { head, ended } = await trainHead({
    features,
    labels,
    split,
    classCount: dataset.classes.length,
    settings,
  });
  const raw = predictSplit(dataset, split, features, { head, ...rule });
  const temperature = fitTemperature(raw.filter((one) => one.split === "validation"));
  const predictions = calibratePredictions(raw, temperature.temperature, rule);
  const part = (name: "validation" | "test") => predictions.filter((one) => one.split === name);
  const triage =
    positiveClass === null
      ? []
      : levels.flatMap((level) =>
          targets.map((targetSensitivity): TriageRow => {
            const locked = chooseThreshold(part("validation"), { targetSensitivity, level, positiveClass });
            return {
              targetSensitivity,
              level,
              thresholds: [locked],
              report: evaluateTriage(part("test"), locked),
            };
          }),
        );
  return {
    method: "hold-out",
    ...heading(task),
    scores: scoreWithIntervals(part("test"), rule),
    triage,
    folds: [],
    audit: null,
    temperature,
    complete: ended !== "interrupted",
  };
}

const shown: readonly ScoreName[] = [
  "accuracy",
  "balancedAccuracy",
  "auc",
  "sensitivity",
  "specificity",
  "brierScore",
];

/** A number with its interval, for example "0.62 (0.50–0.75)"; a dash where it is undefined. */
export function intervalText({ value, low, high }: Interval): string {
  if (value === null) return "–";
  const range = low === null || high === null ? "no interval" : `${low.toFixed(2)}–${high.toFixed(2)}`;
  return `${value.toFixed(2)} (${range})`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function scoresTable({ image, patient, groups }: ScoreIntervals): string {
  const rows = [
    ["", `${image.count} images`, patient === null ? "" : `${patient.count} patients`],
    ...shown.map((name) => [
      name,
      intervalText(image.scores[name]),
      patient === null ? "" : intervalText(patient.scores[name]),
    ]),
    [
      "majority class",
      image.majorityClassAccuracy.toFixed(2),
      patient === null ? "" : patient.majorityClassAccuracy.toFixed(2),
    ],
  ];
  if (patient === null) return table(rows);
  const { low, high } = patient.exactAccuracy;
  rows.push(["patient recognition rate", "", intervalText(patient.patientRecognitionRate)]);
  rows.push(["accuracy, exact interval", "", `${low.toFixed(2)}–${high.toFixed(2)}`]);
  const repeats = groups === 1 ? "" : ` Means of ${groups} repeats.`;
  return `${table(rows)}\n${patient.coarseness}${repeats}`;
}

function triageTable(rows: readonly TriageRow[]): string {
  return table([
    [
      "target",
      "decides",
      "images spared",
      "patients spared",
      "sensitivity",
      "images missed",
      "patients missed",
    ],
    ...rows.map(({ targetSensitivity, level, report }) => [
      `${targetSensitivity}`,
      `by ${level}`,
      intervalText(report.shares.imagesSpared),
      intervalText(report.shares.patientsSpared),
      intervalText(report.shares.sensitivity),
      `${Number(report.missedImages.toFixed(1))} of ${report.positiveImages}`,
      `${Number(report.missedPatients.toFixed(1))} of ${report.positivePatients} (exact, up to ${report.missedPatientsExact.high.toFixed(2)})`,
    ]),
  ]);
}

function auditText({ neighbours, conclusion, scores }: LeakageAudit): string {
  const lines = [conclusion];
  if (scores !== null) {
    lines.push(
      `AUC: ${intervalText(scores.imageAuc)} by image, ${intervalText(scores.patientAuc)} by patient, gap ${intervalText(scores.aucGap)}.`,
    );
  }
  if (neighbours !== null) {
    const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
    const { samePatient, samePatientWithinClass, sameClassAcrossPatients } = neighbours;
    lines.push(
      `The nearest neighbour is of the same patient in ${percent(samePatient.share)} (chance ${percent(samePatient.chance)}), ` +
        `within a class in ${percent(samePatientWithinClass.share)} (chance ${percent(samePatientWithinClass.chance)}); ` +
        `among other patients it is of the same class in ${percent(sameClassAcrossPatients.share)} (chance ${percent(sameClassAcrossPatients.chance)}).`,
    );
  }
  return lines.join("\n");
}

/** Writes an evaluation as plain text with tables, for a terminal. */
export function describeEvaluation(evaluation: Evaluation): string {
  const { method, scores, triage, audit, temperature, dataset } = evaluation;
  const title =
    method === "hold-out"
      ? "Test patients of one split by patient"
      : "Cross-validation by patient, out-of-fold";
  return [
    dataset.synthetic ? "The images are synthetic: no number here says anything about tissue." : "",
    `${title}; 95 % intervals resample patients.`,
    scores === null ? "No fold was finished." : scoresTable(scores),
    temperature?.description ?? "",
    triage.length === 0
      ? ""
      : `Triage, thresholds chosen on other patients than reported:\n${triageTable(triage)}`,
    audit === null ? "" : `Leakage: ${auditText(audit)}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
