import { describe, expect, it } from "vitest";
import { viewsOf } from "../../src/data/images/image-views";
import {
  compareRecipes,
  describeRecipe,
  plainRecipe,
  type Recipe,
  recipeOf,
  stepsTo,
} from "../../src/experiments/compare-recipes";
import { crossValidate } from "../../src/experiments/cross-validation";
import { describeComparison } from "../../src/experiments/recipes-text";
import type { TreatmentSettings } from "../../src/model/features/treatment";
import { presets } from "../../src/runtime/presets";
import { createRandom } from "../../src/runtime/random";
import { scoreWithIntervals } from "../../src/scores/intervals/score-intervals";
import { docstringExamples, evaluateExample } from "../support/docstring-examples";
import { inMemory } from "../support/model/values-in-memory";
import { exampleCohort, quickTraining } from "../support/runs/example-cohort";

const settings = quickTraining;
const cohort = exampleCohort({ patients: 24, imagesPerPatient: 5, seed: 2, disease: 0.2 });
const { dataset, features } = cohort;

/** Views in which noise of their own is added: their mean tells the classes apart better. */
async function featuresOf({ augmentation }: TreatmentSettings) {
  const random = createRandom(8);
  const views = viewsOf(augmentation)
    .slice(1)
    .map((view) => ({
      view,
      values: inMemory(features.values).map((value) => value + 0.1 * random.normal()),
    }));
  return { features: views.length === 0 ? features : { ...features, views } };
}

describe("compareRecipes", () => {
  const recipe: Recipe = { stain: "as-is", augmentation: "turns", averageViews: true };
  const task = { dataset, settings, folds: 3, repeats: 2, featuresOf };

  it("cross-validates each step on the same folds, and compares it with the first", async () => {
    const found = await compareRecipes(stepsTo(recipe), task);
    expect(found).toMatchObject({ method: "comparison", complete: true, backbone: "resnet50", repeats: 2 });
    expect(found.recipes.map(({ name }) => name)).toEqual([
      "as they are",
      "8 views (turns)",
      "8 views (turns), averaged",
    ]);
    const plain = await crossValidate({ dataset, features, settings, folds: 3, repeats: 2 });
    const rule = { positiveClass: 1, threshold: 0.5 };
    expect(found.recipes[0]!.scores).toEqual(scoreWithIntervals(plain.predictions, rule));
    expect(found.recipes[0]!.gain).toBeNull();
    expect(found.recipes[0]!.patientGain).toBeNull();
    for (const { scores, gain, patientGain } of found.recipes.slice(1)) {
      const before = found.recipes[0]!.scores.image.scores.accuracy.value!;
      expect(gain!.differences.accuracy.value).toBeCloseTo(scores.image.scores.accuracy.value! - before, 12);
      expect(gain!.differences.accuracy.patients).toBe(24);
      for (const name of ["auc", "logLoss"] as const) {
        const [first, now] = [found.recipes[0]!.scores, scores].map(
          (one) => one.patient!.scores[name].value!,
        );
        expect(patientGain!.differences[name].value).toBeCloseTo(now! - first!, 12);
      }
      expect(patientGain!.images).toBe(24);
    }
    const text = describeComparison(found);
    expect(text).toMatch(/120 images of 24 patients, 3 folds, 2 times, the same for all/);
    expect(text).toMatch(/By patient:\n +accuracy +balanced +AUC +log loss +Brier\n/);
    expect(text).toMatch(/Change from "as they are", by patient:\n.*\n8 views \(turns\) +[+−]0\.\d{3}/);
    expect(text).toMatch(/\n… averaged +0\.\d\d \(/);
    expect(JSON.parse(JSON.stringify(found)).recipes).toHaveLength(3);
  });

  it("ends with the recipes that were finished", async () => {
    const stopping = async (step: TreatmentSettings) => {
      const prepared = await featuresOf(step);
      const complete = step.augmentation === "none";
      return { features: { ...prepared.features, complete } };
    };
    const found = await compareRecipes(stepsTo(recipe), { ...task, featuresOf: stopping });
    expect(found.complete).toBe(false);
    expect(found.recipes.map(({ name }) => name)).toEqual(["as they are"]);
    expect(describeComparison(found)).not.toMatch(/Change/);
    expect(describeComparison({ ...found, recipes: [] })).toBe("No recipe was finished.");
  });
});

describe("a preset", () => {
  const recipe: Recipe = { ...plainRecipe, ...recipeOf(presets.patients) };

  it("is reached step by step, by the settings that the first one has not", async () => {
    const steps = stepsTo(recipe);
    expect(steps.map(describeRecipe)).toEqual([
      "as they are",
      "patients alike",
      "patients alike, linear head (L2 0.3)",
      "patients alike, linear head (L2 0.3), 8 views (turns)",
      "patients alike, linear head (L2 0.3), 8 views (turns), averaged",
    ]);
    expect(steps.at(-1)).toEqual(recipe);
    const task = { dataset, settings, folds: 3, repeats: 1, featuresOf };
    const found = await compareRecipes([steps[0]!, steps[2]!], task);
    const whole = { ...settings, ...steps[2]! };
    const alone = await crossValidate({ dataset, features, settings: whole, folds: 3, repeats: 1 });
    const rule = { positiveClass: 1, threshold: 0.5 };
    expect(found.recipes[1]!.scores).toEqual(scoreWithIntervals(alone.predictions, rule));
  });
});

describe("stepsTo", () => {
  it("goes from images as they are to what is asked for", () => {
    const examples = docstringExamples("src/experiments/compare-recipes.ts");
    expect(examples).toHaveLength(2);
    for (const { code, expected } of examples) {
      expect(evaluateExample(code, { stepsTo, describeRecipe })).toEqual(evaluateExample(expected, {}));
    }
    expect(stepsTo(plainRecipe)).toEqual([plainRecipe]);
    const all: Recipe = { stain: "normalised", augmentation: "turns-and-stains", averageViews: true };
    expect(stepsTo(all).map(describeRecipe)).toEqual([
      "as they are",
      "stains normalised",
      "stains normalised, 11 views (turns and stains)",
      "stains normalised, 11 views (turns and stains), averaged",
    ]);
  });
});
