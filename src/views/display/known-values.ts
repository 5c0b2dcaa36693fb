import { type Displayable, displayable, isDisplayable } from "./display";
import { figure, type Trace } from "./figure";
import { escapeHtml } from "./html";
import { type Cell, tableHtml } from "./table-html";
import { notesOf } from "./tables";

/** What of a danfojs frame or series is looked at; both are told by their fields, so that danfojs need not be loaded. */
interface Frame {
  $data: unknown;
  columns: string[];
  index: (string | number)[];
  values: Cell[][] | Cell[];
  shape: number[];
  $isSeries: boolean;
}

/** Longer texts of tensors are cut: TensorFlow.js prints 20 values of each dimension, thousands of a batch of images. */
const tensorTextLimit = 4000;

/**
 * How a value shows itself: by its own method, or, of libraries that know nothing of notebooks, as what it is: a danfojs
 * frame or series as a table, Plotly's `{ data, layout }` as a figure, a tensor as its type, shape and values.
 *
 * @returns Null for anything else.
 */
export function displayOf(value: unknown): Displayable | null {
  if (isDisplayable(value)) return value;
  if (typeof value !== "object" || value === null) return null;
  if (isFrame(value)) return frameDisplay(value);
  if (isTensor(value)) return tensorDisplay(value);
  return isPlotly(value) ? figure(value.data, value.layout ?? {}) : null;
}

function isFrame(value: object): value is Frame {
  return "$data" in value && "$dtypes" in value && Array.isArray((value as Partial<Frame>).columns);
}

function frameDisplay(frame: Frame): Displayable {
  if (frame.$isSeries) {
    const rows = (frame.values as Cell[]).map((value, i) => [frame.index[i] ?? i, value]);
    const html = tableHtml(["index", frame.columns[0] ?? "values"], rows);
    return displayable({}, () => ({ "text/html": html, "text/plain": `Series of ${rows.length}` }));
  }
  const { caption, columns } = notesOf(frame);
  const html = tableHtml(columns, frame.values as Cell[][], caption);
  return displayable({}, () => ({ "text/html": html, "text/plain": `Table of ${frame.shape.join(" × ")}` }));
}

interface TensorLike {
  dataId: object;
  dtype: string;
  shape: number[];
  isDisposed: boolean;
  toString(verbose?: boolean): string;
}

function isTensor(value: object): value is TensorLike {
  const { dataId, dtype, shape, isDisposed } = value as Partial<TensorLike>;
  return (
    typeof dataId === "object" &&
    typeof dtype === "string" &&
    Array.isArray(shape) &&
    typeof isDisposed === "boolean"
  );
}

function tensorDisplay(tensor: TensorLike): Displayable {
  const what = `Tensor, ${tensor.dtype}, ${tensor.shape.length === 0 ? "a single number" : `shape [${tensor.shape.join(", ")}]`}`;
  const values = tensor.isDisposed ? "(disposed)" : tensor.toString().replace(/^Tensor\n/, "");
  const cut =
    values.length > tensorTextLimit ? `${values.slice(0, tensorTextLimit)}\n… cut; see dataSync()` : values;
  const text = `${what}\n${cut}`;
  return displayable({}, () => ({ "text/plain": text, "text/html": `<pre>${escapeHtml(text)}</pre>` }));
}

/** Nothing but traces and a layout; each trace says what kind it is or has values to draw. */
function isPlotly(value: object): value is { data: Trace[]; layout?: Record<string, unknown> } {
  const { data, layout, ...more } = value as Record<string, unknown>;
  const extras = Object.keys(more).filter((name) => !["config", "frames"].includes(name));
  return (
    Array.isArray(data) &&
    data.length > 0 &&
    extras.length === 0 &&
    (layout === undefined || isObject(layout)) &&
    data.every((trace) => isObject(trace) && ["type", "x", "y", "z", "values"].some((name) => name in trace))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
