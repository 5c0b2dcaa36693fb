// @ts-check
"use strict";
const os = require("node:os");
const path = require("node:path");
const { ask } = require("./processes.js");
const { olderPythonRemedy, remedyFor, venvRemedy } = require("./remedies.js");

/** Pythons for which the TensorFlow of the lock has wheels, and so Keras in Python; best first. */
const WITH_KERAS = ["3.13", "3.12", "3.11", "3.10"];
/** Pythons on which all else runs. */
const WITHOUT_KERAS = ["3.14"];

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

/** @param {string} version - As in "3.14.2". */
const shortVersion = (version) => version.split(".").slice(0, 2).join(".");

/**
 * Looks at one Python.
 *
 * @param {string} program
 * @param {string[]} versions - That will do.
 * @returns {{ python: Python } | { problem: string, rank: number, remedy?: string | null }} Rank: the higher, the
 *   closer it was.
 */
function probePython(program, versions) {
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
  const short = shortVersion(facts["version"]);
  if (!versions.includes(short)) return { problem: `${program} is Python ${facts["version"]}`, rank: 1 };
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
    const command = venvRemedy(short);
    const how = command === null ? "install its venv module" : `install its venv module with ${command}`;
    return { problem: `${program} (Python ${short}) can't make virtual environments: ${how}`, rank: 4 };
  }
  return { python: { executable: facts["executable"] || program, version: facts["version"] } };
}

/**
 * Looks at Pythons until one will do: `BREAKHIS_PYTHON`, else those of the PATH, those with Keras first, the newest
 * first; also where uv puts those that it brings.
 *
 * @param {string[]} versions
 */
function searchPython(versions) {
  const wanted = process.env["BREAKHIS_PYTHON"];
  const named = versions.flatMap((version) => [
    `python${version}`,
    path.join(os.homedir(), ".local", "bin", `python${version}`),
  ]);
  let closest = { problem: "", rank: -1 };
  for (const candidate of wanted ? [wanted] : [...named, "python3", "python"]) {
    const result = probePython(candidate, versions);
    if ("python" in result) return result;
    if (result.rank > closest.rank) closest = result;
  }
  return closest;
}

/**
 * Finds a Python that the lock is made for.
 *
 * @returns {{ python: Python } | { problem: string }}
 */
function findPython() {
  const found = searchPython([...WITH_KERAS, ...WITHOUT_KERAS]);
  if ("python" in found) return found;
  if (found.rank === 4) return { problem: `${found.problem} and run the same command again.` };
  const why = found.rank > 0 || process.env["BREAKHIS_PYTHON"] ? ` (${found.problem})` : "";
  const command = remedyFor("python");
  const how = `install one with its venv module${command === null ? "" : ` (${command})`}`;
  return {
    problem: `No Python from 3.10 to 3.14 was found${why}: ${how} or name one in BREAKHIS_PYTHON, and run the same command again.`,
  };
}

/** Tells whether a Python with Keras could be taken; one that is named decides for itself. */
function findsPythonWithKeras() {
  return !process.env["BREAKHIS_PYTHON"] && "python" in searchPython(WITH_KERAS);
}

/**
 * @param {string} version - Of the Python beneath .venv.
 * @returns {string | null} Why there is no Keras in Python, and what brings it; null where it is there.
 */
function kerasProblem(version) {
  if (WITH_KERAS.includes(shortVersion(version))) return null;
  return `TensorFlow's Keras runs on Python 3.10 to 3.13, and .venv is on Python ${version}: ${olderPythonRemedy(WITH_KERAS)}, then \`npm run setup\`, brings it.`;
}

module.exports = { WITH_KERAS, findPython, findsPythonWithKeras, kerasProblem };
