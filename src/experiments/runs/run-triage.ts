import { join } from "node:path";
import { lockTriage } from "../../model/classifier/classifier-triage";
import { writeFileAtomically } from "../../runtime/files/write-file";
import { refusal } from "../../runtime/refusal";
import type { BootstrapOptions } from "../../scores/intervals/bootstrap";
import type { Prediction } from "../../scores/prediction";
import {
  type ChosenThreshold,
  chooseThreshold,
  listWork,
  type TriageLevel,
  type WorkloadPoint,
  type WorkRow,
  workloadCurve,
} from "../../scores/triage/triage";
import { evaluateTriage, type TriageReport } from "../../scores/triage/triage-report";
import type { SavedRun } from "../../training/runs/run-log";

/** A threshold chosen on validation, locked, and what it does to the test part. */
export interface RunTriage {
  locked: ChosenThreshold;
  report: TriageReport;
  curve: WorkloadPoint[];
  /** The test images in the order in which to look at them. */
  work: WorkRow[];
}

/** What a triage is asked for. */
export interface RunTriageTask {
  /** A run's; only validation and test are looked at. */
  predictions: readonly Prediction[];
  positiveClass: number | null;
  targetSensitivity: number;
  triageLevel: TriageLevel;
  bootstrap?: BootstrapOptions;
}

/** @throws Error if a data set has no class that is looked for. */
export function requirePositiveClass(positiveClass: number | null): number {
  if (positiveClass === null) {
    throw refusal("None of the classes is the one to be found, so there is nothing to be missed.");
  }
  return positiveClass;
}

/**
 * Chooses a threshold on a run's validation part, locks it, and reports what it does to the test part.
 *
 * @throws Error if there is nothing to choose by, or no class is the one to be found.
 */
export function triageRun(task: RunTriageTask): RunTriage {
  const { predictions, targetSensitivity, triageLevel: level, bootstrap = {} } = task;
  const positiveClass = requirePositiveClass(task.positiveClass);
  const validation = predictions.filter(({ split }) => split === "validation");
  const test = predictions.filter(({ split }) => split === "test");
  const locked = chooseThreshold(validation, { targetSensitivity, level, positiveClass });
  return {
    locked,
    report: evaluateTriage(test, locked, bootstrap),
    curve: workloadCurve(test, positiveClass, level),
    work: listWork(test, locked),
  };
}

const triageFile = "triage.json";

/**
 * Keeps a locked threshold in its run's folder and in the saved classifier, which can then be taken elsewhere. The
 * classifier itself still decides at its own threshold: triage asks another question, and its answer must not change
 * what was reported before.
 *
 * @param temperature - Fitted on validation, null where there is none. The threshold is one of the classifier's own
 * probabilities, before any temperature.
 * @returns The path of the run's file.
 */
export async function saveTriage(
  run: Pick<SavedRun, "folder" | "classifierFolder">,
  locked: ChosenThreshold,
  temperature: number | null,
): Promise<string> {
  const { threshold, level, target, chosenOn, description } = locked;
  await lockTriage(run.classifierFolder, { threshold, level, target, chosenOn, description, temperature });
  const path = join(run.folder, triageFile);
  const content = { format: 1, appliesTo: "probabilities before the temperature", ...locked, temperature };
  await writeFileAtomically(path, `${JSON.stringify(content, null, 2)}\n`);
  return path;
}
