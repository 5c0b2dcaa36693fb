// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { stripVTControlCharacters } = require("node:util");
const { SetupFailure, describeFailure, runMain } = require("../setup/failure.js");
const { childEnvironment, runShown } = require("../setup/processes.js");
const { stampFile } = require("../setup/python-environment.js");
const { readStamp } = require("../setup/stamps.js");
const { setUp } = require("../setup/set-up.js");
const { formatDuration } = require("../setup/terminal.js");
const { provideChromium } = require("./chromium.js");

const root = path.resolve(__dirname, "..", "..");

/** @typedef {{ passed: number, failed: number, skipped: number, failures: string[] }} Counts */
/** @typedef {{ name: string, title: string, check: () => Promise<Counts> }} Stage */

/** Folders of test/ that need more than the unit tests do: whole programs, Keras, a kernel, a browser, patience. */
const SLOW = ["programs", "durability", "parity", "jupyter", "notebooks", "browser"];

/**
 * @param {string[]} command - A program of node_modules, given by its file, and its arguments.
 * @param {Record<string, string>} [env]
 */
function runNode([file = "", ...args], env = {}) {
  return runShown(process.execPath, [path.join(root, file), ...args], {
    cwd: root,
    env: childEnvironment(env),
  });
}

/**
 * A check that passes or fails as a whole.
 *
 * @param {string} name
 * @param {string} title
 * @param {string[]} command
 * @returns {Stage}
 */
function whole(name, title, command) {
  const check = async () => {
    const passed = (await runNode(command)) === 0;
    return { passed: Number(passed), failed: Number(!passed), skipped: 0, failures: [] };
  };
  return { name, title, check };
}

/**
 * Names what failed, so that the end of a long log says where to look.
 *
 * @param {Record<string, any>} account - What vitest's JSON reporter wrote.
 * @returns {string[]} A line for each test that failed, and for each file that can't be run: where, and why.
 */
function nameFailures(account) {
  const firstLine = (/** @type {unknown} */ message) =>
    stripVTControlCharacters(String(message)).split("\n", 1)[0];
  return (account.testResults ?? []).flatMap((/** @type {any} */ file) => {
    const where = path.relative(root, file.name);
    const tests = file.assertionResults.filter((/** @type {any} */ result) => result.status === "failed");
    if (tests.length === 0 && file.status === "failed") return [`${where}: ${firstLine(file.message)}`];
    return tests.map(
      (/** @type {any} */ result) => `${where} > ${result.fullName}: ${firstLine(result.failureMessages[0])}`,
    );
  });
}

/**
 * Reads vitest's own account of a run.
 *
 * @param {string} file
 * @param {number} code - Vitest's exit code.
 * @returns {Counts} At least one failure if the code isn't 0, or if nothing was run.
 */
function readCounts(file, code) {
  const account = readStamp(file) ?? {};
  const count = (/** @type {string} */ name) => Number(account[name] ?? 0);
  const counts = {
    passed: count("numPassedTests"),
    failed: count("numFailedTests"),
    skipped: count("numPendingTests") + count("numTodoTests"),
    failures: nameFailures(account),
  };
  // A file that can't be loaded, an error outside of tests or a crash fails the run and no single test.
  const unseen = counts.failed === 0 && (code !== 0 || counts.passed === 0);
  return unseen ? { ...counts, failed: 1 } : counts;
}

/**
 * A part of the tests, run by vitest.
 *
 * @param {string} name
 * @param {string} title
 * @param {string[]} selection
 * @param {() => Promise<Record<string, string>>} [prepare] - Resolves to further environment variables.
 * @returns {Stage}
 */
