import { describe, expect, it } from "vitest";
import { scoreTumourAnswers } from "../../src/scores/evaluate";
import { tumourAnswers } from "../../src/scores/tumour-answer";
import { subtypes as classes, subtypeAnswer } from "../support/runs/subtype-answers";

describe("the binary answer that follows from subtypes", () => {
  // The most probable subtype is benign in the second and malignant in the third; their sums say the other.
  const predictions = [
    subtypeAnswer("a", 0, [0.5, 0.25, 0.125, 0.125]),
    subtypeAnswer("b", 2, [0.375, 0, 0.3125, 0.3125]),
    subtypeAnswer("c", 1, [0.25, 0.3125, 0.4375, 0]),
    subtypeAnswer("d", 3, [0.125, 0.125, 0.5, 0.25]),
  ];

  it("sums the probabilities and decides by the larger sum", () => {
    const answers = tumourAnswers(predictions, classes)!;
    expect(answers.map(({ label, predicted, probabilities }) => [label, predicted, probabilities])).toEqual([
      [0, 0, [0.75, 0.25]],
      [1, 1, [0.375, 0.625]],
      [0, 0, [0.5625, 0.4375]],
      [1, 1, [0.25, 0.75]],
    ]);
  });

  it("is scored as benign against malignant, where a wrong subtype of the right kind is right", () => {
    const { test, validation } = scoreTumourAnswers(predictions, classes)!;
    expect(validation).toBeNull();
    expect(test).toMatchObject({ count: 4, accuracy: 1, sensitivity: 1, specificity: 1, auc: 1 });
    expect(test!.byPatient).toMatchObject({ count: 4, accuracy: 1 });
  });

  it("follows from nothing else", () => {
    expect(tumourAnswers(predictions, ["a", "b", "c", "d"])).toBeNull();
    expect(scoreTumourAnswers([], ["benign", "malignant"])).toBeNull();
  });
});
