import { viewsOf } from "../data/images/image-views";
import type { Dataset } from "../data/record";
import type { Features } from "../model/features/features";
import type { TreatmentSettings } from "../model/features/treatment";
import type { GivenSettings, Settings } from "../runtime/settings";
import { comparePatients } from "../scores/compare-patients";
import { compareRuns, type RunComparison } from "../scores/compare-runs";
import { type ScoreIntervals, scoreWithIntervals } from "../scores/intervals/score-intervals";
import type { OutOfFoldPrediction } from "../scores/prediction";
import type { TrainingSettings } from "../training/head/train";
import { crossValidate } from "./cross-validation";
import type { FeaturesFor } from "./features-for";

/** What of a recipe is the head's own: what it looks like, and how it is trained. */
const headSettings = [
  "hiddenUnits",
  "dropout",
  "l2",
  "learningRate",
  "epochs",
  "patience",
  "batchSize",
] as const;
type HeadSetting = (typeof headSettings)[number];

/** What is done to images in training and in prediction, and where it is said, how a head learns from them. */
export type Recipe = Pick<Settings, "stain" | "augmentation" | "averageViews"> &
  Partial<Pick<Settings, HeadSetting | "classWeights">> & {
    /** Heads whose answers are averaged, each stopped by other patients of the training part; 1 by default. */
    ensemble?: number;
  };

/** Images as they are, in training and in prediction: what other recipes are compared with. */
export const plainRecipe: Recipe = { stain: "as-is", augmentation: "none", averageViews: false };

/** One recipe's cross-validation. */
export interface RecipeResult {
  recipe: Recipe;
  name: string;
  scores: ScoreIntervals;
  /** To the first recipe, on the same folds: this one minus the first; null for the first itself. */
  gain: RunComparison | null;
  /** The same by patient; null also where patients have no class. */
  patientGain: RunComparison | null;
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
 * The recipes between images as they are and what is asked for, one step after the other: whose images count how much,
 * the head, stains, views in training, then also in prediction.
 *
 * @example
 * stepsTo({ stain: "as-is", augmentation: "turns", averageViews: true }).length; // 3
 */
export function stepsTo(recipe: Recipe): Recipe[] {
  const { stain, augmentation, averageViews, classWeights, ensemble = 1 } = recipe;
  const steps: Recipe[] = [plainRecipe];
  const add = (change: Partial<Recipe>) => steps.push({ ...steps.at(-1)!, ...change });
  if (classWeights !== undefined) add({ classWeights });
  const head = headOf(recipe);
  if (Object.keys(head).length > 0) add(head);
  if (stain !== "as-is") add({ stain });
  if (augmentation !== "none") add({ augmentation });
  if (averageViews) add({ averageViews });
  if (ensemble > 1) add({ ensemble });
  return steps;
}

const recipeSettings = ["stain", "augmentation", "averageViews", "classWeights", ...headSettings] as const;

/** What of some settings makes a recipe. */
export function recipeOf(settings: GivenSettings): Partial<Recipe> {
  return Object.fromEntries(
    recipeSettings.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]])),
  );
}

/** What a recipe says of the head; the rest is as the settings have it. */
function headOf(recipe: Partial<Recipe>): Partial<Pick<Settings, HeadSetting>> {
  return Object.fromEntries(
    headSettings.flatMap((name) => (recipe[name] === undefined ? [] : [[name, recipe[name]]])),
  );
}

function describeHead({ hiddenUnits, l2 }: Partial<Recipe>): string {
  const layers =
    hiddenUnits === undefined
      ? "another head"
      : hiddenUnits.length === 0
        ? "linear head"
        : `head of ${hiddenUnits.join(", ")}`;
  return l2 === undefined ? layers : `${layers} (L2 ${l2})`;
}

const weightNames: Record<Settings["classWeights"], string> = {
  balanced: "classes alike",
  patients: "patients alike",
  none: "images alike",
};

/**
 * A recipe in words.
 *
 * @example
 * describeRecipe({ stain: "as-is", augmentation: "turns", averageViews: true }); // "8 views (turns), averaged"
 */
export function describeRecipe(recipe: Partial<Recipe>): string {
  const { stain = "as-is", augmentation = "none", averageViews = false, classWeights, ensemble = 1 } = recipe;
  const views =
    augmentation === "none"
      ? []
      : [`${viewsOf(augmentation).length} views (${augmentation.replaceAll("-", " ")})`];
  const parts = [
    ...(classWeights === undefined ? [] : [weightNames[classWeights]]),
    ...(Object.keys(headOf(recipe)).length === 0 ? [] : [describeHead(recipe)]),
    ...(stain === "as-is" ? [] : ["stains normalised"]),
    ...views,
    ...(averageViews ? ["averaged"] : []),
    ...(ensemble > 1 ? [`ensemble of ${ensemble} heads`] : []),
  ];
  return parts.length === 0 ? "as they are" : parts.join(", ");
}

async function tryRecipe(task: RecipesTask, recipe: Recipe): Promise<OutOfFoldPrediction[] | null> {
  const { dataset, settings, folds, repeats } = task;
  const prepared = await task.featuresOf(recipe);
  if (!prepared.features.complete) return null;
  // The same seed for all, so that they are compared on the same folds and first weights.
  const found = await crossValidate({
    dataset,
    ...prepared,
    settings: { ...settings, ...recipe },
    ensemble: recipe.ensemble ?? 1,
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
      patientGain: first === null ? null : comparePatients(first, predictions, rule),
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
