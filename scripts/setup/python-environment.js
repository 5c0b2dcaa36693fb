// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { createHash } = require("node:crypto");
const { ask } = require("./processes.js");
const { WITH_KERAS, findsPythonWithKeras, kerasProblem } = require("./pythons.js");
const { selectNativeLibrary, selectRequirements } = require("./requirements-lock.js");
const { readStamp, writeFileAtomically, writeStamp } = require("./stamps.js");

/** @typedef {import("./set-up.js").Context} Context */
/** @typedef {import("./requirements-lock.js").TensorFlowVariant} TensorFlowVariant */
/** @typedef {{ variant: TensorFlowVariant, chosenBy: "flag" | "driver" }} Choice */

/** @param {string} root */
const venvFolder = (root) => path.join(root, ".venv");
/** @param {string} root */
const venvPython = (root) => path.join(root, ".venv", "bin", "python");
/**
 * Inside .venv, so that it goes with it.
 *
 * @param {string} root
 */
const stampFile = (root) => path.join(root, ".venv", "breakhis-setup.json");
/**
 * Where TensorFlow's wheel lies when it is one for another Python than that of .venv.
 *
 * @param {string} root
 */
const nativeFolder = (root) => path.join(root, ".venv", "native");

/**
 * Chooses the TensorFlow wheel.
 *
 * A flag decides, and holds for later runs without one; else an NVIDIA driver that answers asks for CUDA. A driver
 * that has stopped answering changes nothing, because the CUDA wheel computes on the CPU too.
 *
 * @param {object} facts
 * @param {"cpu" | "cuda" | "auto" | null} facts.flag - "auto" forgets an earlier flag.
 * @param {Record<string, unknown> | null} facts.stamp - Of the environment that is there.
 * @param {() => boolean} facts.driverAnswers - Asked only if it matters.
 * @returns {Choice}
 */
function chooseTensorFlow({ flag, stamp, driverAnswers }) {
  if (flag === "cpu" || flag === "cuda") return { variant: flag, chosenBy: "flag" };
  const present = stamp?.["variant"];
  const known = present === "cpu" || present === "cuda" ? present : null;
  if (flag === null && known !== null && stamp?.["chosenBy"] === "flag")
    return { variant: known, chosenBy: "flag" };
  if (flag === null && known === "cuda") return { variant: "cuda", chosenBy: "driver" };
  return { variant: driverAnswers() ? "cuda" : "cpu", chosenBy: "driver" };
}

/** @param {string} root */
const readLock = (root) => fs.readFileSync(path.join(root, "python", "requirements.lock"), "utf8");

/** @param {string} root @param {TensorFlowVariant} variant */
const requirementsFor = (root, variant) => selectRequirements(readLock(root), variant);

/** @param {string} root @param {TensorFlowVariant} variant */
function wantedStamp(root, variant) {
  return { variant, requirements: createHash("sha256").update(requirementsFor(root, variant)).digest("hex") };
}

/**
 * Set-up writes where the project lies into its environment and its links, so a folder that was moved finds none of them.
 *
 * @param {string} root
 * @returns {string | null} What to do; null where it lies as it did.
 */
function movedProblem(root) {
  const folder = readStamp(stampFile(root))?.["folder"];
  if (typeof folder !== "string" || folder === venvFolder(root)) return null;
  return `This project was set up in ${path.dirname(folder)} and lies in ${root} now: run npm run setup, which does what that needs.`;
}

/**
 * @param {string} root
 * @param {Choice} choice
 * @returns {string | null} Why .venv has to be made (again); null when it is as it should be.
 */
function environmentProblem(root, choice) {
  const stamp = readStamp(stampFile(root));
  if (stamp === null) return ".venv is not there, or not whole";
  const wanted = wantedStamp(root, choice.variant);
  if (stamp["variant"] !== wanted.variant) return `.venv has TensorFlow for "${stamp["variant"]}"`;
  if (stamp["requirements"] !== wanted.requirements) return "python/requirements.lock has changed";
  // Of a venv that was moved, or whose Python has gone or changed, the files are there and yet it doesn't work.
  if (stamp["folder"] !== venvFolder(root)) return "the project's folder has moved";
  const { stdout } = ask(venvPython(root), [
    "-I",
    "-S",
    "-c",
    "import platform; print(platform.python_version())",
  ]);
  if (stdout.trim() !== stamp["python"]) return "the Python beneath .venv has changed";
  if (!fs.existsSync(path.join(tensorflowFolder(root), "libtensorflow_cc.so.2")))
    return "TensorFlow is missing in .venv";
  if (stamp["kerasProblem"] && findsPythonWithKeras()) return "there is a Python with Keras now";
  return null;
}

