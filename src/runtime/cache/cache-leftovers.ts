import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { removeAbandoned } from "../files/leftovers";

/** Folder within a kind of entries where files are written before they take their place. */
export const unfinishedFolder = "unfinished";

/**
 * Removes what killed processes left half-written, and nothing that somebody still writes.
 *
 * @param kindFolder - The folder of one kind of entries.
 * @returns How many files were removed.
 */
export function removeLeftovers(kindFolder: string, nowMs: number = Date.now()): number {
  return removeAbandoned(join(kindFolder, unfinishedFolder), "", nowMs);
}

/** Makes the folder for unfinished files; the first time in this process it is cleaned too. */
export async function prepareUnfinishedFolder(kindFolder: string): Promise<string> {
  const folder = join(kindFolder, unfinishedFolder);
  await mkdir(folder, { recursive: true });
  const cleaned = cleanedFolders();
  if (!cleaned.has(kindFolder)) {
    cleaned.add(kindFolder);
    removeLeftovers(kindFolder);
  }
  return folder;
}

const cleanedKey = Symbol.for("breakhis-lab.cleaned-cache-folders");

function cleanedFolders(): Set<string> {
  const holder = globalThis as unknown as Record<symbol, Set<string> | undefined>;
  holder[cleanedKey] ??= new Set();
  return holder[cleanedKey];
}
