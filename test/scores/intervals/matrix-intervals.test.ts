import { describe, expect, it } from "vitest";
import { confusionMatrix, rowShares } from "../../../src/scores/confusion-matrix";
import { shareIntervals } from "../../../src/scores/intervals/matrix-intervals";
import { scoreWithIntervals } from "../../../src/scores/intervals/score-intervals";
import { thresholdCurve } from "../../../src/scores/triage/threshold-curve";
import { clusteredPredictions } from "../../support/runs/example-cohort";

const predictions = clusteredPredictions(20, 4, 5);
const labels = predictions.map(({ label }) => label);
const answers = predictions.map(({ predicted }) => predicted);

describe("shareIntervals", () => {
  const found = shareIntervals(predictions, answers, 2);

  it("has the matrix's own shares as values, and the sensitivity's and specificity's intervals", () => {
    const shares = rowShares(confusionMatrix(labels, answers, 2));
    expect(found.map((row) => row.map(({ value }) => value))).toEqual(
      shares.map((row) => row.map((share) => expect.closeTo(share, 12))),
    );
    const rule = { positiveClass: 1, threshold: 0.5 };
    const { image } = scoreWithIntervals(predictions, rule, { resamples: 200 });
    expect(found[1]![1]).toEqual(image.scores.sensitivity);
    expect(found[0]![0]).toEqual(image.scores.specificity);
  });

  it("is wider than if images were independent, and the cells of a row mirror each other", () => {
    const independent = predictions.map((one) => ({ ...one, patient: null }));
    const narrow = shareIntervals(independent, answers, 2)[1]![1]!;
    const [missed, hit] = found[1]! as [(typeof found)[0][0], (typeof found)[0][0]];
    expect(hit.high! - hit.low!).toBeGreaterThan(narrow.high! - narrow.low!);
    expect(missed.low).toBeCloseTo(1 - hit.high!, 12);
    expect(missed.high).toBeCloseTo(1 - hit.low!, 12);
  });

  it("does not take it for certain where all of a class were answered alike", () => {
    const always = predictions.map(() => 1);
    const [healthy, ill] = shareIntervals(predictions, always, 2);
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
    const [swept] = thresholdCurve(predictions, 1, [0.5], {});
    expect(plain!.image).not.toHaveProperty("intervals");
    expect(swept!.image.intervals).toEqual(found);
    const ill = new Set(predictions.filter(({ label }) => label === 1).map(({ patient }) => patient));
    expect(swept!.patient!.intervals![1]![1]!.patients).toBe(ill.size);
  });
});
