import { randomBytes } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, rmdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { writeWholeFile } from "../../runtime/files/write-file";
import { runsFolder } from "../../runtime/paths";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import type { Settings } from "../../runtime/settings";
import { reserveRun } from "./reserve-run";

/** One training's folder. */
export interface Run {
  id: string;
  /** Absolute. */
  folder: string;
}

/** Name of the link to the newest finished run. */
export const latestName = "latest";
export const settingsFile = "settings.json";
export const summaryFile = "summary.json";

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * Reads a JSON file of a run.
 *
 * @param remedy - What to do where it is damaged.
 * @returns Null if there is no such file.
 * @throws Error with its path and the remedy if it is no JSON.
 */
export async function readRunFile<T>(
  folder: string,
  name: string,
  remedy = "Remove the run's folder, and train again.",
): Promise<T | null> {
  const path = join(folder, name);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    throw refusal(`${path} is damaged: it is not JSON. ${remedy}`);
  }
}

/** @throws RangeError if an id could lead outside the folder of runs, or is that of the link. */
export function checkRunId(id: string): void {
  if (!idPattern.test(id) || id === latestName) {
    throw rangeRefusal(`A run's id consists of letters, digits, ".", "_" and "-", found "${id}".`);
  }
}

/**
 * Takes a reserved id for this run by writing its settings: whoever comes second finds them there.
 *
 * Written elsewhere and then linked, so that the file appears whole, and for one process only.
 */
async function claim(id: string, settings: Settings): Promise<Run | null> {
  const folder = join(runsFolder(), id);
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${settingsFile}.${randomBytes(6).toString("hex")}`);
  await writeWholeFile(temporary, `${JSON.stringify(settings, null, 2)}\n`);
  try {
    await link(temporary, join(folder, settingsFile));
    return { id, folder };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return null;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Starts a run: makes its folder and keeps its settings in it.
 *
 * The id is `$BREAKHIS_RUN`, which `npm start` has reserved, if no run has used it yet, else the time; an id is had by
 * making its folder, so that no two runs ever get the same one.
 */
export async function startRun(settings: Settings): Promise<Run> {
  const wanted = process.env["BREAKHIS_RUN"];
  if (wanted) {
    checkRunId(wanted);
    const run = await claim(wanted, settings);
    if (run !== null) return run;
  }
  for (;;) {
    const run = await claim(reserveRun(runsFolder(), new Date()), settings);
    if (run !== null) return run;
  }
}

/** Removes what a run has written, where nothing came of it; its folder too, unless there is something else in it. */
export async function discardRun(run: Run): Promise<void> {
  for (const name of ["history.jsonl", "state.json", settingsFile]) {
    await rm(join(run.folder, name), { force: true });
  }
  try {
    await rmdir(run.folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
  }
}

/** Makes `runs/latest` point to a run; a reader finds the old one or the new one, never none. */
export async function pointLatestTo(run: Run): Promise<void> {
  const temporary = join(runsFolder(), `.${latestName}.${randomBytes(6).toString("hex")}`);
  await symlink(run.id, temporary);
  try {
    await rename(temporary, join(runsFolder(), latestName));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function startedAt(run: Run): Promise<{ run: Run; startedAtMs: number }[]> {
  try {
    return [{ run, startedAtMs: (await stat(join(run.folder, settingsFile))).mtimeMs }];
  } catch {
    // A folder without settings is no run.
    return [];
  }
}

/** Every run that was started, the newest first. */
export async function findRuns(): Promise<Run[]> {
  let names: string[] = [];
  try {
    names = await readdir(runsFolder());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const ids = names.filter((name) => idPattern.test(name) && name !== latestName);
  const runs = await Promise.all(ids.map((id) => startedAt({ id, folder: join(runsFolder(), id) })));
  return runs
    .flat()
    .sort((a, b) => b.startedAtMs - a.startedAtMs || (a.run.id < b.run.id ? 1 : -1))
    .map(({ run }) => run);
}
