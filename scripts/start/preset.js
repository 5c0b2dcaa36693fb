// @ts-check
"use strict";

/**
 * Settings under one name, with what they reproduce.
 *
 * @typedef {object} Preset
 * @property {Record<string, unknown>} settings - A flag that is given takes the place of one of them.
 * @property {string} assumptions - What the source leaves open, and what is done here.
 */

/** What PerceptiLabs' use case of breast-cancer classification says of its own run. */
const ARTICLE = { trainAccuracy: 1, validationAccuracy: 0.855, seconds: 256 };

/** @type {Record<string, Preset>} */
const PRESETS = {
  perceptilabs: {
    settings: {
      split: "image",
      hiddenUnits: [128, 64],
      fineTune: { from: "all", epochs: 3, patience: 3 },
    },
    assumptions:
      "PerceptiLabs' article names the model (ResNet50 → Dense 128 → Dense 64 → Dense 2) and three numbers. It leaves open " +
      "how many epochs were trained, how images were split, whether ResNet50 was trained along, and on what device. " +
      "Assumed here: split by image, and ResNet50 trained along, for three epochs (where training accuracy reached 100 % " +
      "there) after its head alone.",
  },
};

/** @param {unknown} value @returns {Record<string, unknown>} */
const fields = (value) =>
  typeof value === "object" && value !== null ? /** @type {Record<string, unknown>} */ (value) : {};

/** @param {unknown} value */
const percent = (value) => (typeof value === "number" ? `${(100 * value).toFixed(1)} %` : "–");

/** @param {Record<string, unknown>} summary */
function columnOf(summary) {
  const timings = fields(summary["timings"]);
  const steps = ["training", "activations", "fineTuning"].map((step) => Number(timings[step] ?? 0));
  const validation = fields(summary["validation"]);
  const test = fields(summary["test"]);
  return [
    percent(summary["trainAccuracy"]),
    percent(validation["accuracy"]),
    percent(test["accuracy"]),
    percent(fields(test["byPatient"])["accuracy"]),
    percent(test["majorityClassAccuracy"]),
    `${Math.round(steps.reduce((sum, seconds) => sum + seconds, 0))} s`,
  ];
}

/**
 * The article's figures beside those of two runs of the same settings.
 *
 * @param {Record<string, unknown>} byImage - summary.json of the run that is split as the article's is taken to be.
 * @param {Record<string, unknown>} byPatient - The same, split by patient.
 * @returns {string} Lines for the terminal.
 */
function describeArticle(byImage, byPatient) {
  const names = [
    "accuracy, training",
    "accuracy, validation",
    "accuracy, test",
    "test, whole patients",
    "always the majority class",
    "training time",
  ];
  const article = [
    percent(ARTICLE.trainAccuracy),
    percent(ARTICLE.validationAccuracy),
    "–",
    "–",
    "–",
    `${ARTICLE.seconds} s`,
  ];
  const columns = [names, article, columnOf(byImage), columnOf(byPatient)];
  const headings = ["", "article", "split by image", "split by patient"];
  const widths = columns.map((column, i) =>
    Math.max(headings[i]?.length ?? 0, ...column.map((cell) => cell.length)),
  );
  const line = (/** @type {string[]} */ cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  const rows = names.map((_, row) => line(columns.map((column) => column[row] ?? "")));
  return [line(headings), ...rows, "", comparability(byImage)].join("\n");
}

/** @param {Record<string, unknown>} summary */
function comparability(summary) {
  const reasons = [];
  if (summary["synthetic"] === true) reasons.push("these images are synthetic");
  if (summary["backbone"] !== "resnet50")
    reasons.push(`the backbone is ${summary["backbone"]}, not ResNet50`);
  const counts = fields(summary["counts"]);
  const images = ["train", "validation", "test"].reduce(
    (sum, part) => sum + Number(fields(counts[part])["images"] ?? 0),
    0,
  );
  // BreaKHis at 400X, which the article used, has 1,820 images; circulating copies of it 1,693.
  if (images < 1600 || images > 1900)
    reasons.push(`there are ${images} images, and the article's set has some 1,700`);
  if (reasons.length === 0)
    return "Split by image, the same patients are on both sides; only the column on the right asks about new ones.";
  return `The article's numbers can't be compared with these: ${reasons.join(", and ")}.`;
}

module.exports = { PRESETS, describeArticle };
