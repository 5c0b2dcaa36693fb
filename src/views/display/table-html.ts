import { largest, smallest } from "../../runtime/many";
import { escapeHtml } from "./html";

/** What a table's cell can hold; null is shown as a dash. */
export type Cell = string | number | boolean | null;

/** By this class, the renderer in `jupyter/` finds tables and lets readers sort them by their headings. */
export const tableClass = "breakhis-table";

/** Beyond this many rows a table is cut, and says so; `df.head(n)` and `df.tail(n)` show others. */
const rowLimit = 200;

/**
 * A table as HTML; every cell and heading is escaped.
 *
 * @param values - Shape [rows][columns].
 * @param isMarked - Which cells stand out, by row and column.
 */
export function tableHtml(
  columns: readonly string[],
  values: readonly (readonly Cell[])[],
  caption = "",
  isMarked: (row: number, column: number) => boolean = () => false,
): string {
  const shown = values.slice(0, rowLimit);
  const numeric = columns.map((_, j) => isNumericColumn(shown.map((row) => row[j] ?? null)));
  const format = columns.map((_, j) => numberFormat(shown.map((row) => row[j] ?? null)));
  const align = (j: number) => (numeric[j] ? "right" : "left");
  const head = columns.map(
    (name, j) => `<th scope="col" style="${cellStyle(align(j))}${headStyle}">${escapeHtml(name)}</th>`,
  );
  const body = shown.map((row, i) => {
    const cells = columns.map((_, j) => {
      const text = format[j]!(row[j] ?? null);
      const longest = text.includes(" ") ? longestPhrase : longestWord;
      const wrap = text.length > longest ? ";overflow-wrap:anywhere;min-width:7em" : ";white-space:nowrap";
      return `<td style="${cellStyle(align(j))}${wrap}${isMarked(i, j) ? markStyle : ""}">${escapeHtml(text)}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  const rest = values.length - rowLimit;
  const more = rest > 0 ? `<p>… and ${rest} more rows.</p>` : "";
  const none = values.length === 0 ? "<p>No rows.</p>" : "";
  const titleStyle =
    captionStyle + (caption.length > longestCaption ? longCaptionStyle : ";white-space:nowrap");
  const title = caption === "" ? "" : `<caption style="${titleStyle}">${escapeHtml(caption)}</caption>`;
  return (
    `<div style="${boxStyle}"><table class="${tableClass}" style="border-collapse:collapse;margin:0">${title}` +
    `<thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table>${none}${more}</div>`
  );
}

/** Shorter cells, such as runs' names, dates and files, stay on one line; the table scrolls if it gets too wide. */
const longestWord = 32;
const longestPhrase = 20;

const border = "1px solid var(--jp-border-color2, #8885)";
const boxStyle = "max-height:36em;max-width:100%;overflow:auto;font-variant-numeric:tabular-nums";
// Stays in sight while the rows scroll. A collapsed border would scroll away with them, so the line is a shadow.
export const headStyle: string =
  ";position:sticky;top:0;z-index:1;background:var(--jp-layout-color0, Canvas);vertical-align:bottom" +
  ";box-shadow:inset 0 -1px 0 var(--jp-border-color1, #8888)";
const markStyle = ";font-weight:700;box-shadow:inset 3px 0 0 var(--jp-brand-color1, #1976d2)";
const captionStyle = "caption-side:top;text-align:left;padding:0 0 .4em;font-weight:600";
/** Beyond this, a caption on one line would make the table wider than its place. */
const longestCaption = 80;
const longCaptionStyle = ";white-space:normal;min-width:40em";

function cellStyle(align: string): string {
  return `text-align:${align};padding:.25em .9em .25em .4em;border-bottom:${border}`;
}

function isNumericColumn(cells: readonly Cell[]): boolean {
  return cells.some((cell) => typeof cell === "number") && cells.every((cell) => typeof cell !== "string");
}

/** All numbers of a column get the same decimals, so that they can be compared at a glance. */
function numberFormat(cells: readonly Cell[]): (cell: Cell) => string {
  const decimals = decimalsFor(cells.flatMap((cell) => (typeof cell === "number" ? [cell] : [])));
  return (cell) => {
    if (cell === null || Number.isNaN(cell)) return "–";
    if (typeof cell === "boolean") return cell ? "yes" : "no";
    return typeof cell === "number" ? numberText(cell, decimals) : cell;
  };
}

/** Enough for four significant digits of the largest and two of the smallest, and no more than any has. */
function decimalsFor(numbers: readonly number[]): number {
  const sizes = numbers.map(Math.abs).filter((size) => size > 0 && Number.isFinite(size));
  if (sizes.length === 0) return 0;
  const places = (size: number, digits: number) => digits - 1 - Math.floor(Math.log10(size));
  const wanted = Math.max(places(largest(sizes), 4), places(smallest(sizes), 2), 0);
  return Math.min(wanted, largest(sizes.map(decimalsOf)));
}

/** From five digits on, thousands are grouped: 23,587,712, but 2014. */
function numberText(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) < 10_000) return value.toFixed(decimals);
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Decimals of a number that is rounded to four significant digits. */
function decimalsOf(value: number): number {
  if (Number.isInteger(value)) return 0;
  const text = String(Number(value.toPrecision(4)));
  const exponent = /e-(\d+)$/.exec(text)?.[1];
  const written = (text.split("e")[0]?.split(".")[1] ?? "").length;
  return Math.min(8, written + Number(exponent ?? 0));
}
