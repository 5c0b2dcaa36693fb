import type { Attempt } from "../runtime/attempt";
import { type Displayable, noteView } from "./display";

/** A sentence in place of a figure or a table. */
export type Note = { html: string } & Displayable;

/**
 * Draws what a computation gave, or shows the sentence that says why it gave nothing.
 *
 * @example
 * viewOf({ ok: false, reason: "Too few patients." }, String).html; // "<p>Too few patients.</p>"
 */
export function viewOf<T, V>(result: Attempt<T>, draw: (value: T) => V): V | Note {
  return result.ok === true ? draw(result.value) : noteView(result.reason);
}

/** What a computation says about itself, or why it gave nothing. */
export function sentenceOf<T>(result: Attempt<T>, say: (value: T) => string): string {
  return result.ok === true ? say(result.value) : result.reason;
}
