import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { requireFolderWritable } from "../runtime/files/atomic-folder";

/**
 * Refuses to replace what is no export: the folder may be anything.
 *
 * @param marker - The file that an earlier one would have, and how it is recognised.
 */
export async function refuseForeignFolder(
  folder: string,
  marker: { file: string; isOurs: (json: unknown) => boolean; name: string },
): Promise<void> {
  await requireFolderWritable(folder);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new Error(`${folder} can't be written to: ${error.message}.`);
  });
  if (names.length === 0) return;
  const text = await readFile(join(folder, marker.file), "utf8").catch(() => "null");
  try {
    if (marker.isOurs(JSON.parse(text))) return;
  } catch {
    // What can't be read is not ours.
  }
  throw new Error(
    `${resolve(folder)} holds something else than ${marker.name}, so it is not replaced: name another folder.`,
  );
}
