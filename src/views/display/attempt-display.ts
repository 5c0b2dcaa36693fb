import type { Attempt } from "../../runtime/attempt";
import { type HtmlDisplay, noteDisplay } from "./display";

/** A sentence in place of a figure or a table. */
export type Note = HtmlDisplay;

/**
 * Draws what a computation gave, or shows the sentence that says why it gave nothing.
 *
 * @example
 * displayOf({ ok: false, reason: "Too few patients." }, String).html; // "<p>Too few patients.</p>"
 */
export function displayOf<T, V>(result: Attempt<T>, draw: (value: T) => V): V | Note {
  return result.ok === true ? draw(result.value) : noteDisplay(result.reason);
}

/** Prints what a computation says about itself; a refusal is shown by `displayOf`. */
export function tell<T>(result: Attempt<T>, say: (value: T) => string): void {
  if (result.ok === true) console.log(say(result.value));
}