function tests(name, title, selection, prepare = async () => ({})) {
  const check = async () => {
    const env = await prepare();
    const account = path.join(root, ".cache", "test", `${name}.json`);
    fs.rmSync(account, { force: true });
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${account}`];
    const code = await runNode(["node_modules/vitest/vitest.mjs", "run", ...reporters, ...selection], env);
    return readCounts(account, code);
  };
  return { name, title, check };
}

/** Unit tests that put a stand-in in place of a module: another file of the same process may have loaded the real one. */
function filesWithStandIns() {
  return fs
    .readdirSync(path.join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts") && !SLOW.some((folder) => name.startsWith(`${folder}/`)))
    .map((name) => `test/${name}`)
    .filter((file) => fs.readFileSync(path.join(root, file), "utf8").includes("vi.mock("))
    .sort();
}

/** Kernels, JupyterLab and browsers each want a processor core: their tests run one file after the other. */
const ONE_BY_ONE = "--no-file-parallelism";

/** @type {Stage[]} */
const STAGES = [
  whole("types", "Types, under the project's compiler", ["node_modules/typescript/bin/tsc", "--noEmit"]),
  whole("types-tslab", "Types of src/, under tslab's compiler", ["scripts/typecheck-tslab.js"]),
  whole("types-browser", "Types of the page for browsers", [
    "node_modules/typescript/bin/tsc",
    "--noEmit",
    "--project",
    "viewer",
  ]),
  whole("bundle", "The page for browsers, with nothing of Node's in it", [
    "node_modules/esbuild/bin/esbuild",
    "viewer/main.ts",
    "viewer/worker.ts",
    "--bundle",
    "--platform=browser",
    "--outdir=.cache/test/page",
    "--log-level=warning",
  ]),
  whole("lint", "Lint and format", ["scripts/lint/lint.js"]),
  whole("reference", "Docstrings, as the API reference reads them", [
    "node_modules/typedoc/bin/typedoc",
    "--emit",
    "none",
  ]),
  // One process loads TensorFlow once for all of its files.
  tests("unit", "Unit tests", [
    `--exclude=test/{${SLOW.join(",")}}/**`,
    ...filesWithStandIns().map((file) => `--exclude=${file}`),
    "--no-isolate",
  ]),
  tests("unit-alone", "Unit tests with stand-ins for modules", filesWithStandIns()),
  tests("programs", "The programs behind the npm scripts", ["test/programs/", ONE_BY_ONE]),
  tests("durability", "What survives being killed", ["test/durability/", ONE_BY_ONE]),
  tests("parity", "Parity with Keras and scikit-learn", ["test/parity/", ONE_BY_ONE]),
  tests("jupyter", "The kernel, through the Jupyter protocol", ["test/jupyter/", ONE_BY_ONE]),
  tests("notebooks", "The notebooks, on the real kernel", ["test/notebooks/", ONE_BY_ONE]),
  tests("browser", "JupyterLab in a browser", ["test/browser/", ONE_BY_ONE], provideChromium),
];

/**
 * @param {Stage} stage
 * @returns {Promise<Counts>}
 */
async function runStage(stage) {
  try {
    return await stage.check();
  } catch (error) {
    console.error(describeFailure(error));
    return { passed: 0, failed: 1, skipped: 0, failures: [] };
  }
}

/** @param {string[]} names */
function chooseStages(names) {
  const unknown = names.find((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown !== undefined) {
    const known = STAGES.map((stage) => stage.name).join(", ");
    throw new SetupFailure(`There is no part of the tests called "${unknown}": there are ${known}.`);
  }
  return names.length === 0 ? STAGES : STAGES.filter((stage) => names.includes(stage.name));
}

/**
 * Runs all of the tests, or the parts named; goes on after a failure, so that all failures are seen.
 *
 * @param {string[]} names
 * @returns {Promise<number>} The exit code: 1 if anything failed.
 */
async function test(names) {
  const stages = chooseStages(names);
  const startedAt = Date.now();
  await setUp({ root });
  const total = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const lines = [];
  for (const [index, stage] of stages.entries()) {
    console.log(`\n=== [${index + 1}/${stages.length}] ${stage.title}`);
    const stageStartedAt = Date.now();
    const { passed, failed, skipped, failures } = await runStage(stage);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    const took = formatDuration(Date.now() - stageStartedAt);
    const skippedToo = skipped > 0 ? `, ${skipped} skipped` : "";
    lines.push(
      `${failed > 0 ? "FAILED" : "ok    "}  ${stage.title}: ${passed} passed, ${failed} failed${skippedToo} (${took})`,
    );
    for (const failure of failures) lines.push(`          ${failure}`);
  }
  console.log(`\n=== All together (${formatDuration(Date.now() - startedAt)})\n${lines.join("\n")}`);
  if (total.skipped > 0) console.log(`${total.skipped} skipped: what they need is not on this machine.`);
  const withoutKeras = readStamp(stampFile(root))?.["kerasProblem"];
  if (typeof withoutKeras === "string") {
    console.log(
      `Among them is all that compares with Keras in Python or exports by it (in the part "parity"). ${withoutKeras}`,
    );
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 ? 1 : 0;
}

/** @param {string[]} args */
function run(args) {
  return runMain(() => test(args));
}

module.exports = { run, readCounts };
