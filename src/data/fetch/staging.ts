import { lstat, mkdir, rename, rm, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { removeAbandoned, unfinishedName, unfinishedPrefix } from "../../runtime/files/leftovers";
import { lastingError, sizeText } from "./download-problems";

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

/** Removes what killed processes left of a target. */
export function clearStaging(target: string): void {
  removeAbandoned(dirname(target), unfinishedPrefix(target));
}

/** Tells whether something of that name is there. */
export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

/** Makes a staging folder for a target that must not exist yet. */
export async function openStaging(folder: string): Promise<Staging> {
  const target = resolve(folder);
  await mkdir(dirname(target), { recursive: true });
  clearStaging(target);
  const workshop = join(dirname(target), `${unfinishedPrefix(target)}${unfinishedName()}`);
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
