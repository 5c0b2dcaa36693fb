import { describe, expect, it } from "vitest";
import { crossValidate } from "../../src/experiments/cross-validation";
import { buildEnsemble } from "../../src/experiments/ensemble";
import type { Classifier } from "../../src/model/classifier/classifier";
import { predictHead } from "../../src/model/classifier/head";
import { headMembers } from "../../src/model/classifier/head-members";
import type { TrainingSettings } from "../../src/training/head/train";
import { inMemory } from "../support/model/values-in-memory";
import { exampleCohort, quickTraining } from "../support/runs/example-cohort";

const settings: TrainingSettings & { weights: null } = {
  ...quickTraining,
  classWeights: "patients",
  weights: null,
};
const cohort = exampleCohort({ patients: 24, imagesPerPatient: 5, seed: 2 });
const { dataset, features } = cohort;
const values = inMemory(features.values);
const { width } = features;
const backbone = {
  ...{ name: "resnet50", featureWidth: width, inputSize: 224, pretrained: true },
  weights: { name: "weights", source: "a test", sha256: "00" },
} as Classifier["backbone"];

describe("buildEnsemble", () => {
  it("keeps the heads of all folds together, and what is usual of all but the first", async () => {
    const validated = await crossValidate({ dataset, features, settings, folds: 3, repeats: 2 });
    expect(validated.heads).toHaveLength(6);
    const classifier = await buildEnsemble({ dataset, features, backbone, settings }, validated);
    expect(headMembers(classifier.head)).toEqual(validated.heads);
    expect(classifier.provenance).toMatchObject({ runId: null, dataset: dataset.name });
    expect(classifier.familiarity!.validation.images).toBe(validated.folds[0]!.images.test);

    // Each fold's predictions are those of its head alone.
    const { patient, probabilities, file } = validated.predictions[0]!;
    expect(validated.folds[0]!.testPatients).toContain(patient);
    const row = dataset.records.findIndex((record) => record.file === file);
    const asked = values.slice(row * width, (row + 1) * width);
    expect(Array.from(predictHead(validated.heads[0]!, asked, width))).toEqual(probabilities);
  });

  it("refuses what would lack patients, or has several references for stains", async () => {
    const validated = await crossValidate({ dataset, features, settings, folds: 3 });
    const task = { dataset, features, backbone, settings };
    await expect(buildEnsemble(task, { ...validated, complete: false })).rejects.toThrow(/interrupted/);
    await expect(buildEnsemble(task, { ...validated, ownFeatures: true })).rejects.toThrow(/stains/);
  });
});

describe("crossValidate with an ensemble", () => {
  it("answers in each fold with the mean of heads that have not seen it either", async () => {
    const task = { dataset, features, settings, folds: 3 };
    const alone = await crossValidate(task);
    const several = await crossValidate({ ...task, ensemble: 3 });
    expect(several.folds.map(({ testPatients }) => testPatients)).toEqual(
      alone.folds.map(({ testPatients }) => testPatients),
    );
    for (const head of several.heads) expect(headMembers(head)).toHaveLength(3);
    const first = several.predictions[0]!;
    const row = dataset.records.findIndex(({ file }) => file === first.file);
    const asked = values.slice(row * width, (row + 1) * width);
    const mean = predictHead(several.heads[0]!, asked, width);
    expect(first.probabilities[1]).toBeCloseTo(mean[1]!, 6);
    expect(await crossValidate({ ...task, ensemble: 3 })).toMatchObject({ predictions: several.predictions });
  });

  it("says how many heads there can be", async () => {
    await expect(crossValidate({ dataset, features, settings, folds: 3, ensemble: 20 })).rejects.toThrow(
      /Up to \d+ folds are possible/,
    );
  });
});
