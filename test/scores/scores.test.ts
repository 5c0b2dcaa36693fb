import { describe, expect, it } from "vitest";
import { scoreGroups } from "../../src/scores/group-scores";
import { exactInterval } from "../../src/scores/intervals/exact-interval";
import { scoreWithIntervals } from "../../src/scores/intervals/score-intervals";
import {
  negativePredictiveValue,
  negativePredictiveValueAtPrevalence,
  precision,
  precisionAtPrevalence,
  sensitivity,
  specificity,
} from "../../src/scores/metrics";
import { recognitionRates } from "../../src/scores/patient-scores";
import { computeReliability } from "../../src/scores/probability-scores";
import { sliderThresholds, thresholdCurve } from "../../src/scores/triage/threshold-curve";
import { exampleDataset } from "../support/data/example-dataset";
import { clusteredPredictions } from "../support/runs/example-cohort";
import { examplePrediction } from "../support/runs/example-run";

describe("predictive values at a stated prevalence", () => {
  const labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
  const predicted = [0, 0, 0, 0, 1, 1, 1, 1, 1, 0];
  const found = sensitivity(labels, predicted, 1);
  const left = specificity(labels, predicted, 1);

  it("are those of the test set at its own prevalence", () => {
    expect(precisionAtPrevalence(found, left, 0.4)).toBeCloseTo(precision(labels, predicted, 1), 14);
    expect(negativePredictiveValueAtPrevalence(found, left, 0.4)).toBeCloseTo(
      negativePredictiveValue(labels, predicted, 1),
      14,
    );
  });

  it("fall and rise with it, and are NaN where nothing would be called so", () => {
    expect(precisionAtPrevalence(found, left, 0.01)).toBeLessThan(0.03);
    expect(negativePredictiveValueAtPrevalence(found, left, 0.01)).toBeGreaterThan(0.99);
    expect(precisionAtPrevalence(0, 1, 0.4)).toBeNaN();
    expect(negativePredictiveValueAtPrevalence(1, 0, 0.4)).toBeNaN();
    expect(precisionAtPrevalence(Number.NaN, 0.9, 0.5)).toBeNaN();
    expect(() => precisionAtPrevalence(0.9, 0.9, 30)).toThrow(/prevalence is a share from 0 to 1, found 30/);
    expect(() => precisionAtPrevalence(0.9, 0.9, Number.NaN)).toThrow(RangeError);
  });
});

describe("recognitionRates", () => {
  it("follows Spanhol et al.: every patient counts the same, however many images", () => {
    const image = (patient: string | null, right: boolean) =>
      examplePrediction(patient, 1, right ? 0.9 : 0.1);
    const rates = recognitionRates([
      image("a", true),
      image("a", true),
      image("a", false),
      image("a", false),
      image("b", true),
      image(null, false),
    ]);
    expect(rates.patientRecognitionRate).toBe(0.75);
    expect(rates.imageRecognitionRate).toBe(0.5);
    expect(rates.imagesWithoutPatient).toBe(1);
    expect(rates.patients).toEqual([
      { patient: "a", label: 1, images: 4, correct: 2, score: 0.5 },
      { patient: "b", label: 1, images: 1, correct: 1, score: 1 },
    ]);
    expect(recognitionRates([image(null, true)]).patientRecognitionRate).toBeNaN();
    expect(() => recognitionRates([])).toThrow(RangeError);
  });
});

describe("scoreGroups", () => {
  const dataset = exampleDataset();
  const records = dataset.records.map((record, i) => ({ ...record, file: `${i}.png` }));
  const predictions = records.map(({ file, patient, label }, i) =>
    examplePrediction(patient, label, i % 2 === 0 ? 0.9 : 0.2, { file }),
  );
  const rule = { positiveClass: 1 };

  it("scores each group beside the class that is most frequent overall", () => {
    const groups = scoreGroups({ records }, predictions, "subtype", rule);
    expect(groups.map(({ group }) => group)).toEqual(["A", "DC", "F", "LC", "unknown"]);
    expect(groups[0]).toMatchObject({
      count: 2,
      patients: 1,
      accuracy: 0.5,
      specificity: 0.5,
      sensitivity: null,
      auc: null,
      majorityClassAccuracy: 1,
      overallMajorityAccuracy: 0,
    });
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(8);
  });

  it("orders magnifications as numbers, and names patients", () => {
    const names = (by: "magnification" | "patient") =>
      scoreGroups({ records }, predictions, by, rule).map(({ group }) => group);
    expect(names("magnification")).toEqual(["40", "100", "400", "unknown"]);
    expect(names("patient")).toEqual(["7", "8", "100", "22549", "unknown"]);
  });

  it("refuses predictions of another data set", () => {
    expect(() => scoreGroups({ records: [] }, predictions, "patient", rule)).toThrow(/0\.png was predicted/);
  });
});

