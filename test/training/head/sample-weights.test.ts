import { describe, expect, it } from "vitest";
import * as sampleWeights from "../../../src/training/head/sample-weights";
import { type TrainingSettings, trainHead } from "../../../src/training/head/train";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";
import { randomProblem } from "../../support/runs/random-problem";

const { patientWeights, weighImages } = sampleWeights;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe("patientWeights", () => {
  it.each(docstringExamples("src/training/head/sample-weights.ts"))(
    "$code gives $expected",
    ({ code, expected }) => {
      expect(evaluateExample(code, { ...sampleWeights })).toEqual(evaluateExample(expected, {}));
    },
  );

  it("give patients of a class the same share, and classes too, however many images there are", () => {
    const labels = [0, 0, 0, 0, 0, 1, 1, 1, 2, 0];
    const patients = ["a", "a", "a", "b", null, "c", "c", "d", "d", null];
    const weights = patientWeights({ labels, patients }, 4);
    expect(sum(weights)).toBeCloseTo(labels.length, 12);
    const shareOf = (...images: number[]) => sum(images.map((image) => weights[image]!));
    // Three classes occur. Of class 0: a, b and two images of nobody known; d has images of two classes.
    for (const images of [[0, 1, 2], [3], [4], [9]]) expect(shareOf(...images)).toBeCloseTo(10 / 3 / 4, 12);
    for (const images of [[5, 6], [7]]) expect(shareOf(...images)).toBeCloseTo(10 / 3 / 2, 12);
    expect(shareOf(8)).toBeCloseTo(10 / 3, 12);
  });

  it("are scikit-learn's balanced weights where every image is somebody else's", () => {
    const labels = [0, 0, 0, 1, 2];
    const parts = {
      train: { labels, patients: labels.map((_, i) => `${i}`) },
      validation: { labels: [1], patients: ["v"] },
    };
    expect(weighImages("patients", parts, 3).train).toEqual(weighImages("balanced", parts, 3).train);
    expect(weighImages("patients", parts, 3).validation).toEqual([1]);
    expect(weighImages("balanced", parts, 3).validation[0]).toBeCloseTo(5 / 3, 12);
    expect(weighImages("none", parts, 3).train).toEqual([1, 1, 1, 1, 1]);
  });
});

describe("classWeights: patients", () => {
  const settings: TrainingSettings = {
    hiddenUnits: [],
    dropout: 0,
    l2: 0,
    learningRate: 0.01,
    epochs: 3,
    batchSize: 200,
    classWeights: "patients",
    patience: 3,
    seed: 1,
  };
  const problem = randomProblem({ count: 200, width: 8, seed: 4 });
  const mine = problem.labels.map((_, row) => `${row % 20}`);

  it("changes what is learned, and only by whose images they are", async () => {
    const weighed = await trainHead({ ...problem, patients: mine, settings });
    const renamed = await trainHead({ ...problem, patients: mine.map((name) => `p${name}`), settings });
    expect(renamed.head).toEqual(weighed.head);
    const alone = await trainHead({ ...problem, patients: mine.map((_, row) => `${row}`), settings });
    expect(alone.head).not.toEqual(weighed.head);
    const balanced = await trainHead({ ...problem, settings: { ...settings, classWeights: "balanced" } });
    expect(alone.head).toEqual(balanced.head);
  });

  it("is refused where nobody says whose they are", async () => {
    await expect(trainHead({ ...problem, settings })).rejects.toThrow(/needs `patients`/);
  });
});
