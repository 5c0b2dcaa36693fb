"use strict";

/** Turns what a cell threw, or what the compiler found, into Jupyter's ename, evalue and a short traceback. */

const { inspect } = require("node:util");
const { adviceForBrowserPackage, adviceForImport } = require("./advice");

const MAX_FRAMES = 4;
const MAX_DIAGNOSTICS = 5;
const MAX_MESSAGE_LINES = 20;
const MAX_CAUSES = 3;

/** tslab takes `await (` at the top of a cell for a call of a function named await. */
const AWAIT_HINT =
  "In a cell, no bracket may follow `await`: store the expression in a constant and await that.";

/** @returns {import("./session").Failure} A failure that one sentence says all about. */
function failureOf(ename, evalue) {
  return { ename, evalue, traceback: [`${ename}: ${evalue}`] };
}

/**
 * @param diagnostics - tslab's: lines and columns from 0, `fileName` relative to the project, absent for the cell.
 * @returns {import("./session").Failure}
 */
function describeDiagnostics(diagnostics) {
  const lines = diagnostics.map((diagnostic) => {
    const { fileName, start } = diagnostic;
    const messageText = adviceForImport(diagnostic) ?? diagnostic.messageText;
    const place = fileName
      ? `${fileName}:${start.line + 1}:${start.character + 1}`
      : `line ${start.line + 1}`;
    return `${place}: ${messageText}`;
  });
  const omitted = lines.length - MAX_DIAGNOSTICS;
  const more = omitted > 0 ? [`… and ${omitted} more.`] : [];
  const evalue = lines[0].split("\n")[0];
  const traceback = [`CompileError: ${lines[0]}`, ...lines.slice(1, MAX_DIAGNOSTICS), ...more];
  return { ename: "CompileError", evalue, traceback };
}

/**
 * @param thrown - Anything; usually an Error.
 * @param locate - From a frame's file, line and column to a place in the sources, or null for other code.
 * @returns {import("./session").Failure}
 */
function describeError(thrown, locate) {
  if (isInterruption(thrown)) {
    const evalue =
      "The cell was stopped; what it had started may go on in the background, its names are lost.";
    return { ename: "Interrupted", evalue, traceback: [`Interrupted: ${evalue}`] };
  }
  const { name, message } = nameAndMessage(thrown);
  const frames = framesOf(thrown, locate).map((frame) => `    at ${frame}`);
  return { ename: name, evalue: message, traceback: [`${name}: ${message}`, ...frames, ...causesOf(thrown)] };
}

/** @returns A failure that happened outside the cell's own flow, introduced by a sentence that says so. */
function describeStrayError(ename, sentence, thrown, locate) {
  const { ename: name, evalue: message, traceback } = describeError(thrown, locate);
  const evalue = `${sentence} ${name}: ${message}`;
  return { ename, evalue, traceback: [`${ename}: ${evalue}`, ...traceback.slice(1)] };
}

function isInterruption(thrown) {
  return (
    thrown?.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED" || thrown?.message === "Interrupted asynchronously"
  );
}

function isErrorLike(value) {
  return typeof value === "object" && value !== null && typeof value.message === "string";
}

function nameAndMessage(thrown) {
  if (!isErrorLike(thrown)) return { name: "Thrown", message: shorten(inspect(thrown)) };
  const name = typeof thrown.name === "string" && thrown.name !== "" ? thrown.name : "Error";
  const advice = adviceForBrowserPackage(thrown);
  if (advice !== null) return { name, message: advice };
  if (thrown.message === "await is not defined") return { name, message: AWAIT_HINT };
  // Node appends the files that led to a missing module; they are tslab's.
  return { name, message: shorten(thrown.message.replace(/\nRequire stack:[\s\S]*$/, "")) };
}

function shorten(message) {
  const lines = message.trim().split("\n");
  return lines.length <= MAX_MESSAGE_LINES
    ? lines.join("\n")
    : [...lines.slice(0, MAX_MESSAGE_LINES), "…"].join("\n");
}

/** The frames that lie in cells or in `src`, innermost first; those of tslab, Node and packages help nobody. */
function framesOf(thrown, locate) {
  const places = [];
  const lines = typeof thrown?.stack === "string" ? thrown.stack.split("\n") : [];
  for (const line of lines) {
    const frame = /^\s+at (?:(.*) \()?(.+?):(\d+):(\d+)\)?$/.exec(line);
    if (frame === null) continue;
    const place = locate(frame[2].replace(/^async /, ""), Number(frame[3]), Number(frame[4]));
    if (place === null || places.length === MAX_FRAMES) continue;
    // Names of a cell are properties of an object of tslab's, which the reader never sees.
    const caller = frame[1]?.replace(/^(async )?(?:Object|Proxy|exports)\./, "$1");
    places.push(caller === undefined || caller === "<anonymous>" ? place : `${caller} (${place})`);
  }
  return places;
}

function causesOf(thrown) {
  const lines = [];
  for (const inner of (Array.isArray(thrown?.errors) ? thrown.errors : []).slice(0, MAX_CAUSES)) {
    const { name, message } = nameAndMessage(inner);
    lines.push(`    ${name}: ${message}`);
  }
  let cause = thrown?.cause;
  for (let depth = 0; depth < MAX_CAUSES && cause !== undefined && cause !== null; depth++) {
    const { name, message } = nameAndMessage(cause);
    lines.push(`Caused by ${name}: ${message}`);
    cause = cause.cause;
  }
  return lines;
}

module.exports = { failureOf, describeDiagnostics, describeError, describeStrayError };
