// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { SetupFailure, runMain } = require("../setup/failure.js");
const { childEnvironment, runShown } = require("../setup/processes.js");
const { nvidiaDriverAnswers } = require("../setup/machine.js");
const { readStamp } = require("../setup/stamps.js");
const { setUp } = require("../setup/set-up.js");
const { formatDuration } = require("../setup/terminal.js");
const { HELP, readOptions } = require("./options.js");
const { describeSavedSettings, forgetShipped, shippedNotebooks } = require("./shipped-notebooks.js");
const { describeSummary } = require("./summary.js");

/** The exit code of a program ended by Ctrl-C. */
const INTERRUPTED = 130;

const root = path.resolve(__dirname, "..", "..");

/**
 * Reserves a run, once there is what TypeScript is loaded with.
 *
 * @param {string} runs - The folder of all runs.
 * @returns {string} The run's folder.
 */
function reserveFolder(runs) {
  require("../load-typescript.js");
  const { reserveRun } = require("../../src/training/runs/reserve-run");
  return path.join(runs, reserveRun(runs, new Date()));
}

/** The notebooks that `npm start` runs, in order: 01 to 04; as they were saved last. */
function findNotebooks() {
  const folder = path.join(root, "notebooks");
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const found = names.filter((name) => /^0[1-4]-.*\.ipynb$/.test(name)).sort();
  if (found.length !== 4) {
    throw new SetupFailure(
      `notebooks/ should hold the notebooks 01 to 04, and ${found.length} of them are there: this copy of the project isn't whole, so clone it again.`,
    );
  }
  return found.map((name) => path.join(folder, name));
}

/**
 * Runs a TypeScript program of scripts/.
 *
 * @param {string} script
 * @param {string[]} args
 * @param {{ quiet?: boolean }} [options] - Quiet: only errors are shown.
 */
function runScript(script, args, { quiet = false } = {}) {
  const loader = path.join(root, "scripts", "load-typescript.js");
  const command = ["-r", loader, path.join(root, "scripts", script), ...args];
  return runShown(process.execPath, command, { cwd: root, quiet });
}

/**
 * Runs the notebooks on the kernel of .venv; their executed copies and results go to the run's folder.
 *
 * @param {string} runFolder
 * @param {Record<string, unknown>} settings
 * @param {string[]} notebooks
 */
function runNotebooks(runFolder, settings, notebooks) {
  const program = path.join(root, "jupyter", "run_notebooks.py");
  const python = path.join(root, ".venv", "bin", "python");
  const env = childEnvironment({
    BREAKHIS_SETTINGS: JSON.stringify(settings),
    BREAKHIS_RUN: path.basename(runFolder),
    BREAKHIS_RUNS: path.dirname(runFolder),
    // A kernel of the same name among the user's own must not take this one's place.
    JUPYTER_PREFER_ENV_PATH: "1",
  });
  return runShown(python, [program, "--kernel", "tslab", "--output-folder", runFolder, ...notebooks], {
    cwd: root,
    env,
  });
}

async function drawImages() {
  console.log(
    "\nNo --data was given, so synthetic images are used: they show how things work, and nothing else.",
  );
  const code = await runScript("demo.ts", []);
  if (code !== 0) throw new SetupFailure("The synthetic images could not be made; the reason is above.");
}

/**
 * `npm start`: everything from a fresh clone to results.
 *
 * @param {string[]} args
 * @returns {Promise<number>} The exit code.
 */
