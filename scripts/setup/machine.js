// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { ask } = require("./processes.js");
const { remedyFor } = require("./remedies.js");

/** @typedef {import("./requirements-lock.js").TensorFlowVariant} TensorFlowVariant */

/**
 * Gigabytes (1e9 bytes) that each part of a set-up was measured to take in the project's folder, rounded up; the
 * environment by its TensorFlow.
 */
const DISK_NEED_GB = { packages: 0.8, cpu: 2, cuda: 7.5 };

/**
 * @param {string} platform - As in `process.platform`.
 * @param {string} architecture - As in `process.arch`.
 * @returns {string | null}
 */
function platformProblem(platform, architecture) {
  if (platform === "linux" && ["x64", "arm64"].includes(architecture)) return null;
  return `breakhis-lab runs on Linux on x86-64 or arm64 only, and this is ${platform} on ${architecture}: use a Linux machine, a container or, on Windows, WSL 2.`;
}

/**
 * Finds npm: the one that runs this program where there is one, so that Node stays the same.
 *
 * @returns {{ command: string[] } | { problem: string }}
 */
function findNpm() {
  const running = process.env["npm_execpath"];
  if (running && path.basename(running) === "npm-cli.js" && fs.existsSync(running)) {
    return { command: [process.execPath, running] };
  }
  if (ask("npm", ["--version"]).code === 0) return { command: ["npm"] };
  const command = remedyFor("npm");
  const how = command === null ? "it comes with Node from https://nodejs.org" : command;
  return { problem: `npm was not found: install it (${how}) and run the same command again.` };
}

/**
 * Finds a C++ compiler that has its standard library: `CXX`, else c++, g++ or clang++.
 *
 * @returns {{ command: string[] } | { problem: string }}
 */
function findCompiler() {
  const wanted = process.env["CXX"]?.trim();
  const candidates = wanted ? [wanted.split(/\s+/)] : [["c++"], ["g++"], ["clang++"]];
  for (const [program = "", ...args] of candidates) {
    const input = "#include <string>\nint main() { return std::string().size(); }\n";
    const { code } = ask(program, [...args, "-std=c++17", "-fsyntax-only", "-x", "c++", "-"], { input });
    if (code === 0) return { command: [program, ...args] };
  }
  const found = wanted
    ? `CXX names "${wanted}", which does not compile C++17`
    : "No working C++ compiler was found";
  const command = remedyFor("compiler");
  const how = `install one${command === null ? "" : ` (${command})`}`;
  return { problem: `${found}: ${how} and run the same command again.` };
}

/**
 * Compares the free space with what is about to be installed; where something is replaced, what it needs isn't known.
 *
 * @param {string} root
 * @param {{ packages: boolean, environment: TensorFlowVariant | null }} coming
 * @param {number} [freeGb]
 * @returns {string | null}
 */
function diskProblem(root, { packages, environment }, freeGb = freeSpaceGb(root)) {
  const needGb =
    (packages ? DISK_NEED_GB.packages : 0) + (environment === null ? 0 : DISK_NEED_GB[environment]);
  if (freeGb >= needGb) return null;
  return `Set-up needs ${needGb.toFixed(1)} GB of disk, and ${root} has ${freeGb.toFixed(1)} GB left: free some and run the same command again.`;
}

/** @param {string} folder */
function freeSpaceGb(folder) {
  const { bavail, bsize } = fs.statfsSync(folder);
  return (bavail * bsize) / 1e9;
}

/**
 * Tells why a machine can't have the TensorFlow that was asked for.
 *
 * @param {"cpu" | "cuda" | "auto" | null} asked
 * @param {string} architecture - As in `process.arch`.
 * @returns {string | null}
 */
function tensorflowProblem(asked, architecture) {
  if (asked !== "cuda" || architecture !== "arm64") return null;
  return "TensorFlow's wheels for arm64 have no CUDA: leave --tensorflow cuda out and compute on the processor, or use a GPU in a machine on x86-64.";
}

/** Tells whether an NVIDIA driver with a GPU answers on this machine, where there is a TensorFlow that could use it. */
function nvidiaDriverAnswers() {
  if (process.arch === "arm64") return false;
  const { code, stdout } = ask("nvidia-smi", ["-L"], { timeoutMs: 20_000 });
  return code === 0 && /^GPU \d+:/m.test(stdout);
}

module.exports = {
  platformProblem,
  findNpm,
  findCompiler,
  diskProblem,
  nvidiaDriverAnswers,
  tensorflowProblem,
};
