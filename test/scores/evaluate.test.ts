import { describe, expect, it } from "vitest";
import type { Split } from "../../src/data/split/split-value";
import { buildHead, predictHead } from "../../src/model/classifier/head";
import { createRandom } from "../../src/runtime/random";
import { countParts, evaluatePart, mostConfidentErrors, predictSplit } from "../../src/scores/evaluate";
import { exampleDataset, exampleRecord } from "../support/data/example-dataset";
import { examplePrediction } from "../support/runs/example-run";

const rule = { positiveClass: 1, threshold: 0.5 };

const predictions = [
  examplePrediction("a", 0, 0.1),
  examplePrediction("a", 0, 0.3),
  examplePrediction("b", 0, 0.9),
  examplePrediction("b", 0, 0.2),
  examplePrediction("c", 1, 0.8),
  examplePrediction("c", 1, 0.4),
  examplePrediction("d", 1, 0.05, { split: "validation" }),
];

describe("evaluatePart", () => {
  it("scores images and patients of one part", () => {
    const scores = evaluatePart(predictions, "test", rule);
    expect(scores).toMatchObject({
      count: 6,
      accuracy: 4 / 6,
      balancedAccuracy: (3 / 4 + 1 / 2) / 2,
      auc: 6 / 8,
      sensitivity: 1 / 2,
      specificity: 3 / 4,
      majorityClassAccuracy: 4 / 6,
      confusionMatrix: [
        [3, 1],
        [1, 1],
      ],
    });
    expect(scores?.byPatient).toMatchObject({
      count: 3,
      accuracy: 2 / 3,
      auc: 1,
      confusionMatrix: [
        [1, 1],
        [0, 1],
      ],
      mixedPatients: [],
      imagesWithoutPatient: 0,
    });
  });

  it("says null where a number is undefined, and for a part without images", () => {
    const scores = evaluatePart(predictions, "validation", rule);
    expect(scores).toMatchObject({ count: 1, auc: null, sensitivity: 0, specificity: null });
    expect(JSON.parse(JSON.stringify(scores))).toEqual(scores);
    expect(evaluatePart(predictions, "train", rule)).toBeNull();
  });

  it("has no sensitivity where no class is positive", () => {
    const scores = evaluatePart(predictions, "test", { ...rule, positiveClass: null });
    expect(scores).toMatchObject({ accuracy: 4 / 6, auc: null, sensitivity: null, specificity: null });
  });

  it("tells of mixed and of unknown patients", () => {
    const odd = [
      examplePrediction("a", 0, 0.1),
      examplePrediction("a", 1, 0.2),
      examplePrediction(null, 1, 0.9),
      examplePrediction("b", 0, 0.2),
    ];
    expect(evaluatePart(odd, "test", rule)?.byPatient).toMatchObject({
      count: 2,
      mixedPatients: ["a"],
      imagesWithoutPatient: 1,
    });
    const unknown = [examplePrediction(null, 1, 0.9)];
    expect(evaluatePart(unknown, "test", rule)?.byPatient).toBeNull();
  });

  it("scores more than two classes", () => {
    const three = [0, 1, 2, 2].map((label, i) =>
      examplePrediction(`${i}`, label, 0, {
        probabilities: [0.2, 0.3, 0.5],
        predicted: 2,
      }),
    );
    expect(evaluatePart(three, "test", { positiveClass: 2, threshold: 0.9 })).toMatchObject({
      accuracy: 0.5,
      balancedAccuracy: 1 / 3,
      auc: 0.5,
      sensitivity: 1,
      specificity: 0,
      confusionMatrix: [
        [0, 0, 1],
        [0, 0, 1],
        [0, 0, 2],
      ],
    });
  });
});

describe("predictSplit", () => {
  const width = 12;
  const records = ["1", "2", "3", "4", "5"].map((patient, i) =>
    exampleRecord({ file: `${i}.png`, patient, label: i % 2 }),
  );
  const dataset = exampleDataset({ records });
  const split: Split = { by: "patient", seed: 1, train: [4, 0], validation: [2], test: [1, 3] };
  const random = createRandom(3);
  const values = Float32Array.from({ length: records.length * width }, () => random.normal());
  const features = {
    backbone: "resnet50",
    width,
    values,
    count: records.length,
    complete: true,
    computed: 5,
    fromCache: 0,
    seconds: 1,
  };
  const head = buildHead({ inputs: width, hiddenUnits: [4], classCount: 2, seed: 1 });

  it("gives every image of the split its own probabilities, whatever the order of rows", () => {
    const all = predictHead(head, values, width);
    const predicted = predictSplit(dataset, split, features, { head, ...rule });
    expect(predicted.map(({ file, split: part }) => `${file} ${part}`)).toEqual([
      "4.png train",
      "0.png train",
      "2.png validation",
      "1.png test",
      "3.png test",
    ]);
    for (const { file, patient, label, probabilities, predicted: decided } of predicted) {
      const row = Number.parseInt(file, 10);
      expect(probabilities).toEqual(Array.from(all.subarray(2 * row, 2 * row + 2)));
      expect(decided).toBe(probabilities[1]! >= 0.5 ? 1 : 0);
      expect({ patient, label }).toEqual({ patient: records[row]?.patient, label: records[row]?.label });
    }
  });

  it("counts images and patients of each part", () => {
    const unknown = exampleDataset({ records: [...records, exampleRecord({ patient: null })] });
    expect(countParts(unknown, { ...split, test: [1, 3, 5], train: [0, 0, 4] })).toEqual({
      train: { images: 3, patients: 2 },
      validation: { images: 1, patients: 1 },
      test: { images: 3, patients: 2 },
    });
  });
});

describe("mostConfidentErrors", () => {
  it("gives the wrong decisions, the most confident first", () => {
    const errors = mostConfidentErrors(predictions, 2);
    expect(errors.map(({ patient, probabilities }) => [patient, probabilities[1]])).toEqual([
      ["d", 0.05],
      ["b", 0.9],
    ]);
    expect(mostConfidentErrors(predictions, 99)).toHaveLength(3);
    expect(mostConfidentErrors([examplePrediction("a", 1, 0.9)], 3)).toEqual([]);
  });
});
