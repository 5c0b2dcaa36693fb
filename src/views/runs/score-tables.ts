import type { Scores } from "../../scores/prediction";
import type { RunSummary } from "../../training/runs/run-summary";
import { describeAccuracy, percent } from "../display/findings";
import { type PlainTable, plainTable } from "../display/plain-table";
import type { Cell } from "../display/table-html";

/**
 * A run's scores on validation and test, by image and by patient, each beside the majority class; of subtypes also those
 * of the answers benign and malignant that follow.
 */
export function scoresTable(summary: RunSummary): PlainTable {
  const columns: [string, Scores | null][] = [
    ["validation, by image", summary.validation],
    ["validation, by patient", summary.validation?.byPatient ?? null],
    ["test, by image", summary.test],
    ["test, by patient", summary.test?.byPatient ?? null],
  ];
  const binary = summary.tumour?.test;
  if (binary) {
    columns.push(["test, benign or malignant, by image", binary]);
    columns.push(["test, benign or malignant, by patient", binary.byPatient]);
  }
  const names = scoreLines.map(({ name }) => name);
  const rows = names.map((score, i): Record<string, Cell> => {
    const values = columns.map(([column, scores]) => [
      column,
      scores === null ? null : scoreLines[i]!.text(scores),
    ]);
    return { score, ...Object.fromEntries(values) };
  });
  const caption = `Scores of run ${summary.id}`;
  return plainTable(rows, summary.synthetic ? `${caption} — synthetic data` : caption);
}

/** What the scores of the test part mean, in sentences; "by patient" only where patients are known. */
export function describeTest(summary: RunSummary): string {
  const { test } = summary;
  if (test === null) return "The test part is empty.";
  const sentences = [describeAccuracy("image", test.accuracy, test.majorityClassAccuracy)];
  const { byPatient } = test;
  if (byPatient !== null) {
    sentences.push(describeAccuracy("patient", byPatient.accuracy, byPatient.majorityClassAccuracy));
    sentences.push(`The test part has ${test.count} images of ${byPatient.count} patients.`);
  }
  const binary = summary.tumour?.test;
  if (binary) {
    const { accuracy, majorityClassAccuracy } = binary;
    const sentence = describeAccuracy("image", accuracy, majorityClassAccuracy);
    sentences.push(`Benign or malignant, as it follows from the subtypes: ${sentence}`);
  }
  return sentences.join("\n");
}

const scoreLines: { name: string; text: (scores: Scores) => string }[] = [
  { name: "how many", text: (scores) => String(scores.count) },
  { name: "accuracy", text: (scores) => percent(scores.accuracy) },
  { name: "always the majority class", text: (scores) => percent(scores.majorityClassAccuracy) },
  { name: "balanced accuracy", text: (scores) => percent(scores.balancedAccuracy) },
  { name: "sensitivity", text: (scores) => percent(scores.sensitivity ?? Number.NaN) },
  { name: "specificity", text: (scores) => percent(scores.specificity ?? Number.NaN) },
  { name: "AUC", text: (scores) => (scores.auc === null ? "–" : scores.auc.toFixed(3)) },
];
