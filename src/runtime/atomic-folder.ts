import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

async function moveAside(folder: string, aside: string): Promise<void> {
  try {
    await rename(folder, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/**
 * Writes a folder whole or not at all: its files are written into a temporary one beside it, which then takes
 * its name. A folder of that name is replaced; after a failure it is still there as it was.
 *
 * @param write - Writes the files into the folder it is given.
 */
export async function writeFolderAtomically(
  folder: string,
  write: (temporaryFolder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(folder);
  await mkdir(dirname(target), { recursive: true });
  const workshop = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    const fresh = join(workshop, "new");
    await mkdir(fresh);
    await write(fresh);
    await moveAside(target, join(workshop, "old"));
    await rename(fresh, target);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}
