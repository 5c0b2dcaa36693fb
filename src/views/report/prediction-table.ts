import { csvText } from "../../data/csv";
import type { JudgedImage } from "../../scores/triage/judged-images";
import { kindName } from "../../scores/triage/triage";
import { tumourProbabilities } from "../../scores/tumour-answer";

/** The classes that predictions are about. */
export interface PredictedClasses {
  classes: readonly string[];
  positiveClass: number | null;
}

type Value = string | number | boolean | null;

/** One image's answer, name by name: what a line of JSON holds, and a row of a table. */
function valuesOf(
  image: JudgedImage,
  { classes, positiveClass }: PredictedClasses,
  withTruth: boolean,
): Record<string, Value> {
  const { ofPatient } = image;
  const positiveOf = (probabilities: readonly number[] | undefined) => {
    if (probabilities === undefined) return null;
    // Of subtypes, what follows from them: the sum of the malignant ones.
    if (positiveClass === null) return tumourProbabilities(probabilities, classes)?.[1] ?? null;
    return probabilities[positiveClass] ?? null;
  };
  return {
    file: image.file,
    patient: image.patient,
    // The positive class's, whatever its name: the column is called as in a run's predictions.csv.
    probabilityMalignant: positiveOf(image.probabilities),
    calibratedProbability: image.calibrated,
    predicted: image.predicted,
    predictedClass: classes[image.predicted]!,
    ...(withTruth ? { truth: image.truth ?? null } : {}),
    secondLook: image.secondLook,
    listedAs: image.listedAs === null ? null : kindName(image.listedAs, classes[positiveClass!]!),
    rank: image.rank,
    patientImages: ofPatient?.images ?? null,
    patientProbability: positiveOf(ofPatient?.probabilities),
    patientPredictedClass: ofPatient === null ? null : classes[ofPatient.predicted]!,
    patientSecondLook: ofPatient?.secondLook ?? null,
    distance: image.distance,
    warnings: image.unlike.map(({ text }) => text).join("; "),
    ...Object.fromEntries(classes.map((name, i) => [`probability of ${name}`, image.probabilities[i]!])),
  };
}

/** Whether a labels file said what some of the images are. */
const someTruth = (images: readonly JudgedImage[]) => images.some(({ truth }) => truth !== undefined);

function csvCell(value: Value): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? String(value) : csvText(value ?? "");
}

/**
 * Encodes judged images as CSV, one row an image; what is not known is empty. Numbers are written so that reading them
 * gives the very same ones, and no text is taken for a formula.
 *
 * @param images - At least one.
 */
export function encodeJudgedCsv(images: readonly JudgedImage[], about: PredictedClasses): string {
  const withTruth = someTruth(images);
  const rows = images.map((image) => valuesOf(image, about, withTruth));
  const header = Object.keys(rows[0]!).map(csvText);
  const lines = rows.map((row) => Object.values(row).map(csvCell));
  return [header, ...lines].map((cells) => `${cells.join(",")}\n`).join("");
}

/** Encodes judged images as JSON lines, one object an image, with the names of the CSV's columns; warnings are a list. */
export function encodeJudgedJsonLines(images: readonly JudgedImage[], about: PredictedClasses): string {
  const withTruth = someTruth(images);
  const lines = images.map((image) => ({ ...valuesOf(image, about, withTruth), warnings: image.unlike }));
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}
