import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutOfFoldPrediction } from "../../../src/scores/prediction";
import { chooseThreshold, listWork, workloadCurve } from "../../../src/scores/triage/triage";
import { crossValidateTriage, evaluateTriage } from "../../../src/scores/triage/triage-report";
import { clusteredPredictions } from "../../support/runs/example-cohort";
import { examplePrediction } from "../../support/runs/example-run";

const wanted = { targetSensitivity: 0.75, positiveClass: 1 };
const positives = (...scores: number[]) => scores.map((score, i) => examplePrediction(`p${i}`, 1, score));

describe("chooseThreshold", () => {
  it("takes the least work that keeps the target, midway between the last score to be found and the next", () => {
    const found = chooseThreshold(
      [...positives(0.9, 0.7, 0.6, 0.2), examplePrediction("n", 0, 0.95)],
      wanted,
    );
    expect(found).toMatchObject({
      threshold: 0.4,
      validationSensitivity: 0.75,
      validationPositives: 4,
      target: 0.75,
      level: "image",
      chosenOn: "validation",
    });
    expect(found.sensitivityInterval).toMatchObject({ value: 0.75, patients: 4 });
    expect(found.description).toMatch(/3 of 4 positive images .* 75 %\. .* by 25 %\.$/);
  });

  it("finds tied scores together", () => {
    expect(
      chooseThreshold(positives(0.9, 0.5, 0.5, 0.5), { ...wanted, targetSensitivity: 0.5 }),
    ).toMatchObject({ threshold: 0.25, validationSensitivity: 1 });
  });

  it("goes no higher than where the classifier decides, and is not decided by one image's last digits", () => {
    const high = chooseThreshold(positives(0.99, 0.98, 0.97, 0.9), { ...wanted, targetSensitivity: 0.5 });
    expect(high).toMatchObject({ threshold: 0.5, validationSensitivity: 1 });
    const between = chooseThreshold([...positives(0.9, 0.3), examplePrediction("n", 0, 0.2)], {
      ...wanted,
      targetSensitivity: 1,
    });
    expect(between.threshold).toBeCloseTo(0.25, 12);
  });

  it("says when the target can only be met by finding all, and is not fooled by rounding", () => {
    const few = chooseThreshold(positives(0.9, 0.7, 0.1), { ...wanted, targetSensitivity: 0.95 });
    expect(few.threshold).toBe(0.05);
    expect(few.description).toMatch(/can only be met by finding all/);
    const twenty = positives(...Array.from({ length: 20 }, (_, i) => (i + 1) / 21));
    expect(chooseThreshold(twenty, { ...wanted, targetSensitivity: 0.95 }).threshold).toBeCloseTo(
      1.5 / 21,
      12,
    );
  });

  it("decides about patients by their mean", () => {
    const patients = [
      examplePrediction("a", 1, 0.9, { file: "1" }),
      examplePrediction("a", 1, 0.3, { file: "2" }),
      examplePrediction("b", 1, 0.25, { file: "3" }),
      examplePrediction("c", 0, 0.8, { file: "4" }),
    ];
    const locked = chooseThreshold(patients, { ...wanted, targetSensitivity: 0.5, level: "patient" });
    expect(locked.threshold).toBeCloseTo((0.6 + 0.25) / 2, 12);
    expect(locked.validationPositives).toBe(2);
  });

  it("keeps the target, and from the next score on would miss it", () => {
    const score = fc.integer({ min: 0, max: 12 }).map((n) => n / 12);
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 20 }),
        (scores, twentieths) => {
          const targetSensitivity = twentieths / 20;
          const { threshold } = chooseThreshold(positives(...scores), { ...wanted, targetSensitivity });
          const sensitivity = (t: number) => scores.filter((s) => s >= t).length / scores.length;
          expect(sensitivity(threshold)).toBeGreaterThanOrEqual(targetSensitivity - 1e-9);
          // No score lies on it, it spares nothing that is called positive, and none but those would be spared above it.
          expect(threshold).toBeLessThanOrEqual(0.5);
          if (threshold < 0.5) expect(scores.filter((s) => s > 0)).not.toContain(threshold);
          const above = scores.filter((s) => s > threshold && s < 0.5);
          const next = above.reduce((least, s) => Math.min(least, s), 1);
          for (const higher of above.filter((s) => s > next)) {
            expect(sensitivity(higher)).toBeLessThan(targetSensitivity);
          }
        },
      ),
    );
  });

  it("refuses without positives, or without a sensible target", () => {
    expect(() => chooseThreshold([examplePrediction("a", 0, 0.4)], wanted)).toThrow(/No image of validation/);
    expect(() => chooseThreshold(positives(0.5), { ...wanted, targetSensitivity: 95 })).toThrow(/found 95/);
  });
});

