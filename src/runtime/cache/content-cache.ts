import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unfinishedName } from "../files/leftovers";
import { writeWholeFile } from "../files/write-file";
import { cacheFolder } from "../paths";
import { prepareUnfinishedFolder } from "./cache-leftovers";
import { sha256 } from "./content-hash";

const checksumBytes = 32;
const kindPattern = /^[a-z][a-z0-9-]*$/;
const keyPattern = /^[0-9a-f]{64}$/;

/**
 * Path of an entry: two letters of the key first, so that no folder grows beyond what file systems like.
 *
 * @throws RangeError if the kind or the key could lead outside the cache.
 */
function entryPath(kind: string, key: string): string {
  if (!kindPattern.test(kind)) throw new RangeError(`"${kind}" is not a kind of cache entry.`);
  if (!keyPattern.test(key)) throw new RangeError(`A cache key is a SHA-256 in hexadecimal, found "${key}".`);
  return join(cacheFolder(), kind, key.slice(0, 2), key);
}

/**
 * Reads what was computed before for this key.
 *
 * An entry is its content's SHA-256 followed by the content; one that is damaged counts as absent and is removed.
 *
 * @param key - SHA-256 of everything that the content depends on, in hexadecimal.
 * @returns The content, or null if there is none.
 */
export async function readEntry(kind: string, key: string): Promise<Buffer | null> {
  const path = entryPath(kind, key);
  let file: Buffer;
  try {
    file = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const content = file.subarray(checksumBytes);
  if (file.length < checksumBytes || file.toString("hex", 0, checksumBytes) !== sha256(content)) {
    await rm(path, { force: true });
    return null;
  }
  return content;
}

/** Removes an entry, if it is there. */
export async function removeEntry(kind: string, key: string): Promise<void> {
  await rm(entryPath(kind, key), { force: true });
}

/** Bytes of an entry's content, without reading it; null if there is none. Damage is noticed by reading alone. */
export async function measureEntry(kind: string, key: string): Promise<number | null> {
  try {
    return Math.max(0, (await stat(entryPath(kind, key))).size - checksumBytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * Keeps a computed content: whole or not at all, whoever else writes and whenever the process is killed.
 *
 * It is written beside the entries under a name of its own and then renamed. What a killed process left there is
 * removed by the next one that writes.
 */
export async function writeEntry(kind: string, key: string, content: Uint8Array): Promise<void> {
  const path = entryPath(kind, key);
  const checksum = Buffer.from(sha256(content), "hex");
  const file = [checksum, content];
  try {
    await writeAndRename(join(cacheFolder(), kind), path, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // Somebody cleared the cache in between.
    await writeAndRename(join(cacheFolder(), kind), path, file);
  }
}

async function writeAndRename(kindFolder: string, path: string, file: Uint8Array[]): Promise<void> {
  const temporary = join(await prepareUnfinishedFolder(kindFolder), unfinishedName());
  try {
    await mkdir(dirname(path), { recursive: true });
    // Losing an entry to a power cut costs a computation, and the checksum notices; waiting for the disk costs always.
    await writeWholeFile(temporary, file, { flush: false });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