describe("thresholdCurve", () => {
  const predictions = [
    examplePrediction("a", 1, 0.75),
    examplePrediction("a", 1, 0.25),
    examplePrediction("b", 0, 0.4),
  ];

  it("counts images and patients at each threshold", () => {
    const [low, middle, high] = thresholdCurve(predictions, 1, [0, 0.45, 1]);
    expect(low!.image.counts).toEqual([
      [0, 1],
      [0, 2],
    ]);
    expect(middle!.image).toEqual({
      counts: [
        [1, 0],
        [1, 1],
      ],
      shares: [
        [1, 0],
        [0.5, 0.5],
      ],
    });
    expect(middle!.patient!.counts).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(high!.patient!.counts).toEqual([
      [1, 0],
      [1, 0],
    ]);
    expect(thresholdCurve(predictions, 1).map(({ threshold }) => threshold)).toEqual(sliderThresholds);
  });

  it("has no patients where none is known, and refuses more than two classes", () => {
    expect(thresholdCurve([examplePrediction(null, 1, 0.5)], 1, [0.5])[0]!.patient).toBeNull();
    const three = examplePrediction("a", 1, 0, { probabilities: [0.2, 0.3, 0.5] });
    expect(() => thresholdCurve([three], 1)).toThrow(/two classes, found 3/);
    expect(() => thresholdCurve([], 1)).toThrow(RangeError);
  });
});

describe("computeReliability", () => {
  it("puts a confidence on a bound into the bin below it, and leaves empty bins null", () => {
    const rows = [0.1, 0.1, 0.3, 1].map((p) => [1 - p, p]);
    const { bins, expectedCalibrationError } = computeReliability([0, 1, 0, 1], rows, { positiveClass: 1 });
    expect(bins.map(({ count }) => count)).toEqual([2, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
    expect(bins[0]).toMatchObject({ low: 0, high: 0.1, meanConfidence: 0.1, observed: 0.5 });
    expect(bins[1]).toMatchObject({ meanConfidence: null, observed: null });
    expect(expectedCalibrationError).toBeCloseTo((2 * 0.4 + 0.3) / 4, 12);
  });

  it("refuses bins and classes that can't be", () => {
    expect(() => computeReliability([1], [[0.5, 0.5]], { binCount: 0 })).toThrow(/number of bins/);
    expect(() => computeReliability([1], [[0.5, 0.5]], { positiveClass: 2 })).toThrow(/2 classes, found 2/);
    expect(() => computeReliability([2], [[0.5, 0.5]])).toThrow(/from 0 to 1/);
  });
});

describe("scoreWithIntervals", () => {
  const rule = { positiveClass: 1, threshold: 0.5 };

  it("gives intervals for images and for patients, beside the majority class", () => {
    const predictions = clusteredPredictions(30, 4, 2);
    const { image, patient, groups } = scoreWithIntervals(predictions, rule, { resamples: 200 });
    expect(groups).toBe(1);
    expect(image).toMatchObject({ count: 120, majorityClassAccuracy: 20 / 30 });
    expect(image.scores.accuracy.patients).toBe(30);
    expect(patient!.coarseness).toMatch(/^One of the 30 test patients more or less .* by 3\.3 points\.$/);
    const { accuracy, sensitivity: found } = patient!.scores;
    expect(accuracy.low! <= accuracy.value! && accuracy.value! <= accuracy.high!).toBe(true);
    const exact = exactInterval(Math.round(30 * accuracy.value!), 30);
    expect(accuracy.low).toBeCloseTo(exact.low, 12);
    expect(accuracy.high).toBeCloseTo(exact.high, 12);
    expect(found.low).toBeLessThan(found.high!);
    const { imageRecognitionRate, patientRecognitionRate } = recognitionRates(predictions);
    expect(patient!.patientRecognitionRate.value).toBeCloseTo(patientRecognitionRate, 12);
    expect(image.scores.accuracy.value).toBeCloseTo(imageRecognitionRate, 12);
    expect(JSON.parse(JSON.stringify(image))).toEqual(image);
  });

  it("says nothing of patients where none is known", () => {
    const unknown = clusteredPredictions(10, 3, 2).map((item) => ({ ...item, patient: null }));
    const { image, patient } = scoreWithIntervals(unknown, rule, { resamples: 50 });
    expect(patient).toBeNull();
    expect(image.scores.accuracy.patients).toBe(30);
    expect(() => scoreWithIntervals([], rule)).toThrow(RangeError);
  });
});
