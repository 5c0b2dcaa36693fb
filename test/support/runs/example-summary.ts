import type { Prediction, Scores } from "../../../src/scores/prediction";
import type { RunSummary } from "../../../src/training/runs/run-summary";

const scores: Scores = {
  count: 4,
  accuracy: 0.75,
  balancedAccuracy: 0.75,
  auc: 0.875,
  sensitivity: 0.5,
  specificity: 1,
  majorityClassAccuracy: 0.5,
  confusionMatrix: [
    [2, 0],
    [1, 1],
  ],
};

/** A finished run's summary; four test images of two patients. */
export function exampleSummary(changes: Partial<RunSummary> = {}): RunSummary {
  return {
    id: "example",
    created: "2026-03-14T15:09:26.000Z",
    ended: "early-stopping",
    bestEpoch: 3,
    dataset: "example",
    synthetic: false,
    classes: ["benign", "malignant"],
    positiveClass: 1,
    threshold: 0.5,
    backbone: "resnet50",
    backboneExplanation: "ResNet50, as asked for.",
    weights: { name: "weights.h5", sha256: "00" },
    split: "patient",
    seed: 42,
    counts: {
      train: { images: 10, patients: 5 },
      validation: { images: 4, patients: 2 },
      test: { images: 4, patients: 2 },
    },
    validation: { ...scores, byPatient: null },
    test: {
      ...scores,
      byPatient: { ...scores, count: 2, auc: null, mixedPatients: [], imagesWithoutPatient: 0 },
    },
    timings: {},
    ...changes,
  };
}

/** The predictions behind the summary's test part, and one of the train part. */
export function examplePredictions(): Prediction[] {
  const prediction = (label: number, malignant: number, patient: string, file: string): Prediction => ({
    file,
    split: "test",
    patient,
    label,
    probabilities: [1 - malignant, malignant],
    predicted: malignant >= 0.5 ? 1 : 0,
  });
  return [
    prediction(0, 0.1, "1", "a.png"),
    prediction(0, 0.4, "1", "b.png"),
    prediction(1, 0.3, "2", "c.png"),
    prediction(1, 0.9, "2", "d.png"),
    { ...prediction(1, 0.99, "3", "e.png"), split: "train" },
  ];
}
