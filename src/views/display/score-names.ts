import type { Interval } from "../../scores/intervals/bootstrap";
import type { ScoreName } from "../../scores/weighed-scores";

/** Scores in the order in which people ask for them. */
export const scoreOrder: readonly ScoreName[] = [
  "accuracy",
  "balancedAccuracy",
  "sensitivity",
  "specificity",
  "precision",
  "negativePredictiveValue",
  "f1",
  "matthewsCorrelation",
  "auc",
  "averagePrecision",
  "brierScore",
  "logLoss",
];

/** What people call each score. */
export const scoreNames: Record<ScoreName, string> = {
  accuracy: "accuracy",
  balancedAccuracy: "balanced accuracy",
  sensitivity: "sensitivity",
  specificity: "specificity",
  precision: "positive predictive value",
  negativePredictiveValue: "negative predictive value",
  f1: "F1",
  matthewsCorrelation: "Matthews correlation",
  auc: "AUC",
  averagePrecision: "average precision",
  brierScore: "Brier score (0 is best)",
  logLoss: "log loss (0 is best)",
};

/** Scores that are shares of something, and read as percentages. */
const shares: ReadonlySet<ScoreName> = new Set([
  "accuracy",
  "balancedAccuracy",
  "sensitivity",
  "specificity",
  "precision",
  "negativePredictiveValue",
]);

/** A score with its interval, as people read it: percentages for shares, three decimals for the rest. */
export function scoreText(name: ScoreName, interval: Interval): string {
  return shares.has(name) ? shareText(interval) : intervalText(interval, (value) => value.toFixed(3));
}

/**
 * A share with its interval.
 *
 * @example
 * shareText({ value: 0.5, low: 0.25, high: 0.75 }); // "50.0 % (25.0 to 75.0)"
 */
export function shareText(interval: Pick<Interval, "value" | "low" | "high">): string {
  return intervalText(interval, (value) => (100 * value).toFixed(1), " %");
}

function intervalText(
  { value, low, high }: Pick<Interval, "value" | "low" | "high">,
  format: (value: number) => string,
  unit = "",
): string {
  if (value === null) return "–";
  const range = low === null || high === null ? "no interval" : `${format(low)} to ${format(high)}`;
  return `${format(value)}${unit} (${range})`;
}
