// @ts-check
"use strict";
const path = require("node:path");
const fs = require("node:fs");
const { hashFiles, stampMatches, writeStamp } = require("./stamps.js");
const { venvPython } = require("./python-environment.js");

/** @typedef {import("./set-up.js").Context} Context */

/** @param {string} root */
function paths(root) {
  // In the project's own cache also when BREAKHIS_CACHE names another, which may be a passing one.
  const weights = path.join(root, ".cache", "weights", "efficientnet-lite0.safetensors");
  return {
    converter: path.join(root, "python", "convert_efficientnet_lite0.py"),
    weights,
    stamp: weights.replace(/\.safetensors$/, ".setup.json"),
  };
}

/** @param {string} root */
function inputs(root) {
  const { converter, weights } = paths(root);
  return { converter: hashFiles([converter]), weights: hashFiles([weights]) };
}

/**
 * @param {string} root
 * @returns {string | null} Why EfficientNet-Lite0's weights have to be converted (again).
 */
function weightsProblem(root) {
  const { weights, stamp } = paths(root);
  if (!fs.existsSync(weights)) return "EfficientNet-Lite0's weights are not converted";
  return stampMatches(stamp, inputs(root))
    ? null
    : "EfficientNet-Lite0's weights are not those that were converted";
}

/**
 * Converts EfficientNet-Lite0's ImageNet weights from the Python package that carries them.
 *
 * @param {Context} context
 */
async function convertWeights({ root, run }) {
  const { converter, weights, stamp } = paths(root);
  await run([venvPython(root), converter, weights], "weights", "Converting EfficientNet-Lite0's weights");
  writeStamp(stamp, inputs(root));
}

module.exports = { weightsProblem, convertWeights };
