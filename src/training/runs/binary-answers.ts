import { tumourClasses } from "../../data/layouts/class-names";
import { scoreTumourAnswers } from "../../scores/evaluate";
import { tumourAnswers, tumourRule } from "../../scores/tumour-answer";
import type { SavedRun } from "./run-log";

/** What figures and curves read of a run. */
export type RunAnswers = Pick<SavedRun, "summary" | "predictions">;

/**
 * A run's answers to "benign or malignant?": of BreaKHis' subtypes, those that follow from them, with their scores and
 * their rule; any other run as it is.
 */
export function binaryAnswers<T extends RunAnswers>(run: T): T {
  const { summary } = run;
  const predictions = tumourAnswers(run.predictions, summary.classes);
  if (predictions === null) return run;
  const scores = summary.tumour ?? scoreTumourAnswers(run.predictions, summary.classes)!;
  const classes = [...tumourClasses];
  return { ...run, predictions, summary: { ...summary, ...scores, ...tumourRule, classes } };
}
