import { existsSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Dataset } from "../../data/dataset";
import { type Split, saveSplit } from "../../data/split/split";
import { type Classifier, saveClassifier } from "../../model/classifier/classifier";
import { type FeaturesOrigin, refuseOtherFeatures } from "../../model/features/features-origin";
import { writeFileAtomically } from "../../runtime/files/write-file";
import { runsFolder } from "../../runtime/paths";
import { refusal } from "../../runtime/refusal";
import { completeSettings, type Settings } from "../../runtime/settings";
import type { Prediction } from "../../scores/prediction";
import type { EpochRecord } from "../head/train";
import { readPredictions, writePredictions } from "./predictions-file";
import {
  checkRunId,
  findRuns,
  latestName,
  pointLatestTo,
  type Run,
  readRunFile,
  settingsFile,
  summaryFile,
} from "./run-folder";
import { clearState, readState, type UnfinishedState } from "./run-state";
import type { RunSummary } from "./run-summary";

export { type Run, startRun } from "./run-folder";
export type { RunSummary } from "./run-summary";

/** What a training leaves, to be kept. */
export interface RunResults {
  dataset: Dataset;
  split: Split;
  classifier: Classifier;
  history: readonly EpochRecord[];
  predictions: readonly Prediction[];
  summary: RunSummary;
  /** Of the features that the classifier's head was trained on; undefined is refused. */
  origin: FeaturesOrigin | undefined;
}

/** A finished run, read back. */
export interface SavedRun extends Run {
  settings: Settings;
  history: EpochRecord[];
  predictions: Prediction[];
  summary: RunSummary;
  /** For `loadSplit`. */
  splitFile: string;
  /** For `loadClassifier`. */
  classifierFolder: string;
}

/** A run in the list of all: `summary` is null where it has not finished, or never did. */
export interface ListedRun extends Run {
  settings: Settings;
  summary: RunSummary | null;
  /** How it stands without results; nothing where it has them. */
  unfinished?: UnfinishedState;
}

const historyFile = "history.jsonl";
const predictionsFile = "predictions.csv";
const splitFileName = "split.json";
const classifierFolderName = "classifier";

/** Writes the epochs so far, one JSON object a line; called after each epoch, a killed run keeps them. */
export async function saveHistory(run: Run, history: readonly EpochRecord[]): Promise<void> {
  const lines = history.map((record) => `${JSON.stringify(record)}\n`);
  await writeFileAtomically(join(run.folder, historyFile), lines.join(""));
}

/** @throws Error that says in what the results are not those of the run's settings. */
async function refuseOtherResults(run: Run, results: RunResults): Promise<void> {
  const { dataset, split, classifier, summary, origin } = results;
  const settings = await readSettings(run.folder);
  if (settings === null) throw refusal(`${run.folder} has no ${settingsFile}: start a run with startRun.`);
  if (summary.bestEpoch === 0) {
    throw refusal(`The run ${run.id} was stopped before its first epoch ended: there is nothing to keep.`);
  }
  if (split.by !== settings.split || split.seed !== settings.seed) {
    throw refusal(
      `The run ${run.id} asks for a split by ${settings.split} with seed ${settings.seed}, found one by ${split.by} with seed ${split.seed}: make the split with its settings.`,
    );
  }
  const { backbone, stain } = classifier;
  refuseOtherFeatures(origin, { settings, dataset, backbone, stain });
}

/**
 * Keeps everything that a training leaves. The summary comes last, so a run that has one is whole; then
 * `runs/latest` points to it.
 *
 * @throws Error if nothing was trained, or something of it does not agree with the run's settings.
 */
export async function saveRun(run: Run, results: RunResults): Promise<void> {
  await refuseOtherResults(run, results);
  const { dataset, split, classifier, history, predictions, summary } = results;
  await saveHistory(run, history);
  // Training has refused copies in several parts, unless it was told to take them.
  const options = { allowDuplicatesAcrossParts: true };
  await saveSplit(join(run.folder, splitFileName), dataset, split, options);
  await writePredictions(join(run.folder, predictionsFile), predictions, classifier);
  await saveClassifier(join(run.folder, classifierFolderName), classifier);
  await writeFileAtomically(join(run.folder, summaryFile), `${JSON.stringify(summary, null, 2)}\n`);
  await clearState(run);
  await pointLatestTo(run);
}

