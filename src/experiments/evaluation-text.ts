import { largest } from "../runtime/many";
import type { Interval } from "../scores/intervals/bootstrap";
import { intervalMethod, type ScoreIntervals } from "../scores/intervals/score-intervals";
import type { ScoreName } from "../scores/weighed-scores";
import type { Evaluation, TriageRow } from "./evaluation-report";
import type { LeakageAudit } from "./leakage";

const shown: readonly [ScoreName, string][] = [
  ["accuracy", "accuracy"],
  ["balancedAccuracy", "balanced accuracy"],
  ["auc", "AUC"],
  ["sensitivity", "sensitivity"],
  ["specificity", "specificity"],
  ["brierScore", "Brier score (0 is best)"],
  ["logLoss", "log loss (0 is best)"],
];

/** A number with its interval, for example "0.62 (0.50–0.75)"; a dash where it is undefined. */
export function intervalText({ value, low, high }: Interval): string {
  if (value === null) return "–";
  const range = low === null || high === null ? "no interval" : `${low.toFixed(2)}–${high.toFixed(2)}`;
  return `${value.toFixed(2)} (${range})`;
}

/** A difference with its sign, for example "+0.013". */
export const signedText = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

/** Rows of cells in columns that line up; the first row names them. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => largest(rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Scores by image and by patient with their intervals, as a table for a terminal. */
export function scoresTable({ image, patient, patientClass, groups }: ScoreIntervals): string {
  const rows = [
    ["", `${image.count} images`, patient === null ? "" : `${patient.count} patients`],
    ...shown.map(([name, title]) => [
      title,
      intervalText(image.scores[name]),
      patient === null ? "" : intervalText(patient.scores[name]),
    ]),
    [
      "majority class",
      image.majorityClassAccuracy.toFixed(2),
      patient === null ? "" : patient.majorityClassAccuracy.toFixed(2),
    ],
  ];
  if (patient === null) return `${textTable(rows)}\n${patientClass}`;
  rows.push(["patient recognition rate", "", intervalText(patient.patientRecognitionRate)]);
  const repeats = groups === 1 ? "" : ` Means of ${groups} repeats.`;
  return `${textTable(rows)}\n${patient.coarseness} ${patientClass}${repeats}`;
}

function triageTable(rows: readonly TriageRow[]): string {
  return textTable([
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
      `${Number(report.missedPatients.toFixed(1))} of ${report.positivePatients} (${intervalText(report.shares.missedPatients)})`,
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
  const { method, scores, tumour, triage, audit, temperature, dataset } = evaluation;
  const title =
    method === "hold-out"
      ? "Test patients of one split by patient"
      : "Cross-validation by patient, out-of-fold";
  return [
    dataset.synthetic ? "The images are synthetic: no number here says anything about tissue." : "",
    `${title}, with 95 % intervals. ${intervalMethod}`,
    scores === null ? "No fold was finished." : scoresTable(scores),
    tumour === undefined
      ? ""
      : `Benign or malignant, as it follows from the subtypes:\n${scoresTable(tumour)}`,
    temperature?.description ?? "",
    triage.length === 0
      ? ""
      : `Triage, thresholds chosen on other patients than reported:\n${triageTable(triage)}`,
    audit === null ? "" : `Leakage: ${auditText(audit)}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
