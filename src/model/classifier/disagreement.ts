import { countOf } from "../../runtime/words";
import type { Features } from "../features/features";
import { type Classifier, classifierViews } from "./classifier";
import { decide } from "./decision";
import type { Unlikeness } from "./familiarity";
import { headClassCount } from "./head";
import { headMembers } from "./head-members";
import { predictRows } from "./predict-rows";

/** From this share of an ensemble's heads on that answer otherwise, somebody should look again: one of five. */
const telling = 0.2;

/**
 * Says of which images an ensemble's heads disagree: of those the answer depends on whom a head happened to learn from.
 *
 * @param predicted - What the ensemble answers about each row of the features.
 * @returns For each row, what is to be warned of: nothing where few heads answer otherwise, or there is one head alone.
 */
export function disagreements(
  classifier: Classifier,
  features: Features,
  predicted: readonly number[],
): Unlikeness[][] {
  const { head, classes } = classifier;
  const members = headMembers(head);
  if (members.length === 1) return predicted.map(() => []);
  const rows = predicted.map((_, row) => row);
  const classCount = headClassCount(head);
  const answers = members.map((member) => predictRows(member, features, rows, classifierViews(classifier)));
  return predicted.map((answer, row) => {
    const others = answers
      .map((values) =>
        decide(Array.from(values.subarray(row * classCount, (row + 1) * classCount)), classifier),
      )
      .filter((other) => other !== answer);
    if (others.length < telling * members.length) return [];
    const named = [...new Set(others)].map((other) => classes[other]!).join(" or ");
    const text = `${others.length} of ${countOf(members.length, "head")} answer ${named} instead`;
    return [{ about: "heads", text }];
  });
}