/** A run's settings; one from before a setting was there did what that setting's default does. */
async function readSettings(folder: string): Promise<Settings | null> {
  const settings = await readRunFile<Settings>(folder, settingsFile);
  return settings === null ? null : { ...completeSettings({}), ...settings };
}

async function readHistory(path: string): Promise<EpochRecord[]> {
  const text = await readFile(path, "utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as EpochRecord);
}

/** The id that `runs/latest` points to, if that run is there and has finished, else the newest finished run's. */
async function latestId(): Promise<string> {
  const pointedTo = await readlink(join(runsFolder(), latestName)).catch(() => null);
  if (pointedTo !== null) {
    const id = basename(pointedTo);
    if (existsSync(join(runsFolder(), id, summaryFile))) return id;
  }
  const finished = (await listRuns()).find((run) => run.summary !== null);
  if (finished !== undefined) return finished.id;
  throw refusal(`There is no finished run in ${runsFolder()} yet: run notebook 03 (03-train-model) first.`);
}

async function findRunId(id: string): Promise<string> {
  const runId = id === latestName ? await latestId() : id;
  checkRunId(runId);
  return runId;
}

/**
 * Reads a finished run.
 *
 * @param id - By default the run that `npm start` is at, else the newest; "latest" is the newest in any case.
 * @throws Error that names the notebook to run if there is no such run or it has not finished.
 */
export async function loadRun(id: string = process.env["BREAKHIS_RUN"] || latestName): Promise<SavedRun> {
  const runId = await findRunId(id);
  const folder = join(runsFolder(), runId);
  const settings = await readSettings(folder);
  const summary = await readRunFile<RunSummary>(folder, summaryFile);
  if (settings === null || summary === null) {
    const problem = settings === null ? "There is no run" : "Training has not finished in the run";
    throw refusal(`${problem} ${runId} in ${runsFolder()}: run notebook 03 (03-train-model) first.`);
  }
  return {
    id: runId,
    folder,
    settings,
    summary,
    history: await readHistory(join(folder, historyFile)),
    predictions: await readPredictions(join(folder, predictionsFile)),
    splitFile: join(folder, splitFileName),
    classifierFolder: join(folder, classifierFolderName),
  };
}

/**
 * The settings that a run was started with, so that it can be made again: the same settings give the same split, first
 * weights and order of images, and on a CPU the same predictions bit for bit, if images and code are the same.
 *
 * @param id - A run's, finished or not, or "latest".
 * @throws Error if there is no such run.
 *
 * @example
 * const settings = await settingsOfRun("2026-03-14T15-09-26"); // in place of the settings cell
 */
export async function settingsOfRun(id: string): Promise<Settings> {
  const runId = await findRunId(id);
  const folder = join(runsFolder(), runId);
  const settings = await readRunFile<Settings>(folder, settingsFile);
  if (settings === null)
    throw refusal(`There is no run ${runId} in ${runsFolder()}: listRuns() knows all of them.`);
  const base = (await readRunFile<RunSummary>(folder, summaryFile))?.base;
  if (base !== undefined) {
    throw refusal(
      `The run ${runId} began with the classifier of the run ${base.id}, so its settings alone don't make it again: run notebook 05 (05-transfer-to-other-scans) with baseRun = "${base.id}".`,
    );
  }
  return completeSettings(settings);
}

/** The epochs that a run has kept so far, in order; none if it ended before the first did. */
export async function loadHistory(run: Pick<Run, "folder">): Promise<EpochRecord[]> {
  try {
    return await readHistory(join(run.folder, historyFile));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Every run that was started, the newest first, with its settings and, if it finished, its summary. */
export async function listRuns(): Promise<ListedRun[]> {
  const listed = (await findRuns()).map(async (run) => {
    const settings = await readSettings(run.folder);
    const summary = await readRunFile<RunSummary>(run.folder, summaryFile);
    return { ...run, settings, summary, ...(summary === null ? { unfinished: await readState(run) } : {}) };
  });
  return (await Promise.all(listed)).flatMap((run) =>
    run.settings === null ? [] : [{ ...run, settings: run.settings }],
  );
}
