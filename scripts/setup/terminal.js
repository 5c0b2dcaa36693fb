// @ts-check
"use strict";

/** How often a running step shows that it is alive, in milliseconds: on a terminal, and in a log. */
const TERMINAL_INTERVAL_MS = 500;
const LOG_INTERVAL_MS = 15_000;

/**
 * @param {number} ms
 * @returns {string} "0.3 s", "42 s", "3 min 5 s"
 */
function formatDuration(ms) {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Terminal codes (colours, cursor moves) and other control characters, which would garble a status line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes.
const CONTROL = /\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u001f\u007f]/g;

/**
 * @typedef {object} StepDisplay
 * @property {(line: string) => void} note - What is being done now.
 * @property {() => void} done
 * @property {() => void} failed
 */

/**
 * Shows one step: its heading, the time it takes and what it last said.
 *
 * @param {string} title
 * @param {NodeJS.WriteStream} [stream]
 * @returns {StepDisplay}
 */
function startStep(title, stream = process.stdout) {
  const startedAt = Date.now();
  let last = "";
  const elapsed = () => formatDuration(Date.now() - startedAt);
  const rewrite = (/** @type {string} */ text) => stream.write(`\r\u001b[K${text}`);
  const show = () => {
    if (stream.isTTY)
      rewrite(`${title} … ${elapsed()}  ${last}`.slice(0, Math.max(20, (stream.columns || 80) - 1)));
    else stream.write(`    … ${elapsed()}${last ? `: ${last.slice(0, 100)}` : ""}\n`);
  };
  if (stream.isTTY) show();
  else stream.write(`${title} …\n`);
  const timer = setInterval(show, stream.isTTY ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS);
  const end = (/** @type {string} */ text) => {
    clearInterval(timer);
    if (stream.isTTY) rewrite(`${text}\n`);
    else stream.write(`${text}\n`);
  };
  return {
    note: (line) => {
      last = line.replace(CONTROL, "");
    },
    done: () => end(`${title}: ${elapsed()}`),
    failed: () => end(`${title}: failed after ${elapsed()}`),
  };
}

module.exports = { startStep, formatDuration };
