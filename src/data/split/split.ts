import { createRandom } from "../../runtime/random";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import { countOf, nameSome } from "../../runtime/words";
import type { Dataset, ImageRecord } from "../record";
import { checkSplit } from "./split-check";
import { distributeUnits, groupRecords, type SplitUnit } from "./split-units";
import {
  defaultFractions,
  type Split,
  type SplitFractions,
  type SplitKind,
  type SplitPart,
  splitParts,
} from "./split-value";

export { checkSplit, duplicatesAcrossParts, patientsInSeveralParts, refuseDuplicates } from "./split-check";
export { filesOfSplit, loadSplit, saveSplit } from "./split-file";
export { describeSplit, type SplitDescription, type SplitRow } from "./split-report";
export {
  defaultFractions,
  type Split,
  type SplitFractions,
  type SplitKind,
  type SplitPart,
  splitParts,
} from "./split-value";

/** Fewer patients of a class would make a part's result that of one person. */
const patientsNeeded = 2;

const contentKey = ({ sha256 }: ImageRecord) => `content ${sha256}`;
const patientKeys = (record: ImageRecord) => [`patient ${record.patient}`, contentKey(record)];
const imageKeys = (record: ImageRecord) => [contentKey(record)];

/**
 * Splits by patient: all images of one patient are in one part, so the test asks what happens with a new patient.
 *
 * Stratified by the label of most of a patient's images; within each class, patients are dealt so that the images come
 * near the wanted shares. Patients who share an identical image stay together.
 *
 * @param seed - Integer; the same one gives the same split.
 * @throws Error if a patient is unknown or a part would have less than two patients of a class, or none where there are
 * more than two classes.
 *
 * @example
 * const split = splitByPatient(dataset, 1);
 */
export function splitByPatient(
  dataset: Dataset,
  seed: number,
  fractions: SplitFractions = defaultFractions,
): Split {
  checkFractions(fractions);
  const unknown = dataset.records.filter(({ patient }) => patient === null).map(({ file }) => file);
  if (unknown.length > 0) {
    throw refusal(
      `A split by patient needs to know every image's patient, and the names of ${unknown.length} of ` +
        `${countOf(dataset.records.length, "image")} do not tell it: ${nameSome(unknown, 5)}. Name them as BreaKHis ` +
        "does, leave them out, or give a labels file with a column patient. A split by image is possible, but it leaks: a patient's images are then in " +
        "training and test at once, and the results look better than they are.",
    );
  }
  const units = groupRecords(dataset.records, allRows(dataset), patientKeys);
  const partCount = splitParts.filter((part) => fractions[part] > 0).length;
  const found = countUnits(dataset, units);
  // Of many classes the rare ones are rare: better one patient in each part than no answer, and describeSplit says so.
  const least = dataset.classes.length > 2 ? 1 : patientsNeeded;
  if (found.some((count) => count < least * partCount)) {
    const counts = dataset.classes.map((name, label) => `${name} ${found[label]}`).join(", ");
    throw refusal(
      `A split by patient needs at least ${countOf(least, "patient")} of each class in each of ${partCount} parts, so ` +
        `${least * partCount} of each class; found ${counts}. Add patients or use cross-validation by ` +
        "patient, which needs fewer.",
    );
  }
  const parts = distributeUnits(
    units,
    fractions,
    (label) => (found[label]! < patientsNeeded * partCount ? least : patientsNeeded),
    createRandom(seed).fork("split by patient"),
  );
  return checked(dataset, { by: "patient", seed, ...parts });
}

/**
 * Splits by image, stratified by label: a patient's images are in several parts, so the test leaks.
 *
 * Kept to reproduce results that were obtained this way. Identical copies of an image stay in one part.
 *
 * @throws Error if a part would have no image of a class.
 */
export function splitByImage(
  dataset: Dataset,
  seed: number,
  fractions: SplitFractions = defaultFractions,
): Split {
  checkFractions(fractions);
  const units = groupRecords(dataset.records, allRows(dataset), imageKeys);
  const partCount = splitParts.filter((part) => fractions[part] > 0).length;
  requireImages(dataset, units, partCount, "A split by image");
  const parts = distributeUnits(units, fractions, 1, createRandom(seed).fork("split by image"));
  return checked(dataset, { by: "image", seed, ...parts });
}

