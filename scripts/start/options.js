// @ts-check
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { SetupFailure } = require("../setup/failure.js");
const { PRESETS } = require("./preset.js");

/**
 * A flag that becomes a setting of the notebooks (src/runtime/settings.ts, which holds defaults and meanings).
 *
 * @typedef {object} Flag
 * @property {string} key - The setting's name; with a dot for one of a group.
 * @property {string} placeholder
 * @property {string} help
 * @property {(text: string, folder: string) => unknown} read - Throws a string that says what the flag takes.
 */

/** @param {string[]} choices */
const oneOf = (...choices) => ({
  placeholder: choices.join("|"),
  read: (/** @type {string} */ text) => {
    if (!choices.includes(text)) throw `takes ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
    return text;
  },
});

/**
 * @param {number} least
 * @param {number} most
 */
const wholeNumber = (least, most) => ({
  placeholder: "N",
  read: (/** @type {string} */ text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw `takes a whole number from ${least} to ${most}`;
    return value;
  },
});

/**
 * @param {string} range - In words, as in "above 0".
 * @param {(value: number) => boolean} isInRange
 */
const number = (range, isInRange) => ({
  placeholder: "X",
  read: (/** @type {string} */ text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!Number.isFinite(value) || !isInRange(value)) throw `takes a number ${range}`;
    return value;
  },
});

const folder = {
  placeholder: "FOLDER",
  read: (/** @type {string} */ text, /** @type {string} */ from) => {
    const found = path.resolve(from, text);
    if (!fs.statSync(found, { throwIfNoEntry: false })?.isDirectory()) {
      throw `takes a folder of images, and ${found} is not a folder`;
    }
    return found;
  },
};

const file = {
  placeholder: "FILE",
  read: (/** @type {string} */ text, /** @type {string} */ from) => {
    const found = path.resolve(from, text);
    if (!fs.statSync(found, { throwIfNoEntry: false })?.isFile()) {
      throw `takes a file of ResNet50's weights (Keras HDF5), and ${found} is not a file`;
    }
    return found;
  },
};

const unitList = {
  placeholder: "N,N",
  read: (/** @type {string} */ text) => {
    const units = text.split(",").map(Number);
    if (units.length > 8 || units.some((count) => !Number.isInteger(count) || count < 1 || count > 8192)) {
      throw "takes up to eight whole numbers from 1 to 8192, with commas between them";
    }
    return units;
  },
};

const stage = {
  placeholder: "STAGE",
  read: (/** @type {string} */ text) => {
    if (!/^[a-z]+[0-9]*$/.test(text))
      throw "takes last, all, or a stage of the backbone such as conv5 or stage7";
    return text;
  },
};

const yesOrNo = {
  placeholder: "yes|no",
  read: (/** @type {string} */ text) => oneOf("yes", "no").read(text) === "yes",
};

/** @type {Record<string, Flag>} */
const FLAGS = {
  data: { key: "data", help: "your images; without it a synthetic demo set is drawn", ...folder },
  magnification: {
    key: "magnification",
    help: "only images of this magnification",
    ...wholeNumber(1, 10_000),
  },
  split: { key: "split", help: "what stays together (patient)", ...oneOf("patient", "image", "folder") },
  backbone: {
    key: "backbone",
    help: "network for features (auto)",
    ...oneOf("auto", "resnet50", "efficientnet-lite0"),
  },
  weights: { key: "weights", help: "ResNet50's weights, a Keras HDF5 file", ...file },
  stain: {
    key: "stain",
    help: "normalised: give all images the training part's stains (as-is)",
    ...oneOf("as-is", "normalised"),
  },
  augmentation: {
    key: "augmentation",
    help: "views to learn from too; features take 8, 4 or 11 times as long (none)",
    ...oneOf("none", "turns", "stains", "turns-and-stains"),
  },
  "average-views": {
    key: "averageViews",
    help: "answer with the mean over those views (no)",
    ...yesOrNo,
  },
  "input-size": { key: "inputSize", help: "pixels the network sees (224)", ...wholeNumber(32, 1024) },
  "hidden-units": { key: "hiddenUnits", help: "the head's hidden layers (128,64)", ...unitList },
  dropout: {
    key: "dropout",
    help: "share of units dropped (0.2)",
    ...number("from 0 to below 1", (x) => x >= 0 && x < 1),
  },
  l2: {
    key: "l2",
    help: "weight of squared kernels in the loss (0.0001)",
    ...number("of at least 0", (x) => x >= 0),
  },
  "learning-rate": {
    key: "learningRate",
    help: "Adam's step size (0.001)",
    ...number("above 0 and at most 10", (x) => x > 0 && x <= 10),
  },
  epochs: { key: "epochs", help: "at most this many (30)", ...wholeNumber(1, 10_000) },
  "batch-size": { key: "batchSize", help: "images a step (32)", ...wholeNumber(1, 8192) },
  "class-weights": {
    key: "classWeights",
    help: "rare classes count more (balanced)",
    ...oneOf("balanced", "none"),
  },
  patience: {
    key: "patience",
    help: "epochs without progress before the end (8)",
    ...wholeNumber(1, 10_000),
  },
  "fine-tune": {
    key: "fineTune.from",
    help: "train the backbone too, from this stage on: last, conv5, stage7 …, or all (none)",
    ...stage,
  },
  "fine-tune-epochs": {
    key: "fineTune.epochs",
    help: "at most this many for that (5)",
    ...wholeNumber(1, 1000),
  },
  seed: { key: "seed", help: "decides split, first weights, order (42)", ...wholeNumber(0, 0xffff_ffff) },
  "allow-duplicates-across-parts": {
    key: "allowDuplicatesAcrossParts",
    help: "train although the same image is also tested on (no)",
    ...yesOrNo,
  },
};

