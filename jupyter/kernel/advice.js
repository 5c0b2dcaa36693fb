"use strict";

/** Sentences for mistakes that people make with imports, in place of what the compiler or Node says. */

const fs = require("node:fs");
const path = require("node:path");

const MISSING_MODULE = new Set([2307, 2732]);
const BROWSER_GLOBAL = /^(self|window|document|navigator|HTMLElement|HTMLCanvasElement) is not defined$/;

const EXPORT_ADVICE =
  "A cell exports nothing: leave out `export`; the names of a cell are there for all cells below it.";

/**
 * @param diagnostic - tslab's, of a cell.
 * @returns {string | null} What to write instead, or null if the message says it.
 */
function adviceForImport({ code, messageText, fileName }) {
  const name = /module '([^']+)'/.exec(messageText)?.[1];
  if (fileName !== undefined || name === undefined || !MISSING_MODULE.has(code)) return null;
  if (!name.startsWith("../")) return null;
  const inner = name.replace(/^(\.\.\/)+/, "");
  const exists = [inner, `${inner}.ts`, `${inner}.js`].some((file) => fs.existsSync(path.resolve(file)));
  const instead = exists ? `write "./${inner}" instead of "${name}"` : `"${name}" leads out of it`;
  const json = name.endsWith(".json")
    ? '; JSON elsewhere is read by JSON.parse(readFileSync(path, "utf8"))'
    : "";
  return `Paths in a cell's imports begin at the project's folder, ${process.cwd()}: ${instead}${json}.`;
}

/**
 * @param thrown - Anything that a cell threw.
 * @returns {string | null} A sentence if a package was loaded that works in browsers only.
 */
function adviceForBrowserPackage(thrown) {
  if (thrown?.name !== "ReferenceError" || !BROWSER_GLOBAL.test(thrown.message)) return null;
  const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(String(thrown.stack))?.[1];
  if (name === undefined) return null;
  const figure = name.startsWith("plotly")
    ? " To show a figure, leave Plotly's { data, layout } as the cell's last value: JupyterLab draws it."
    : "";
  return `The package ${name} works in a browser only (${thrown.message}); a cell runs in Node.${figure}`;
}

module.exports = { EXPORT_ADVICE, adviceForImport, adviceForBrowserPackage };
