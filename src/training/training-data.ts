import { countClasses } from "./class-weights";

/** Features of all records, row by row; row i belongs to record i. */
export interface FeatureTable {
  /** Shape [records, width]. */
  values: Float32Array;
  width: number;
  /** False where the computation was interrupted, and rows are missing. */
  complete?: boolean;
  /** The image that each row belongs to, where it is known: so that copies are noticed. */
  images?: readonly { file: string; sha256: string }[];
}

/** Which records are learned from and which decide when to stop. Features of a split's test records are not asked for. */
export interface TrainingParts {
  train: readonly number[];
  validation: readonly number[];
  /** Only to notice images that are in another part too. */
  test?: readonly number[];
}

/** The rows of one part. */
export interface LabelledRows {
  /** Shape [count, width]. */
  values: Float32Array;
  /** Shape [count]. */
  labels: Int32Array;
  count: number;
  width: number;
}

// A call for each of millions of values would take as long as several epochs.
function areFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) return false;
  }
  return true;
}

function selectPart(
  features: FeatureTable,
  labels: readonly number[],
  rows: readonly number[],
  part: string,
): LabelledRows {
  const { width } = features;
  if (rows.length === 0) {
    throw new Error(
      `The ${part} part has no images: training needs some. Choose another split or more data.`,
    );
  }
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    if (!Number.isInteger(row) || row < 0 || row >= labels.length) {
      throw new RangeError(`The ${part} part names record ${row}, but there are ${labels.length} records.`);
    }
    const rowValues = features.values.subarray(row * width, (row + 1) * width);
    if (!areFinite(rowValues)) {
      throw new Error(
        `The features of record ${row} are not finite numbers: compute them again, and check the weights file.`,
      );
    }
    values.set(rowValues, i * width);
  });
  return { values, labels: Int32Array.from(rows, (row) => labels[row]!), count: rows.length, width };
}

/**
 * Takes the rows to train on and to validate with, and checks that training on them means something.
 *
 * @param labels - One class index a record.
 * @throws Error if a part is empty, features are missing or not finite, or a class has no training image.
 */
export function selectTrainingData(
  features: FeatureTable,
  labels: readonly number[],
  parts: TrainingParts,
  classCount: number,
): { train: LabelledRows; validation: LabelledRows } {
  if (features.complete === false) {
    throw new Error("The features are incomplete, their computation was interrupted: run that cell again.");
  }
  if (features.values.length !== labels.length * features.width) {
    throw new RangeError(
      `There must be ${features.width} features for each of ${labels.length} records, found ${features.values.length} in all.`,
    );
  }
  const train = selectPart(features, labels, parts.train, "training");
  const validation = selectPart(features, labels, parts.validation, "validation");
  countClasses(validation.labels, classCount);
  const counts = countClasses(train.labels, classCount);
  const missing = counts.indexOf(0);
  if (missing >= 0) {
    throw new Error(
      `No training image is of class ${missing} (images a class: ${counts.join(", ")}), so it can't be learned. Choose another split or more data.`,
    );
  }
  return { train, validation };
}
