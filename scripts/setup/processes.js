// @ts-check
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { spawn, spawnSync } = require("node:child_process");

/** Output kept in memory, in characters: enough to recognise a cause; the log file has all of it. */
const KEPT_OUTPUT = 200_000;

/**
 * Process groups started here and still running.
 *
 * @type {Set<number>}
 */
const runningGroups = new Set();
/**
 * The program that has the terminal now, if any: Ctrl-C reaches it too, and it ends in its own way.
 *
 * @type {import("node:child_process").ChildProcess | null}
 */
let shownChild = null;
let forwarding = false;

/**
 * Reads when a process started, which together with its number names it for good: numbers are used again.
 *
 * @param {number} pid
 * @returns {string | null} Clock ticks since the machine started; null when there is no such process.
 */
function processStart(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name, in parentheses, may hold blanks; the start time is field 22, the 20th after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/**
 * @param {number} group - A process group's number.
 * @param {NodeJS.Signals} signal
 */
function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
  } catch {
    // It has ended already.
  }
}

/** Children have process groups of their own, so what asks this program to stop is passed on to them. */
function forwardSignals() {
  if (forwarding) return;
  forwarding = true;
  for (const signal of /** @type {NodeJS.Signals[]} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      if (shownChild !== null) {
        // A terminal sends Ctrl-C to both; anything else was meant for this program, and is passed on.
        if (signal !== "SIGINT" || !process.stdin.isTTY) shownChild.kill(signal);
        return;
      }
      for (const group of runningGroups) signalGroup(group, "SIGKILL");
      process.stderr.write("\nStopped. The same command takes it up again.\n");
      process.exit(128 + os.constants.signals[signal]);
    });
  }
}

/**
 * The environment for children: without the variables that make Python and pip look or install elsewhere, or compile
 * everything anew each time: what Python keeps of the packages in .venv lies there, and TensorFlow's and Jupyter's take
 * several seconds.
 *
 * @param {Record<string, string>} [extra]
 * @returns {NodeJS.ProcessEnv}
 */
function childEnvironment(extra = {}) {
  const env = { ...process.env };
  for (const name of [
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIREMENT",
  ]) {
    delete env[name];
  }
  return { ...env, PIP_USER: "0", PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1", ...extra };
}

/**
 * Asks a program that answers at once.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ timeoutMs?: number, input?: string }} [options]
 * @returns {{ code: number, stdout: string, stderr: string }} Code 127 when it could not be started.
 */
function ask(program, args, { timeoutMs = 30_000, input = "" } = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    env: childEnvironment(),
    timeout: timeoutMs,
    input,
  });
  return { code: status ?? 127, stdout: stdout ?? "", stderr: stderr ?? "" };
}

/**
 * Splits output into lines as it comes, for the one line that shows that something is going on.
 *
 * @param {(line: string) => void} onLine
 * @returns {(text: string) => void}
 */
function lineReader(onLine) {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split(/[\r\n]+/);
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") onLine(line.trim());
  };
}

/**
 * Runs a program to its end, its output appended to a log file.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {string} options.logFile
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(line: string) => void} [options.onLine]
 * @param {(group: number) => void} [options.onStart] - Told the number of the program's process group.
 * @returns {Promise<{ code: number, output: string }>} Code 127 when it could not be started; output is its end.
 */
function runLogged(program, args, { cwd, logFile, env = childEnvironment(), onLine = () => {}, onStart }) {
  forwardSignals();
  fs.mkdirSync(path.dirname(logFile), { recursive: true });
  const log = fs.openSync(logFile, "a");
  fs.writeSync(log, `$ ${[program, ...args].join(" ")}\n`);
  return new Promise((resolve, reject) => {
    let output = "";
    let logProblem = /** @type {unknown} */ (null);
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    if (child.pid !== undefined) {
      runningGroups.add(child.pid);
      onStart?.(child.pid);
    }
    for (const stream of [child.stdout, child.stderr]) {
      const toLines = lineReader(onLine);
      stream.setEncoding("utf8").on("data", (text) => {
        output = (output + text).slice(-KEPT_OUTPUT);
        try {
          fs.writeSync(log, text);
        } catch (error) {
          logProblem = error; // A full disk: the program will meet it too, and be told about below.
        }
        toLines(text);
      });
    }
    const finish = (/** @type {number} */ code) => {
      if (child.pid !== undefined) runningGroups.delete(child.pid);
      fs.closeSync(log);
      if (code !== 0 && logProblem !== null) reject(logProblem);
      else resolve({ code, output });
    };
    child.once("error", (error) => {
      output += error.message;
      finish(127);
    });
    child.once("close", (code, signal) => {
      if (child.pid === undefined) return; // "error" has told about it.
      if (signal) output += `\nKilled signal ${signal}\n`;
      finish(code ?? 1);
    });
  });
}

/**
 * Runs a program to its end, its output shown as it comes.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, quiet?: boolean }} options - Quiet: only errors are shown.
 * @returns {Promise<number>} Its exit code; 127 when it could not be started, 128 and more when a signal ended it.
 */
function runShown(program, args, { cwd, env = childEnvironment(), quiet = false }) {
  forwardSignals();
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ["ignore", quiet ? "ignore" : "inherit", "inherit"],
    });
    shownChild = child;
    /** @param {number} code */
    const finish = (code) => {
      shownChild = null;
      resolve(code);
    };
    child.once("error", (error) => {
      console.error(error.message);
      finish(127);
    });
    child.once("close", (code, signal) => finish(code ?? 128 + os.constants.signals[signal ?? "SIGKILL"]));
  });
}

module.exports = { processStart, signalGroup, childEnvironment, ask, runLogged, runShown };
