import type { Attempt } from "../../runtime/attempt";
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

/** Prints what a computation says about itself; a refusal is shown by `viewOf`. */
export function tell<T>(result: Attempt<T>, say: (value: T) => string): void {
  if (result.ok === true) console.log(say(result.value));
}
