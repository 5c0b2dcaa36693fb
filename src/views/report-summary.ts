import { percent } from "./findings";
import type { Cell } from "./tables";

/** Scores of one part, by image or by patient; shares in [0, 1], null where undefined. */
export interface SummaryScores {
  accuracy: number | null;
  balancedAccuracy: number | null;
  majorityClassAccuracy?: number | null;
  auc: number | null;
  sensitivity: number | null;
  specificity: number | null;
}

/** What a report reads of a run's `summary.json`. */
export interface Summary {
  backbone?: string;
  weights?: { name?: string; sha256?: string };
  split?: string;
  seed?: number;
  test?: SummaryScores & { byPatient?: SummaryScores | null };
}

export function summaryRows(summary: Summary): Cell[][] {
  return [
    ["backbone", summary.backbone ?? null],
    ["accuracy", percent(summary.test?.accuracy ?? Number.NaN)],
  ];
}
