import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { onProgress, type ProgressState } from "../../runtime/progress";
import { jupyterDisplay, type MimeBundle } from "./display";
import { displayOf } from "./known-values";
import { progressHtml } from "./progress-bar";

/**
 * The kernel launcher's door to tslab: sends a bundle to the running cell, or with an id and `update` replaces what was
 * sent under that id before.
 */
type SendDisplay = (bundle: MimeBundle, displayId?: string, update?: boolean) => void;

const displayKey = Symbol.for("breakhis-lab.display");

/** One place in a cell's output whose content can be replaced. */
export interface LiveOutput {
  /** Shows a value (a figure, a table, a grid, a text) in place of what was shown before. */
  update(value: unknown): void;
  /** Leaves the place empty. */
  clear(): void;
}

/** Twice a second is as often as a reader can follow; more only makes notebooks slow. */
const shortestIntervalMs = 500;

/** Whether this process is a notebook kernel; elsewhere everything here runs and shows nothing. */
export function insideNotebook(): boolean {
  return sendDisplay() !== undefined;
}

/** Shows values in the running cell, one after the other; figures, tables and grids as pictures, others as text. */
export function show(...values: unknown[]): void {
  for (const value of values) send(bundleOf(value), randomBytes(8).toString("hex"), false);
}

/** Opens a place in the running cell's output that is filled, and replaced, by `update`. */
export function liveOutput(): LiveOutput {
  const id = randomBytes(8).toString("hex");
  let opened = false;
  const put = (bundle: MimeBundle) => {
    send(bundle, id, opened);
    opened = true;
  };
  return {
    update: (value) => put(bundleOf(value)),
    clear: () => {
      if (opened) put({ "text/html": "", "text/plain": "" });
    },
  };
}

const progressKey = Symbol.for("breakhis-lab.notebook-progress");

/**
 * Shows a bar for every step that takes longer than half a second, in the cell that is running, until it is done.
 *
 * Calling it again (as re-running an import cell does) replaces the earlier subscription.
 */
export function showProgress(): void {
  if (!insideNotebook()) return;
  const holder = globalThis as unknown as Record<symbol, (() => void) | undefined>;
  holder[progressKey]?.();
  const bars = new Map<string, { live: LiveOutput; shownAtMs: number }>();
  holder[progressKey] = onProgress((state) => {
    showState(bars, state);
  });
}

function showState(bars: Map<string, { live: LiveOutput; shownAtMs: number }>, state: ProgressState): void {
  const key = `${state.task} ${state.startedAtMs}`;
  const bar = bars.get(key);
  if (state.finished) {
    bar?.live.clear();
    bars.delete(key);
    return;
  }
  const now = Date.now();
  if (now - (bar?.shownAtMs ?? state.startedAtMs) < shortestIntervalMs) return;
  const live = bar?.live ?? liveOutput();
  live.update({ [jupyterDisplay]: () => progressHtml(state, now) });
  bars.set(key, { live, shownAtMs: now });
}

function bundleOf(value: unknown): MimeBundle {
  const display = displayOf(value);
  if (display !== null) return display[jupyterDisplay]();
  return { "text/plain": typeof value === "string" ? value : inspect(value) };
}

function send(bundle: MimeBundle, id: string, update: boolean): void {
  sendDisplay()?.(bundle, id, update);
}

/** Absent outside the kernel, so that scripts and tests run the same code and show nothing. */
function sendDisplay(): SendDisplay | undefined {
  return (globalThis as unknown as Record<symbol, SendDisplay | undefined>)[displayKey];
}
