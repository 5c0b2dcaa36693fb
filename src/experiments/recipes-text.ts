import type { Interval } from "../scores/intervals/bootstrap";
import type { RecipeComparison, RecipeResult } from "./compare-recipes";
import { intervalText, signedText, textTable } from "./evaluation-text";

function resultRow({ name, scores: { image, patient } }: RecipeResult): string[] {
  return [
    name,
    intervalText(image.scores.accuracy),
    intervalText(image.scores.auc),
    patient === null ? "–" : intervalText(patient.scores.accuracy),
    patient === null ? "–" : intervalText(patient.scores.auc),
  ];
}

/** A difference with its interval, and whether it is one. */
function gainText({ value, low, high }: Interval): string {
  if (value === null || low === null || high === null) return "–";
  const certain = low > 0 || high < 0 ? "" : ", may be chance";
  return `${signedText(value)} (${signedText(low)} to ${signedText(high)}${certain})`;
}

/** Writes a comparison of recipes as plain text with tables, for a terminal. */
export function describeComparison(comparison: RecipeComparison): string {
  const { dataset, folds, repeats, recipes } = comparison;
  const [first] = recipes;
  if (first === undefined) return "No recipe was finished.";
  const { image, patient } = first.scores;
  const extent = `${folds} folds${repeats === 1 ? "" : `, ${repeats} times`}`;
  const counts = `${image.count} images${patient === null ? "" : ` of ${patient.count} patients`}`;
  const table = textTable([
    ["images", "accuracy", "AUC", "accuracy by patient", "AUC by patient"],
    ...recipes.map(resultRow),
    [
      "majority class",
      image.majorityClassAccuracy.toFixed(2),
      "",
      patient?.majorityClassAccuracy.toFixed(2) ?? "–",
      "",
    ],
  ]);
  const gains = recipes.flatMap(({ name, gain }) =>
    gain === null ? [] : [[name, gainText(gain.differences.accuracy), gainText(gain.differences.auc)]],
  );
  return [
    dataset.synthetic ? "The images are synthetic: no number here says anything about tissue." : "",
    `Cross-validation by patient, ${counts}, ${extent}, the same for all; 95 % intervals resample patients.`,
    table,
    gains.length === 0
      ? ""
      : `Change from images ${first.name}, of all images:\n${textTable([["images", "accuracy", "AUC"], ...gains])}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
