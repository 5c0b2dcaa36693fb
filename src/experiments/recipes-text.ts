import type { RunComparison } from "../scores/compare-runs";
import type { Interval } from "../scores/intervals/bootstrap";
import { intervalMethod, type ScoredLevel } from "../scores/intervals/score-intervals";
import type { RecipeComparison, RecipeResult } from "./compare-recipes";
import { intervalText, signedText, textTable } from "./evaluation-text";

/** What is shown of each level. */
const shown = ["accuracy", "balancedAccuracy", "auc", "logLoss", "brierScore"] as const;
const titles = ["accuracy", "balanced", "AUC", "log loss", "Brier"];

function resultRow(name: string, level: ScoredLevel | null): string[] {
  return [name, ...shown.map((score) => (level === null ? "–" : intervalText(level.scores[score])))];
}

/** Each recipe's name; where one only adds to the one before, what it adds. */
function shortenNames(recipes: readonly RecipeResult[]): RecipeResult[] {
  return recipes.map((one, i) => {
    const before = `${recipes[i - 1]?.name}, `;
    return one.name.startsWith(before) ? { ...one, name: `… ${one.name.slice(before.length)}` } : one;
  });
}

/** Each recipe at one level, and what always answering the most frequent class would reach. */
function scoresTable(recipes: readonly RecipeResult[], levelOf: (one: RecipeResult) => ScoredLevel | null) {
  const majority = levelOf(recipes[0]!)?.majorityClassAccuracy.toFixed(2) ?? "–";
  return textTable([
    ["", ...titles],
    ...recipes.map((one) => resultRow(one.name, levelOf(one))),
    ["majority class", majority, ...titles.slice(1).map(() => "")],
  ]);
}

/** A difference with its interval, starred where the interval leaves out 0. */
function gainText({ value, low, high }: Interval): string {
  if (value === null || low === null || high === null) return "–";
  const certain = low > 0 || high < 0 ? "*" : "";
  return `${signedText(value)} (${signedText(low)} to ${signedText(high)})${certain}`;
}

function gainsTable(
  recipes: readonly RecipeResult[],
  gainOf: (one: RecipeResult) => RunComparison | null,
): string {
  const rows = recipes.flatMap((one) => {
    const gain = gainOf(one);
    return gain === null ? [] : [[one.name, ...shown.map((score) => gainText(gain.differences[score]))]];
  });
  return textTable([["", ...titles], ...rows]);
}

/** Writes a comparison of recipes as plain text with tables, for a terminal. */
export function describeComparison(comparison: RecipeComparison): string {
  const { dataset, folds, repeats } = comparison;
  const recipes = shortenNames(comparison.recipes);
  const [first] = recipes;
  if (first === undefined) return "No recipe was finished.";
  const { image, patient } = first.scores;
  const extent = `${folds} folds${repeats === 1 ? "" : `, ${repeats} times`}`;
  const counts = `${image.count} images${patient === null ? "" : ` of ${patient.count} patients`}`;
  const byPatient = recipes.filter(({ patientGain }) => patientGain !== null);
  return [
    dataset.synthetic ? "The images are synthetic: no number here says anything about tissue." : "",
    `Cross-validation by patient, ${counts}, ${extent}, the same for all, with 95 % intervals. ${intervalMethod}`,
    `By image:\n${scoresTable(recipes, ({ scores }) => scores.image)}`,
    patient === null ? "" : `By patient:\n${scoresTable(recipes, ({ scores }) => scores.patient)}`,
    recipes.length === 1
      ? ""
      : `Change from "${first.name}", by image, patients resampled; * where the interval leaves out 0, else it may be chance:\n${gainsTable(recipes, ({ gain }) => gain)}`,
    byPatient.length === 0
      ? ""
      : `Change from "${first.name}", by patient:\n${gainsTable(byPatient, ({ patientGain }) => patientGain)}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
