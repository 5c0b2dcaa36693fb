import { type Displayable, displayable } from "./display";
import { figureTableHtml, plainText } from "./figure-table";

/** One series of a figure, in Plotly's words: `type`, `x`, `y`, `marker` and so on. */
export type Trace = Record<string, unknown>;

/** Numbers made into a picture: Plotly's data and layout, a plain object that shows itself in a notebook. */
export interface Figure extends Displayable {
  data: Trace[];
  layout: Record<string, unknown>;
}

/** The MIME type under which front ends recognise a Plotly figure. */
export const plotlyMimeType = "application/vnd.plotly.v1+json";

/**
 * Makes a figure of Plotly traces and a layout.
 *
 * Backgrounds are transparent and no text colour is set, so the notebook's theme decides both.
 *
 * @param data - Values may be typed arrays, such as probabilities and what a tensor's `dataSync` gives.
 * @param layout - `title` and the titles of axes, `xaxis.title` for example, may be plain strings.
 * @throws TypeError naming the place of a value that can't be drawn, a BigInt for example.
 */
export function figure(data: Trace[], layout: Record<string, unknown>): Figure {
  const complete = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    height: 400,
    margin: { l: 64, r: 24, t: 60, b: 48 },
    legend: { traceorder: "normal" },
    ...withAxisTitles(plainValues(layout, "layout") as Record<string, unknown>),
    title: titleOf(layout["title"]),
  };
  const content = {
    data: data.map((trace, i) => plainValues(trace, `data[${i}]`) as Trace),
    layout: complete,
  };
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

/** Plotly draws an axis' title from `title.text` alone. */
function withAxisTitles(layout: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(layout).map(([name, value]) => {
    const isAxis = /^[xyz]axis\d*$/.test(name) && typeof value === "object" && value !== null;
    if (!isAxis || typeof (value as Trace)["title"] !== "string") return [name, value];
    return [name, { ...value, title: { text: (value as Trace)["title"] } }];
  });
  return Object.fromEntries(entries);
}

/**
 * Makes lists of typed arrays, which JSON would write as objects that nothing draws; what has none stays the same
 * object.
 */
function plainValues(value: unknown, place: string): unknown {
  if (typeof value === "bigint") {
    throw new TypeError(`A figure draws numbers: ${place} is a BigInt (${value}n), give Number(${value}n).`);
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as ArrayLike<unknown>, (one, i) => plainValues(one, `${place}[${i}]`));
  }
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) {
    const list = value.map((one, i) => plainValues(one, `${place}[${i}]`));
    return list.some((one, i) => one !== value[i] && !Number.isNaN(one)) ? list : value;
  }
  const entries = Object.entries(value).map(([name, one]) => [name, plainValues(one, `${place}.${name}`)]);
  return entries.some(([name, one]) => one !== (value as Trace)[name as string])
    ? Object.fromEntries(entries)
    : value;
}

function titleOf(title: unknown): { text: string; x: number; xanchor: string } {
  const text = typeof title === "string" ? title : ((title as { text?: string } | undefined)?.text ?? "");
  return { text, x: 0, xanchor: "left" };
}
