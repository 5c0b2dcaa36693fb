import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/runtime/random";
import { applyTemperature, calibratePredictions, fitTemperature } from "../../src/scores/calibration";
import { computeReliability, negativeLogLikelihood } from "../../src/scores/probability-scores";
import { examplePrediction } from "../support/runs/example-run";

const random = createRandom(5);
const validation = { split: "validation" as const };

/** Labels drawn from calibrated probabilities, which are then made too sure by a known factor. */
function overconfident(count: number, factor: number) {
  return Array.from({ length: count }, () => {
    const logit = 2 * random.normal();
    const truth = 1 / (1 + Math.exp(-logit));
    const label = random.next() < truth ? 1 : 0;
    return examplePrediction("a", label, 1 / (1 + Math.exp(-factor * logit)), validation);
  });
}

const lossOf = (items: ReturnType<typeof overconfident>) =>
  negativeLogLikelihood(
    items.map(({ label }) => label),
    items.map(({ probabilities }) => probabilities),
  );

describe("fitTemperature", () => {
  it.each([0.5, 1, 2, 4])("recovers a known temperature of %f", (factor) => {
    const items = overconfident(20_000, factor);
    const fit = fitTemperature(items);
    expect(fit.temperature / factor).toBeGreaterThan(0.95);
    expect(fit.temperature / factor).toBeLessThan(1.05);
    expect(fit.lossAfter).toBeLessThanOrEqual(fit.lossBefore);
    expect(fit.atBound).toBe(false);
  });

  it("never makes the validation loss worse, and lowers the calibration error", () => {
    const items = overconfident(400, 3);
    const fit = fitTemperature(items);
    const calibrated = calibratePredictions(items, fit.temperature, { positiveClass: 1, threshold: 0.5 });
    expect(lossOf(calibrated)).toBeCloseTo(fit.lossAfter, 12);
    expect(fit.lossAfter).toBeLessThan(fit.lossBefore);
    expect(fit.description).toMatch(
      /400 validation images the probabilities were too sure; a temperature of/,
    );
    const error = (list: typeof items) =>
      computeReliability(
        list.map(({ label }) => label),
        list.map(({ probabilities }) => probabilities),
      ).expectedCalibrationError;
    expect(error(calibrated)).toBeLessThan(error(items));
    for (let seed = 0; seed < 20; seed++) {
      const { lossBefore, lossAfter } = fitTemperature(overconfident(3 + seed, 1));
      expect(lossAfter).toBeLessThanOrEqual(lossBefore);
    }
  });

  it("stops at the end of the range where validation can't tell, and says so", () => {
    const perfect = [0.9, 0.8, 0.95].map((p) => examplePrediction("a", 1, p, validation));
    expect(fitTemperature(perfect)).toMatchObject({ temperature: 0.05, atBound: true });
    const wrong = [0.1, 0.2].map((p) => examplePrediction("a", 1, p, validation));
    expect(fitTemperature(wrong)).toMatchObject({ temperature: 20, atBound: true });
    expect(fitTemperature(wrong).description).toMatch(/too few errors, or too little signal/);
    const flat = [0, 1].map((label) => examplePrediction("a", label, 0.5, validation));
    expect(fitTemperature(flat)).toMatchObject({ temperature: 1, atBound: false });
  });

  it("stays finite with probabilities of exactly 0", () => {
    const sure = [
      examplePrediction("a", 0, 1, validation),
      examplePrediction("a", 1, 1, validation),
      examplePrediction("a", 0, 0, validation),
    ];
    const fit = fitTemperature(sure);
    expect(fit.lossAfter).toBeLessThan(fit.lossBefore);
    expect(Number.isFinite(fit.temperature)).toBe(true);
  });

  it("is never fitted on test", () => {
    const items = [...overconfident(5, 1), examplePrediction("a", 1, 0.5)];
    expect(() => fitTemperature(items)).toThrow(/validation predictions only, found one of the part test/);
    expect(() => fitTemperature([])).toThrow(RangeError);
  });
});

describe("applyTemperature", () => {
  it("keeps the order of classes and the sum, and 1 changes no bit", () => {
    const row = [0.1, 0.2, 0.7];
    const soft = applyTemperature(row, 3);
    expect(soft[0]! < soft[1]! && soft[1]! < soft[2]! && soft[2]! < 0.7).toBe(true);
    expect(soft.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 14);
    const float = Array.from(Float32Array.from([0.3, 0.7]));
    expect(applyTemperature(float, 1)).toEqual(float);
    expect(() => applyTemperature(row, 0)).toThrow(RangeError);
    expect(() => applyTemperature(row, Number.NaN)).toThrow(RangeError);
  });

  it("decides anew with another threshold than one half", () => {
    const rule = { positiveClass: 1, threshold: 0.3 };
    const [one] = calibratePredictions([examplePrediction("a", 1, 0.2, { predicted: 0 })], 3, rule);
    expect(one!.probabilities[1]).toBeGreaterThan(0.3);
    expect(one!.predicted).toBe(1);
  });
});
