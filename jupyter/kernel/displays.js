"use strict";

const path = require("node:path");

/** Values that display themselves: a method named by this symbol returns a MIME bundle (Deno's convention). */
const DISPLAY_METHOD = Symbol.for("Jupyter.display");

/** Where `src` finds the function that sends a MIME bundle; absent outside the kernel. */
const DISPLAY_HOOK = Symbol.for("breakhis-lab.display");

/** Knows values of other libraries; loaded when there is one to show. */
const KNOWN_VALUES = path.resolve(__dirname, "..", "..", "src", "views", "display", "known-values.ts");

function isDisplayable(value) {
  const mayHaveMethods = (typeof value === "object" && value !== null) || typeof value === "function";
  return mayHaveMethods && typeof value[DISPLAY_METHOD] === "function";
}

/**
 * @returns The value, or what shows it if it is a table, a figure or a tensor of a library that knows nothing of
 *   notebooks; null for anything else.
 */
function displayOf(value) {
  if (isDisplayable(value)) return value;
  if (typeof value !== "object" || value === null) return null;
  try {
    return require(KNOWN_VALUES).displayOf(value);
  } catch {
    // Somebody is at work on `src`: printing is still there.
    return null;
  }
}

/**
 * @param value - Displayable.
 * @returns Its MIME bundle as Jupyter wants it.
 * @throws TypeError if the method returns anything but an object of MIME types.
 */
async function bundleOf(value) {
  return encodeBundle(await value[DISPLAY_METHOD]());
}

/** Checks a MIME bundle and turns its binary parts, such as PNG images, into base64. */
function encodeBundle(bundle) {
  const types = typeof bundle === "object" && bundle !== null ? Object.keys(bundle) : [];
  if (types.length === 0 || !types.every((type) => type.includes("/"))) {
    throw new TypeError(
      `A display must be an object such as { "text/html": "…" }, with MIME types as keys, but it has ` +
        `${types.length === 0 ? "none" : `the keys ${types.join(", ")}`}.`,
    );
  }
  const encode = (part) => (part instanceof Uint8Array ? Buffer.from(part).toString("base64") : part);
  return Object.fromEntries(types.map((type) => [type, encode(bundle[type])]));
}

/**
 * Offers `globalThis[Symbol.for("breakhis-lab.display")](bundle, displayId?, update?)`.
 *
 * tslab's own `display` sends one MIME type at a time; a figure needs several in one message, so that JupyterLab
 * can draw the interactive one and other readers the static one. With an id, a later call with `update` set
 * replaces the output in place.
 */
function offerDisplayHook(session) {
  globalThis[DISPLAY_HOOK] = (bundle, displayId, update = false) => {
    session.publish(update ? "update_display_data" : "display_data", {
      data: encodeBundle(bundle),
      metadata: {},
      transient: displayId === undefined ? {} : { display_id: displayId },
    });
  };
}

module.exports = { displayOf, bundleOf, offerDisplayHook };
