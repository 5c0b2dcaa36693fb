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
