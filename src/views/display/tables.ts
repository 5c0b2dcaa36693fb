import { DataFrame, Series } from "danfojs-node";
import { jupyterDisplay, type MimeBundle } from "./display";
import { type Cell, tableHtml } from "./table-html";

const captionKey = Symbol.for("breakhis-lab.table-caption");

/**
 * Makes a danfojs table of rows that share their columns.
 *
 * @param rows - At least one, unless `columns` says which columns an empty table has.
 * @param caption - A sentence above the table, for example where its numbers come from.
 *
 * @example
 * toDataFrame([{ part: "train", images: 144 }], "The split").columns; // ["part", "images"]
 */
export function toDataFrame(
  rows: readonly Record<string, Cell>[],
  caption = "",
  columns: readonly string[] = Object.keys(rows[0] ?? {}),
): DataFrame {
  const values = rows.map((row) => columns.map((column) => row[column] ?? null));
  const empty = rows.length === 0;
  const frame = empty ? new DataFrame([]) : new DataFrame(values, { columns: [...columns] });
  Object.defineProperty(frame, captionKey, { value: { caption, columns: [...columns] } });
  return frame;
}

/** The caption and columns that `toDataFrame` left on a table; one made otherwise has its own columns only. */
function notesOf(frame: DataFrame): { caption: string; columns: string[] } {
  const notes = (frame as unknown as Record<symbol, unknown>)[captionKey];
  return (
    (notes as { caption: string; columns: string[] } | undefined) ?? { caption: "", columns: frame.columns }
  );
}

/** A danfojs table as HTML in the notebook's colours: numbers to the right, long tables in a scrolling box. */
export function dataFrameHtml(frame: DataFrame): string {
  const { caption, columns } = notesOf(frame);
  return tableHtml(columns, frame.values as Cell[][], caption);
}

function frameBundle(this: DataFrame): MimeBundle {
  return { "text/html": dataFrameHtml(this), "text/plain": `Table of ${this.shape.join(" × ")}` };
}

function seriesBundle(this: Series): MimeBundle {
  const name = this.columns[0] ?? "values";
  const rows = (this.values as Cell[]).map((value, i) => [this.index[i] ?? i, value]);
  return { "text/html": tableHtml(["index", name], rows), "text/plain": `Series of ${rows.length}` };
}

// Methods such as `head` return danfojs's base classes, so those are taught. Assigning again after a reload of this
// file only replaces the older functions.
Object.assign(Object.getPrototypeOf(DataFrame.prototype), { [jupyterDisplay]: frameBundle });
Object.assign(Object.getPrototypeOf(Series.prototype), { [jupyterDisplay]: seriesBundle });
