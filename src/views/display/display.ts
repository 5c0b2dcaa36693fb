import { escapeHtml } from "./html";

/** Representations of one value by MIME type; a Jupyter front end draws the richest one it knows. */
export type MimeBundle = Record<string, unknown>;

/** The symbol under which a value tells Jupyter how it looks (Deno's convention, honoured by our kernel launcher). */
export const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** A value that shows itself when it is the last one of a notebook cell. */
export interface Displayable {
  [jupyterDisplay](): MimeBundle;
}

/**
 * Gives a value its looks, in a property that neither JSON nor comparisons see.
 *
 * @example
 * displayable({ total: 3 }, () => ({ "text/plain": "3 images" }));
 */
export function displayable<T extends object>(value: T, bundle: () => MimeBundle): T & Displayable {
  Object.defineProperty(value, jupyterDisplay, { value: bundle, configurable: true });
  return value as T & Displayable;
}

/** Whether a value knows how it looks. */
export function isDisplayable(value: unknown): value is Displayable {
  return (
    value !== null &&
    typeof value === "object" &&
    typeof (value as Partial<Displayable>)[jupyterDisplay] === "function"
  );
}

/** HTML of our own making that shows itself. */
export type HtmlDisplay = { html: string } & Displayable;

/** Wraps HTML of our own making as a value that shows itself, with a text for terminals. */
export function htmlDisplay(html: string, text: string): HtmlDisplay {
  return displayable({ html }, () => ({ "text/html": html, "text/plain": text }));
}

/** A sentence that shows itself in place of a figure or a table, where there is nothing to draw. */
export function noteDisplay(sentence: string): HtmlDisplay {
  return htmlDisplay(`<p>${escapeHtml(sentence)}</p>`, sentence);
}
