// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const machine = require("./machine.js");
const { findPython } = require("./pythons.js");
const { SetupFailure, describeFailure, explainOutput } = require("./failure.js");
const { claimSetup } = require("./exclusive.js");
const { childEnvironment, runLogged } = require("./processes.js");
const { readStamp } = require("./stamps.js");
const { formatDuration, startStep } = require("./terminal.js");
const { packagesProblem, installPackages } = require("./npm-packages.js");
const environment = require("./python-environment.js");
const { addonProblem, compileAddon } = require("./addon.js");
const { jupyterPartsProblem, installJupyterParts } = require("./jupyter-parts.js");
const { weightsProblem, convertWeights } = require("./pretrained-weights.js");

/** Lines of a failed program's output that are shown; all of it is in its log. */
const SHOWN_LINES = 12;

/**
 * What the steps work with.
 *
 * @typedef {object} Context
 * @property {string} root - The project's folder.
 * @property {import("./python-environment.js").Choice} choice - Of the TensorFlow wheel.
 * @property {Tools} machine - What was found on this machine.
 * @property {(command: string[], log: string, what: string, env?: Record<string, string>) => Promise<void>} run -
 *   Runs a program with its output in .cache/logs/<log>.log; fails with one sentence when it does.
 */

/**
 * @typedef {object} Tools
 * @property {() => string[]} npm
 * @property {() => import("./pythons.js").Python} python
 * @property {() => string[]} compiler
 */

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {() => string | null} problem - Why it has to be done; null when it is done.
 * @property {(context: Context) => Promise<void> | void} work
 */

/**
 * @param {string} root
 * @param {import("./python-environment.js").Choice} choice
 * @returns {[Step, Step, Step, Step, Step]}
 */
function makeSteps(root, choice) {
  const wheel = choice.variant === "cuda" ? "TensorFlow for NVIDIA GPUs" : "TensorFlow for CPUs";
  return [
    { title: "Installing the npm packages", problem: () => packagesProblem(root), work: installPackages },
    {
      title: `Installing the Python packages, with ${wheel}`,
      problem: () => environment.environmentProblem(root, choice),
      work: environment.makeEnvironment,
    },
    { title: "Compiling the TensorFlow addon", problem: () => addonProblem(root), work: compileAddon },
    {
      title: "Adding the kernel and the figure renderer to JupyterLab",
      problem: () => jupyterPartsProblem(root),
      work: () => installJupyterParts(root),
    },
    {
      title: "Converting EfficientNet-Lite0's weights",
      problem: () => weightsProblem(root),
      work: convertWeights,
    },
  ];
}

/**
 * Looks for all that the steps ahead need, before any of them begins, so that everything missing is told at once.
 *
 * @param {string} root
 * @param {import("./python-environment.js").Choice} choice
 * @param {{ npm: boolean, python: boolean, compiler: boolean }} needs
 * @returns {Tools}
 * @throws {SetupFailure} one line for each thing that is missing.
 */
function findTools(root, choice, needs) {
  /** @type {string[]} */
  const problems = [];
  /** @type {Record<string, any>} */
  const found = {};
  /** @param {boolean} needed @param {string} name @param {() => Record<string, any>} find */
  const look = (needed, name, find) => {
    if (!needed) return;
    const result = find();
    if (typeof result["problem"] === "string") problems.push(result["problem"]);
    else found[name] = result["command"] ?? result["python"];
  };
  look(needs.npm, "npm", machine.findNpm);
  look(needs.python, "python", findPython);
  look(needs.compiler, "compiler", machine.findCompiler);
  const disk = machine.diskProblem(root, {
    packages: needs.npm && !fs.existsSync(path.join(root, "node_modules")),
    environment: needs.python && !fs.existsSync(environment.venvFolder(root)) ? choice.variant : null,
  });
  if (disk !== null) problems.push(disk);
  if (problems.length > 0) throw new SetupFailure(problems.join("\n"));
  return {
    npm: () => found["npm"],
    python: () => found["python"],
    compiler: () => found["compiler"],
  };
}

