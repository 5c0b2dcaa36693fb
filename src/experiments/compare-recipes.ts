import { viewsOf } from "../data/images/image-views";
import type { Dataset } from "../data/record";
import type { Features } from "../model/features/features";
import type { TreatmentSettings } from "../model/features/treatment";
import type { Settings } from "../runtime/settings";
import { compareRuns, type RunComparison } from "../scores/compare-runs";
import { type ScoreIntervals, scoreWithIntervals } from "../scores/intervals/score-intervals";
import type { OutOfFoldPrediction } from "../scores/prediction";
import type { TrainingSettings } from "../training/head/train";
import { crossValidate } from "./cross-validation";
import type { FeaturesFor } from "./features-for";

/** What is done to images in training and in prediction. */
export type Recipe = Pick<Settings, "stain" | "augmentation" | "averageViews">;

/** Images as they are, in training and in prediction: what other recipes are compared with. */
export const plainRecipe: Recipe = { stain: "as-is", augmentation: "none", averageViews: false };

/** One recipe's cross-validation. */
export interface RecipeResult {
  recipe: Recipe;
  name: string;
  scores: ScoreIntervals;
  /** To the first recipe, on the same folds: this one minus the first; null for the first itself. */
  gain: RunComparison | null;
}

/** Several recipes, cross-validated on the same folds. */
export interface RecipeComparison {
  method: "comparison";
  dataset: { name: string; synthetic: boolean; classes: string[]; positiveClass: number | null };
  backbone: string;
  seed: number;
  folds: number;
  repeats: number;
  recipes: RecipeResult[];
  /** False after an interrupt; then the recipes are those that were finished. */
  complete: boolean;
}

/** What recipes are compared on. */
export interface RecipesTask {
  dataset: Dataset;
  settings: TrainingSettings;
  folds: number;
  repeats: number;
  /** Features for a recipe, whole or one set for each training part. */
  featuresOf: (recipe: TreatmentSettings) => Promise<{ features: Features; featuresFor?: FeaturesFor }>;
}

/**
 * The recipes between images as they are and what is asked for, one step after the other: stains first, then views
 * in training, then also in prediction.
 *
 * @example
 * stepsTo({ stain: "as-is", augmentation: "turns", averageViews: true }).length; // 3
 */
export function stepsTo({ stain, augmentation, averageViews }: Recipe): Recipe[] {
  const steps: Recipe[] = [plainRecipe];
  if (stain !== "as-is") steps.push({ ...plainRecipe, stain });
  if (augmentation !== "none") steps.push({ stain, augmentation, averageViews: false });
  if (averageViews) steps.push({ stain, augmentation, averageViews });
  return steps;
}

/**
 * A recipe in words.
 *
 * @example
 * describeRecipe({ stain: "as-is", augmentation: "turns", averageViews: true }); // "8 views (turns), averaged"
 */
export function describeRecipe({
  stain = "as-is",
  augmentation = "none",
  averageViews = false,
}: Partial<Recipe>): string {
  const views =
    augmentation === "none"
      ? []
      : [`${viewsOf(augmentation).length} views (${augmentation.replaceAll("-", " ")})`];
  const parts = [
    ...(stain === "as-is" ? [] : ["stains normalised"]),
    ...views,
    ...(averageViews ? ["averaged"] : []),
  ];
  return parts.length === 0 ? "as they are" : parts.join(", ");
}

async function tryRecipe(task: RecipesTask, recipe: Recipe): Promise<OutOfFoldPrediction[] | null> {
  const { dataset, settings, folds, repeats } = task;
  const prepared = await task.featuresOf(recipe);
  if (!prepared.features.complete) return null;
  const { averageViews } = recipe;
  // The same seed for all, so that they are compared on the same folds and first weights.
  const found = await crossValidate({
    dataset,
    ...prepared,
    settings: { ...settings, averageViews },
    folds,
    repeats,
  });
  return found.complete ? found.predictions : null;
}

/**
 * Cross-validates several recipes by patient, on the same folds and from the same first weights, and compares each
 * with the first; intervals resample patients, the same ones on both sides of a difference.
 *
 * @throws Error if the patients are too few for the folds.
 */
export async function compareRecipes(
  recipes: readonly Recipe[],
  task: RecipesTask,
): Promise<RecipeComparison> {
  const { dataset, settings, folds, repeats } = task;
  const { name, synthetic, classes, positiveClass } = dataset;
  const rule = { positiveClass, threshold: 0.5 };
  const results: RecipeResult[] = [];
  let first: OutOfFoldPrediction[] | null = null;
  let backbone = "";
  const featuresOf: RecipesTask["featuresOf"] = async (recipe) => {
    const prepared = await task.featuresOf(recipe);
    backbone = prepared.features.backbone;
    return prepared;
  };
  for (const recipe of recipes) {
    const predictions = await tryRecipe({ ...task, featuresOf }, recipe);
    if (predictions === null) break;
    results.push({
      recipe,
      name: describeRecipe(recipe),
      scores: scoreWithIntervals(predictions, rule),
      gain: first === null ? null : compareRuns(first, predictions, rule),
    });
    first ??= predictions;
  }
  return {
    method: "comparison",
    dataset: { name, synthetic, classes, positiveClass },
    backbone,
    seed: settings.seed,
    folds,
    repeats,
    recipes: results,
    complete: results.length === recipes.length,
  };
}