async function start(args) {
  const startedAt = Date.now();
  const from = process.env["INIT_CWD"] || process.cwd();
  const options = readOptions(args, from);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  await setUp({ root, tensorflow: options.tensorflow });
  if (options.setupOnly) return 0;
  // Where a card answers, whether it is used is the first thing to know; elsewhere this would only take time.
  if (nvidiaDriverAnswers()) await runScript("computing-on.ts", []);

  if (options.settings["data"] === undefined) await drawImages();

  const runs = path.resolve(from, process.env["BREAKHIS_RUNS"] || path.join(root, "runs"));
  const runFolder = reserveFolder(runs);
  // The report finds it there: src/experiments/published/article.ts.
  const byPatient = `${runFolder}-by-patient`;
  const notebooks = chooseNotebooks(options, path.basename(runFolder));
  const isArticle = options.preset === "perceptilabs";
  if (isArticle) await runByPatient(byPatient, options.settings, notebooks);
  console.log(`\nRunning the notebooks; executed copies go to ${shown(runFolder, from)}.`);
  const code = await runNotebooks(runFolder, options.settings, notebooks);
  forgetShipped(root, path.basename(runFolder));
  if (code === INTERRUPTED) {
    console.error(`Stopped; what ran until then is in ${shown(runFolder, from)}.`);
    return code;
  }
  if (code !== 0) {
    throw new SetupFailure(
      `A notebook failed, as said above; what ran until then is in ${shown(runFolder, from)}.`,
    );
  }
  const reported = await runScript("report.ts", [runFolder], { quiet: true });
  if (reported !== 0)
    throw new SetupFailure("The notebooks ran, but their report could not be written; see above.");
  tellResults(runFolder, from, Date.now() - startedAt);
  return isArticle ? await runScript("article.ts", [runFolder]) : 0;
}

/**
 * The notebooks to run: as they were saved last, with a word about the settings in them that are not the shipped ones, or
 * as they are shipped.
 *
 * @param {import("./options.js").StartOptions} options
 * @param {string} run - Its name.
 */
function chooseNotebooks({ asShipped }, run) {
  const saved = findNotebooks();
  if (asShipped) return shippedNotebooks(root, saved, run);
  const differences = describeSavedSettings(root, saved);
  if (differences !== "") console.log(`\n${differences}`);
  return saved;
}

/**
 * What the article's preset does before its own run: says what it assumes and how long it will take, and trains once with the
 * patients kept apart, to be shown beside it.
 *
 * @param {string} runFolder
 * @param {Record<string, unknown>} settings
 * @param {string[]} notebooks
 */
async function runByPatient(runFolder, settings, notebooks) {
  console.log();
  if ((await runScript("forecast.ts", [JSON.stringify(settings)])) !== 0)
    throw new SetupFailure("The time could not be forecast; the reason is above.");
  console.log(
    "\nTwo runs: first split by patient, which the article's is shown beside, then split as assumed.",
  );
  const training = notebooks.filter((notebook) => path.basename(notebook).startsWith("03-"));
  if ((await runNotebooks(runFolder, { ...settings, split: "patient" }, training)) !== 0)
    throw new SetupFailure("The run split by patient failed, as said above.");
}

/**
 * A path as people read it: relative where it lies below the folder they are in.
 *
 * @param {string} file
 * @param {string} from
 */
function shown(file, from) {
  const relative = path.relative(from, file) || ".";
  return relative.startsWith("..") ? file : relative;
}

/**
 * @param {string} runFolder
 * @param {string} from
 * @param {number} elapsedMs
 */
function tellResults(runFolder, from, elapsedMs) {
  const summaryFile = path.join(runFolder, "summary.json");
  const summary = readStamp(summaryFile);
  if (summary === null) {
    throw new SetupFailure(
      `The notebooks ran, but left no ${shown(summaryFile, from)}: notebook 03 writes it.`,
    );
  }
  console.log(`
${describeSummary(summary)}

Done in ${formatDuration(elapsedMs)}. The results:
  ${shown(path.join(runFolder, "report.html"), from)}
      every figure on one page
  ${shown(summaryFile, from)}
      the numbers
  ${shown(runFolder, from)}
      the executed notebooks, the predictions and the saved classifier

To work with the notebooks yourself: npm run lab`);
}

/** @param {string[]} args */
function run(args) {
  return runMain(() => start(args));
}

module.exports = { run };
