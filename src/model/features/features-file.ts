import { resolve } from "node:path";
import { csvText } from "../../data/csv";
import type { Dataset, ImageRecord } from "../../data/dataset";
import { requireWritable, writeFileAtomically } from "../../runtime/files/write-file";
import { refusal } from "../../runtime/refusal";
import type { Features } from "./features";
import { encodeNpy } from "./npy";

export { encodeNpy, openNpy } from "./npy";

type Cell = string | number | null;

const encodeCell = (cell: Cell): string => (typeof cell === "string" ? csvText(cell) : String(cell ?? ""));

/**
 * Encodes a data set's records as CSV (RFC 4180), one line a record, in their order; unknown values are empty. Texts
 * that a spreadsheet would take for formulas get an apostrophe in front, as `csvText` says.
 *
 * @example
 * encodeRecords(dataset).split("\n")[0]; // "file,label,class,subtype,slide,patient,magnification,…"
 */
export function encodeRecords(dataset: Pick<Dataset, "records" | "classes">): string {
  return [...recordLines(dataset)].join("");
}

function* recordLines({ records, classes }: Pick<Dataset, "records" | "classes">): Generator<string> {
  const header = ["file", "label", "class", "subtype", "slide", "patient", "magnification"];
  const line = (cells: readonly Cell[]) => `${cells.map(encodeCell).join(",")}\n`;
  yield line([...header, "year", "width", "height", "sha256"]);
  const cellsOf = (record: ImageRecord): Cell[] => [
    record.file,
    record.label,
    classes[record.label] ?? null,
    record.subtype,
    record.slide,
    record.patient,
    record.magnification,
    record.year,
    record.width,
    record.height,
    record.sha256,
  ];
  for (const record of records) yield line(cellsOf(record));
}

/** The two files of a name. */
const filesOf = (name: string): { matrix: string; table: string } => ({
  matrix: `${resolve(name)}.npy`,
  table: `${resolve(name)}.csv`,
});

/**
 * Makes sure before any work that features can be written under a name.
 *
 * @throws Error naming the file and the reason.
 */
export async function requireFeaturesWritable(name: string): Promise<void> {
  for (const path of Object.values(filesOf(name))) await requireWritable(path);
}

/**
 * Writes features for use elsewhere: `<name>.npy`, float32 [images, width], and `<name>.csv`, the records in the
 * same order.
 *
 * @param name - Path without an ending; its folder is made.
 * @returns The two paths.
 * @throws Error if the features are incomplete: a row of NaN would go unnoticed elsewhere.
 */
export async function writeFeatures(
  name: string,
  dataset: Dataset,
  features: Features,
): Promise<{ matrix: string; table: string }> {
  if (!features.complete || features.count !== dataset.records.length) {
    throw refusal(
      `Only complete features are written; ${features.computed + features.fromCache} of ${dataset.records.length} images have theirs. Compute them again, which goes on from there.`,
    );
  }
  const { matrix, table } = filesOf(name);
  await writeFileAtomically(matrix, encodeNpy(features.values, [features.count, features.width]));
  await writeFileAtomically(table, recordLines(dataset));
  return { matrix, table };
}
