import { describe, expect, it } from "vitest";
import { compareRuns, delongTest } from "../../src/scores/compare-runs";
import { clusteredPredictions } from "../support/runs/example-cohort";
import { examplePrediction } from "../support/runs/example-run";

const rule = { positiveClass: 1 };
const options = { resamples: 400 };

describe("delongTest", () => {
  const positive = [true, true, true, false, false, false];

  it("finds no difference between a run and itself", () => {
    const scores = [0.9, 0.4, 0.6, 0.5, 0.2, 0.1];
    expect(delongTest(positive, scores, scores)).toMatchObject({
      difference: 0,
      standardError: 0,
      pValue: 1,
    });
    // Any rising function of the scores ranks alike.
    expect(
      delongTest(
        positive,
        scores,
        scores.map((s) => s ** 3),
      ).pValue,
    ).toBe(1);
  });

  it("is antisymmetric", () => {
    const [one, other] = [
      [0.9, 0.4, 0.6, 0.5, 0.2, 0.1],
      [0.3, 0.4, 0.6, 0.5, 0.8, 0.1],
    ] as [number[], number[]];
    const there = delongTest(positive, one, other);
    const back = delongTest(positive, other, one);
    expect(back.difference).toBeCloseTo(-there.difference, 14);
    expect(back.pValue).toBeCloseTo(there.pValue, 14);
    expect(back.high).toBeCloseTo(-there.low, 14);
  });

  it("refuses what it can't compare", () => {
    expect(() => delongTest(positive, [1, 2], [1, 2])).toThrow(/one score a sample/);
    expect(() => delongTest([true, false, false], [1, 2, 3], [1, 2, 3])).toThrow(/1 and 2/);
    const scores = [1, 2, 3, 4, 5, Number.NaN];
    expect(() => delongTest(positive, scores, scores)).toThrow(/position 5 is NaN/);
    // Four samples whose difference is the same however they are paired: no variance, so no test, and no certainty.
    const without = delongTest([true, true, false, false], [3, 4, 1, 2], [1, 2, 3, 4]);
    expect(without).toMatchObject({ firstAuc: 1, secondAuc: 0, difference: -1, standardError: 0 });
    for (const value of [without.z, without.pValue, without.low, without.high]) expect(value).toBeNaN();
  });
});

describe("compareRuns", () => {
  const weak = clusteredPredictions(40, 5, 3);
  const strong = weak.map((item) =>
    examplePrediction(item.patient, item.label, 0.5 * item.probabilities[1]! + 0.5 * item.label * 0.9, {
      file: item.file,
    }),
  );

  it("shows a difference that is there, in either order, and matches images by name", () => {
    const found = compareRuns(weak, [...strong].reverse(), rule, options);
    expect(found).toMatchObject({ images: 200, unmatched: 0 });
    expect(found.differences.auc.low).toBeGreaterThan(0);
    expect(found.conclusion).toMatch(
      /^The second run's AUC is higher by 0\.\d+ \(95 % interval .* 40 patients\)\.$/,
    );
    const back = compareRuns(strong, weak, rule, options);
    expect(back.differences.auc.value).toBeCloseTo(-found.differences.auc.value!, 12);
    expect(back.conclusion).toMatch(/^The first run's AUC is higher/);
  });

  it("shows none between a run and itself", () => {
    const { differences, conclusion } = compareRuns(weak, weak, rule, options);
    expect(differences.auc).toMatchObject({ value: 0, low: 0, high: 0 });
    expect(conclusion).toMatch(/^No difference in AUC could be shown/);
  });

  it("compares accuracies where no class is positive", () => {
    const { conclusion, differences } = compareRuns(weak, strong, { positiveClass: null }, options);
    expect(differences.auc.value).toBeNull();
    expect(conclusion).toMatch(/accuracy/);
  });

  it("averages the repeats of a cross-validation, each compared with its own", () => {
    const repeated = (predictions: typeof weak) =>
      [predictions, strong].flatMap((group, repeat) => group.map((one) => ({ ...one, repeat })));
    const found = compareRuns(repeated(weak), repeated(strong), rule, options);
    const once = compareRuns(weak, strong, rule, options);
    expect(found).toMatchObject({ images: 200, unmatched: 0 });
    // In the second repeat both are the same, so that half of the difference is left.
    expect(found.differences.auc.value).toBeCloseTo(once.differences.auc.value! / 2, 12);
    expect(() => compareRuns(repeated(weak), strong, rule)).toThrow(/has 2 repeats, the other 1/);
  });

  it("leaves out images that only one run has, and refuses runs that don't fit", () => {
    expect(compareRuns(weak, strong.slice(10), rule, options)).toMatchObject({ images: 190, unmatched: 10 });
    expect(() => compareRuns(weak, [examplePrediction("x", 1, 0.5)], rule)).toThrow(/no image in common/);
    const relabelled = weak.map((item) => ({ ...item, label: 1 - item.label }));
    expect(() => compareRuns(weak, relabelled, rule)).toThrow(/disagree on the label of 0-0\.png/);
    expect(() => compareRuns([...weak, weak[0]!], strong, rule)).toThrow(/predict an image once/);
  });
});
