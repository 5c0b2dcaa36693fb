import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parse } from "csv-parse/sync";
import { parseBreakhisName } from "../../data/layouts/breakhis";
import type { Dataset } from "../../data/record";
import { decide } from "../../model/classifier/decision";
import { refusal } from "../../runtime/refusal";
import { countOf, nameSome } from "../../runtime/words";
import type { Prediction } from "../../scores/prediction";

/** What somebody's model said about images, beside what is true of them. */
export interface AnswerTable {
  classes: string[];
  positiveClass: number | null;
  /** In the order of the table; with the magnification where it is known. */
  predictions: (Prediction & { magnification: number | null })[];
  /** Images of the data set that the table says nothing about. */
  unanswered: string[];
}

/** What is true of an image. */
interface Truth {
  label: number;
  patient: string | null;
  magnification: number | null;
}

/** Headings of the column that names images, without capitals, blanks and marks. */
const imageHeadings = [
  "file",
  "image",
  "imagename",
  "filename",
  "path",
  "imagepath",
  "filepath",
  "name",
  "id",
  "imageid",
];
/** Headings of a column with the positive class's probability alone. */
const positiveHeadings = ["probability", "score", "prob", "p"];
/** What may stand before a class's name in the heading of its column. */
const classPrefixes = [
  "",
  "probabilityof",
  "probability",
  "prob",
  "p",
  "votesof",
  "votes",
  "countof",
  "count",
  "n",
];

const plain = (heading: string) => heading.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

/** How the two classes of BreaKHis are headed where no data set names them. */
const breakhisClasses = ["benign", "malignant"];

interface Columns {
  image: number;
  /** One for each class; null where there is but one for the positive class. */
  values: number[] | null;
  positive: number | undefined;
}

function findColumns(header: readonly string[], classes: readonly string[], path: string): Columns {
  const headings = header.map(plain);
  const image = imageHeadings.map((name) => headings.indexOf(name)).find((column) => column >= 0);
  const columnOf = (name: string) => {
    const names = classPrefixes.flatMap((prefix) => [
      prefix + plain(name),
      ...(classes === breakhisClasses ? [prefix + name[0]] : []),
    ]);
    return names.map((one) => headings.indexOf(one)).find((column) => column >= 0) ?? -1;
  };
  const values = classes.map(columnOf);
  const positive = positiveHeadings.map((name) => headings.indexOf(name)).find((column) => column >= 0);
  if (image === undefined || (values.includes(-1) && positive === undefined)) {
    throw refusal(
      `${path}, line 1: expected a column with the image's name (such as "file") and one for each class with its ` +
        `probability or count (${classes.map((name) => `"${name}"`).join(", ")}), or one called "probability" with the ` +
        `positive class's; found ${nameSome(
          header.map((name) => `"${name}"`),
          12,
        )}.`,
    );
  }
  return { image, values: values.includes(-1) ? null : values, positive };
}

/** Truth by file name: from the data set where there is one, else from BreaKHis' names. */
function truthOf(dataset: Dataset | null): (name: string) => Truth | null {
  if (dataset === null) {
    return (name) => {
      const known = parseBreakhisName(name);
      return known && { ...known, label: breakhisClasses.indexOf(known.tumourClass) };
    };
  }
  const records = new Map<string, Truth | null>();
  for (const record of dataset.records) {
    // Two images of one name can only be told apart by their folders.
    const name = basename(record.file);
    records.set(name, records.has(name) ? null : record);
  }
  for (const record of dataset.records) records.set(record.file, record);
  return (name) => records.get(name) ?? records.get(basename(name)) ?? null;
}

