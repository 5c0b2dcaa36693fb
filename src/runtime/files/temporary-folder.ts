import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownerPrefix, removeAbandoned } from "./leftovers";

const prefix = "breakhis-lab~";

/**
 * Makes an empty folder for this user alone, and removes those of processes that were killed.
 *
 * @returns Its path; the caller removes it.
 * @throws Error that says what to do if there is no folder for temporary files.
 */
export function makeTemporaryFolder(): string {
  removeAbandoned(tmpdir(), prefix);
  try {
    return mkdtempSync(join(tmpdir(), `${prefix}${ownerPrefix()}`));
  } catch (error) {
    throw new Error(
      `No temporary folder can be made in ${tmpdir()} (${(error as Error).message}): make that folder, or name another one in $TMPDIR.`,
      { cause: error },
    );
  }
}

/** Does some work with an empty folder that is removed afterwards, whatever happens. */
export async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = makeTemporaryFolder();
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
    // A process that was killed just before this one began may have been there still, then.
    removeAbandoned(tmpdir(), prefix);
  }
}
