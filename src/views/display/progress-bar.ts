import type { ProgressState } from "../../runtime/progress";
import type { MimeBundle } from "./display";
import { escapeHtml } from "./html";

/**
 * A bar with how far a step has come and how long it will still take, as far as its pace so far tells.
 *
 * @param nowMs - The time by which elapsed and remaining time are reckoned.
 */
export function progressHtml(state: ProgressState, nowMs: number): MimeBundle {
  const text = progressText(state, nowMs);
  const share = state.total > 0 ? Math.min(1, state.done / state.total) : 0;
  const track = "flex:0 0 220px;height:8px;border-radius:4px;background:var(--jp-layout-color3, #8884)";
  const bar = `width:${(100 * share).toFixed(1)}%;height:100%;border-radius:4px;background:var(--jp-brand-color1, #1976d2)`;
  const row = "display:flex;align-items:center;gap:12px;font-size:var(--jp-content-font-size1, 14px)";
  return {
    "text/html":
      `<div style="${row}"><div style="${track}" aria-hidden="true"><div style="${bar}"></div></div>` +
      `<span role="status">${escapeHtml(text)}</span></div>`,
    "text/plain": text,
  };
}

/**
 * How far a step has come, in words.
 *
 * @example
 * progressText({ task: "Decoding", unit: "images", done: 5, total: 20, startedAtMs: 0, finished: false }, 10_000);
 * // "Decoding: 5 of 20 images, 30 s left"
 */
export function progressText(state: ProgressState, nowMs: number): string {
  const elapsedSeconds = (nowMs - state.startedAtMs) / 1000;
  const known = state.total > 0;
  const count = known ? `${state.done} of ${state.total}` : `${state.done}`;
  if (!known || state.done === 0) return `${state.task}: ${count} ${state.unit}`;
  const left = (elapsedSeconds * (state.total - state.done)) / state.done;
  return `${state.task}: ${count} ${state.unit}, ${durationText(left)} left`;
}

/**
 * A length of time as people say it.
 *
 * @param seconds - At least 0.
 *
 * @example
 * durationText(95); // "1 min 35 s"
 */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
