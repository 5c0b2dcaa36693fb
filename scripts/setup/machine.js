// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { spawnSync } = require("node:child_process");
const { childEnvironment } = require("./processes.js");

/** @typedef {import("./requirements-lock.js").TensorFlowVariant} TensorFlowVariant */

/** Pythons for which the TensorFlow of the lock has wheels, best first. */
const PYTHONS = ["3.13", "3.12", "3.11", "3.10"];

/**
 * Gigabytes (1e9 bytes) that each part of a set-up was measured to take in the project's folder, rounded up; the
 * environment by its TensorFlow.
 */
const DISK_NEED_GB = { packages: 0.8, cpu: 2, cuda: 7.5 };

/**
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
 * @param {string} platform - As in `process.platform`.
 * @param {string} architecture - As in `process.arch`.
 * @returns {string | null}
 */
function platformProblem(platform, architecture) {
  if (platform === "linux" && architecture === "x64") return null;
  return `breakhis-lab runs on Linux on x86-64 only, because the TensorFlow it builds on does, and this is ${platform} on ${architecture}: use a Linux machine, a container or, on Windows, WSL 2.`;
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
  return {
    problem:
      "npm was not found: install it (it comes with Node from https://nodejs.org; on Debian or Ubuntu `sudo apt-get install npm`) and run the same command again.",
  };
}

// Also valid Python 2, so that an old Python can say its version.
const PROBE = `
import json, platform, struct, sys
facts = {"version": platform.python_version(), "implementation": platform.python_implementation(), "bits": struct.calcsize("P") * 8, "libc": platform.libc_ver()[0], "executable": sys.executable, "threads": "free" if hasattr(sys, "_is_gil_enabled") and "free-threading" in sys.version else "gil"}
for name in ("venv", "ensurepip"):
    try:
        __import__(name)
        facts[name] = True
    except ImportError:
        facts[name] = False
print(json.dumps(facts))
`;

/** @typedef {{ executable: string, version: string }} Python */

/**
 * Looks at one Python.
 *
 * @param {string} program
 * @returns {{ python: Python } | { problem: string, rank: number }} Rank: the higher, the closer it was.
 */
function probePython(program) {
  const { code, stdout } = ask(program, ["-c", PROBE]);
  /** @type {Record<string, any>} */
  let facts;
  try {
    facts = JSON.parse(stdout.trim());
  } catch {
    facts = {};
  }
  if (code !== 0 || typeof facts["version"] !== "string") {
    return { problem: `${program} could not be run`, rank: 0 };
  }
  const short = facts["version"].split(".").slice(0, 2).join(".");
  if (!PYTHONS.includes(short)) return { problem: `${program} is Python ${facts["version"]}`, rank: 1 };
  if (facts["implementation"] !== "CPython" || facts["bits"] !== 64 || facts["threads"] === "free") {
    return { problem: `${program} is not the ordinary 64-bit CPython`, rank: 2 };
  }
  if (facts["libc"] !== "glibc") {
    return {
      problem: `${program} is built on another C library than glibc, for which TensorFlow has no wheel`,
      rank: 3,
    };
  }
  if (!facts["venv"] || !facts["ensurepip"]) {
    return { problem: `venv:${program}:${short}`, rank: 4 };
  }
  return { python: { executable: facts["executable"] || program, version: facts["version"] } };
}

/**
 * Finds a Python that the lock is made for: `BREAKHIS_PYTHON`, else the newest on the PATH.
 *
 * @returns {{ python: Python } | { problem: string }}
 */
function findPython() {
  const wanted = process.env["BREAKHIS_PYTHON"];
  const candidates = wanted
    ? [wanted]
    : [...PYTHONS.map((version) => `python${version}`), "python3", "python"];
  let closest = { problem: "", rank: -1 };
  for (const candidate of candidates) {
    const result = probePython(candidate);
    if ("python" in result) return result;
    if (result.rank > closest.rank) closest = result;
  }
  const [kind, program, version] = closest.problem.split(":");
  if (kind === "venv") {
    return {
      problem: `${program} (Python ${version}) can't make virtual environments: install its venv module (on Debian or Ubuntu \`sudo apt-get install python${version}-venv\`) and run the same command again.`,
    };
  }
  const found = closest.rank > 0 || wanted ? ` (${closest.problem})` : "";
  return {
    problem: `No Python 3.10, 3.11, 3.12 or 3.13 was found${found}: install one with its venv module (on Debian or Ubuntu \`sudo apt-get install python3 python3-venv\`) or name one in BREAKHIS_PYTHON, and run the same command again.`,
  };
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
  return {
    problem: `${found}: install one (on Debian or Ubuntu \`sudo apt-get install g++\`, on Fedora \`sudo dnf install gcc-c++\`) and run the same command again.`,
  };
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

/** Tells whether an NVIDIA driver with a GPU answers on this machine. */
function nvidiaDriverAnswers() {
  const { code, stdout } = ask("nvidia-smi", ["-L"], { timeoutMs: 20_000 });
  return code === 0 && /^GPU \d+:/m.test(stdout);
}

module.exports = {
  ask,
  platformProblem,
  findNpm,
  findPython,
  findCompiler,
  diskProblem,
  nvidiaDriverAnswers,
};
