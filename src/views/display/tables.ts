import type { DataFrame } from "danfojs-node";
import type { Cell } from "./table-html";

const captionKey = Symbol.for("breakhis-lab.table-caption");

/**
 * Makes a danfojs table of rows that share their columns, to compute with.
 *
 * @param rows - At least one, unless `columns` says which columns an empty table has.
 * @param caption - A sentence above the table, for example where its numbers come from.
 *
 * @example
 * toDataFrame([{ part: "train", images: 144 }], "The split").columns; // ["part", "images"]
 */
export function toDataFrame(
  rows: readonly Record<string, Cell>[],
  caption: string = "",
  columns: readonly string[] = Object.keys(rows[0] ?? {}),
): DataFrame {
  // Loaded when there is a table to make: with its mathematics it takes longer than all of `src`.
  const danfo = require("danfojs-node") as typeof import("danfojs-node");
  const values = rows.map((row) => columns.map((column) => row[column] ?? null));
  const empty = rows.length === 0;
  const frame = empty ? new danfo.DataFrame([]) : new danfo.DataFrame(values, { columns: [...columns] });
  Object.defineProperty(frame, captionKey, { value: { caption, columns: [...columns] } });
  return frame;
}

/** The caption and columns that `toDataFrame` left on a table; one made otherwise has its own columns only. */
export function notesOf(frame: Pick<DataFrame, "columns">): { caption: string; columns: string[] } {
  const notes = (frame as unknown as Record<symbol, unknown>)[captionKey];
  return (
    (notes as { caption: string; columns: string[] } | undefined) ?? { caption: "", columns: frame.columns }
  );
}