/**
 * @param {string} root
 * @param {import("./terminal.js").StepDisplay} display
 * @param {import("./exclusive.js").Claim} claim
 * @returns {Context["run"]}
 */
function makeRunner(root, display, claim) {
  return async ([program = "", ...args], name, what, env = {}) => {
    const logFile = path.join(root, ".cache", "logs", `${name}.log`);
    const { code, output } = await runLogged(program, args, {
      cwd: root,
      logFile,
      env: childEnvironment(env),
      onLine: display.note,
      onStart: claim.working,
    });
    if (code === 0) return;
    const log = path.relative(process.cwd(), logFile);
    const known = explainOutput(output);
    if (known !== null) throw new SetupFailure(`${known} (Log: ${log})`);
    const lines = output.trimEnd().split("\n").slice(-SHOWN_LINES);
    throw new SetupFailure(
      `${lines.map((line) => `    ${line}`).join("\n")}\n${what} failed (${path.basename(program)} ended with code ${code}): its last lines are above and the others in ${log}; once the cause is gone, run the same command again.`,
    );
  };
}

/**
 * Makes the project ready to run, doing only what isn't done yet.
 *
 * Each step leaves a stamp of what it was done with once it is whole, so an interrupted set-up goes on where it
 * was, and one with nothing to do takes a fraction of a second.
 *
 * @param {object} options
 * @param {string} options.root - The project's folder.
 * @param {"cpu" | "cuda" | "auto" | null} [options.tensorflow] - The wheel asked for.
 * @returns {Promise<boolean>} Whether anything had to be done.
 * @throws {SetupFailure}
 */
async function setUp({ root, tensorflow = null }) {
  const startedAt = Date.now();
  const problem =
    machine.platformProblem(process.platform, process.arch) ??
    machine.tensorflowProblem(tensorflow, process.arch);
  if (problem !== null) throw new SetupFailure(problem);
  const choice = environment.chooseTensorFlow({
    flag: tensorflow,
    stamp: readStamp(environment.stampFile(root)),
    driverAnswers: machine.nvidiaDriverAnswers,
  });
  const steps = makeSteps(root, choice);
  if (steps.every((step) => step.problem() === null)) {
    environment.rememberChoice(root, choice);
    console.log(`Set-up: nothing to do (looked for ${formatDuration(Date.now() - startedAt)}).`);
    return false;
  }
  const claim = claimSetup(path.join(root, ".cache", "setup", "claim.json"));
  try {
    await doSteps(root, choice, steps, claim);
  } finally {
    claim.release();
  }
  console.log(`Set-up: done (${formatDuration(Date.now() - startedAt)}).`);
  return true;
}

/**
 * @param {string} root
 * @param {import("./python-environment.js").Choice} choice
 * @param {[Step, Step, Step, Step, Step]} steps
 * @param {import("./exclusive.js").Claim} claim
 */
async function doSteps(root, choice, steps, claim) {
  const [npmStep, pythonStep, addonStep] = steps;
  const npm = npmStep.problem() !== null;
  const python = pythonStep.problem() !== null;
  // What the addon is compiled from, and the addon itself, lie in what these two steps make.
  const tools = findTools(root, choice, {
    npm,
    python,
    compiler: npm || python || addonStep.problem() !== null,
  });
  fs.rmSync(path.join(root, ".cache", "logs"), { recursive: true, force: true });
  for (const [index, step] of steps.entries()) {
    const heading = `[${index + 1}/${steps.length}] ${step.title}`;
    if (step.problem() === null) {
      console.log(`${heading}: already there`);
      continue;
    }
    const display = startStep(heading);
    try {
      await step.work({ root, choice, machine: tools, run: makeRunner(root, display, claim) });
    } catch (error) {
      display.failed();
      throw new SetupFailure(describeFailure(error));
    }
    display.done();
  }
}

module.exports = { setUp };
