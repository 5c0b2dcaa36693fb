/**
 * A figure's JSON, as a kernel sent it, checked and made ready for Plotly. It may come from a notebook of
 * somebody else's, so only harmless settings pass, and nobody's data may leave the machine by a button.
 */

import { buildTemplate, mergeDeep } from "./figure-theme.js";

/** Pixels, for figures that don't say. */
export const defaultHeight = 450;

/** The settings a figure may choose. Not among them: what sends data elsewhere or carries HTML or SVG. */
const allowedSettings = ["displayModeBar", "doubleClick", "scrollZoom", "showTips", "staticPlot", "locale"];

/**
 * Checks a figure's JSON and returns a copy with its title, template and settings in place.
 *
 * It is a copy because Plotly writes into what it draws, and JupyterLab saves the original.
 *
 * @param value - `{data, layout?, frames?, config?}`, or the same as JSON text.
 * @param colours - Those of the theme, see `readThemeColours`.
 * @throws Error with one sentence for the reader if it isn't a figure.
 */
export function readFigure(value, colours) {
  const figure = typeof value === "string" ? parseJson(value) : structuredClone(value);
  if (!isObject(figure)) throw new Error(`expected an object {data, layout}, found ${describe(figure)}`);
  if (!Array.isArray(figure.data))
    throw new Error(`expected "data" to be a list, found ${describe(figure.data)}`);
  const notATrace = figure.data.findIndex((trace) => !isObject(trace));
  if (notATrace >= 0) {
    throw new Error(`expected data[${notATrace}] to be an object, found ${describe(figure.data[notATrace])}`);
  }
  const layout = figure.layout ?? {};
  if (!isObject(layout)) throw new Error(`expected "layout" to be an object, found ${describe(layout)}`);
  const frames = Array.isArray(figure.frames) ? figure.frames : undefined;
  return {
    data: figure.data,
    layout: completeLayout(layout, colours),
    ...(frames && { frames }),
    settings: pick(isObject(figure.config) ? figure.config : {}, allowedSettings),
  };
}

/** By Plotly: asked once a page, since its answer takes four times as long as drawing a figure anew. */
const traceTypes = new WeakMap();

function traceTypesOf(plotly) {
  if (!traceTypes.has(plotly)) traceTypes.set(plotly, new Set(Object.keys(plotly.PlotSchema.get().traces)));
  return traceTypes.get(plotly);
}

/** Plotly itself draws a trace of an unknown type as something else, without a word. */
export function refuseUnknownTraces(plotly, data) {
  for (const [index, { type }] of data.entries()) {
    if (type !== undefined && !traceTypesOf(plotly).has(type)) {
      throw new Error(`data[${index}] has the type ${JSON.stringify(type)}, which plotly.js does not know`);
    }
  }
}

/**
 * One sentence for people who can't see the figure: its title, else what is drawn against what.
 *
 * @param figure - As `readFigure` returns it.
 */
export function describeFigure({ data, layout }) {
  const title = plainText(layout.title);
  if (title) return title;
  const kinds = [...new Set(data.map((trace) => String(trace.type ?? "scatter")))].join(", ");
  const axes = [layout.yaxis, layout.xaxis].map((axis) => plainText(axis?.title)).filter(Boolean);
  return `Figure${kinds ? ` (${kinds})` : ""}${axes.length > 0 ? `: ${axes.join(" against ")}` : ""}`;
}

function completeLayout(layout, colours) {
  return {
    ...layout,
    autosize: layout.width === undefined,
    height: typeof layout.height === "number" && layout.height > 0 ? layout.height : defaultHeight,
    // Zoom and hidden traces survive an update or a change of theme.
    uirevision: layout.uirevision ?? "kept",
    template: mergeDeep(buildTemplate(colours), isObject(layout.template) ? layout.template : {}),
  };
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("expected JSON, found text that isn't");
  }
}

/** Titles are `{text}` or, formerly, a string; tags in them are for Plotly. */
function plainText(title) {
  const text = isObject(title) ? title.text : title;
  if (typeof text !== "string") return "";
  return text
    .replace(/<br\s*\/?>/gi, " ")
    .replace(/<[^>]*>/g, "")
    .trim();
}

function pick(object, keys) {
  return Object.fromEntries(keys.filter((key) => key in object).map((key) => [key, object[key]]));
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value) {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object"
    ? "an object"
    : `the ${typeof value} ${JSON.stringify(value).slice(0, 40)}`;
}
