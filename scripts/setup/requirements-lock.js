// @ts-check
"use strict";

/** @typedef {"cpu" | "cuda"} TensorFlowVariant */

/**
 * Packages that only one of the two TensorFlow wheels needs. On arm64 there is one wheel, without CUDA, called `tensorflow`.
 *
 * @param {string} architecture - As in `process.arch`.
 * @returns {Record<TensorFlowVariant, RegExp>}
 */
const onlyFor = (architecture) =>
  architecture === "arm64"
    ? { cpu: /^tensorflow==/, cuda: /^(tensorflow-cpu==|nvidia-)/ }
    : { cpu: /^tensorflow-cpu==/, cuda: /^(tensorflow==|nvidia-)/ };

/** What a TensorFlow wheel's own library needs: the wheel, and NVIDIA's libraries. */
const NATIVE = /^(tensorflow(-cpu)?==|nvidia-)/;

/** @param {string} text - Of a lock or a requirements file. */
function readEntries(text) {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  return lines.join("\n").split(/\n(?=\S)/);
}

/**
 * Takes from the lock, which holds both TensorFlow wheels, what one kind of machine needs.
 *
 * @param {string} lock - The text of python/requirements.lock.
 * @param {TensorFlowVariant} variant
 * @param {string} [architecture] - This machine's by default.
 * @returns {string} A requirements file, still with hashes, without comments.
 * @throws {Error} if the lock doesn't hold that wheel.
 */
function selectRequirements(lock, variant, architecture = process.arch) {
  const packages = onlyFor(architecture);
  const other = packages[variant === "cpu" ? "cuda" : "cpu"];
  const entries = readEntries(lock);
  if (!entries.some((entry) => packages[variant].test(entry))) {
    throw new Error(
      `python/requirements.lock holds no TensorFlow for "${variant}"; make it again as its header says.`,
    );
  }
  return `${entries.filter((entry) => !other.test(entry)).join("\n")}\n`;
}

/**
 * Takes from the lock the TensorFlow wheel alone, to be unpacked under a Python that it is not for.
 *
 * @param {string} lock - The text of python/requirements.lock.
 * @param {TensorFlowVariant} variant
 * @param {string} [architecture] - This machine's by default.
 * @returns {string} A requirements file with hashes, and without conditions on the Python that reads it.
 */
function selectNativeLibrary(lock, variant, architecture = process.arch) {
  const entries = readEntries(selectRequirements(lock, variant, architecture)).filter((entry) =>
    NATIVE.test(entry),
  );
  return `${entries.map((entry) => entry.replace(/ ;[^\n\\]*/, " ")).join("\n")}\n`;
}

module.exports = { selectNativeLibrary, selectRequirements };
