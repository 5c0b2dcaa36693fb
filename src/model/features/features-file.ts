import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { csvText } from "../../data/csv";
import type { Dataset, ImageRecord } from "../../data/dataset";
import { writeFileAtomically } from "../../runtime/files/write-file";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import type { Features } from "./features";

const npyMagic = Buffer.from("\x93NUMPY\x01\x00", "latin1");
const npyAlignment = 64;

/** Numbers that are written at a time: a file may be larger than any buffer, which has 2 GiB at most in one write. */
const numbersAtOnce = 1 << 22;

/**
 * Encodes a matrix as numpy's .npy file, version 1.0: float32, little-endian, C order.
 *
 * @param values - Shape [rows, columns], row after row; the pieces share its memory.
 * @returns The file in pieces, for `writeFileAtomically`.
 * @throws RangeError if the values don't fill the shape.
 */
export function encodeNpy(values: Float32Array, [rows, columns]: [number, number]): Iterable<Uint8Array> {
  if (values.length !== rows * columns) {
    throw rangeRefusal(
      `A matrix of ${rows} × ${columns} has ${rows * columns} values, found ${values.length}.`,
    );
  }
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const lengthBytes = 2;
  const unpadded = npyMagic.length + lengthBytes + text.length + 1;
  const header = `${text}${" ".repeat((npyAlignment - (unpadded % npyAlignment)) % npyAlignment)}\n`;
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt16LE(header.length);
  return npyPieces(Buffer.concat([npyMagic, length, Buffer.from(header, "latin1")]), values);
}

function* npyPieces(head: Uint8Array, values: Float32Array): Generator<Uint8Array> {
  yield head;
  for (let first = 0; first < values.length; first += numbersAtOnce) {
    const piece = values.subarray(first, first + numbersAtOnce);
    yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  }
}

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