const test = [
  examplePrediction("a", 1, 0.9, { file: "a1" }),
  examplePrediction("a", 1, 0.2, { file: "a2" }),
  examplePrediction("b", 1, 0.1, { file: "b1" }),
  examplePrediction("c", 0, 0.05, { file: "c1" }),
  examplePrediction("c", 0, 0.45, { file: "c2" }),
  examplePrediction("d", 0, 0.15, { file: "d1" }),
];
const locked = { ...chooseThreshold(positives(0.4), wanted), threshold: 0.4 };

describe("evaluateTriage", () => {
  it("counts the work that is spared and the cancers that are missed", () => {
    const report = evaluateTriage(test, locked);
    expect(report).toMatchObject({
      images: 6,
      positiveImages: 3,
      missedImages: 2,
      patients: 4,
      positivePatients: 2,
      missedPatients: 1,
      partlyMissedPatients: 2,
    });
    expect(report.shares.imagesSpared.value).toBeCloseTo(4 / 6, 12);
    expect(report.shares.patientsSpared.value).toBe(0.5);
    expect(report.shares.sensitivity.value).toBeCloseTo(1 / 3, 12);
    expect(report.shares.specificity.value).toBeCloseTo(2 / 3, 12);
    // One of two patients: Clopper and Pearson's own interval.
    expect(report.shares.missedPatients).toMatchObject({ value: 0.5, patients: 2 });
    expect(report.shares.missedPatients.low).toBeCloseTo(1 - Math.sqrt(1 - 0.025), 12);
  });

  it("looks at all of a patient's images or at none where patients are decided about", () => {
    const report = evaluateTriage(test, { ...locked, level: "patient" });
    expect(report).toMatchObject({ missedImages: 1, missedPatients: 1, partlyMissedPatients: 1 });
    expect(report.shares.imagesSpared.value).toBeCloseTo(4 / 6, 12);
  });

  it("uses the threshold as it was locked, whatever the test images say", () => {
    const changed = test.map((item) => ({ ...item, label: 1 - item.label }));
    const spared = (items: typeof test) => evaluateTriage(items, locked).shares.imagesSpared.value;
    expect(spared(changed)).toBe(spared(test));
  });

  it("needs no patients, and no share of patients is made up then", () => {
    expect(() => evaluateTriage([], locked)).toThrow(/no predictions/);
    const unknown = test.map((one) => ({ ...one, patient: null }));
    const report = evaluateTriage(unknown, locked);
    expect(report).toMatchObject({ images: 6, missedImages: 2, patients: 0, positivePatients: 0 });
    expect(report.shares.missedPatients).toMatchObject({ value: null, low: null, high: null });
    expect(report.shares.sensitivity.value).toBeCloseTo(1 / 3, 12);
  });

  it("never spares what the classifier itself calls positive, however high the threshold was locked", () => {
    const high = { ...locked, threshold: 0.893 };
    const report = evaluateTriage([examplePrediction("a", 1, 0.83, { file: "a1" })], high);
    expect(report).toMatchObject({ missedImages: 0, missedPatients: 0 });
  });
});

