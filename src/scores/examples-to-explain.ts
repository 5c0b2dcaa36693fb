import { mostConfidentErrors } from "./evaluate";
import type { Prediction } from "./prediction";

/** What kind of error a decision is, or that it is none. */
export type Outcome = "missed" | "false alarm" | "confused" | "right";

/** Says what a decision is: a positive one missed, a false alarm, another confusion, or right. */
export function outcomeOf(
  { label, predicted }: Pick<Prediction, "label" | "predicted">,
  positiveClass: number | null,
): Outcome {
  if (label === predicted) return "right";
  if (label === positiveClass) return "missed";
  return predicted === positiveClass ? "false alarm" : "confused";
}

/**
 * Chooses what to explain: the most confident errors, and for comparison the most confident right answers, of every
 * class in turn and each of another patient as far as there are.
 */
export function chooseExamples(
  predictions: readonly Prediction[],
  counts: { errors: number; right: number },
): Prediction[] {
  const confidence = ({ probabilities, predicted }: Prediction) => probabilities[predicted]!;
  const right = predictions
    .filter(({ label, predicted }) => label === predicted)
    .sort((a, b) => confidence(b) - confidence(a));
  const chosen: Prediction[] = [];
  const classes = [...new Set(right.map(({ label }) => label))].sort((a, b) => a - b);
  for (let turn = 0; chosen.length < Math.min(counts.right, right.length); turn++) {
    const left = right.filter((one) => !chosen.includes(one));
    const ofClass = left.filter(({ label }) => label === classes[turn % classes.length]);
    const seen = new Set(chosen.map(({ patient }) => patient));
    const next = ofClass.find(({ patient }) => !seen.has(patient)) ?? ofClass[0];
    if (next !== undefined) chosen.push(next);
  }
  return [...mostConfidentErrors(predictions, counts.errors), ...chosen];
}
