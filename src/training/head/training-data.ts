import type { Dataset } from "../../data/record";
import {
  countValues,
  type FeatureValues,
  pickRows,
  stackRows,
  storedRows,
} from "../../model/features/feature-rows";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import { countClasses } from "./class-weights";

/** What a head is to answer, and whose images it learns that from: one of each a record. */
export function targetsOf({ records }: Pick<Dataset, "records">): {
  labels: number[];
  patients: (string | null)[];
} {
  return { labels: records.map(({ label }) => label), patients: records.map(({ patient }) => patient) };
}

/** Features of all records, row by row; row i belongs to record i. */
export interface FeatureTable {
  /** Shape [records, width]. */
  values: FeatureValues;
  width: number;
  /** False where the computation was interrupted, and rows are missing. */
  complete?: boolean;
  /** The image that each row belongs to, where it is known: so that copies are noticed. */
  images?: readonly { file: string; sha256: string }[];
  /** Further views of the same images, each shaped as `values`: the head learns from one view an image and epoch. */
  views?: readonly { values: FeatureValues }[];
  /** Records that all images' stains were normalised to, if they were. */
  fittedOn?: readonly number[];
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
  values: FeatureValues;
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
    throw refusal(`The ${part} part has no images: training needs some. Choose another split or more data.`);
  }
  const source = storedRows(features.values, width);
  const looked = new Float32Array(width);
  for (const row of rows) {
    if (!Number.isInteger(row) || row < 0 || row >= labels.length) {
      throw rangeRefusal(`The ${part} part names record ${row}, but there are ${labels.length} records.`);
    }
    source.read(row, looked, 0);
    if (!areFinite(looked)) {
      throw refusal(
        `The features of record ${row} are not finite numbers: compute them again, and check the weights file.`,
      );
    }
  }
  const values = pickRows(features.values, width, rows);
  return { values, labels: Int32Array.from(rows, (row) => labels[row]!), count: rows.length, width };
}

/** @throws Error if stains were normalised to images that are not learned from: they may be those that are tested on. */
function refuseForeignStains({ fittedOn = [] }: FeatureTable, { train }: TrainingParts): void {
  const learned = new Set(train);
  if (fittedOn.every((row) => learned.has(row))) return;
  throw refusal(
    "The images' stains were normalised to those of another training part, so the head would know something of the images that it is tested on. Compute the features again, with stains normalised to this training part.",
  );
}

/** The training rows once for each view: those of the images as they are first, then of one view after the other. */
function stackViews(train: LabelledRows, views: readonly LabelledRows[]): LabelledRows | null {
  if (views.length === 0) return null;
  const parts = [train, ...views];
  const tables = parts.map(({ values }) => values);
  const values = stackRows(tables, train.width);
  const labels = new Int32Array(parts.length * train.count);
  for (let i = 0; i < parts.length; i++) labels.set(train.labels, i * train.count);
  return { values, labels, count: labels.length, width: train.width };
}

/** The rows that a head is trained with. */
export interface TrainingData {
  /** The training images as they are. */
  train: LabelledRows;
  /** `train`, and behind it the same images in each further view; null where there is none. */
  views: LabelledRows | null;
  validation: LabelledRows;
}

/**
 * Takes the rows to train on and to validate with, and checks that training on them means something.
 *
 * @param labels - One class index a record.
 * @throws Error if a part is empty, features are missing or not finite, a class has no training image, or stains were
 * normalised to images outside the training part.
 */
export function selectTrainingData(
  features: FeatureTable,
  labels: readonly number[],
  parts: TrainingParts,
  classCount: number,
): TrainingData {
  if (features.complete === false) {
    throw refusal("The features are incomplete, their computation was interrupted: run that cell again.");
  }
  const found = countValues(features.values);
  if (found !== labels.length * features.width) {
    throw rangeRefusal(
      `There must be ${features.width} features for each of ${labels.length} records, found ${found} in all.`,
    );
  }
  refuseForeignStains(features, parts);
  const train = selectPart(features, labels, parts.train, "training");
  const validation = selectPart(features, labels, parts.validation, "validation");
  countClasses(validation.labels, classCount);
  const counts = countClasses(train.labels, classCount);
  const missing = counts.indexOf(0);
  if (missing >= 0) {
    throw refusal(
      `No training image is of class ${missing} (images a class: ${counts.join(", ")}), so it can't be learned. Choose another split or more data.`,
    );
  }
  const views = (features.views ?? []).map(({ values }) =>
    selectPart({ ...features, values }, labels, parts.train, "training"),
  );
  return { train, views: stackViews(train, views), validation };
}
