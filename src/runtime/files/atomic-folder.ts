import { mkdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { runPythonProgram } from "../python";
import { findAbandoned, unfinishedName, unfinishedPrefix } from "./leftovers";
import { specialKind } from "./regular-file";
import { explainWriting } from "./write-file";

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null;

/** Both names lead to the old folder or both to the new one at every moment; false where the disk does not know how. */
async function exchange(one: string, other: string): Promise<boolean> {
  return runPythonProgram("exchange_folders.py", [one, other]).then(
    () => true,
    () => false,
  );
}

/** The other way has a moment without any folder of the name; what is left of that, the next writer puts right. */
async function replaceInTwoSteps(fresh: string, target: string, aside: string): Promise<void> {
  await rename(target, aside);
  try {
    await rename(fresh, target);
  } catch (error) {
    await rename(aside, target).catch(() => undefined);
    throw error;
  }
}

/** Removes the temporary folder, unless the only copy of what was there before has got stuck in it. */
async function clearWorkshop(workshop: string, target: string): Promise<void> {
  if ((await exists(target)) || !(await exists(join(workshop, "old")))) {
    await rm(workshop, { recursive: true, force: true });
  }
}

/** Removes what killed processes left of a folder; what one of them had taken aside last gets its name back. */
async function clearAbandoned(target: string): Promise<void> {
  for (const workshop of findAbandoned(dirname(target), unfinishedPrefix(target))) {
    if (!(await exists(target))) await rename(join(workshop, "old"), target).catch(() => undefined);
    await rm(workshop, { recursive: true, force: true });
  }
}

/**
 * Writes a folder whole or not at all: its files are written into a temporary one beside it, which then takes
 * its name. A folder of that name is replaced; after a failure it is still there as it was. What killed processes left
 * of the same folder is removed.
 *
 * @param write - Writes the files into the folder it is given, each with `writeWholeFile`.
 */
export async function writeFolderAtomically(
  folder: string,
  write: (temporaryFolder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(folder);
  await mkdir(dirname(target), { recursive: true });
  await clearAbandoned(target);
  const workshop = join(dirname(target), `${unfinishedPrefix(target)}${unfinishedName()}`);
  try {
    const fresh = join(workshop, "new");
    await mkdir(fresh, { recursive: true });
    await write(fresh);
    if (!(await exists(target))) await rename(fresh, target);
    else if (!(await exchange(fresh, target))) await replaceInTwoSteps(fresh, target, join(workshop, "old"));
  } finally {
    await clearWorkshop(workshop, target);
  }
  // A process that was killed just before this one began may have been there still, then.
  await clearAbandoned(target);
}

/**
 * Makes sure before any work that a folder can be written: makes those above it, and tries.
 *
 * @throws Error naming the folder and the reason.
 */
export async function requireFolderWritable(folder: string): Promise<void> {
  const target = resolve(folder);
  try {
    const found = await stat(target).catch(() => null);
    if (found !== null && !found.isDirectory()) throw new Error(`it is ${specialKind(found) ?? "a file"}`);
    await mkdir(dirname(target), { recursive: true });
    const trial = join(dirname(target), `${unfinishedPrefix(target)}${unfinishedName()}`);
    await mkdir(trial);
    await rmdir(trial);
  } catch (error) {
    throw explainWriting(folder, error);
  }
}
