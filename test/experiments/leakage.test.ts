import { describe, expect, it } from "vitest";
import { type AuditScore, auditLeakage, concludeAudit } from "../../src/experiments/leakage";
import { neighbourShares } from "../../src/experiments/nearest-neighbours";
import { requestStop } from "../../src/runtime/interruption";
import { onProgress } from "../../src/runtime/progress";
import { tf } from "../../src/runtime/tensorflow";
import type { Interval } from "../../src/scores/intervals/bootstrap";
import type { TrainingSettings } from "../../src/training/head/train";
import { exampleRecord } from "../support/data/example-dataset";
import { inMemory } from "../support/model/values-in-memory";
import { exampleCohort } from "../support/runs/example-cohort";

const settings: TrainingSettings = {
  hiddenUnits: [8],
  dropout: 0,
  l2: 1e-4,
  learningRate: 0.02,
  epochs: 25,
  batchSize: 32,
  classWeights: "balanced",
  patience: 8,
  seed: 3,
};
const bootstrap = { resamples: 300 };

describe("auditLeakage", () => {
  it("finds the gap where features know the patient and nothing of the disease", async () => {
    const cohort = exampleCohort({ patients: 27, imagesPerPatient: 8, seed: 5, disease: 0, identity: 2 });
    const before = tf.memory().numTensors;
    const audit = await auditLeakage({ ...cohort, settings, seeds: [1, 2, 3, 4], bootstrap });
    expect(tf.memory().numTensors).toBe(before);
    expect(audit.complete).toBe(true);
    expect(audit.seeds.map(({ seed }) => seed)).toEqual([1, 2, 3, 4]);
    const { imageAccuracy, accuracyGap } = audit.scores!;
    expect(imageAccuracy.value).toBeGreaterThan(0.9);
    expect(accuracyGap.low).toBeGreaterThan(0);
    expect(audit.conclusion).toMatch(
      /^Splitting by image makes the accuracy look [\d.]+ points better .*4 seeds, 27 patients/,
    );
    expect(audit.neighbours!.samePatient.share).toBeGreaterThan(0.95);
    expect(audit.neighbours!.samePatient.chance).toBeCloseTo(7 / 215, 12);
    expect(audit.majorityClassAccuracy).toBeCloseTo(2 / 3, 12);
    const mean = audit.seeds.reduce((sum, { image }) => sum + image.accuracy, 0) / 4;
    expect(imageAccuracy.value).toBeCloseTo(mean, 12);
    for (const { image, patient } of audit.seeds) {
      expect(image.testPatients).toBeGreaterThan(patient.testPatients);
    }
  });

  it("claims no gap where there is none", async () => {
    const cohort = exampleCohort({ patients: 27, imagesPerPatient: 6, seed: 6, disease: 3 });
    const audit = await auditLeakage({ ...cohort, settings, seeds: [1, 2, 3], bootstrap });
    expect(audit.scores!.patientAccuracy.value).toBeGreaterThan(0.95);
    expect(audit.conclusion).toMatch(/^No gap between the splits could be shown/);
  });

  it("gives the seeds that were finished when it is interrupted", async () => {
    const cohort = exampleCohort({ patients: 24, imagesPerPatient: 3, seed: 7 });
    const unsubscribe = onProgress(({ done }) => {
      if (done === 3) requestStop();
    });
    const audit = await auditLeakage({ ...cohort, settings, seeds: [1, 2, 3], bootstrap });
    unsubscribe();
    expect(audit.complete).toBe(false);
    expect(audit.seeds.map(({ seed }) => seed)).toEqual([1]);
    expect(audit.conclusion).toMatch(/1 seed,/);
  });

  it("refuses incomplete features, no seeds, and too few patients", async () => {
    const cohort = exampleCohort({ patients: 6, imagesPerPatient: 3, seed: 7 });
    const features = { ...cohort.features, complete: false };
    await expect(auditLeakage({ ...cohort, features, settings })).rejects.toThrow(/incomplete/);
    await expect(auditLeakage({ ...cohort, settings, seeds: [] })).rejects.toThrow(/at least one seed/);
    await expect(auditLeakage({ ...cohort, settings })).rejects.toThrow(/patients of each class/);
  });
});

