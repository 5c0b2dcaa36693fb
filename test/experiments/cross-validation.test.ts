import { describe, expect, it } from "vitest";
import { viewsOf } from "../../src/data/images/image-views";
import { crossValidate } from "../../src/experiments/cross-validation";
import { type Fold, foldsByPatient } from "../../src/experiments/patient-folds";
import { requestStop } from "../../src/runtime/interruption";
import { onProgress } from "../../src/runtime/progress";
import { createRandom } from "../../src/runtime/random";
import { tf } from "../../src/runtime/tensorflow";
import { scoreWithIntervals } from "../../src/scores/intervals/score-intervals";
import { exampleDataset, exampleRecord } from "../support/data/example-dataset";
import { inMemory } from "../support/model/values-in-memory";
import { exampleCohort, quickTraining } from "../support/runs/example-cohort";

const settings = quickTraining;
const cohort = exampleCohort({ patients: 24, imagesPerPatient: 5, seed: 2 });
const { dataset } = cohort;

const patientsOf = (rows: readonly number[]) => new Set(rows.map((row) => dataset.records[row]!.patient));
const imagesOf = (rows: readonly number[], label: number) =>
  rows.filter((row) => dataset.records[row]!.label === label).length;

describe("foldsByPatient", () => {
  const folds = foldsByPatient(dataset, 5, createRandom(1));

  it("holds each image out once, and keeps each patient in one part of a fold", () => {
    const all = dataset.records.map((_, row) => row);
    expect(folds.flatMap(({ test }) => test).sort((a, b) => a - b)).toEqual(all);
    for (const { test, train, validation } of folds) {
      expect([...test, ...train, ...validation].sort((a, b) => a - b)).toEqual(all);
      const parts = [test, train, validation].map(patientsOf);
      expect(parts.reduce((sum, part) => sum + part.size, 0)).toBe(24);
    }
  });

  it("balances both classes over the folds, and has both in every part", () => {
    for (const fold of folds) {
      // 8 benign and 16 malignant patients of 5 images in 5 folds.
      expect([5, 10]).toContain(imagesOf(fold.test, 0));
      expect([15, 20]).toContain(imagesOf(fold.test, 1));
      for (const label of [0, 1]) expect(imagesOf(fold.validation, label)).toBeGreaterThan(0);
    }
  });

  it("depends on the seed only", () => {
    expect(foldsByPatient(dataset, 5, createRandom(1))).toEqual(folds);
    expect(foldsByPatient(dataset, 5, createRandom(2))).not.toEqual(folds);
  });

  it("keeps patients who share an image in one fold", () => {
    const records = dataset.records.map((record, row) =>
      row === 5 || row === 20 ? { ...record, sha256: "shared" } : record,
    );
    const sharing = foldsByPatient({ ...dataset, records }, 5, createRandom(4));
    expect(sharing.filter(({ test }) => test.includes(5) || test.includes(20))).toHaveLength(1);
  });

  it("deals patients who have images of both classes", () => {
    const records = Array.from({ length: 90 }, (_, row) =>
      exampleRecord({
        file: `${row}`,
        sha256: `${row}`,
        patient: `${Math.floor(row / 6)}`,
        label: row % 3 === 0 ? 1 : 0,
      }),
    );
    const mixed = exampleDataset({ records });
    for (const { test, train } of foldsByPatient(mixed, 5, createRandom(1))) {
      expect(test.filter((row) => records[row]!.label === 1)).toHaveLength(6);
      expect(new Set(train.map((row) => records[row]!.label)).size).toBe(2);
    }
  });

  it("says how many folds are possible when a class has too few patients", () => {
    const withPatients = (benign: number, malignant: number) =>
      exampleDataset({
        records: [...new Array(benign).fill(0), ...new Array(malignant).fill(1)].map((label, i) =>
          exampleRecord({ label, patient: `${i}`, file: `${i}`, sha256: `${i}` }),
        ),
      });
    const deal = (benign: number, malignant: number, count: number) => () =>
      foldsByPatient(withPatients(benign, malignant), count, createRandom(1));
    expect(deal(4, 17, 5)).toThrow(/found benign 4, malignant 17\. Up to 4 folds are possible\./);
    expect(deal(3, 17, 2)).toThrow(/Up to 3 folds are possible, and no fewer than 3\./);
    expect(deal(2, 17, 2)).toThrow(/at least 3 of each class/);
    expect(deal(4, 17, 4)).not.toThrow();
    expect(deal(3, 3, 3)).not.toThrow();
    expect(deal(9, 9, 1)).toThrow(/at least 2, found 1/);
  });

  it("refuses images of unknown patients", () => {
    const records = [...dataset.records, exampleRecord({ patient: null, file: "who.png" })];
    expect(() => foldsByPatient({ ...dataset, records }, 5, createRandom(1))).toThrow(/who\.png/);
  });
});

