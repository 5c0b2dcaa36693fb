import { createRandom } from "../../runtime/random";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import type { Dataset } from "../record";
import { distributeUnits, groupRecords } from "./split-units";

/** Of the images taken, this part decides when to stop: a smaller set has a smaller validation part as well. */
const validationShare = 0.25;

/** Images to learn from, of some of the patients. */
export interface PatientSubset {
  /** Indices into the data set's records, ascending. */
  train: number[];
  validation: number[];
  /** In both together. */
  patients: number;
}

/**
 * Takes a share of the patients, class by class, and divides them by patient into images to train and to validate with.
 *
 * As many images as the share asks for, as near as whole patients allow; at least one patient of each class in each part.
 *
 * @param rows - Indices of the records to take from; every one's patient is known.
 * @param share - Above 0, up to 1: 1 takes all.
 * @param seed - The same one takes the same patients.
 * @throws RangeError if the share is out of range, Error if a patient is unknown or a class has less than two patients.
 */
export function takePatients(
  { records, classes }: Pick<Dataset, "records" | "classes">,
  rows: readonly number[],
  share: number,
  seed: number,
): PatientSubset {
  if (!(share > 0 && share <= 1)) {
    throw rangeRefusal(`A share of the patients is above 0 and up to 1, found ${share}.`);
  }
  const unknown = rows.find((row) => records[row]!.patient === null);
  if (unknown !== undefined) {
    throw refusal(
      `A share of the patients needs to know every image's patient, and the name of ${records[unknown]!.file} does not tell it.`,
    );
  }
  const sorted = [...rows].sort((one, other) => one - other);
  const units = groupRecords(records, sorted, ({ patient, sha256 }) => [
    `patient ${patient}`,
    `content ${sha256}`,
  ]);
  const counts = classes.map((_, label) => units.filter((unit) => unit.label === label).length);
  if (counts.some((count) => count < 2)) {
    const found = classes.map((name, label) => `${name} ${counts[label]}`).join(", ");
    throw refusal(
      `To learn from a share of the patients, at least 2 of each class are needed, one of them to validate with; found ${found}.`,
    );
  }
  const fractions = {
    train: share * (1 - validationShare),
    validation: share * validationShare,
    // What is left over is not used.
    test: 1 - share,
  };
  const { train, validation } = distributeUnits(
    units,
    fractions,
    1,
    createRandom(seed).fork("patients taken"),
  );
  const patients = new Set([...train, ...validation].map((row) => records[row]!.patient)).size;
  return { train, validation, patients };
}

/**
 * The same data set with at most so many images of each patient, taken at random: enough to compare ways of learning, in
 * less time. Whoever has images of several classes keeps about their shares, and so the class that most of them have.
 *
 * @param most - At least 1. Images of unknown patients all stay.
 * @param seed - The same one takes the same images.
 * @throws RangeError if `most` is not a positive whole number.
 */
export function limitImages(dataset: Dataset, most: number, seed: number): Dataset {
  if (!Number.isSafeInteger(most) || most < 1) {
    throw rangeRefusal(`At least one image of each patient is needed, found ${most}.`);
  }
  const random = createRandom(seed).fork("images taken");
  const counts = new Map<string, number>();
  const taken = random.shuffle(dataset.records.map((_, row) => row)).filter((row) => {
    const { patient } = dataset.records[row]!;
    if (patient === null) return true;
    const count = (counts.get(patient) ?? 0) + 1;
    counts.set(patient, count);
    return count <= most;
  });
  const records = taken.sort((one, other) => one - other).map((row) => dataset.records[row]!);
  return { ...dataset, records };
}
