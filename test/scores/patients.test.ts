import { describe, expect, it } from "vitest";
import { aggregateByPatient } from "../../src/scores/patients";
import { examplePrediction } from "../support/runs/example-run";

const rule = { positiveClass: 1, threshold: 0.5 };

describe("aggregateByPatient", () => {
  it("decides by the mean of a patient's images", () => {
    const [first, second, ...others] = aggregateByPatient(
      [
        examplePrediction("a", 1, 0.25),
        examplePrediction("b", 0, 0.75),
        examplePrediction("a", 1, 1),
        examplePrediction("b", 0, 0),
      ],
      rule,
    );
    expect(first).toEqual({
      patient: "a",
      images: 2,
      label: 1,
      probabilities: [0.375, 0.625],
      predicted: 1,
      mixed: false,
    });
    expect(second).toMatchObject({ patient: "b", label: 0, probabilities: [0.625, 0.375], predicted: 0 });
    expect(others).toEqual([]);
  });

  it("uses the threshold for patients too", () => {
    const images = [examplePrediction("a", 1, 0.25), examplePrediction("a", 1, 0.5)];
    expect(aggregateByPatient(images, { positiveClass: 1, threshold: 0.375 })[0]?.predicted).toBe(1);
    expect(aggregateByPatient(images, { positiveClass: 1, threshold: 0.376 })[0]?.predicted).toBe(0);
  });

  it("gives a patient of mixed labels that of most images, the positive one when they are equally many", () => {
    const benign = examplePrediction("a", 0, 0.5);
    const malignant = examplePrediction("a", 1, 0.5);
    expect(aggregateByPatient([benign, benign, malignant], rule)[0]).toMatchObject({ label: 0, mixed: true });
    expect(aggregateByPatient([benign, malignant], rule)[0]).toMatchObject({ label: 1, mixed: true });
    expect(aggregateByPatient([benign, malignant], { ...rule, positiveClass: 0 })[0]?.label).toBe(0);
    expect(aggregateByPatient([malignant, benign], { ...rule, positiveClass: null })[0]?.label).toBe(0);
  });

  it("leaves out images of unknown patients", () => {
    expect(aggregateByPatient([examplePrediction(null, 1, 0.9)], rule)).toEqual([]);
  });
});
