import { type Displayable, displayable } from "./display";
import { type Cell, tableHtml } from "./table-html";

/** A table that shows itself; plain values, so that a report makes it without danfojs and TensorFlow. */
export interface PlainTable extends Displayable {
  caption: string;
  columns: string[];
  /** Shape [rows][columns]. */
  values: Cell[][];
}

/**
 * Makes a table of rows that share their columns.
 *
 * @param columns - By default those of the first row.
 */
export function plainTable(
  rows: readonly Record<string, Cell>[],
  caption = "",
  columns: readonly string[] = Object.keys(rows[0] ?? {}),
): PlainTable {
  const values = rows.map((row) => columns.map((column) => row[column] ?? null));
  const table = { caption, columns: [...columns], values };
  return displayable(table, () => ({
    "text/html": plainTableHtml(table),
    "text/plain": `Table of ${values.length} x ${columns.length}`,
  }));
}

/** The table as HTML; every cell and heading is escaped. */
export function plainTableHtml({ caption, columns, values }: Omit<PlainTable, keyof Displayable>): string {
  return tableHtml(columns, values, caption);
}
