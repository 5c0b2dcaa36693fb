import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm, statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { lastingError, sizeText } from "./download-problems";
import { isRunning } from "./part-file";

/** A hidden folder beside the target, on the same disk, whose content takes the target's name when it is whole. */
export interface Staging {
  /** What will become the target. */
  content: string;
  /** For a file that is only needed meanwhile. */
  scratch: string;
  /** Empties the content for another try. */
  restart(): Promise<void>;
  /** Puts the content in its place. */
  complete(): Promise<void>;
  /** Removes whatever is left. */
  discard(): Promise<void>;
}

function ownerOf(name: string, targetName: string): number | null {
  const prefix = `.${targetName}.`;
  if (!name.startsWith(prefix)) return null;
  const owner = /^(\d+)-[0-9a-f]{8}\.unfinished$/.exec(name.slice(prefix.length))?.[1];
  return owner === undefined ? null : Number(owner);
}

/** Removes what a killed process left. */
async function removeAbandoned(target: string): Promise<void> {
  for (const name of await readdir(dirname(target))) {
    const owner = ownerOf(name, basename(target));
    if (owner !== null && !isRunning(owner)) {
      await rm(join(dirname(target), name), { recursive: true, force: true });
    }
  }
}

/** Tells whether something of that name is there. */
export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

/** Makes a staging folder for a target that must not exist yet. */
export async function openStaging(folder: string): Promise<Staging> {
  const target = resolve(folder);
  await mkdir(dirname(target), { recursive: true });
  await removeAbandoned(target);
  const id = `${process.pid}-${randomUUID().slice(0, 8)}`;
  const workshop = join(dirname(target), `.${basename(target)}.${id}.unfinished`);
  const content = join(workshop, "content");
  await mkdir(content, { recursive: true });
  return {
    content,
    scratch: join(workshop, "archive"),
    async restart() {
      await rm(content, { recursive: true, force: true });
      await mkdir(content);
    },
    async complete() {
      // Somebody else may have put something there meanwhile; rename would replace an empty folder silently.
      if (await exists(target)) throw lastingError(`${target} has appeared meanwhile and is not replaced`);
      await rename(content, target);
    },
    discard: () => rm(workshop, { recursive: true, force: true }),
  };
}

/** Tells how many bytes may still be written to a folder's disk. */
export type FreeSpace = (folder: string) => Promise<number>;

/** As the operating system tells. */
export async function freeSpaceOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** What file systems need beyond the files' own bytes, and a little air. */
const overhead = 1.05;

/**
 * Makes sure that there is room before anything is fetched.
 *
 * @param neededBytes - Null where it is not known; then the disk's own error has to do.
 * @throws Error whose message is the rest of a sentence.
 */
export async function requireSpace(
  folder: string,
  neededBytes: number | null,
  freeSpace: FreeSpace,
): Promise<void> {
  if (neededBytes === null) return;
  const needed = neededBytes * overhead;
  const free = await freeSpace(folder);
  if (free >= needed) return;
  throw lastingError(
    `about ${sizeText(needed)} are needed and ${sizeText(free)} are free; make room, or name a folder on another disk with --into`,
  );
}
