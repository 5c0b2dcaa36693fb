import { readFile } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import { csvText } from "../../data/csv";
import { type SplitPart, splitParts } from "../../data/split/split-value";
import { writeFileAtomically } from "../../runtime/files/write-file";
import { refusal } from "../../runtime/refusal";
import type { Prediction } from "../../scores/prediction";

/** The classes that predictions are about. */
export interface PredictionClasses {
  classes: readonly string[];
  positiveClass: number | null;
}

const columns = ["file", "split", "patient", "label", "probabilityMalignant", "predicted"];

const readText = (field: string): string => field.replace(/^'/, "");

function toLine(prediction: Prediction, positiveClass: number | null): string {
  const { file, split, patient, label, probabilities, predicted } = prediction;
  const malignant = positiveClass === null ? "" : probabilities[positiveClass]!;
  return [csvText(file), split, csvText(patient ?? ""), label, malignant, predicted, ...probabilities].join(
    ",",
  );
}

/**
 * Writes predictions as CSV, whole or not at all: file, split, patient, label, probabilityMalignant (of the
 * positive class, whatever its name; empty where there is none), predicted, then each class's probability.
 *
 * Labels are indices of classes; probabilities are written so that reading them gives the very same numbers.
 */
export async function writePredictions(
  path: string,
  predictions: readonly Prediction[],
  { classes, positiveClass }: PredictionClasses,
): Promise<void> {
  const header = [...columns, ...classes.map((name) => `probability of ${name}`)].map(csvText).join(",");
  const lines = predictions.map((prediction) => toLine(prediction, positiveClass));
  await writeFileAtomically(path, `${[header, ...lines].join("\n")}\n`);
}

function readNumber(field: string | undefined, line: number, path: string): number {
  const value = Number(field);
  if (field === undefined || field === "" || Number.isNaN(value)) {
    throw refusal(`${path}, line ${line}: expected a number, found "${field ?? ""}".`);
  }
  return value;
}

function parseRow(row: string[], line: number, path: string): Prediction {
  const [file = "", split = "", patient = "", label, , predicted, ...probabilities] = row;
  if (!splitParts.includes(split as SplitPart)) {
    throw refusal(`${path}, line ${line}: expected one of ${splitParts.join(", ")}, found "${split}".`);
  }
  return {
    file: readText(file),
    split: split as SplitPart,
    patient: patient === "" ? null : readText(patient),
    label: readNumber(label, line, path),
    probabilities: probabilities.map((field) => readNumber(field, line, path)),
    predicted: readNumber(predicted, line, path),
  };
}

/**
 * Reads what `writePredictions` wrote.
 *
 * @throws Error naming file and line if it is something else.
 */
export async function readPredictions(path: string): Promise<Prediction[]> {
  const rows: string[][] = parse(await readFile(path), { bom: true });
  const [header = [], ...body] = rows;
  if (columns.some((name, i) => header[i] !== name)) {
    throw refusal(`${path} should start with the columns ${columns.join(", ")}, found ${header.join(", ")}.`);
  }
  return body.map((row, i) => parseRow(row, i + 2, path));
}
