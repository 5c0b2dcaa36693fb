// @ts-check
"use strict";
const path = require("node:path");
const { parseArgs } = require("node:util");
const { runMain, SetupFailure } = require("./failure.js");
const { setUp } = require("./set-up.js");

const HELP = `Usage: npm run setup -- [options]

Installs the npm and Python packages, compiles the TensorFlow addon and prepares JupyterLab; does only what is missing.

  --tensorflow cpu|cuda|auto  which TensorFlow to install; auto takes CUDA where an NVIDIA driver answers,
                              and a choice made here holds until another is made
  --help                      show this`;

/** @param {string[]} args @returns {{ help: boolean, tensorflow: "cpu" | "cuda" | "auto" | null }} */
function parse(args) {
  /** @type {{ help?: boolean | undefined, tensorflow?: string | undefined }} */
  let values;
  try {
    values = parseArgs({
      args,
      options: { help: { type: "boolean" }, tensorflow: { type: "string" } },
    }).values;
  } catch (error) {
    throw new SetupFailure(`${error instanceof Error ? error.message : error}. See npm run setup -- --help.`);
  }
  const { help = false, tensorflow = null } = values;
  if (tensorflow !== null && tensorflow !== "cpu" && tensorflow !== "cuda" && tensorflow !== "auto") {
    throw new SetupFailure(`--tensorflow takes cpu, cuda or auto, not "${tensorflow}".`);
  }
  return { help, tensorflow };
}

/** @param {string[]} args */
function run(args) {
  return runMain(async () => {
    const { help, tensorflow } = parse(args);
    if (help) console.log(HELP);
    else await setUp({ root: path.resolve(__dirname, "..", ".."), tensorflow });
    return 0;
  });
}

module.exports = { run };