describe("crossValidate", () => {
  it("predicts every image once a repeat, reports progress, and leaves no tensors", async () => {
    const before = tf.memory().numTensors;
    const tasks: string[] = [];
    const unsubscribe = onProgress(({ task, done, total }) => tasks.push(`${task} ${done}/${total}`));
    const found = await crossValidate({ ...cohort, settings, folds: 4, repeats: 2 });
    unsubscribe();
    expect(tf.memory().numTensors).toBe(before);
    expect(found).toMatchObject({ foldCount: 4, repeats: 2, seed: 3, complete: true });
    expect(found.folds).toHaveLength(8);
    for (const repeat of [0, 1]) {
      const own = found.predictions.filter((one) => one.repeat === repeat);
      expect(new Set(own.map(({ file }) => file)).size).toBe(120);
      for (const { fold, testPatients } of found.folds.filter((one) => one.repeat === repeat)) {
        const tested = own.filter((one) => one.fold === fold).map(({ patient }) => patient);
        expect([...new Set(tested)].sort()).toEqual(testPatients);
      }
    }
    expect(new Set(tasks.map((text) => text.split(" ")[0]))).toEqual(new Set(["Cross-validating"]));
    expect(tasks.at(-1)).toBe("Cross-validating 8/8");

    const scores = scoreWithIntervals(
      found.predictions,
      { positiveClass: 1, threshold: 0.5 },
      { resamples: 200 },
    );
    expect(scores).toMatchObject({ groups: 2, image: { count: 120 }, patient: { count: 24 } });
    expect(scores.image.scores.auc.value).toBeGreaterThan(0.9);
    expect(scores.image.majorityClassAccuracy).toBeCloseTo(16 / 24, 12);
    expect(scores.patient!.count).toBe(24);
    expect(scores.patient!.coarseness).toMatch(/24 patients .* 4\.2 points/);
  });

  it("never lets a held-out patient into training: other labels and features there change nothing", async () => {
    const folds = foldsByPatient(dataset, 4, createRandom(9));
    const given = [folds[0]!];
    const first = await crossValidate({ ...cohort, settings, given });
    const held = new Set(folds[0]!.test);
    const records = dataset.records.map((record, row) =>
      held.has(row) ? { ...record, label: 1 - record.label } : record,
    );
    const flipped = await crossValidate({ ...cohort, dataset: { ...dataset, records }, settings, given });
    expect(flipped.predictions.map(({ probabilities }) => probabilities)).toEqual(
      first.predictions.map(({ probabilities }) => probabilities),
    );
    expect(first.predictions).toHaveLength(held.size);
  });

  it("takes folds that test an image several times, as the official ones do, for repeats", async () => {
    const [one, two] = [1, 2].map((seed) => foldsByPatient(dataset, 3, createRandom(seed))[0]!);
    const found = await crossValidate({ ...cohort, settings, given: [one!, { ...two!, fold: 1 }] });
    expect(found).toMatchObject({ repeats: 2, foldCount: 2, complete: true });
    expect(found.folds.map(({ fold, repeat }) => [fold, repeat])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    const parts = foldsByPatient(dataset, 3, createRandom(1));
    const whole = await crossValidate({ ...cohort, settings, given: parts });
    expect(whole.folds.map(({ repeat }) => repeat)).toEqual([0, 0, 0]);
  });

  it("finds nothing in features without disease, though patients are easily told apart", async () => {
    const blind = exampleCohort({ patients: 24, imagesPerPatient: 6, seed: 8, disease: 0, identity: 1 });
    const { predictions } = await crossValidate({ ...blind, settings, repeats: 2 });
    const { image } = scoreWithIntervals(
      predictions,
      { positiveClass: 1, threshold: 0.5 },
      { resamples: 300 },
    );
    expect(image.scores.auc.low).toBeLessThan(0.5);
    expect(image.scores.auc.value).toBeLessThan(0.7);
  });

  it("gives the folds that were finished when it is interrupted", async () => {
    const unsubscribe = onProgress(({ done }) => {
      if (done === 2) requestStop();
    });
    const before = tf.memory().numTensors;
    const found = await crossValidate({ ...cohort, settings, folds: 4 });
    unsubscribe();
    expect(found.complete).toBe(false);
    expect(found.folds.map(({ fold }) => fold)).toEqual([0, 1]);
    expect(new Set(found.predictions.map(({ fold }) => fold))).toEqual(new Set([0, 1]));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("gives the same predictions for the same seed, whatever else is asked for", async () => {
    const one = await crossValidate({ ...cohort, settings, folds: 3 });
    const two = await crossValidate({ ...cohort, settings, folds: 3, repeats: 2 });
    expect(two.predictions.filter(({ repeat }) => repeat === 0)).toEqual(one.predictions);
    const other = await crossValidate({ ...cohort, settings, folds: 3, seed: 4 });
    expect(other.predictions).not.toEqual(one.predictions);
  });

  it("takes three classes", async () => {
    const records = dataset.records.map((record, row) => ({ ...record, label: Math.floor(row / 5) % 3 }));
    const three = { ...dataset, classes: ["a", "b", "c"], positiveClass: null, records };
    const { predictions } = await crossValidate({ ...cohort, dataset: three, settings, folds: 3 });
    expect(predictions[0]!.probabilities).toHaveLength(3);
    const scores = scoreWithIntervals(
      predictions,
      { positiveClass: null, threshold: 0.5 },
      { resamples: 50 },
    );
    expect(scores.image.scores.auc.value).toBeNull();
    expect(scores.image.scores.accuracy.value).toBeGreaterThan(0);
  });

  it("keeps a record's views with the record, and answers with their mean on request", async () => {
    const { features } = cohort;
    const viewed = (by: number) => ({
      ...features,
      views: viewsOf("turns")
        .slice(1)
        .map((view, i) => ({ view, values: inMemory(features.values).map((value) => value + by * i) })),
    });
    const predictionsOf = async (task: Parameters<typeof crossValidate>[0]) =>
      (await crossValidate(task)).predictions.map(({ probabilities }) => probabilities);
    const averaging = { ...settings, averageViews: true };
    const plain = await predictionsOf({ ...cohort, settings });
    // Views that are the image itself change nothing, neither what is learned nor, but for rounding, the mean.
    expect(await predictionsOf({ ...cohort, features: viewed(0), settings })).toEqual(plain);
    expect(await predictionsOf({ ...cohort, features: viewed(0), settings: averaging })).toEqual(plain);
    const changed = await predictionsOf({ ...cohort, features: viewed(0.1), settings });
    expect(changed).not.toEqual(plain);
    expect(await predictionsOf({ ...cohort, features: viewed(0.1), settings: averaging })).not.toEqual(
      changed,
    );
    // A held-out patient's views are held out too.
    const [fold] = foldsByPatient(dataset, 5, createRandom(1));
    const given = [fold!];
    const spoiled = viewed(0.1);
    for (const { values } of spoiled.views) {
      for (const row of fold!.test) values.fill(Number.NaN, row * features.width, (row + 1) * features.width);
    }
    expect(await predictionsOf({ ...cohort, features: spoiled, settings, given })).toEqual(
      await predictionsOf({ ...cohort, features: viewed(0.1), settings, given }),
    );
  });

  it("asks for features for each training part alone where they depend on it", async () => {
    const asked: (readonly number[])[] = [];
    const featuresFor = async (_: unknown, train: readonly number[]) => {
      asked.push(train);
      return { ...cohort.features, fittedOn: train };
    };
    const found = await crossValidate({ ...cohort, settings, featuresFor });
    expect(asked).toHaveLength(5);
    found.folds.forEach(({ testPatients, images }, i) => {
      expect(asked[i]).toHaveLength(images.train);
      const learned = patientsOf(asked[i]!);
      for (const patient of testPatients) expect(learned).not.toContain(patient);
    });
    expect(found.predictions).toEqual((await crossValidate({ ...cohort, settings })).predictions);
    const all = dataset.records.map((_, row) => row);
    const fitted = { ...cohort.features, fittedOn: all };
    await expect(crossValidate({ ...cohort, features: fitted, settings })).rejects.toThrow(
      /stains were normalised to those of another training part/,
    );
    const interrupted = async () => ({ ...cohort.features, complete: false });
    const none = await crossValidate({ ...cohort, settings, featuresFor: interrupted });
    expect(none).toMatchObject({ complete: false, folds: [], predictions: [] });
  });

  it("refuses before it trains", async () => {
    await expect(crossValidate({ ...cohort, settings, folds: 9 })).rejects.toThrow(/Up to 8 folds/);
    await expect(crossValidate({ ...cohort, settings, repeats: 0 })).rejects.toThrow(/repeats/);
    const given: Fold[] = [{ fold: 0, test: [0], train: [], validation: [1] }];
    await expect(crossValidate({ ...cohort, settings, given })).rejects.toThrow(/no images/);
  });
});