describe("crossValidateTriage", () => {
  const pooled = (repeats: number): OutOfFoldPrediction[] =>
    Array.from({ length: repeats }, (_, repeat) =>
      clusteredPredictions(15, 4, 3).map(
        (item): OutOfFoldPrediction => ({
          ...item,
          split: "test",
          fold: Number(item.patient?.slice(1)) % 5,
          repeat,
        }),
      ),
    ).flat();

  it("chooses each fold's threshold without looking at the fold", () => {
    const predictions = pooled(1);
    const { thresholds } = crossValidateTriage(predictions, wanted);
    expect(thresholds.map(({ fold }) => fold)).toEqual([0, 1, 2, 3, 4]);
    const changed = predictions.map((item) => (item.fold === 2 ? { ...item, probabilities: [0, 1] } : item));
    const after = crossValidateTriage(changed, wanted).thresholds;
    expect(after[2]).toEqual(thresholds[2]);
    for (const { threshold, fold } of thresholds) {
      const others = predictions.filter((item) => item.fold !== fold);
      expect(chooseThreshold(others, wanted).threshold).toBe(threshold);
    }
  });

  it("counts repeats as repeats, not as more patients", () => {
    const [once, thrice] = [1, 3].map((repeats) => crossValidateTriage(pooled(repeats), wanted).report);
    expect(thrice).toMatchObject({ images: 60, patients: 15, missedImages: once!.missedImages });
    expect(thrice!.shares.sensitivity.low).toBeCloseTo(once!.shares.sensitivity.low!, 12);
  });

  it("refuses a single fold", () => {
    const one = pooled(1).map((item) => ({ ...item, fold: 0 }));
    expect(() => crossValidateTriage(one, wanted)).toThrow(/only one/);
  });
});

describe("workloadCurve", () => {
  it("goes from looking at nothing to looking at everything, tied images together", () => {
    const items = [0.9, 0.5, 0.5, 0.1].map((score, i) => examplePrediction(`${i}`, i % 2, score));
    expect(workloadCurve(items, 1)).toEqual([
      { threshold: Number.POSITIVE_INFINITY, lookShare: 0, missedShare: 1, missed: 2 },
      { threshold: 0.9, lookShare: 0.25, missedShare: 1, missed: 2 },
      { threshold: 0.5, lookShare: 0.75, missedShare: 0.5, missed: 1 },
      { threshold: 0.1, lookShare: 1, missedShare: 0, missed: 0 },
    ]);
    expect(workloadCurve(test, 1, "patient")).toHaveLength(5);
    expect(() => workloadCurve([], 1)).toThrow(RangeError);
  });
});

describe("listWork", () => {
  it("puts the most suspicious first, and names what lies between threshold and one half doubtful", () => {
    const rows = listWork(test, { ...locked, threshold: 0.18 });
    expect(rows.map(({ rank, file, kind, needsLook }) => [rank, file, kind, needsLook])).toEqual([
      [1, "a1", "positive", true],
      [2, "c2", "doubtful", true],
      [3, "a2", "doubtful", true],
      [4, "d1", "negative", false],
      [5, "b1", "negative", false],
      [6, "c1", "negative", false],
    ]);
    const strict = listWork([examplePrediction("a", 1, 0.6)], { ...locked, threshold: 0.8 });
    expect(strict[0]).toMatchObject({ kind: "positive", needsLook: true });
    // Called positive in a patient whose mean stays below the threshold.
    const mixed = [
      examplePrediction("a", 1, 0.7, { file: "called" }),
      examplePrediction("a", 1, 0.02, { file: "other" }),
      examplePrediction("b", 0, 0.38, { file: "calm" }),
    ];
    const byPatient = listWork(mixed, { ...locked, level: "patient", threshold: 0.4 });
    expect(byPatient.map(({ file, needsLook }) => [file, needsLook])).toEqual([
      ["called", true],
      ["calm", false],
      ["other", false],
    ]);
  });

  it("keeps a patient's images together where patients are decided about", () => {
    const rows = listWork(test, { ...locked, level: "patient" });
    expect(rows.map(({ file }) => file)).toEqual(["a1", "a2", "c2", "c1", "d1", "b1"]);
    expect(rows[1]).toMatchObject({ probability: 0.2, needsLook: true });
  });
});
