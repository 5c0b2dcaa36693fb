"use strict";

/** From a position in compiled code to the one in its source, for errors of the project's files wherever they show. */

const { SourceMap } = require("node:module");

/**
 * @param {string} mapText - A source map.
 * @param {number} line - From 1, as `column` and what is returned.
 * @returns {{ line: number, column: number } | null}
 */
function findPosition(mapText, line, column) {
  const entry = new SourceMap(JSON.parse(mapText)).findEntry(line - 1, column - 1);
  if (entry.originalLine === undefined) return null;
  return { line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

/** Makes the stacks of errors name lines of the `.ts` files rather than of what was made of them. */
function nameSourceLines(files) {
  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.map((frame) => `\n    at ${atSource(String(frame), files)}`);
    return `${Error.prototype.toString.call(error)}${lines.join("")}`;
  };
}

function atSource(frame, files) {
  const [, before, file, line, column, after] = /^(.*?\(?)(\/[^()]*\.ts):(\d+):(\d+)(\)?)$/.exec(frame) ?? [];
  const map = file === undefined ? undefined : files.mapOf(file);
  const position = map && findPosition(map, Number(line), Number(column));
  return position ? `${before}${file}:${position.line}:${position.column}${after}` : frame;
}

module.exports = { findPosition, nameSourceLines };
