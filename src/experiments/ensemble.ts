import type { Dataset } from "../data/record";
import { buildClassifier, type Classifier, saveClassifier } from "../model/classifier/classifier";
import { fitFamiliarity } from "../model/classifier/fit-familiarity";
import { ensembleOf } from "../model/classifier/head-members";
import { answeringViews } from "../model/classifier/predict-rows";
import type { Features } from "../model/features/features";
import { attempt, valueOr } from "../runtime/attempt";
import { refusal } from "../runtime/refusal";
import type { Settings } from "../runtime/settings";
import type { CrossValidation } from "./cross-validation";

/** What an ensemble's heads were trained on, and with. */
export interface EnsembleTask {
  dataset: Dataset;
  /** Those that were cross-validated on. */
  features: Features;
  /** What made the features; stays the caller's. */
  backbone: Classifier["backbone"];
  settings: Pick<Settings, "seed" | "weights"> & Partial<Pick<Settings, "averageViews">>;
}

/**
 * Makes one classifier of all heads of a cross-validation: it answers with the mean of their probabilities, and tells where
 * they disagree.
 *
 * Together they have learned from every patient, so nobody is left whom it could be tested on: what the cross-validation
 * says of its heads, one by one, is what is known of it; `crossValidate` with `ensemble` says what averaging brings.
 *
 * @param validated - Complete, from `crossValidate`; with repeats, the heads of all of them.
 * @returns To be saved with `saveClassifier`. What is usual is taken from all but the first fold, and its limit from that.
 * @throws Error if it was interrupted, or stains were normalised to each fold's own.
 *
 * @example
 * const classifier = await buildEnsemble(task, await crossValidate({ ...task, repeats: 3 }));
 */
export async function buildEnsemble(task: EnsembleTask, validated: CrossValidation): Promise<Classifier> {
  const { dataset, features, backbone, settings } = task;
  if (!validated.complete)
    throw refusal(
      "The cross-validation was interrupted, so an ensemble of its heads would lack patients: run it again.",
    );
  if (features.fittedOn !== undefined || validated.ownFeatures)
    throw refusal(
      "Each fold's stains were normalised to its own images, and one classifier has one reference: leave stains as they are.",
    );
  const held = new Set(validated.folds[0]!.testPatients);
  const rows = dataset.records.map((_, row) => row);
  const isHeld = (row: number) => held.has(dataset.records[row]!.patient ?? "");
  const parts = { train: rows.filter((row) => !isHeld(row)), validation: rows.filter(isHeld) };
  const familiarity = await attempt(() => fitFamiliarity(dataset, parts, features));
  return buildClassifier({
    ...{ backbone, dataset, settings },
    head: ensembleOf(validated.heads),
    runId: null,
    treatment: { stain: null, views: answeringViews(features, settings) },
    familiarity: valueOr(familiarity, null),
  });
}

/**
 * Makes one classifier of all heads of a cross-validation, and saves it to one folder: for `npm run predict` and the rest.
 *
 * @returns The number of its heads.
 * @throws Error as `buildEnsemble` and `saveClassifier` do.
 *
 * @example
 * await keepEnsemble("ensemble", task, await crossValidate({ ...task, repeats: 3 }));
 */
export async function keepEnsemble(
  folder: string,
  task: EnsembleTask,
  validated: CrossValidation,
): Promise<number> {
  const classifier = await buildEnsemble(task, validated);
  await saveClassifier(folder, classifier);
  return validated.heads.length;
}
