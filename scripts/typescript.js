// @ts-check
"use strict";
// Runs one of the TypeScript programs here, in the folder where npm was called: `node scripts/typescript.js doctor.ts`.
require("./setup/node-version.js").refuseOldNode();
const fs = require("node:fs");
const path = require("node:path");
const { SetupFailure, runMain } = require("./setup/failure.js");
const { runShown } = require("./setup/processes.js");
const { movedProblem } = require("./setup/python-environment.js");

const root = path.resolve(__dirname, "..");
const tsx = path.join(root, "node_modules", "tsx", "dist", "cli.mjs");

runMain(async () => {
  const [script = "", ...args] = process.argv.slice(2);
  if (!fs.existsSync(tsx)) {
    throw new SetupFailure(
      "Nothing is set up here yet: run npm run setup (or npm start, which does it too) first.",
    );
  }
  const problem = script === "doctor.ts" ? null : movedProblem(root);
  if (problem !== null) throw new SetupFailure(problem);
  const command = [
    tsx,
    "--tsconfig",
    path.join(root, "tsconfig.json"),
    path.join(__dirname, script),
    ...args,
  ];
  return runShown(process.execPath, command, { cwd: process.env["INIT_CWD"] || process.cwd() });
});
