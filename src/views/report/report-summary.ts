import type { Scores } from "../../scores/prediction";
import type { RunSummary } from "../../training/runs/run-summary";
import { percent } from "../display/findings";
import type { Cell } from "../display/table-html";

/** The few lines that stand at the top of a report: what was computed with, and how good it is on the test part. */
export function summaryRows(summary: RunSummary): Cell[][] {
  const { counts, test } = summary;
  const parts = Object.entries(counts).map(
    ([part, { images, patients }]) => `${part} ${images} of ${patients} patients`,
  );
  return [
    ["data set", summary.synthetic ? `${summary.dataset}, synthetic images` : summary.dataset],
    ["images", parts.join(", ")],
    ["split", `by ${summary.split}, seed ${summary.seed}`],
    ["backbone", `${summary.backbone}, weights ${summary.weights.name}`],
    ["training", `${summary.ended}, best epoch ${summary.bestEpoch}`],
    ...(test === null ? [["test", "the test part is empty"]] : scoreRows("by image", test)),
    ...(test?.byPatient ? scoreRows("by patient", test.byPatient) : []),
  ];
}

function scoreRows(unit: string, scores: Scores): Cell[][] {
  const majority = percent(scores.majorityClassAccuracy);
  const share = (value: number | null) => percent(value ?? Number.NaN);
  return [
    [`test accuracy, ${unit}`, `${percent(scores.accuracy)} (always the majority class: ${majority})`],
    [`sensitivity, specificity, ${unit}`, `${share(scores.sensitivity)}, ${share(scores.specificity)}`],
    [`AUC, ${unit}`, scores.auc === null ? null : scores.auc.toFixed(3)],
  ];
}
