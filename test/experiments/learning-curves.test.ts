import { describe, expect, it } from "vitest";
import { limitImages, takePatients } from "../../src/data/split/patient-subset";
import { splitByImage, splitByPatient } from "../../src/data/split/split";
import { headArm, type LearningArm, measureLearningCurves } from "../../src/experiments/learning-curves";
import { requestStop } from "../../src/runtime/interruption";
import { countNativeValues } from "../../src/runtime/native/native-backend";
import { tf } from "../../src/runtime/tensorflow";
import type { TrainingSettings } from "../../src/training/head/train";
import { exampleCohort } from "../support/runs/example-cohort";

const settings: TrainingSettings = {
  hiddenUnits: [8],
  dropout: 0,
  l2: 1e-4,
  learningRate: 0.02,
  epochs: 20,
  batchSize: 16,
  classWeights: "balanced",
  patience: 8,
  seed: 3,
};
const cohort = exampleCohort({ patients: 60, imagesPerPatient: 4, seed: 5, disease: 0.5, identity: 0.4 });
const { dataset } = cohort;
const split = splitByPatient(dataset, 1);
const bootstrap = { resamples: 200 };

describe("takePatients", () => {
  const rows = [...split.train, ...split.validation];
  const patientsOf = (part: number[]) => new Set(part.map((row) => dataset.records[row]!.patient));

  it.each([0.1, 0.5, 1])("takes %d of the patients of each class, whole ones", (share) => {
    const subset = takePatients(dataset, rows, share, 7);
    const [train, validation] = [patientsOf(subset.train), patientsOf(subset.validation)];
    expect([...train].filter((patient) => validation.has(patient))).toEqual([]);
    expect(subset.patients).toBe(train.size + validation.size);
    expect(subset.train.length).toBe(4 * train.size);
    const taken = [...subset.train, ...subset.validation];
    expect(taken.every((row) => rows.includes(row))).toBe(true);
    expect(taken.length / rows.length).toBeCloseTo(share, 1);
    for (const label of [0, 1]) {
      const all = patientsOf(rows.filter((row) => dataset.records[row]!.label === label)).size;
      const own = patientsOf(taken.filter((row) => dataset.records[row]!.label === label)).size;
      expect(Math.abs(own - share * all)).toBeLessThanOrEqual(1);
    }
  });

  it("takes at least two patients of each class, and others for another seed", () => {
    const few = takePatients(dataset, rows, 0.01, 1);
    expect(few.patients).toBe(4);
    for (const part of [few.train, few.validation]) {
      expect(new Set(part.map((row) => dataset.records[row]!.label)).size).toBe(2);
    }
    expect(takePatients(dataset, rows, 0.01, 1)).toEqual(few);
    expect(takePatients(dataset, rows, 0.01, 2)).not.toEqual(few);
  });

  it("refuses shares out of range, unknown patients and too few of them", () => {
    for (const share of [0, 1.1, Number.NaN]) {
      expect(() => takePatients(dataset, rows, share, 1)).toThrow(RangeError);
    }
    const records = dataset.records.map((record, i) =>
      i === rows[0] ? { ...record, patient: null } : record,
    );
    expect(() => takePatients({ ...dataset, records }, rows, 1, 1)).toThrow(/does not tell it/);
    expect(() => takePatients(dataset, rows.slice(0, 4), 1, 1)).toThrow(/at least 2 of each class/);
  });
});

describe("limitImages", () => {
  it("leaves so many images of each patient, in their order, the same ones for the same seed", () => {
    const limited = limitImages(dataset, 3, 1);
    const counts = new Map<string | null, number>();
    for (const { patient } of limited.records) counts.set(patient, (counts.get(patient) ?? 0) + 1);
    expect([...counts.values()]).toEqual(new Array(60).fill(3));
    const files = limited.records.map(({ file }) => file);
    expect(files).toEqual([...files].sort());
    expect(limitImages(dataset, 3, 1).records).toEqual(limited.records);
    expect(limitImages(dataset, 3, 2).records).not.toEqual(limited.records);
    expect(limitImages(dataset, 100, 1).records).toEqual(dataset.records);
    expect(() => limitImages(dataset, 0, 1)).toThrow(RangeError);
  });
});

