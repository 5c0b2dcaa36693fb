import type { Dataset } from "../data/record";
import type { SplitPart } from "../data/split/split-value";
import { type DecisionRule, decideRows } from "../model/classifier/decision";
import type { Prediction } from "./prediction";

/**
 * Names rows of probabilities after the records that they belong to, and decides about each.
 *
 * @param rows - Indices of records.
 * @param values - Shape [rows.length, classCount], row by row.
 * @param part - Which part of a split the records are of.
 * @returns In the order of the rows.
 * @throws Error naming the image whose probabilities are no numbers.
 */
export function predictionsOf(
  { records, classes }: Pick<Dataset, "records" | "classes">,
  rows: readonly number[],
  values: Float32Array,
  rule: DecisionRule,
  part: SplitPart = "test",
): Prediction[] {
  const decisions = decideRows(values, classes.length, rule, (i) => records[rows[i]!]!.file);
  return rows.map((row, i): Prediction => {
    const { file, patient, label } = records[row]!;
    return { file, split: part, patient, label, ...decisions[i]! };
  });
}
