import { describe, expect, it } from "vitest";
import { viewsOf } from "../../src/data/images/image-views";
import {
  compareRecipes,
  describeRecipe,
  plainRecipe,
  type Recipe,
  stepsTo,
} from "../../src/experiments/compare-recipes";
import { crossValidate } from "../../src/experiments/cross-validation";
import { describeComparison } from "../../src/experiments/recipes-text";
import type { TreatmentSettings } from "../../src/model/features/treatment";
import { createRandom } from "../../src/runtime/random";
import { scoreWithIntervals } from "../../src/scores/intervals/score-intervals";
import { docstringExamples, evaluateExample } from "../support/docstring-examples";
import { inMemory } from "../support/model/values-in-memory";
import { exampleCohort } from "../support/runs/example-cohort";

const settings = {
  hiddenUnits: [8],
  dropout: 0,
  l2: 1e-4,
  learningRate: 0.01,
  epochs: 12,
  batchSize: 32,
  classWeights: "balanced" as const,
  patience: 4,
  seed: 3,
};
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
    for (const { scores, gain } of found.recipes.slice(1)) {
      const before = found.recipes[0]!.scores.image.scores.accuracy.value!;
      expect(gain!.differences.accuracy.value).toBeCloseTo(scores.image.scores.accuracy.value! - before, 12);
      expect(gain!.differences.accuracy.patients).toBe(24);
    }
    const text = describeComparison(found);
    expect(text).toMatch(/120 images of 24 patients, 3 folds, 2 times, the same for all/);
    expect(text).toMatch(
      /Change from images as they are, of all images:\n.*\n8 views \(turns\) +[+−]0\.\d{3}/,
    );
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