/**
 * Makes .venv anew and installs the locked packages, whose hashes pip checks.
 *
 * @param {Context} context
 */
async function makeEnvironment(context) {
  const { root, choice } = context;
  const python = context.machine.python();
  const requirements = path.join(root, ".cache", "setup", `requirements-${choice.variant}.txt`);
  writeFileAtomically(requirements, requirementsFor(root, choice.variant));
  // The stamp goes first: whatever is interrupted from here on is an environment without one, and is made anew.
  fs.rmSync(stampFile(root), { force: true });
  await fs.promises.rm(venvFolder(root), { recursive: true, force: true, maxRetries: 3 });
  await context.run([python.executable, "-m", "venv", venvFolder(root)], "python", "Making .venv");
  await pipInstall(context, requirements, []);
  const withoutKeras = kerasProblem(python.version);
  if (withoutKeras !== null) await unpackNativeLibrary(context);
  writeStamp(stampFile(root), {
    ...wantedStamp(root, choice.variant),
    chosenBy: choice.chosenBy,
    folder: venvFolder(root),
    python: python.version,
    kerasProblem: withoutKeras,
  });
}

/**
 * @param {Context} context
 * @param {string} requirements - A file; all hashes are in it.
 * @param {string[]} place - Where to, and for which Python; by default .venv and its own.
 */
async function pipInstall({ root, run }, requirements, place) {
  const pip = [venvPython(root), "-m", "pip", "install"];
  const options = ["--no-input", "--progress-bar=off", "--only-binary=:all:", "--no-compile"];
  const locked = ["--require-hashes", "--no-deps", "-r", requirements];
  await run([...pip, ...options, ...place, ...locked], "python", "Installing the Python packages");
}

/**
 * Unpacks the TensorFlow wheel of another Python beside: what TensorFlow.js needs of it, its C library and headers,
 * is the same for all of them.
 *
 * @param {Context} context
 */
async function unpackNativeLibrary(context) {
  const { root, choice } = context;
  const requirements = path.join(root, ".cache", "setup", `native-${choice.variant}.txt`);
  writeFileAtomically(requirements, selectNativeLibrary(readLock(root), choice.variant));
  const place = ["--target", nativeFolder(root), "--python-version", WITH_KERAS[0] ?? ""];
  await pipInstall(context, requirements, place);
}

/**
 * Notes who chose the wheel, where only that has changed.
 *
 * @param {string} root
 * @param {Choice} choice
 */
function rememberChoice(root, choice) {
  const stamp = readStamp(stampFile(root));
  if (stamp !== null && stamp["variant"] === choice.variant && stamp["chosenBy"] !== choice.chosenBy) {
    writeStamp(stampFile(root), { ...stamp, chosenBy: choice.chosenBy });
  }
}

/**
 * The TensorFlow wheel's folder.
 *
 * @param {string} root
 * @returns {string} A path that doesn't exist when there is none.
 */
function tensorflowFolder(root) {
  const beside = path.join(nativeFolder(root), "tensorflow");
  if (fs.existsSync(beside)) return beside;
  const lib = path.join(venvFolder(root), "lib");
  const versions = fs.existsSync(lib)
    ? fs.readdirSync(lib).filter((name) => /^python3\.\d+$/.test(name))
    : [];
  return path.join(lib, versions[0] ?? "python3", "site-packages", "tensorflow");
}

module.exports = {
  chooseTensorFlow,
  environmentProblem,
  movedProblem,
  makeEnvironment,
  rememberChoice,
  stampFile,
  tensorflowFolder,
  venvFolder,
  venvPython,
};
