import { rangeRefusal } from "../../runtime/refusal";

/** Rows that are read when they are asked for: those of a file, which may be larger than memory. */
export interface StoredRows {
  readonly count: number;
  /** Values a row. */
  readonly width: number;
  /**
   * Copies a row; one that was not computed is NaN.
   *
   * @param at - Where in `target` its first value goes.
   */
  read(row: number, target: Float32Array, at: number): void;
}

/** Shape [count, width]: an array, or where that would take too much memory, rows that are read when asked for. */
export type FeatureValues = Float32Array | StoredRows;

/** Asks for the kind of array and not for its class, which is another one in each of the kernel's contexts. */
export function areInMemory(values: FeatureValues): values is Float32Array {
  return ArrayBuffer.isView(values);
}

/** Rows of an array as those of a file. */
export function storedRows(values: FeatureValues, width: number): StoredRows {
  if (!areInMemory(values)) return values;
  return {
    count: values.length / width,
    width,
    read: (row, target, at) => target.set(values.subarray(row * width, (row + 1) * width), at),
  };
}

/** How many values there are: rows times width. */
export function countValues(values: FeatureValues): number {
  return areInMemory(values) ? values.length : values.count * values.width;
}

/**
 * Copies rows.
 *
 * @param rows - Indices of rows, in the order wanted.
 * @returns Shape [rows.length, width].
 */
export function gatherRows(values: FeatureValues, width: number, rows: ArrayLike<number>): Float32Array {
  const source = storedRows(values, width);
  const gathered = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) source.read(rows[i]!, gathered, i * width);
  return gathered;
}

/**
 * Some rows as they are: an array of a copy of them, or of what is read when asked for, the same rows in another order.
 *
 * @param rows - Indices of rows; a negative one stands for a row that was not computed.
 */
export function pickRows(values: FeatureValues, width: number, rows: ArrayLike<number>): FeatureValues {
  const source = storedRows(values, width);
  const picked: StoredRows = {
    count: rows.length,
    width,
    read(row, target, at) {
      const from = rows[row]!;
      if (from < 0) target.fill(Number.NaN, at, at + width);
      else source.read(from, target, at);
    },
  };
  if (!areInMemory(values)) return picked;
  const copied = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) picked.read(i, copied, i * width);
  return copied;
}

/** The rows of several tables of as many rows each, one table after the other. */
export function stackRows(tables: readonly FeatureValues[], width: number): FeatureValues {
  const sources = tables.map((table) => storedRows(table, width));
  const count = sources[0]?.count ?? 0;
  const stacked: StoredRows = {
    count: sources.length * count,
    width,
    read: (row, target, at) => sources[Math.floor(row / count)]!.read(row % count, target, at),
  };
  if (!tables.every(areInMemory)) return stacked;
  const values = new Float32Array(stacked.count * width);
  tables.forEach((table, i) => {
    values.set(table, i * count * width);
  });
  return values;
}

/** @throws RangeError if there is no such row. */
export function requireRow(row: number, count: number): void {
  if (Number.isInteger(row) && row >= 0 && row < count) return;
  throw rangeRefusal(`There is no row ${row} among ${count} rows of features.`);
}
