import { type Displayable, displayable } from "./display";
import { escapeHtml } from "./html";

/** One series of a figure, in Plotly's words: `type`, `x`, `y`, `marker` and so on. */
export type Trace = Record<string, unknown>;

/** Numbers made into a picture: Plotly's data and layout, a plain object that shows itself in a notebook. */
export interface Figure extends Displayable {
  data: Trace[];
  layout: Record<string, unknown>;
}

/** The MIME type under which front ends recognise a Plotly figure. */
export const plotlyMimeType = "application/vnd.plotly.v1+json";

/** Rows a figure's plain table holds at most: enough to read, small enough to keep in a notebook. */
const fallbackRowLimit = 30;

/**
 * Makes a figure of Plotly traces and a layout.
 *
 * Backgrounds are transparent and no text colour is set, so the notebook's theme decides both.
 *
 * @param layout - `title` and `xaxis.title`, `yaxis.title` may be plain strings.
 */
export function figure(data: Trace[], layout: Record<string, unknown>): Figure {
  const complete = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    height: 400,
    margin: { l: 64, r: 24, t: 60, b: 48 },
    legend: { traceorder: "normal" },
    ...layout,
    title: titleOf(layout["title"]),
  };
  const content = { data, layout: complete };
  return displayable(content, () => ({
    [plotlyMimeType]: content,
    "text/html": figureTableHtml(content),
    "text/plain": `Figure: ${plainText(complete.title.text)}`,
  }));
}

/** A figure's title, marked when the numbers in it come from synthetic images. */
export function titleWithOrigin(title: string, synthetic: boolean): string {
  return synthetic ? `${title} — synthetic data` : title;
}

/** An axis with its title and automatic margins, so that long names are not cut. */
export function axis(title: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { title: { text: title, standoff: 10 }, automargin: true, ...more };
}

/** Rounds to the digits a reader or a screen can tell apart, which keeps notebooks small. */
export function roundTo(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

function titleOf(title: unknown): { text: string; x: number; xanchor: string } {
  const text = typeof title === "string" ? title : ((title as { text?: string } | undefined)?.text ?? "");
  return { text, x: 0, xanchor: "left" };
}

/** The figure's numbers as a table, for readers without JavaScript and for screen readers. */
export function figureTableHtml(content: { data: Trace[]; layout: Record<string, unknown> }): string {
  const title = plainText((content.layout["title"] as { text?: string } | undefined)?.text ?? "Figure");
  const rows = content.data.filter((trace) => trace["hoverinfo"] !== "skip").flatMap(rowsOf);
  const shown = rows.slice(0, fallbackRowLimit);
  const body = shown.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`);
  const rest = rows.length - shown.length;
  const more = rest > 0 ? `<p>… and ${rest} more values.</p>` : "";
  return (
    `<figure><figcaption>${escapeHtml(title)}</figcaption>` +
    `<table><thead><tr><th>series</th><th>x</th><th>y</th><th>value</th></tr></thead>` +
    `<tbody>${body.join("")}</tbody></table>${more}</figure>`
  );
}

function rowsOf(trace: Trace): string[][] {
  const name = plainText(String(trace["name"] ?? ""));
  const x = listOf(trace["x"]);
  const y = listOf(trace["y"]);
  if (trace["type"] !== "heatmap") {
    return x.map((value, i) => [name, plainText(value), plainText(y[i] ?? ""), ""]);
  }
  const text = trace["text"] as string[][];
  return y.flatMap((rowName, i) =>
    x.map((columnName, j) => [
      name,
      plainText(columnName),
      plainText(rowName),
      plainText(text[i]?.[j] ?? ""),
    ]),
  );
}

function listOf(values: unknown): string[] {
  return Array.isArray(values) ? values.map((value) => String(value ?? "")) : [];
}

/** Undoes `escapeLabel` and drops the line breaks and emphasis that figures use. */
function plainText(label: string): string {
  return label
    .replace(/<br>/g, " ")
    .replace(/<\/?(b|i|sup|sub)>/g, "")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&");
}
