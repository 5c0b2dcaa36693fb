// @ts-check
"use strict";

/** @typedef {"cpu" | "cuda"} TensorFlowVariant */

/** Packages that only one of the two TensorFlow wheels needs. */
const ONLY_FOR = {
  cpu: /^tensorflow-cpu==/,
  cuda: /^(tensorflow==|nvidia-)/,
};

/**
 * Takes from the lock, which holds both TensorFlow wheels, what one kind of machine needs.
 *
 * @param {string} lock - The text of python/requirements.lock.
 * @param {TensorFlowVariant} variant
 * @returns {string} A requirements file, still with hashes, without comments.
 * @throws {Error} if the lock doesn't hold that wheel.
 */
function selectRequirements(lock, variant) {
  const other = ONLY_FOR[variant === "cpu" ? "cuda" : "cpu"];
  const lines = lock.split("\n").filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  const entries = lines.join("\n").split(/\n(?=\S)/);
  if (!entries.some((entry) => ONLY_FOR[variant].test(entry))) {
    throw new Error(
      `python/requirements.lock holds no TensorFlow for "${variant}"; make it again as its header says.`,
    );
  }
  return `${entries.filter((entry) => !other.test(entry)).join("\n")}\n`;
}

module.exports = { selectRequirements };
