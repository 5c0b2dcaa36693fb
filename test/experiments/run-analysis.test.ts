import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { firstSeeds } from "../../src/experiments/analysis-settings";
import { requirePositiveClass, saveTriage, triageRun } from "../../src/experiments/runs/run-triage";
import {
  buildClassifier,
  type Classifier,
  loadClassifier,
  saveClassifier,
} from "../../src/model/classifier/classifier";
import { buildHead } from "../../src/model/classifier/head";
import { calibrateTest } from "../../src/scores/calibrated-test";
import { chooseExamples, outcomeOf } from "../../src/scores/examples-to-explain";
import { scoreFolds } from "../../src/scores/fold-scores";
import type { OutOfFoldPrediction } from "../../src/scores/prediction";
import { meanColourBackbone } from "../support/model/mean-colour-backbone";
import { manyPredictions } from "../support/runs/example-analysis";
import { temporaryFolder } from "../support/temporary-folder";

const predictions = manyPredictions();
const test = predictions.filter(({ split }) => split === "test");
const task = { predictions, positiveClass: 1, targetSensitivity: 0.9, triageLevel: "image" as const };

/** Quick, and whole enough to be saved. */
function meanColourClassifier(): Classifier {
  const backbone = meanColourBackbone(32);
  const sha256 = "12".repeat(32);
  return buildClassifier({
    backbone: { ...backbone, weights: { ...backbone.weights, sha256 } },
    head: buildHead({ inputs: 3, hiddenUnits: [], classCount: 2, seed: 1 }),
    dataset: { name: "drawn", synthetic: true, classes: ["benign", "malignant"], positiveClass: 1 },
    settings: { seed: 1, weights: null },
    runId: null,
  });
}

describe("triageRun", () => {
  it("chooses on validation alone: other test images leave the threshold as it is", () => {
    const flipped = predictions.map((one) => (one.split === "test" ? { ...one, label: 1 - one.label } : one));
    const triage = triageRun({ ...task, bootstrap: { resamples: 50 } });
    const other = triageRun({ ...task, predictions: flipped, bootstrap: { resamples: 50 } });
    expect(other.locked).toEqual(triage.locked);
    expect(other.report.missedImages).not.toBe(triage.report.missedImages);
    expect(triage.locked.validationSensitivity).toBeGreaterThanOrEqual(0.9);
    expect(triage.work.map(({ file }) => file).sort()).toEqual(test.map(({ file }) => file).sort());
  });

  it("refuses where nothing is looked for, or nothing was left to test", () => {
    expect(() => triageRun({ ...task, positiveClass: null })).toThrow(/None of the classes/);
    const untested = predictions.filter(({ split }) => split === "validation");
    expect(() => triageRun({ ...task, predictions: untested })).toThrow(/no predictions/);
    expect(requirePositiveClass(0)).toBe(0);
  });

  it("is kept beside the run and in its classifier, with the temperature that was fitted", async () => {
    const folder = temporaryFolder("triage");
    const run = { folder, classifierFolder: join(folder, "classifier") };
    await saveClassifier(run.classifierFolder, meanColourClassifier());
    const { locked } = triageRun({ ...task, bootstrap: { resamples: 50 } });
    expect(await saveTriage(run, locked, 1.5)).toBe(join(folder, "triage.json"));
    const { triage } = await loadClassifier(run.classifierFolder, {
      backbone: meanColourClassifier().backbone,
    });
    const { threshold, level, target, chosenOn, description } = locked;
    expect(triage).toEqual({ threshold, level, target, chosenOn, description, temperature: 1.5 });
    const kept = JSON.parse(readFileSync(join(folder, "triage.json"), "utf8"));
    expect(kept).toMatchObject({ format: 1, threshold: locked.threshold, target: 0.9, temperature: 1.5 });
  });
});

describe("calibrateTest", () => {
  it("fits on validation and judges the test part", () => {
    const { fit, before, after } = calibrateTest(predictions, { positiveClass: 1, threshold: 0.5 });
    expect(fit.images).toBe(30);
    const counted = before.reliability.bins.reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBe(40);
    expect(after.brier).not.toBe(before.brier);
  });
});

describe("chooseExamples", () => {
  it("takes the most confident errors, then right answers of both classes and of several patients", () => {
    const chosen = chooseExamples(test, { errors: 2, right: 4 });
    expect(chosen.map((one) => outcomeOf(one, 1) === "right")).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
    const right = chosen.slice(2);
    expect(right.map(({ label }) => label)).toEqual([0, 1, 0, 1]);
    expect(new Set(right.map(({ patient }) => patient)).size).toBe(4);
  });

  it("takes what there is", () => {
    expect(chooseExamples([], { errors: 2, right: 4 })).toEqual([]);
    expect(chooseExamples(test.slice(0, 1), { errors: 2, right: 4 })).toHaveLength(1);
  });
});

describe("outcomeOf", () => {
  it("names errors by what is looked for", () => {
    expect(outcomeOf({ label: 1, predicted: 0 }, 1)).toBe("missed");
    expect(outcomeOf({ label: 0, predicted: 1 }, 1)).toBe("false alarm");
    expect(outcomeOf({ label: 0, predicted: 2 }, 1)).toBe("confused");
    expect(outcomeOf({ label: 0, predicted: 1 }, null)).toBe("confused");
    expect(outcomeOf({ label: 2, predicted: 2 }, 1)).toBe("right");
  });
});

describe("scoreFolds", () => {
  it("scores each fold of each repeat by itself", () => {
    const pooled = [0, 1].flatMap((repeat) =>
      test.map(
        (one): OutOfFoldPrediction => ({ ...one, split: "test", repeat, fold: Number(one.patient) % 2 }),
      ),
    );
    const folds = scoreFolds(pooled, 1);
    expect(folds.map(({ repeat, fold, count, patients }) => [repeat, fold, count, patients])).toEqual([
      [0, 0, 20, 4],
      [0, 1, 20, 4],
      [1, 0, 20, 4],
      [1, 1, 20, 4],
    ]);
    expect(folds[0]!.majorityClassAccuracy).toBe(1);
  });
});

it("firstSeeds counts from 1", () => {
  expect(firstSeeds(3)).toEqual([1, 2, 3]);
});
