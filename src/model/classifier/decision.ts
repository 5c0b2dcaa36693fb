/** How probabilities become a class. */
export interface DecisionRule {
  /** Index of the class that must not be missed, or null where none is special. */
  positiveClass: number | null;
  /** With two classes: the probability of the positive one from which on it is answered, in [0, 1]. */
  threshold: number;
}

/**
 * Decides for a class: with two classes and a positive one, by its threshold; otherwise for the most probable
 * class, the first of equals.
 *
 * @param probabilities - Shape [classCount], at least 2.
 *
 * @example
 * decide([0.7, 0.3], { positiveClass: 1, threshold: 0.3 }); // 1
 */
export function decide(probabilities: ArrayLike<number>, rule: DecisionRule): number {
  const { positiveClass, threshold } = rule;
  if (probabilities.length === 2 && positiveClass !== null) {
    return probabilities[positiveClass]! >= threshold ? positiveClass : 1 - positiveClass;
  }
  return indexOfLargest(probabilities);
}

/** What a row of probabilities says. */
export interface Decision {
  /** Shape [classCount]. */
  probabilities: number[];
  /** The class decided for. */
  predicted: number;
}

/**
 * Decides about each row of probabilities.
 *
 * @param values - Shape [n, classCount], row by row.
 * @param nameOf - What a row is called in an error: its image.
 * @returns One decision a row.
 * @throws Error naming the image whose probabilities are no numbers.
 *
 * @example
 * decideRows([0.9, 0.1, 0.25, 0.75], 2, { positiveClass: 1, threshold: 0.5 }, String);
 * // [{ probabilities: [0.9, 0.1], predicted: 0 }, { probabilities: [0.25, 0.75], predicted: 1 }]
 */
export function decideRows(
  values: ArrayLike<number>,
  classCount: number,
  rule: DecisionRule,
  nameOf: (row: number) => string,
): Decision[] {
  return Array.from({ length: values.length / classCount }, (_, i) => {
    const probabilities = Array.from({ length: classCount }, (_, c) => values[i * classCount + c]!);
    // NaN is below every threshold, and would be answered as the class that is not looked for.
    if (!probabilities.every(Number.isFinite)) {
      throw new Error(
        `The classifier gives no probabilities for ${nameOf(i)}: found ${probabilities.join(", ")}. Its weights or the image's features hold what is no number; check the files, or train again.`,
      );
    }
    return { probabilities, predicted: decide(probabilities, rule) };
  });
}

/**
 * Index of the largest value, the first of equals.
 *
 * @example
 * indexOfLargest([0.2, 0.5, 0.5]); // 1
 */
export function indexOfLargest(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[largest]!) largest = i;
  return largest;
}
