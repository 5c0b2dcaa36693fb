import { constants, type Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";

/** The code of the error about something that is no file. */
const noFileCode = "ENOFILE";

/** What something is that is neither file nor folder, with its article; null for those two. */
export function specialKind(
  found: Pick<Stats, "isFIFO" | "isSocket" | "isCharacterDevice" | "isBlockDevice">,
): string | null {
  if (found.isFIFO()) return "a named pipe";
  if (found.isSocket()) return "a socket";
  return found.isCharacterDevice() || found.isBlockDevice() ? "a device" : null;
}

function refuseSpecial(found: Stats): void {
  const kind = specialKind(found);
  if (kind !== null) throw Object.assign(new Error(`it is ${kind}, not a file`), { code: noFileCode });
}

/**
 * Opens a file for reading. A pipe would let its reader wait for ever and a device may be without an end, so neither is
 * opened, even if it takes the file's place just now.
 *
 * @throws Error with the code ENOFILE and the rest of a sentence where something else is there; else the system's.
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  refuseSpecial(await stat(path));
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    refuseSpecial(await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Reads a whole file.
 *
 * @throws As `openRegularFile`.
 */
export async function readRegularFile(path: string): Promise<Buffer> {
  const file = await openRegularFile(path);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}
