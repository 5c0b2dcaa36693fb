// @ts-check
"use strict";

/** @param {unknown} value @returns {Record<string, unknown>} */
const fields = (value) =>
  typeof value === "object" && value !== null ? /** @type {Record<string, unknown>} */ (value) : {};

/** @param {unknown} value */
const percent = (value) => (typeof value === "number" ? `${(100 * value).toFixed(1)} %` : "unknown");

/** @param {unknown} value */
const decimal = (value) => (typeof value === "number" ? value.toFixed(3) : "unknown");

/**
 * The headline numbers of a run, in a few lines for the terminal.
 *
 * @param {Record<string, unknown>} summary - The content of a run's summary.json.
 * @returns {string}
 */
function describeSummary(summary) {
  const test = fields(summary["test"]);
  const byPatient = fields(test["byPatient"]);
  const images =
    summary["synthetic"] === true ? "Synthetic test images, which say nothing about tissue" : "Test images";
  const tuning = fields(summary["fineTuning"]);
  const trained = tuning["bestEpoch"] ? ` trained from ${tuning["from"]} on` : "";
  const lines = [
    `${images} (backbone ${summary["backbone"]}${trained}, split by ${summary["split"]}):`,
    `  accuracy ${percent(test["accuracy"])}, balanced ${percent(test["balancedAccuracy"])}, AUC ${decimal(test["auc"])}, sensitivity ${percent(test["sensitivity"])}, specificity ${percent(test["specificity"])}`,
  ];
  if (typeof test["majorityClassAccuracy"] === "number") {
    lines.push(
      `  always answering the most frequent class: accuracy ${percent(test["majorityClassAccuracy"])}`,
    );
  }
  if (typeof byPatient["accuracy"] === "number") {
    lines.push(`  by patient: accuracy ${percent(byPatient["accuracy"])}, AUC ${decimal(byPatient["auc"])}`);
  }
  return lines.join("\n");
}

module.exports = { describeSummary };
