import { describe, expect, it } from "vitest";
import { requestStop } from "../../../src/runtime/interruption";
import { onProgress } from "../../../src/runtime/progress";
import { createRandom } from "../../../src/runtime/random";
import { averagePrecision, rocAuc } from "../../../src/scores/curves";
import {
  bootstrapIntervals,
  bootstrapPatiently,
  describeCoarseness,
} from "../../../src/scores/intervals/bootstrap";
import { exactInterval } from "../../../src/scores/intervals/exact-interval";
import * as metrics from "../../../src/scores/metrics";
import type { Prediction } from "../../../src/scores/prediction";
import { brierScore, negativeLogLikelihood } from "../../../src/scores/probability-scores";
import { prepareScores } from "../../../src/scores/weighed-scores";
import { clusteredPredictions } from "../../support/runs/example-cohort";
import { examplePrediction } from "../../support/runs/example-run";
import { bootstrapInterval } from "../../support/runs/slow-bootstrap";

const rule = { positiveClass: 1, threshold: 0.5 };
const accuracyOf = (items: readonly Prediction[]) =>
  items.filter(({ label, predicted }) => label === predicted).length / items.length;

describe("prepareScores", () => {
  it.each([1, 2, 3, 4, 5, 6])("counts an item of weight 3 as three items (case %i)", (seed) => {
    const random = createRandom(seed);
    const items = Array.from({ length: 30 }, () =>
      examplePrediction("a", random.integer(2), random.integer(8) / 8),
    );
    const weights = Float64Array.from(items, () => random.integer(4));
    const sample = items.flatMap((item, i) => new Array<Prediction>(weights[i]!).fill(item));
    const labels = sample.map(({ label }) => label);
    const predicted = sample.map((item) => item.predicted);
    const positive = labels.map((label) => label === 1);
    const scores = sample.map(({ probabilities }) => probabilities[1]!);
    const expected = {
      accuracy: metrics.accuracy(labels, predicted),
      balancedAccuracy: metrics.balancedAccuracy(labels, predicted),
      sensitivity: metrics.sensitivity(labels, predicted, 1),
      specificity: metrics.specificity(labels, predicted, 1),
      precision: metrics.precision(labels, predicted, 1),
      negativePredictiveValue: metrics.negativePredictiveValue(labels, predicted, 1),
      f1: metrics.f1Score(labels, predicted, 1),
      matthewsCorrelation: metrics.matthewsCorrelation(labels, predicted),
      auc: rocAuc(positive, scores),
      averagePrecision: averagePrecision(positive, scores),
      brierScore: brierScore(
        labels,
        sample.map(({ probabilities }) => probabilities),
      ),
      logLoss: negativeLogLikelihood(
        labels,
        sample.map(({ probabilities }) => probabilities),
      ),
    };
    const found = prepareScores(items, rule)(weights);
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, value] of Object.entries(expected)) {
      expect(found[name as keyof typeof expected], name).toBeCloseTo(value, 12);
    }
  });

  it("works for three classes, without what needs a positive one", () => {
    const items = [0, 1, 2, 2].map((label) =>
      examplePrediction("a", label, 0, { probabilities: [0.2, 0.3, 0.5], predicted: 2 }),
    );
    const found = prepareScores(items, { positiveClass: null })(new Float64Array(4).fill(1));
    expect(found).toMatchObject({ accuracy: 0.5, auc: Number.NaN, sensitivity: Number.NaN });
    expect(found.balancedAccuracy).toBeCloseTo(1 / 3, 12);
    expect(found.brierScore).toBeCloseTo(
      brierScore(
        [0, 1, 2, 2],
        items.map(({ probabilities }) => probabilities),
      ),
      12,
    );
  });
});

