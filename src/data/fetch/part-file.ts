import { randomUUID } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

// A part is named after the process that writes it, so that two processes never write the same one.
const ownedSuffix = /^\.(\d+)-[0-9a-f]+\.part$/;
const abandonedSuffix = ".part";

/** Whether a process of that number is running. */
function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function isAbandoned(name: string, targetName: string): boolean {
  if (!name.startsWith(targetName)) return false;
  const suffix = name.slice(targetName.length);
  const owner = ownedSuffix.exec(suffix)?.[1];
  return suffix === abandonedSuffix || (owner !== undefined && !isRunning(Number(owner)));
}

async function findAbandonedParts(target: string): Promise<string[]> {
  const names = await readdir(dirname(target));
  const targetName = basename(target);
  return names.filter((name) => isAbandoned(name, targetName)).map((name) => join(dirname(target), name));
}

/** Size of a file in bytes, 0 where there is none. */
export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

/**
 * Chooses the file that a download is written to until it is whole: what an earlier, interrupted download of the
 * same target left, or a new one. Renaming is what claims it, so only one of several processes gets it.
 *
 * @returns A path beside the target that no other process uses; the file may not exist yet.
 */
export async function claimPart(target: string): Promise<string> {
  const mine = `${target}.${process.pid}-${randomUUID().slice(0, 8)}${abandonedSuffix}`;
  for (const candidate of await findAbandonedParts(target)) {
    try {
      await rename(candidate, mine);
      return mine;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return mine;
}

/** Leaves a part for the next download to go on with. */
export async function abandonPart(part: string, target: string): Promise<void> {
  if ((await sizeOf(part)) > 0) await rename(part, `${target}${abandonedSuffix}`);
  else await rm(part, { force: true });
}

/** Puts a whole part in its place and removes what interrupted downloads of it left. */
export async function completePart(part: string, target: string): Promise<void> {
  await rename(part, target);
  for (const leftover of await findAbandonedParts(target)) await rm(leftover, { force: true });
}
