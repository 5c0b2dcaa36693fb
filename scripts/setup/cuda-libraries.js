// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { ask } = require("./processes.js");
const { readStamp, writeStamp } = require("./stamps.js");
const { SetupFailure } = require("./failure.js");
const { stampFile: environmentStamp, tensorflowFolder, venvFolder } = require("./python-environment.js");

/** What only a driver brings, and no package. */
const OF_THE_DRIVER = "CUDA driver";

/**
 * In .venv, so that it goes with it.
 *
 * @param {string} root
 */
const stampFile = (root) => path.join(venvFolder(root), "breakhis-cuda.json");

/**
 * @param {string} root
 * @returns {string | null} Why TensorFlow's loader has to be asked (again) for CUDA's libraries.
 */
function cudaLibrariesProblem(root) {
  if (readStamp(environmentStamp(root))?.["variant"] !== "cuda") return null;
  const links = readStamp(stampFile(root))?.["links"];
  if (!Array.isArray(links)) return "CUDA's libraries have not been looked for";
  const gone = links.find((link) => !fs.existsSync(path.join(venvFolder(root), link)));
  return gone === undefined ? null : `the link ${gone} is broken`;
}

/**
 * @param {string} root
 * @param {string} addon
 * @returns {{ missing: string[], folders: string[] }} Files that the loader doesn't find, and folders that it knows.
 */
function askLoader(root, addon) {
  const program = path.join(root, "scripts", "setup", "native", "ask-loader.js");
  const { code, stdout, stderr } = ask(process.execPath, [program, addon]);
  if (code !== 0)
    throw new SetupFailure(`TensorFlow's loader could not be asked for CUDA's libraries: ${stderr}`);
  /** @type {{ answers: Record<string, string | null>, folders: string[] }} */
  const { answers, folders } = JSON.parse(stdout);
  const missing = Object.entries(answers).flatMap(([name, problem]) => {
    const file = name === OF_THE_DRIVER ? undefined : problem?.match(/'(lib[^']+)'/)?.[1];
    return file === undefined ? [] : [file];
  });
  return { missing, folders };
}

/** @param {string} nvidia @param {string} file */
const findLibrary = (nvidia, file) =>
  (fs.existsSync(nvidia) ? fs.readdirSync(nvidia) : [])
    .map((name) => path.join(nvidia, name, "lib", file))
    .find((candidate) => fs.existsSync(candidate));

/**
 * Makes TensorFlow find all of CUDA's libraries that lie in .venv, in the kernel, in programs and in Python alike.
 *
 * Its wheel's loader looks into folders that are written in its library, and in some versions one is left out: 2.21.0
 * doesn't know where its cuSOLVER is, and then silently computes on the CPU. So the loader itself is asked, and what it
 * misses is linked into a folder that it knows. A library's own neighbours are found from there: they are looked for
 * relative to it, one folder up.
 *
 * @param {string} root
 * @param {string} addon - The compiled computing.cc.
 * @throws {SetupFailure} if it misses one after that.
 */
function linkCudaLibraries(root, addon) {
  if (readStamp(environmentStamp(root))?.["variant"] !== "cuda") return;
  const nvidia = path.join(path.dirname(tensorflowFolder(root)), "nvidia");
  const { missing, folders } = askLoader(root, addon);
  /** @type {string[]} */
  const links = [];
  for (const file of missing) {
    const library = findLibrary(nvidia, file);
    const folder = folders[0];
    if (library === undefined || folder === undefined) continue;
    const link = path.join(folder, file);
    fs.rmSync(link, { force: true });
    fs.symlinkSync(path.relative(folder, library), link);
    links.push(path.relative(venvFolder(root), link));
  }
  const still = links.length === 0 ? missing : askLoader(root, addon).missing;
  if (still.length > 0) {
    throw new SetupFailure(
      `TensorFlow's loader doesn't find ${still.join(", ")} in .venv, so that it could not use a GPU: delete .venv and run the same command again, or set up for the CPU with --tensorflow cpu.`,
    );
  }
  writeStamp(stampFile(root), { links });
}

module.exports = { cudaLibrariesProblem, linkCudaLibraries };