describe("bootstrapIntervals", () => {
  const predictions = clusteredPredictions(30, 12, 4);
  const prepare = (items: readonly Prediction[]) => prepareScores(items, rule);

  it("gives the same as resampling lists by any function, and the same for the same seed", () => {
    const fast = bootstrapIntervals([predictions], prepare, { resamples: 300, seed: 5 }).accuracy;
    const slow = bootstrapInterval(predictions, accuracyOf, { resamples: 300, seed: 5 });
    for (const key of ["value", "low", "high"] as const) expect(slow[key]).toBeCloseTo(fast[key]!, 12);
    expect(bootstrapIntervals([predictions], prepare, { resamples: 300, seed: 5 }).accuracy).toEqual(fast);
    expect(bootstrapIntervals([predictions], prepare, { resamples: 300, seed: 6 }).accuracy).not.toEqual(
      fast,
    );
    expect(fast).toMatchObject({ patients: 30, resamples: 300, undefinedResamples: 0, level: 0.95 });
  });

  it("is much wider than one that takes images for independent", () => {
    const width = (items: readonly Prediction[]) => {
      const { low, high } = bootstrapInterval(items, accuracyOf, { resamples: 500 });
      return high! - low!;
    };
    const independent = predictions.map((item) => ({ ...item, patient: null }));
    expect(width(predictions)).toBeGreaterThan(1.8 * width(independent));
  });

  it("contains the truth about as often as it says", () => {
    // 120 cohorts of 40 patients; the truth is taken from a very large one.
    const truth = accuracyOf(clusteredPredictions(30_000, 1, 99));
    const covering = Array.from({ length: 120 }, (_, seed) => {
      const cohort = clusteredPredictions(40, 4, 1000 + seed);
      const { low, high } = bootstrapIntervals([cohort], prepare, { resamples: 300, seed }).accuracy;
      return low! <= truth && truth <= high!;
    });
    const share = covering.filter(Boolean).length / covering.length;
    expect(share).toBeGreaterThan(0.86);
    expect(share).toBeLessThanOrEqual(1);
  });

  it("counts and leaves out resamples in which a number is undefined", () => {
    const few = [0, 1, 1].map((label, i) => examplePrediction(`${i}`, label, 0.2 + 0.3 * i));
    const { auc, accuracy } = bootstrapIntervals([few], prepare, { resamples: 2000 });
    // No benign patient is drawn with probability (2/3)³, only benign ones with (1/3)³.
    expect(auc.undefinedResamples / 2000).toBeCloseTo((8 + 1) / 27, 1);
    expect(auc).toMatchObject({ value: 1, low: 1, high: 1 });
    expect(accuracy.undefinedResamples).toBe(0);
    const stratified = bootstrapIntervals([few], prepare, { resamples: 500, stratified: true });
    expect(stratified.auc.undefinedResamples).toBe(0);
  });

  it("says null where a number is undefined as the data are, or in most resamples", () => {
    const one = [examplePrediction("a", 1, 0.9), examplePrediction("b", 1, 0.4)];
    expect(bootstrapIntervals([one], prepare).auc).toMatchObject({ value: null, low: null, high: null });
    const lopsided = [
      ...one,
      ...Array.from({ length: 1 }, () => examplePrediction("a", 0, 0.1, { file: "odd.png" })),
    ];
    const { auc } = bootstrapIntervals([lopsided.slice(1)], prepare, { resamples: 200 });
    expect(auc.value).toBe(1);
    expect(auc.undefinedResamples).toBeGreaterThan(60);
    expect(JSON.parse(JSON.stringify(auc))).toEqual(auc);
  });

  it("averages over repeats, and draws a patient in all of them at once", () => {
    const again = predictions.map((item) => ({ ...item }));
    const once = bootstrapIntervals([predictions], prepare, { resamples: 200 });
    const twice = bootstrapIntervals([predictions, again], prepare, { resamples: 200 });
    expect(twice.auc.low).toBeCloseTo(once.auc.low!, 12);
    expect(twice.auc.high).toBeCloseTo(once.auc.high!, 12);
    const better = predictions.map((item) => ({ ...item, predicted: item.label }));
    const mixed = bootstrapIntervals([predictions, better], prepare, { resamples: 50 });
    expect(mixed.accuracy.value).toBeCloseTo((accuracyOf(predictions) + 1) / 2, 12);
  });

  it("refuses what can't be resampled", () => {
    expect(() => bootstrapIntervals([], prepare)).toThrow(/no predictions/);
    expect(() => bootstrapIntervals([[]], prepare)).toThrow(/no predictions/);
    expect(() => bootstrapIntervals([predictions], prepare, { resamples: 0 })).toThrow(/positive integer/);
    expect(() => bootstrapIntervals([predictions], prepare, { level: 95 })).toThrow(/between 0 and 1/);
  });
});

describe("with few patients", () => {
  it("one sentence says what one of them weighs", () => {
    expect(describeCoarseness(25)).toBe(
      "One of the 25 patients more or less changes the patient accuracy by 4 points.",
    );
    expect(describeCoarseness(120, "test")).toMatch(/120 test patients .* by 0\.8 points/);
    expect(describeCoarseness(1)).toMatch(/only one patient/);
    expect(describeCoarseness(0)).toMatch(/no known patients/);
  });

  it("the exact interval stays in [0, 1] and refuses nonsense", () => {
    expect(exactInterval(0, 0)).toMatchObject({ value: null, low: 0, high: 1 });
    expect(exactInterval(5, 5).high).toBe(1);
    expect(exactInterval(0, 5).low).toBe(0);
    expect(() => exactInterval(6, 5)).toThrow(/6 of 5/);
    expect(() => exactInterval(Number.NaN, 5)).toThrow(RangeError);
  });
});

describe("bootstrapPatiently", () => {
  const predictions = clusteredPredictions(20, 4, 1);
  const prepare = (items: readonly Prediction[]) => prepareScores(items, rule);

  it("gives the same intervals, and says how far it has come", async () => {
    const seen: number[] = [];
    const unsubscribe = onProgress(({ task, done }) => {
      if (task === "Resampling patients") seen.push(done);
    });
    const slow = (items: readonly Prediction[]) => {
      const score = prepare(items);
      return (weights: Float64Array) => {
        const until = performance.now() + 1;
        while (performance.now() < until);
        return score(weights);
      };
    };
    const options = { resamples: 300 };
    const patiently = await bootstrapPatiently([predictions], slow, options).finally(unsubscribe);
    expect(patiently).toEqual(bootstrapIntervals([predictions], prepare, options));
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.every((done, i) => i === 0 || done >= seen[i - 1]!)).toBe(true);
  });

  it("ends with the resamples drawn so far when it is interrupted", async () => {
    let drawn = 0;
    const counted = (items: readonly Prediction[]) => {
      const score = prepare(items);
      return (weights: Float64Array) => {
        if (++drawn === 50) setImmediate(requestStop);
        return score(weights);
      };
    };
    const { accuracy } = await bootstrapPatiently([predictions], counted, { resamples: 1_000_000 });
    expect(accuracy.resamples).toBeGreaterThan(48);
    expect(accuracy.resamples).toBeLessThan(1_000_000);
    // Too few for an interval, whatever they say.
    if (accuracy.resamples < 200) expect(accuracy).toMatchObject({ low: null, high: null });
    expect(accuracy).toEqual(
      bootstrapIntervals([predictions], prepare, { resamples: accuracy.resamples }).accuracy,
    );
  });
});
