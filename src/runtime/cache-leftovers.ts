import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** Folder within a kind of entries where files are written before they take their place. */
export const unfinishedFolder = "unfinished";

/** What another machine on the same disk left behind is only known to be abandoned by its age. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;

const separator = "~";
const ownName = () => encodeURIComponent(hostname()).replaceAll("~", "-");

/** A file name that nobody else uses and that tells who writes it: machine, process, and something random. */
export function unfinishedName(): string {
  return [ownName(), process.pid, randomUUID()].join(separator);
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function isAbandoned(path: string, name: string, nowMs: number): Promise<boolean> {
  const [machine, processId] = name.split(separator);
  if (machine === ownName() && processId !== undefined && /^[1-9]\d*$/.test(processId)) {
    if (!isRunning(Number(processId))) return true;
  }
  // A process of that number may be another one by now, or live on another machine: no write takes a day.
  const found = await stat(path).catch(() => null);
  return found !== null && nowMs - found.mtimeMs > abandonedAfterMs;
}

/**
 * Removes what killed processes left half-written, and nothing that somebody still writes.
 *
 * @param kindFolder - The folder of one kind of entries.
 * @returns How many files were removed.
 */
export async function removeLeftovers(kindFolder: string, nowMs = Date.now()): Promise<number> {
  const folder = join(kindFolder, unfinishedFolder);
  const names = await readdir(folder).catch(() => []);
  let removed = 0;
  for (const name of names) {
    const path = join(folder, name);
    if (!(await isAbandoned(path, name, nowMs))) continue;
    await rm(path, { force: true, recursive: true });
    removed++;
  }
  return removed;
}

/** Makes the folder for unfinished files; the first time in this process it is cleaned too. */
export async function prepareUnfinishedFolder(kindFolder: string): Promise<string> {
  const folder = join(kindFolder, unfinishedFolder);
  await mkdir(folder, { recursive: true });
  const cleaned = cleanedFolders();
  if (!cleaned.has(kindFolder)) {
    cleaned.add(kindFolder);
    await removeLeftovers(kindFolder);
  }
  return folder;
}

const cleanedKey = Symbol.for("breakhis-lab.cleaned-cache-folders");

function cleanedFolders(): Set<string> {
  const holder = globalThis as unknown as Record<symbol, Set<string> | undefined>;
  holder[cleanedKey] ??= new Set();
  return holder[cleanedKey];
}