describe("concludeAudit", () => {
  const interval = (value: number, low: number, high: number): Interval => ({
    value,
    low,
    high,
    level: 0.95,
    patients: 20,
    resamples: 100,
    undefinedResamples: 0,
  });
  const withGap = (gap: Interval) =>
    ({
      imageAccuracy: interval(0.9, 0.8, 1),
      patientAccuracy: interval(0.8, 0.7, 0.9),
      accuracyGap: gap,
    }) as Record<AuditScore, Interval>;

  it("says only what the interval allows", () => {
    expect(concludeAudit(withGap(interval(0.1, 0.02, 0.2)), 10)).toBe(
      "Splitting by image makes the accuracy look 10.0 points better than it is for a new patient (90.0 % split by image, 80.0 % by patient; 95 % interval 2.0 to 20.0, 10 seeds, 20 patients).",
    );
    expect(concludeAudit(withGap(interval(0.1, -0.02, 0.2)), 1)).toMatch(/^No gap .* 10\.0 points .*1 seed,/);
    expect(concludeAudit(withGap(interval(-0.1, -0.2, -0.05)), 5)).toMatch(/10\.0 points lower/);
    const stopped = { ...interval(-0.1, 0, 0), low: null, high: null, resamples: 2 };
    expect(concludeAudit(withGap(stopped), 5)).toMatch(
      /-10\.0 points\. Resampling was stopped after 2 resamples; below 200 .* nothing can be said/,
    );
    expect(concludeAudit(null, 0)).toMatch(/stopped before a seed was finished/);
  });
});

describe("neighbourShares", () => {
  /** The same by plain loops over pairs. */
  function plainly(
    values: Float32Array,
    width: number,
    records: { patient: string | null; label: number }[],
  ) {
    const row = (i: number) => values.subarray(i * width, (i + 1) * width);
    const dot = (i: number, j: number) => row(i).reduce((sum, value, k) => sum + value * row(j)[k]!, 0);
    const cosine = (i: number, j: number) => dot(i, j) / Math.sqrt(dot(i, i) * dot(j, j));
    const euclidean = (i: number, j: number) => -(dot(i, i) + dot(j, j) - 2 * dot(i, j));
    return (metric: "cosine" | "euclidean") => {
      const near = (i: number, allowed: (j: number) => boolean) => {
        const others = records.map((_, j) => j).filter((j) => j !== i && allowed(j));
        const like = metric === "cosine" ? cosine : euclidean;
        return others.reduce((best, j) => (like(i, j) > like(i, best) ? j : best));
      };
      const share = (hits: boolean[]) => hits.filter(Boolean).length / hits.length;
      const same = (i: number, j: number) => records[i]!.patient === records[j]!.patient;
      return {
        samePatient: share(
          records.map((_, i) =>
            same(
              i,
              near(i, () => true),
            ),
          ),
        ),
        within: share(
          records.map((one, i) =>
            same(
              i,
              near(i, (j) => records[j]!.label === one.label),
            ),
          ),
        ),
        across: share(records.map((one, i) => records[near(i, (j) => !same(i, j))]!.label === one.label)),
      };
    };
  }

  it.each(["cosine", "euclidean"] as const)("agrees with plain loops (%s)", async (metric) => {
    const { dataset, features } = exampleCohort({
      patients: 15,
      imagesPerPatient: 4,
      seed: 3,
      identity: 0.2,
      disease: 0.3,
    });
    const before = tf.memory().numTensors;
    const found = await neighbourShares(dataset, features.values, features.width, { metric });
    expect(tf.memory().numTensors).toBe(before);
    const expected = plainly(inMemory(features.values), features.width, dataset.records)(metric);
    expect(found!.samePatient.share).toBe(expected.samePatient);
    expect(found!.samePatientWithinClass.share).toBe(expected.within);
    expect(found!.sameClassAcrossPatients.share).toBe(expected.across);
    expect(found!.samePatient).toMatchObject({ images: 60 });
    expect(found!.samePatient.chance).toBeCloseTo(3 / 59, 12);
  });

  it("does not count copies of an image, lone images, or unknown patients", async () => {
    const record = (patient: string | null, sha256: string, label = 0) =>
      exampleRecord({ patient, sha256, label });
    const records = [
      record("a", "copy"),
      record("a", "copy"),
      record("a", "2"),
      record("b", "3", 1),
      record(null, "4"),
    ];
    // The copies are equal; b's only image is nearest to them, the unknown one even nearer.
    const values = Float32Array.from([1, 0, 1, 0, 0, 1, 1, 0.1, 1, 0.01]);
    const found = await neighbourShares({ records }, values, 2);
    expect(found!.samePatient).toMatchObject({ images: 3, share: 0 });
    expect(found!.sameClassAcrossPatients).toMatchObject({ images: 4, share: 0 });
    await expect(neighbourShares({ records }, values, 3)).rejects.toThrow(RangeError);
  });
});
