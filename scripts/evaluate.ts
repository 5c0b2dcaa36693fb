// What holds for a new patient: npm run evaluate -- --data <folder> --backbone resnet50 --weights <file> --repeats 5
import { type Dataset, describeDataset, openDataset } from "../src/data/dataset";
import { viewsOf } from "../src/data/images/image-views";
import {
  compareRecipes,
  describeRecipe,
  type RecipeComparison,
  stepsTo,
} from "../src/experiments/compare-recipes";
import type { CrossValidation } from "../src/experiments/cross-validation";
import { type EnsembleTask, keepEnsemble } from "../src/experiments/ensemble";
import { type Evaluation, evaluateDataset, evaluateHoldOut } from "../src/experiments/evaluation-report";
import { describeEvaluation } from "../src/experiments/evaluation-text";
import { refitFeatures } from "../src/experiments/features-for";
import { readAnswerTable } from "../src/experiments/published/answer-table";
import { evaluateFoldFiles, type FoldFilesEvaluation } from "../src/experiments/published/fold-files";
import { loadOfficialFolds } from "../src/experiments/published/official-folds";
import {
  type AnswerScores,
  describeAnswerScores,
  describeFoldFiles,
  scoreAnswers,
} from "../src/experiments/published/published-text";
import { describeComparison } from "../src/experiments/recipes-text";
import { type Backbone, loadBackbone } from "../src/model/backbones/backbone";
import { describeCost, extractTreated, type TreatmentSettings } from "../src/model/features/treatment";
import { requireWritable, writeFileAtomically } from "../src/runtime/files/write-file";
import { onProgress } from "../src/runtime/progress";
import { completeSettings } from "../src/runtime/settings";
import { endWithReason, interruptedExitCode, stopOnInterrupt } from "./ending";
import { choiceOf } from "./flags/backbone-flags";
import { type Flags, readCommandLine, recipeAsked } from "./flags/evaluate-flags";
import { showProgressBars } from "./progress-bars";
import { complain, say } from "./say";

/** A bar for each step, or in a log file a line when it is finished: what takes minutes should say what it is at. */
function showProgress(): void {
  if (process.stderr.isTTY) {
    showProgressBars();
    return;
  }
  onProgress(({ task, unit, done, finished }) => {
    if (finished) complain(`${task}: ${done} ${unit}.`);
  });
}

/** What a recipe's heads learn from; where stains are normalised, each training part has features of its own. */
async function featuresOf(dataset: Dataset, backbone: Backbone, recipe: TreatmentSettings) {
  // Where each training part has its own, those of the images as they are say who resembles whom.
  const { stain, augmentation } = recipe;
  const views = viewsOf(stain === "as-is" ? augmentation : "none");
  const treatment = { stain: null, fittedOn: [], views };
  return {
    features: await extractTreated(dataset, backbone, treatment),
    ...refitFeatures(recipe, backbone),
  };
}

/** Warns of what costs time, evaluates, prints and keeps the numbers. */
async function evaluate(flags: Flags, dataset: Dataset, backbone: Backbone): Promise<void> {
  const { seed, target: targets, holdOut, folds, repeats } = flags;
  const recipe = recipeAsked(flags);
  const { ensemble = 1, ...treated } = recipe;
  const settings = completeSettings({ seed, weights: flags.weights ?? null, ...treated });
  const officialFolds = typeof folds === "string" ? await loadOfficialFolds(folds, dataset) : null;
  const foldCount = typeof folds === "string" ? officialFolds!.length : folds;
  const fits = holdOut
    ? 1
    : foldCount * repeats + (flags.compare || officialFolds ? 0 : 2 * flags.auditSeeds);
  const cost = describeCost(recipe, { images: dataset.records.length, fits });
  if (cost !== "") say(cost);
  if (flags.compare) {
    // The first one is of the settings that hold where nothing is asked for.
    const task = { dataset, settings: completeSettings({ seed }), folds: foldCount, repeats };
    const compared = await compareRecipes(stepsTo(recipe), {
      ...task,
      featuresOf: (step) => featuresOf(dataset, backbone, step),
    });
    return finish(flags, describeComparison(compared), compared);
  }
  say(`Recipe: ${describeRecipe(recipe)}.`);
  const task = { dataset, settings, targets, ensemble, ...(await featuresOf(dataset, backbone, recipe)) };
  if (officialFolds !== null) {
    if (flags.keepEnsemble !== undefined || ensemble > 1) {
      throw new Error(
        "An ensemble is made of folds by patient: give their number as --folds, or leave --ensemble and --keep-ensemble out.",
      );
    }
    const evaluation = await evaluateFoldFiles({ ...task, folds: officialFolds });
    return finish(flags, describeFoldFiles(evaluation), { ...evaluation, recipe });
  }
  const evaluation = holdOut
    ? await evaluateHoldOut(task)
    : await evaluateDataset({
        ...task,
        folds: foldCount,
        repeats,
        auditSeeds: flags.auditSeeds,
        onValidated: (validated) => keepHeads(flags, { ...task, backbone }, validated),
      });
  return finish(flags, describeEvaluation(evaluation), { ...evaluation, recipe });
}

/** Saves all folds' heads as one classifier, where that is asked for. */
async function keepHeads(flags: Flags, task: EnsembleTask, validated: CrossValidation): Promise<void> {
  const { keepEnsemble: folder } = flags;
  if (folder === undefined || !validated.complete) return;
  await keepEnsemble(folder, task, validated);
  const heads = validated.heads.length * flags.ensemble;
  say(`The classifier of ${heads} heads is in ${folder}; together they have learned from all patients.`);
}

async function finish(
  { out }: Flags,
  text: string,
  numbers: Evaluation | RecipeComparison | FoldFilesEvaluation | AnswerScores,
): Promise<void> {
  say(text);
  if (out !== undefined) await writeFileAtomically(out, `${JSON.stringify(numbers, null, 2)}\n`);
  if (!numbers.complete) {
    complain("Stopped; the numbers are of what was finished.");
    process.exitCode = interruptedExitCode;
  }
}

/** Scores what somebody's model said. */
async function evaluateAnswers(flags: Flags, path: string, dataset: Dataset | null): Promise<void> {
  const table = await readAnswerTable(path, dataset);
  const scores = scoreAnswers(table);
  return finish(flags, describeAnswerScores(table, scores), scores);
}

async function main(): Promise<void> {
  const flags = readCommandLine();
  const { magnification = null, data, predictions } = flags;
  stopOnInterrupt();
  showProgress();
  if (flags.out !== undefined) await requireWritable(flags.out);
  const dataset = data === undefined ? null : await openDataset(data, { ...flags, magnification });
  if (dataset !== null) say(describeDataset(dataset));
  if (predictions !== undefined) return evaluateAnswers(flags, predictions, dataset);
  if (dataset === null) {
    throw new Error("There is nothing to evaluate: give --data <folder>, or --predictions <csv>.");
  }
  const { backbone, explanation } = await loadBackbone(choiceOf(flags));
  say(explanation);
  try {
    await evaluate(flags, dataset, backbone);
  } finally {
    backbone.dispose();
  }
}

main().catch(endWithReason);