function probabilitiesOf(fields: readonly string[], counts: number, where: string): number[] {
  const values = fields.map((field) => (field.trim() === "" ? Number.NaN : Number(field)));
  const total = values.reduce((sum, value) => sum + value, 0);
  if (!values.every((value) => value >= 0 && Number.isFinite(value)) || total === 0) {
    throw refusal(
      `${where}: expected ${counts === 1 ? "a probability from 0 to 1" : "probabilities or counts, not all 0"}, found ${fields.map((field) => `"${field}"`).join(", ")}.`,
    );
  }
  if (counts > 1) return values.map((value) => value / total);
  const [positive] = values as [number];
  if (positive > 1) throw refusal(`${where}: expected a probability from 0 to 1, found ${positive}.`);
  return [1 - positive, positive];
}

interface Row {
  record: string[];
  info: { lines: number };
}

/** @throws Error if there is nothing below the header. */
async function readRows(path: string): Promise<{ header: string[]; body: Row[] }> {
  const [first, ...body] = parse(await readFile(path), {
    bom: true,
    delimiter: [",", ";", "\t"],
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    info: true,
  }) as unknown as Row[];
  if (first === undefined || body.length === 0) throw refusal(`${path} holds no answers.`);
  return { header: first.record, body };
}

/** Reads a table's rows one after the other. */
function rowReader(path: string, columns: Columns, positiveClass: number | null, dataset: Dataset | null) {
  const truth = truthOf(dataset);
  const source =
    dataset === null
      ? "not a BreaKHis name; say with --data what is true of it"
      : `not one image of ${dataset.folder}`;
  const seen = new Map<string, number>();
  return ({ record, info: { lines } }: Row): AnswerTable["predictions"][number] => {
    const where = `${path}, line ${lines}`;
    const file = (record[columns.image] ?? "").replaceAll("\\", "/");
    const known = truth(file);
    if (known === null) throw refusal(`${where}: "${file}" is ${source}.`);
    const before = seen.get(file);
    if (before !== undefined) throw refusal(`${where}: ${file} is answered in line ${before} already.`);
    seen.set(file, lines);
    const fields = (columns.values ?? [columns.positive!]).map((column) => record[column] ?? "");
    const probabilities = probabilitiesOf(fields, fields.length, `${where}, ${file}`);
    const predicted = decide(probabilities, { positiveClass, threshold: 0.5 });
    const { label, patient, magnification } = known;
    return { file, split: "test", patient, magnification, label, probabilities, predicted };
  };
}

/**
 * Reads what somebody's model said about images, from a CSV: the image's name, and for each class its probability or
 * how many votes it got (of patches, of networks); or one column with the positive class's probability. Rows are
 * divided by their sums.
 *
 * The larger probability decides; where two classes are equal, the positive one.
 *
 * @param dataset - Says what is true of each image. Without one it is read from BreaKHis' file names.
 * @throws Error naming the file and the line of what can't be read, is doubled, or is not known.
 *
 * @example
 * const { predictions } = await readAnswerTable("votes.csv", null);
 */
export async function readAnswerTable(path: string, dataset: Dataset | null): Promise<AnswerTable> {
  const classes = dataset?.classes ?? breakhisClasses;
  const positiveClass = dataset === null ? 1 : dataset.positiveClass;
  const { header, body } = await readRows(path);
  const columns = findColumns(header, classes, path);
  if (columns.values === null && (classes.length !== 2 || positiveClass !== 1)) {
    throw refusal(
      `${path}, line 1: a single probability is enough for two classes of which the second is positive; the data set has ${classes.join(", ")}.`,
    );
  }
  const predictions = body.map(rowReader(path, columns, positiveClass, dataset));
  const answered = new Set(predictions.map(({ file }) => basename(file)));
  const unanswered = (dataset?.records ?? [])
    .map(({ file }) => file)
    .filter((file) => !answered.has(basename(file)));
  return { classes: [...classes], positiveClass, predictions, unanswered };
}

/** Says how much of the data set a table answers. */
export function describeAnswers({ predictions, unanswered }: AnswerTable): string {
  const count = countOf(predictions.length, "image");
  return unanswered.length === 0
    ? `${count} answered.`
    : `${count} answered; ${unanswered.length} of the data set are not: ${nameSome(unanswered, 5)}.`;
}
