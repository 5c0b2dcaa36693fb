import type { Dataset, ImageRecord } from "../data/record";
import type { DecisionRule } from "../model/classifier/decision";
import { indexOfLargest } from "../model/classifier/decision";
import { groupBy } from "../runtime/group-by";
import { refusal } from "../runtime/refusal";
import { byCodeUnits } from "../runtime/words";
import { scoreDecisions } from "./evaluate";
import type { Prediction, Scores } from "./prediction";

/** What images can be grouped by. */
export type Grouping = "subtype" | "magnification" | "patient" | "year";

/** Scores of the images of one group. */
export interface GroupScores extends Scores {
  /** For example "DC", "400" or a patient; "unknown" where the name does not tell. */
  group: string;
  /** Known patients. */
  patients: number;
  /** What answering the class that is most frequent among all these predictions reaches in this group. */
  overallMajorityAccuracy: number;
}

/**
 * Scores images by subtype, magnification, patient or year.
 *
 * In a group of one class, such as a subtype, AUC is null and the accuracy is sensitivity or specificity; the group's
 * own majority class would be right always, so the class that is most frequent overall stands beside it.
 *
 * @param predictions - Of the data set's images; at least one.
 * @returns In order: magnifications and years as numbers, names by their letters, the unknown last.
 * @throws Error if a prediction's file is not in the data set.
 */
export function scoreGroups(
  dataset: Pick<Dataset, "records">,
  predictions: readonly Prediction[],
  by: Grouping,
  rule: Pick<DecisionRule, "positiveClass">,
): GroupScores[] {
  const records = new Map(dataset.records.map((record) => [record.file, record]));
  const groups = groupBy(predictions, ({ file }) => {
    const record = records.get(file);
    if (record === undefined) {
      throw refusal(`${file} was predicted but is not in the data set: are they of the same one?`);
    }
    return groupName(record, by);
  });
  const majority = mostFrequent(predictions);
  return [...groups]
    .sort(([one], [other]) => compareNames(one, other))
    .map(([group, items]) => ({
      group,
      patients: new Set(items.flatMap(({ patient }) => patient ?? [])).size,
      ...scoreDecisions(items, rule.positiveClass),
      overallMajorityAccuracy: items.filter(({ label }) => label === majority).length / items.length,
    }));
}

const unknown = "unknown";

const groupName = (record: ImageRecord, by: Grouping): string => String(record[by] ?? unknown);

function compareNames(one: string, other: string): number {
  if (one === unknown || other === unknown) return Number(one === unknown) - Number(other === unknown);
  const difference = Number(one) - Number(other);
  return Number.isNaN(difference) ? byCodeUnits(one, other) : difference;
}

function mostFrequent(predictions: readonly Prediction[]): number {
  const counts: number[] = new Array<number>(predictions[0]?.probabilities.length ?? 0).fill(0);
  for (const { label } of predictions) counts[label]!++;
  return indexOfLargest(counts);
}