const tensorflow = oneOf("cpu", "cuda", "auto");
const preset = {
  read: (/** @type {string} */ text) => {
    if (!Object.hasOwn(PRESETS, text)) throw `takes ${Object.keys(PRESETS).join(" or ")}`;
    return text;
  },
};

/** @param {string} flag @param {string} text */
const helpLine = (flag, text) => `  ${flag.padEnd(50)} ${text}`;

const HELP = `Usage: npm start -- [options]

Sets everything up where it isn't yet, then runs the four notebooks and says where the results are.

${Object.entries(FLAGS)
  .map(([name, { placeholder, help }]) => helpLine(`--${name} ${placeholder}`, help))
  .join("\n")}
${helpLine("--preset perceptilabs", "the article that this project follows, as far as it says what it did")}
${helpLine("--tensorflow cpu|cuda|auto", "which TensorFlow to install (auto: cuda where an NVIDIA driver answers)")}
${helpLine("--setup-only", "set up, and run nothing")}
${helpLine("--help", "show this")}`;

/**
 * @typedef {object} StartOptions
 * @property {boolean} help
 * @property {boolean} setupOnly
 * @property {"cpu" | "cuda" | "auto" | null} tensorflow
 * @property {string | null} preset
 * @property {Record<string, unknown>} settings - What was given, under the names of the settings.
 */

/**
 * Reads and checks the flags of `npm start`.
 *
 * @param {string[]} args
 * @param {string} from - The folder that relative paths start at.
 * @returns {StartOptions}
 * @throws {SetupFailure} naming the flag, what it takes and what was given.
 */
function readOptions(args, from) {
  const { help, "setup-only": setupOnly, tensorflow: wheel, preset: name, ...given } = parse(args);
  const chosen = typeof name === "string" ? String(readValue("preset", preset, name, from)) : null;
  /** @type {Record<string, unknown>} */
  const settings = { ...(chosen === null ? {} : PRESETS[chosen]) };
  for (const [name, flag] of Object.entries(FLAGS)) {
    const text = given[name];
    if (typeof text === "string") setSetting(settings, flag.key, readValue(name, flag, text, from));
  }
  const variant = typeof wheel === "string" ? readValue("tensorflow", tensorflow, wheel, from) : null;
  if (settings["weights"] !== undefined && settings["backbone"] === "efficientnet-lite0") {
    throw new SetupFailure(
      "--weights names a file for ResNet50, and --backbone asks for efficientnet-lite0, which brings its own: leave one of them out.",
    );
  }
  return {
    help: help === true,
    setupOnly: setupOnly === true,
    preset: chosen,
    tensorflow: /** @type {StartOptions["tensorflow"]} */ (variant),
    settings,
  };
}

/**
 * @param {Record<string, unknown>} settings
 * @param {string} key - With a dot for a setting of a group, as in "fineTune.epochs".
 * @param {unknown} value
 */
function setSetting(settings, key, value) {
  const [group = "", member] = key.split(".");
  if (member === undefined) settings[group] = value;
  else settings[group] = { .../** @type {object | undefined} */ (settings[group]), [member]: value };
}

/**
 * @param {string[]} args
 * @returns {Record<string, unknown>}
 */
function parse(args) {
  const text = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean" });
  const flags = Object.fromEntries(Object.keys(FLAGS).map((name) => [name, text]));
  try {
    const options = { ...flags, preset: text, tensorflow: text, "setup-only": flag, help: flag };
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(/\. |\n/)[0] ?? "") : String(error);
    throw new SetupFailure(`${message.replace(/\.$/, "")}: see npm start -- --help.`);
  }
}

/**
 * @param {string} name
 * @param {Pick<Flag, "read">} flag
 * @param {string} text
 * @param {string} from
 */
function readValue(name, flag, text, from) {
  try {
    return flag.read(text, from);
  } catch (takes) {
    throw new SetupFailure(`--${name} ${takes}; "${text}" was given.`);
  }
}

module.exports = { readOptions, HELP, FLAGS };
