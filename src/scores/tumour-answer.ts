import { tumourClassesOf } from "../data/layouts/class-names";
import { decide } from "../model/classifier/decision";
import type { Prediction } from "./prediction";

/** How benign or malignant is decided where a classifier answers with subtypes: by the more probable. */
export const tumourRule = { positiveClass: 1, threshold: 0.5 } as const;

/**
 * The probabilities of benign and malignant that follow from those of subtypes: their sums.
 *
 * @param probabilities - Shape [classCount].
 * @returns Shape [2]; null if some class is no subtype.
 *
 * @example
 * tumourProbabilities([0.25, 0.5, 0.25], ["adenosis", "ductal carcinoma", "papillary carcinoma"]); // [0.25, 0.75]
 */
export function tumourProbabilities(
  probabilities: readonly number[],
  classes: readonly string[],
): [number, number] | null {
  const kinds = tumourClassesOf(classes);
  if (kinds === null) return null;
  const sums: [number, number] = [0, 0];
  for (const [i, kind] of kinds.entries()) sums[kind] += probabilities[i]!;
  return sums;
}

/**
 * Turns answers about subtypes into answers about benign (0) and malignant (1), image by image.
 *
 * @returns Null if the classes are no subtypes.
 */
export function tumourAnswers<T extends Prediction>(
  predictions: readonly T[],
  classes: readonly string[],
): T[] | null {
  const kinds = tumourClassesOf(classes);
  if (kinds === null) return null;
  return predictions.map((prediction) => {
    const probabilities = tumourProbabilities(prediction.probabilities, classes)!;
    const predicted = decide(probabilities, tumourRule);
    return { ...prediction, label: kinds[prediction.label]!, probabilities, predicted };
  });
}
