import { groupBy } from "../runtime/group-by";
import { scoreDecisions } from "./evaluate";
import type { OutOfFoldPrediction, Scores } from "./prediction";

/** Scores of the images that one fold held out. */
export interface FoldScores extends Scores {
  fold: number;
  repeat: number;
  /** Known ones who were held out. */
  patients: number;
}

/** Scores each fold of a cross-validation by itself, repeat by repeat. */
export function scoreFolds(
  predictions: readonly OutOfFoldPrediction[],
  positiveClass: number | null,
): FoldScores[] {
  return [...groupBy(predictions, ({ repeat, fold }) => `${repeat} ${fold}`).values()]
    .map((items) => ({
      fold: items[0]!.fold,
      repeat: items[0]!.repeat,
      patients: new Set(items.flatMap(({ patient }) => patient ?? [])).size,
      ...scoreDecisions(items, positiveClass),
    }))
    .sort((a, b) => a.repeat - b.repeat || a.fold - b.fold);
}
