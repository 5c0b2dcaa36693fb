// @ts-check
"use strict";
// Runs one of the TypeScript programs here, in the folder where npm was called: `node scripts/typescript.js doctor.ts`.
require("./setup/node-version.js").refuseOldNode();
const fs = require("node:fs");
const path = require("node:path");
const { SetupFailure, runMain } = require("./setup/failure.js");
const { childEnvironment } = require("./setup/processes.js");
const { movedProblem } = require("./setup/python-environment.js");

const root = path.resolve(__dirname, "..");

/** @param {string} script */
async function requireSetUp(script) {
  if (!fs.existsSync(path.join(root, "node_modules", "esbuild"))) {
    throw new SetupFailure(
      "Nothing is set up here yet: run npm run setup (or npm start, which does it too) first.",
    );
  }
  const problem = script === "doctor.ts" ? null : movedProblem(root);
  if (problem !== null) throw new SetupFailure(problem);
  return 0;
}

/** Into the environment itself, since TensorFlow reads it too, and sees no object that takes its place. */
function cleanEnvironment() {
  const wanted = childEnvironment();
  for (const name of Object.keys(process.env)) if (!(name in wanted)) delete process.env[name];
  Object.assign(process.env, wanted);
}

/**
 * In this very process: to start another one and to compile for it took longer than most of what is asked.
 *
 * @param {string} script
 * @param {string[]} args
 */
function run(script, args) {
  const program = path.join(__dirname, script);
  cleanEnvironment();
  process.argv = [process.execPath, program, ...args];
  process.chdir(process.env["INIT_CWD"] || process.cwd());
  require("./load-typescript.js");
  require(program);
}

const [script = "", ...args] = process.argv.slice(2);
runMain(() => requireSetUp(script)).then(() => {
  if (process.exitCode === 0) run(script, args);
});
