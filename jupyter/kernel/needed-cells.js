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

/** @param {string | undefined} notebook - Path of the notebook that runs, if it is known. */
function createNeededCells(notebook = process.env["JPY_SESSION_NAME"]) {
  /** Cells whose last run failed, by the names that they would have declared. @type {Map<string, string>} */
  const failed = new Map();

  /** Notes how a cell ended. @param {(name: string) => boolean} isLost - Whether a name is without a value now. */
  function note(code, ok, isLost) {
    for (const name of declaredNames(code)) {
      if (ok) failed.delete(name);
      else if (isLost(name)) failed.set(name, code);
    }
  }

  /** @returns {string | null} Why a cell can't run now, in a sentence; null if nothing it needs has failed. */
  function missingFor(code) {
    if (failed.size === 0) return null;
    const names = [...usedNames(code)].filter((name) => failed.has(name));
    return names.length === 0 ? null : sentenceFor(names);
  }

  /**
   * @param diagnostics - tslab's, of a cell.
   * @returns {string | null} A sentence if all that is wrong are names that other cells declare.
   */
  function missingIn(diagnostics) {
    const unknown = diagnostics.filter(
      ({ code, fileName }) => fileName === undefined && UNKNOWN_NAME.has(code),
    );
    if (unknown.length === 0) return null;
    const names = unknown.map(({ messageText }) => /'([^']+)'/.exec(messageText)?.[1] ?? "");
    const sources = cellsByName();
    return names.some((name) => sources.has(name)) ? sentenceFor(names) : null;
  }

  function cellsByName() {
    const sources = new Map();
    for (const code of codeCellsOf(notebook)) {
      for (const name of declaredNames(code)) if (!sources.has(name)) sources.set(name, code);
    }
    for (const [name, code] of failed) sources.set(name, code);
    return sources;
  }

  function sentenceFor(names) {
    const sources = cellsByName();
    const made = [...new Set(names)].filter((name) => sources.has(name));
    const order = codeCellsOf(notebook);
    const cells = [...new Set(made.map((name) => sources.get(name)))].sort(
      (a, b) => order.indexOf(a) - order.indexOf(b),
    );
    const shown = cells.slice(0, MOST_CELLS).map((code) => `the one that begins with \`${firstLine(code)}\``);
    const anyFailed = made.some((name) => failed.has(name));
    const why = anyFailed
      ? "comes from a cell that failed or was stopped"
      : "comes from a cell that has not run";
    const more =
      made.length > 1 ? ` (and ${made.length - 1} more ${made.length === 2 ? "name" : "names"})` : "";
    const rest = cells.length > MOST_CELLS ? ` and ${cells.length - MOST_CELLS} more` : "";
    return `\`${made[0]}\`${more} ${why}. Run first ${shown.join(", then ")}${rest}.`;
  }

  return { note, missingFor, missingIn };
}

/** The first line that is code; the whole cell's beginning is what people recognise it by. */
function firstLine(code) {
  const lines = code.split("\n").map((line) => line.trim());
  const line = lines.find((text) => text !== "" && !text.startsWith("//")) ?? lines[0] ?? "";
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}

module.exports = { createNeededCells };
