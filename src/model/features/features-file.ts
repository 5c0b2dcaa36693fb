import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { csvText } from "../../data/csv";
import type { Dataset, ImageRecord } from "../../data/dataset";
import { writeFileAtomically } from "../../runtime/files/write-file";
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
  const path = resolve(name);
  const [matrix, table] = [`${path}.npy`, `${path}.csv`];
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(matrix, encodeNpy(features.values, [features.count, features.width]));
  await writeFileAtomically(table, recordLines(dataset));
  return { matrix, table };
}
