import { describe, expect, it } from "vitest";
import { evaluatePart, scoreTumourAnswers } from "../../../src/scores/evaluate";
import { thresholdCurve } from "../../../src/scores/triage/threshold-curve";
import { binaryAnswers } from "../../../src/training/runs/binary-answers";
import { type FigureOrNote, plotRunRoc } from "../../../src/views/analysis/run-figures";
import { plotRunClasses, plotRunMatrices } from "../../../src/views/analysis/threshold-figure";
import type { Figure } from "../../../src/views/display/figure";
import { examplePredictions, exampleSummary } from "../../support/runs/example-summary";
import { subtypes as classes, subtypeAnswer } from "../../support/runs/subtype-answers";

// Two wrong subtypes, of which one is wrong about benign and malignant, too.
const predictions = [
  subtypeAnswer("a", 0, [0.5, 0.25, 0.125, 0.125]),
  subtypeAnswer("b", 1, [0.625, 0.125, 0.125, 0.125]),
  subtypeAnswer("c", 2, [0.125, 0, 0.75, 0.125]),
  subtypeAnswer("d", 3, [0.125, 0.5, 0.125, 0.25]),
];
const subtypes = {
  summary: exampleSummary({
    classes,
    positiveClass: null,
    test: evaluatePart(predictions, "test", { positiveClass: null, threshold: 0.5 }),
    tumour: scoreTumourAnswers(predictions, classes)!,
  }),
  predictions,
};

function asFigure(view: FigureOrNote): Figure {
  if (!("data" in view)) throw new Error("expected a figure, found a note");
  return view;
}

describe("a run of subtypes, asked whether benign or malignant", () => {
  const { summary, predictions: answers } = binaryAnswers(subtypes);

  it("has the classes, the rule and the scores of the answers that follow", () => {
    expect(summary).toMatchObject({ classes: ["benign", "malignant"], positiveClass: 1, threshold: 0.5 });
    expect(answers.map(({ label, predicted }) => [label, predicted])).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 0],
    ]);
    expect(summary.test).toMatchObject({ accuracy: 0.75, sensitivity: 0.5, specificity: 1 });
  });

  it("is computed for runs that were kept without those scores", () => {
    const { tumour: _, ...older } = subtypes.summary;
    expect(binaryAnswers({ ...subtypes, summary: older }).summary.test).toEqual(summary.test);
  });

  it("is drawn beside the subtypes: a matrix with its slider, and curves", () => {
    expect(asFigure(plotRunClasses(subtypes)).data[0]!["x"]).toEqual(classes);
    const curve = { ok: true as const, value: thresholdCurve(answers, 1) };
    const matrices = asFigure(plotRunMatrices(subtypes, curve));
    expect(matrices.layout).toHaveProperty("sliders");
    expect(matrices.data[0]!["x"]).toEqual(["benign", "malignant"]);
    // Malignant at 0.25 and 0.25 against 0.875 and 0.375.
    expect(asFigure(plotRunRoc(subtypes)).data[0]!["name"]).toBe("images: AUC 1.000");
  });

  it("leaves runs of other classes as they are", () => {
    const run = { summary: exampleSummary(), predictions: examplePredictions() };
    expect(binaryAnswers(run)).toBe(run);
  });
});