describe("measureLearningCurves", () => {
  it("rises with the number of patients, and tells a better arm from one that guesses", async () => {
    const noise = exampleCohort({ patients: 60, imagesPerPatient: 4, seed: 9, disease: 0 }).features;
    const arms = [
      headArm("features that know", { ...cohort, settings }),
      headArm("features that don't", { dataset, features: noise, settings }),
    ];
    const before = [tf.memory().numTensors, countNativeValues()];
    const seen: number[] = [];
    const curves = await measureLearningCurves({
      dataset,
      split,
      arms,
      shares: [1, 0.05],
      seeds: [1, 2],
      bootstrap,
      onPoint: (points) => seen.push(points.length),
    });
    expect([tf.memory().numTensors, countNativeValues()]).toEqual(before);
    expect(curves).toMatchObject({ complete: true, testImages: split.test.length, seeds: [1, 2] });
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(curves.points.map(({ arm, share }) => [share, arm])).toEqual([
      [0.05, "features that know"],
      [0.05, "features that don't"],
      [1, "features that know"],
      [1, "features that don't"],
    ]);
    const [few, , many, guessing] = curves.points;
    expect(many!.patients).toBeGreaterThan(few!.patients);
    const auc = (point: typeof few) => point!.scores.image.scores.auc;
    expect(auc(many).value!).toBeGreaterThan(auc(few).value!);
    expect(auc(many).low!).toBeGreaterThan(auc(guessing).value!);
    expect(auc(many).patients).toBe(curves.testPatients);
    expect(few!.scores.groups).toBe(2);
  });

  it("asks every arm with the same subsets, and other seeds for other subsets", async () => {
    const asked: string[][] = [[], []];
    const record = (index: number): LearningArm => ({
      name: `arm ${index}`,
      learn: async (subset, test, seed) => {
        asked[index]!.push(JSON.stringify([subset, seed]));
        return new Float32Array(test.length * 2).fill(0.5);
      },
    });
    await measureLearningCurves({ dataset, split, arms: [record(0), record(1)], seeds: [1, 2], bootstrap });
    expect(asked[0]).toEqual(asked[1]);
    expect(new Set(asked[0]).size).toBe(10);
  });

  it("measures shares that take equally many patients once", async () => {
    const arm: LearningArm = {
      name: "guessing",
      learn: async (_subset, test) => new Float32Array(test.length * 2).fill(0.5),
    };
    const shares = [0.001, 0.01, 0.5, 0.501, 1];
    const { points } = await measureLearningCurves({
      dataset,
      split,
      arms: [arm],
      shares,
      seeds: [1],
      bootstrap,
    });
    expect(points.map(({ share }) => share)).toEqual([0.001, 0.5, 1]);
  });

  it("gives the points that were finished when it is interrupted", async () => {
    const arms = [headArm("a", { ...cohort, settings })];
    const curves = await measureLearningCurves({
      dataset,
      split,
      arms,
      seeds: [1],
      bootstrap,
      onPoint: (points) => {
        if (points.length === 2) requestStop();
      },
    });
    expect(curves.complete).toBe(false);
    expect(curves.points.map(({ share }) => share)).toEqual([0.05, 0.1]);
  });

  it("refuses a split by image, and nothing to compare", async () => {
    const arms = [headArm("a", { ...cohort, settings })];
    const byImage = { ...splitByImage(dataset, 1) };
    await expect(measureLearningCurves({ dataset, split: byImage, arms })).rejects.toThrow(
      /split by patient/,
    );
    await expect(measureLearningCurves({ dataset, split, arms: [] })).rejects.toThrow(RangeError);
    await expect(measureLearningCurves({ dataset, split, arms, shares: [] })).rejects.toThrow(RangeError);
  });
});
