import { pushAll } from "../../runtime/many";
import { escapeHtml } from "./html";
import type { Cell } from "./table-html";

/** Rows a figure's tables hold at most together: enough to read, small enough to keep in a notebook. */
const rowLimit = 30;

/** Rows of each table that are shown in any case, however many a figure has. */
const leastRows = 8;

/** What is drawn between the same two axes. */
interface Panel {
  columns: string[];
  rows: Cell[][];
}

type Trace = Record<string, unknown>;
type Content = { data: Trace[]; layout: Record<string, unknown> };
type Axis = { title?: string | { text?: string }; tickvals?: unknown[]; ticktext?: unknown[] };

/** What a figure is called: its title, as plain text. */
export const figureName = ({ layout }: Pick<Content, "layout">): string =>
  textOf(layout["title"]) || "Figure";

/** A figure's numbers as small tables, one for each pair of axes, for readers without scripts and for screen readers. */
export function figureTableHtml({ data, layout }: Content): string {
  const title = figureName({ layout });
  const panels = panelsOf({ data, layout });
  const limit = Math.max(leastRows, Math.floor(rowLimit / Math.max(1, panels.length)));
  const tables = panels.map(({ columns, rows }) => {
    const rest = rows.length - limit;
    const more = rest > 0 ? `<p>… and ${rest} more values.</p>` : "";
    return `${panelHtml(columns, rows.slice(0, limit))}${more}`;
  });
  return `<figure style="margin:0"><figcaption><strong>${escapeHtml(title)}</strong></figcaption>${tables.join("")}</figure>`;
}

/** Columns that say nothing are left out. Without the looks of other tables, since each figure carries one. */
function panelHtml(columns: readonly string[], rows: readonly Cell[][]): string {
  const told = columns.flatMap((_, j) => (rows.some((row) => (row[j] ?? "") !== "") ? [j] : []));
  const isText = columns.map((_, j) => rows.some((row) => typeof row[j] === "string"));
  const html = (tag: "th" | "td", j: number, cell: Cell) =>
    `<${tag}${isText[j] ? ' style="text-align:left"' : ""}>${escapeHtml(cell ?? "–")}</${tag}>`;
  const head = told.map((j) => html("th", j, columns[j]!)).join("");
  const body = rows.map((row) => `<tr>${told.map((j) => html("td", j, row[j] ?? null)).join("")}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

function panelsOf({ data, layout }: Content): Panel[] {
  const panels = new Map<string, Panel>();
  for (const trace of data.filter(({ hoverinfo }) => hoverinfo !== "skip")) {
    const [x, y] = [axisOf(trace, "x", layout), axisOf(trace, "y", layout)];
    const columns = ["series", nameOf(x, "x"), nameOf(y, "y"), "value"];
    const key = columns.join("\n");
    const panel = panels.get(key) ?? { columns, rows: [] };
    pushAll(panel.rows, rowsOf(trace, x, y));
    panels.set(key, panel);
  }
  return [...panels.values()];
}

/** A trace names its axes `x2`; the layout calls them `xaxis2`. */
function axisOf(trace: Trace, letter: "x" | "y", layout: Record<string, unknown>): Axis {
  const number = String(trace[`${letter}axis`] ?? letter).slice(1);
  return (layout[`${letter}axis${number}`] ?? {}) as Axis;
}

/** An axis that was left without a title on purpose has none here either. */
function nameOf({ title }: Axis, letter: string): string {
  return title === undefined ? letter : textOf(title);
}

function rowsOf(trace: Trace, xAxis: Axis, yAxis: Axis): Cell[][] {
  const name = plainText(String(trace["name"] ?? ""));
  const x = listOf(trace["x"]).map((value) => shownOn(xAxis, value));
  const y = listOf(trace["y"]).map((value) => shownOn(yAxis, value));
  if (trace["type"] !== "heatmap") {
    const points = Math.max(x.length, y.length);
    return Array.from({ length: points }, (_, i) => [name, x[i] ?? null, y[i] ?? null, null]);
  }
  const values = (trace["text"] ?? trace["z"]) as unknown[][];
  return y.flatMap((rowName, i) =>
    x.map((columnName, j) => [name, columnName, rowName, cellOf(values[i]?.[j])]),
  );
}

/** A place between named ticks, where marks that would cover each other stand side by side, has the nearest one's name. */
function shownOn({ tickvals, ticktext }: Axis, value: unknown): Cell {
  if (typeof value !== "number" || tickvals === undefined || ticktext === undefined) return cellOf(value);
  const near = tickvals.findIndex((tick) => Math.abs(Number(tick) - value) < 0.5);
  return near < 0 ? value : cellOf(ticktext[near]);
}

function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  return typeof value === "number" ? value : plainText(String(value));
}

function listOf(values: unknown): unknown[] {
  return Array.isArray(values) ? values : [];
}

function textOf(title: unknown): string {
  const text = typeof title === "string" ? title : (title as { text?: string } | undefined)?.text;
  return plainText(text ?? "");
}

/** Undoes `escapeLabel` and drops the line breaks and emphasis that figures use. */
export function plainText(label: string): string {
  return label
    .replace(/<br>/g, " ")
    .replace(/<\/?(b|i|sup|sub)>/g, "")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&");
}
