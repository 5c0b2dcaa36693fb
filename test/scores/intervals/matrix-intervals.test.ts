import { describe, expect, it } from "vitest";
import { confusionMatrix, rowShares } from "../../../src/scores/confusion-matrix";
import { shareIntervals } from "../../../src/scores/intervals/matrix-intervals";
import { thresholdCurve } from "../../../src/scores/triage/threshold-curve";
import { clusteredPredictions } from "../../support/runs/example-cohort";
import { bootstrapInterval } from "../../support/runs/slow-bootstrap";

const predictions = clusteredPredictions(20, 4, 5);
const labels = predictions.map(({ label }) => label);
const answers = predictions.map(({ predicted }) => predicted);
const options = { resamples: 400 };

describe("shareIntervals", () => {
  const found = shareIntervals(predictions, answers, 2, options);

  it("has the matrix's own shares as values, and is what resampling each share by itself gives", () => {
    const shares = rowShares(confusionMatrix(labels, answers, 2));
    expect(found.map((row) => row.map(({ value }) => value))).toEqual(shares);
    const sensitivity = bootstrapInterval(
      predictions,
      (sample) => {
        const ill = sample.filter(({ label }) => label === 1);
        return ill.filter(({ predicted }) => predicted === 1).length / ill.length;
      },
      options,
    );
    expect(found[1]![1]!.low).toBeCloseTo(sensitivity.low!, 12);
    expect(found[1]![1]!.high).toBeCloseTo(sensitivity.high!, 12);
    expect(found[1]![1]!.patients).toBe(20);
  });

  it("is wider than if images were independent, and the cells of a row mirror each other", () => {
    const independent = predictions.map((one) => ({ ...one, patient: null }));
    const narrow = shareIntervals(independent, answers, 2, options)[1]![1]!;
    const [missed, hit] = found[1]! as [(typeof found)[0][0], (typeof found)[0][0]];
    expect(hit.high! - hit.low!).toBeGreaterThan(narrow.high! - narrow.low!);
    expect(missed.low).toBeCloseTo(1 - hit.high!, 12);
    expect(missed.high).toBeCloseTo(1 - hit.low!, 12);
  });

  it("does not take it for certain where all of a class were answered alike", () => {
    const always = predictions.map(() => 1);
    const [healthy, ill] = shareIntervals(predictions, always, 2, options);
    const patientsOf = (label: number) =>
      new Set(predictions.filter((one) => one.label === label).map(({ patient }) => patient)).size;
    // Clopper and Pearson: with n of n, the lower end is (α / 2)^(1 / n).
    expect(ill![1]).toMatchObject({ value: 1, high: 1 });
    expect(ill![1]!.low).toBeCloseTo(0.025 ** (1 / patientsOf(1)), 9);
    expect(healthy![0]).toMatchObject({ value: 0, low: 0 });
    expect(healthy![0]!.high).toBeCloseTo(1 - 0.025 ** (1 / patientsOf(0)), 9);
  });

  it("says nothing of a class that does not occur", () => {
    const ill = predictions.filter(({ label }) => label === 1);
    const [healthy, others] = shareIntervals(
      ill,
      ill.map(({ predicted }) => predicted),
      2,
      options,
    );
    expect(healthy).toMatchObject([
      { value: null, low: null },
      { value: null, low: null },
    ]);
    expect(others![1]!.low).not.toBeNull();
    expect(() => shareIntervals([], [], 2)).toThrow(RangeError);
  });

  it("stands beside the matrices of the threshold curve where it is asked for", () => {
    const [plain] = thresholdCurve(predictions, 1, [0.5]);
    const [swept] = thresholdCurve(predictions, 1, [0.5], options);
    expect(plain!.image).not.toHaveProperty("intervals");
    expect(swept!.image.intervals).toEqual(found);
    expect(swept!.patient!.intervals![1]![1]!.patients).toBe(20);
  });
});