/**
 * Splits as the folder or its labels file does: its test is the test; validation is its own or else taken from its
 * train, a quarter by default.
 *
 * Validation is taken by patient where the patients are known and enough, else by image. Copies in train and validation
 * of images in test, and in train of images in validation, are in no part.
 *
 * @throws Error if the data set has no train and test folders.
 */
export function splitByFolder(
  dataset: Dataset,
  seed: number,
  fractions: SplitFractions = defaultFractions,
): Split {
  checkFractions(fractions);
  const { records } = dataset;
  const rowsOf = (part: SplitPart) => allRows(dataset).filter((row) => records[row]!.folderPart === part);
  const contents = (rows: readonly number[]) => new Set(rows.map((row) => records[row]!.sha256));
  const without = (rows: readonly number[], seen: ReadonlySet<string>) =>
    rows.filter((row) => !seen.has(records[row]!.sha256));
  const test = rowsOf("test");
  const own = without(rowsOf("validation"), contents(test));
  const rest = without(rowsOf("train"), contents([...test, ...own]));
  if (test.length === 0 || rest.length === 0) {
    throw refusal(
      `A split by folder needs images in a train and in a test folder; ${dataset.folder} has ${rest.length} and ` +
        `${test.length}. Split by patient instead.`,
    );
  }
  if (own.length > 0) return checked(dataset, { by: "folder", seed, train: rest, validation: own, test });
  const share = fractions.train + fractions.validation;
  const within = { train: fractions.train / share, validation: fractions.validation / share, test: 0 };
  const random = createRandom(seed).fork("validation from the train folder");
  const { units, minimum } = validationUnits(dataset, rest);
  const { train, validation } = distributeUnits(units, within, minimum, random);
  return checked(dataset, { by: "folder", seed, train, validation, test });
}

/** Patients where they are known and enough of each class for train and validation, else single images. */
function validationUnits(dataset: Dataset, rows: number[]): { units: SplitUnit[]; minimum: number } {
  const allKnown = rows.every((row) => dataset.records[row]!.patient !== null);
  const patients = groupRecords(dataset.records, rows, allKnown ? patientKeys : imageKeys);
  if (
    allKnown &&
    countUnits(dataset, patients).every((count) => count === 0 || count >= 2 * patientsNeeded)
  ) {
    return { units: patients, minimum: patientsNeeded };
  }
  const images = groupRecords(dataset.records, rows, imageKeys);
  requireImages(dataset, images, 2, "Taking validation from the train folder");
  return { units: images, minimum: 1 };
}

/** Splits in the way that is asked for. */
export function makeSplit(dataset: Dataset, options: { by: SplitKind; seed: number }): Split {
  switch (options.by) {
    case "patient":
      return splitByPatient(dataset, options.seed);
    case "image":
      return splitByImage(dataset, options.seed);
    case "folder":
      return splitByFolder(dataset, options.seed);
  }
}

function allRows(dataset: Dataset): number[] {
  return dataset.records.map((_, row) => row);
}

function countUnits(dataset: Dataset, units: readonly SplitUnit[]): number[] {
  return dataset.classes.map((_, label) => units.filter((unit) => unit.label === label).length);
}

function requireImages(dataset: Dataset, units: readonly SplitUnit[], partCount: number, what: string): void {
  const found = countUnits(dataset, units);
  if (found.every((count) => count >= partCount)) return;
  const counts = dataset.classes.map((name, label) => `${name} ${found[label]}`).join(", ");
  throw refusal(`${what} needs at least ${partCount} different images of each class; found ${counts}.`);
}

function checkFractions(fractions: SplitFractions): void {
  const values = splitParts.map((part) => fractions[part]);
  const sum = values.reduce((total, value) => total + value, 0);
  // Written so that NaN fails too.
  const valid = values.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-9;
  if (!valid || fractions.train === 0) {
    throw rangeRefusal(
      `A split's shares must be at least 0, train's more than 0, and their sum 1; found ${values}.`,
    );
  }
}

function checked(dataset: Dataset, split: Split): Split {
  checkSplit(dataset, split);
  return split;
}
