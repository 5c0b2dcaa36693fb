"use strict";

/**
 * What to say when a cell needs names that are not there: which cell makes them, and whether it failed or was not run.
 */

const { codeCellsOf, declaredNames, usedNames } = require("./cell-names");

/** Cells named in one sentence. */
const MOST_CELLS = 3;
const LONGEST_LINE = 60;

/** "Cannot find name", with and without a suggestion. */
const UNKNOWN_NAME = new Set([2304, 2552, 2580, 2582, 2583, 2584, 18004]);

class NeededCells {
  #notebook;
  /** Cells whose last run failed, by the names that they would have declared. @type {Map<string, string>} */
  #failed = new Map();

  /** @param {string | undefined} notebook - Path of the notebook that runs, if it is known. */
  constructor(notebook = process.env["JPY_SESSION_NAME"]) {
    this.#notebook = notebook;
  }

  /** Notes how a cell ended. @param {(name: string) => boolean} isLost - Whether a name is without a value now. */
  note(code, ok, isLost) {
    for (const name of declaredNames(code)) {
      if (ok) this.#failed.delete(name);
      else if (isLost(name)) this.#failed.set(name, code);
    }
  }

  /** @returns {string | null} Why a cell can't run now, in a sentence; null if nothing it needs has failed. */
  missingFor(code) {
    if (this.#failed.size === 0) return null;
    const names = [...usedNames(code)].filter((name) => this.#failed.has(name));
    return names.length === 0 ? null : this.#sentenceFor(names);
  }

  /**
   * @param diagnostics - tslab's, of a cell.
   * @returns {string | null} A sentence if all that is wrong are names that other cells declare.
   */
  missingIn(diagnostics) {
    const unknown = diagnostics.filter(
      ({ code, fileName }) => fileName === undefined && UNKNOWN_NAME.has(code),
    );
    const names = unknown.map(({ messageText }) => /'([^']+)'/.exec(messageText)?.[1] ?? "");
    return names.length === 0 ? null : this.#sentenceFor(names);
  }

  /** @returns {string | null} Null if no cell declares one of the names. */
  #sentenceFor(names) {
    const cells = codeCellsOf(this.#notebook);
    const sources = new Map();
    for (const code of cells) {
      for (const name of declaredNames(code)) if (!sources.has(name)) sources.set(name, code);
    }
    for (const [name, code] of this.#failed) sources.set(name, code);

    const made = [...new Set(names)].filter((name) => sources.has(name));
    if (made.length === 0) return null;
    const why = made.some((name) => this.#failed.has(name))
      ? "comes from a cell that failed or was stopped"
      : "comes from a cell that has not run";
    const needed = [...new Set(made.map((name) => sources.get(name)))].sort(
      (a, b) => cells.indexOf(a) - cells.indexOf(b),
    );
    return `${namesText(made)} ${why}. ${advice(needed)}`;
  }
}

function namesText([first, ...others]) {
  const more =
    others.length === 0 ? "" : ` (and ${others.length} more ${others.length === 1 ? "name" : "names"})`;
  return `\`${first}\`${more}`;
}

/** Which cells to run, in their order. */
function advice(cells) {
  const shown = cells.slice(0, MOST_CELLS).map((code) => `the one that begins with \`${firstLine(code)}\``);
  const rest = cells.length > MOST_CELLS ? ` and ${cells.length - MOST_CELLS} more` : "";
  return `Run first ${shown.join(", then ")}${rest}.`;
}

/** The first line that is code; the whole cell's beginning is what people recognise it by. */
function firstLine(code) {
  const lines = code.split("\n").map((line) => line.trim());
  const line = lines.find((text) => text !== "" && !text.startsWith("//")) ?? lines[0] ?? "";
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}

module.exports = { NeededCells };
