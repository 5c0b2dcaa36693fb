import { crc32 } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import { damaged, lastingError } from "../download-problems";
import type { ArchiveKeeper, ArchiveMember } from "./archive-keeper";
import { type ArchiveLimits, checkExpansion } from "./archive-limits";

/** Bits of a Unix mode that say what kind of file it is, where the archive was made on Unix. */
const kindMask = 0o170000;
const symbolicLink = 0o120000;
const plainFile = 0o100000;
const folder = 0o040000;
const localHeaderBytes = 30;

function kindOf(entry: Entry): ArchiveMember["kind"] {
  const kind = (entry.externalFileAttributes >>> 16) & kindMask;
  if (kind === symbolicLink) return { other: "a symbolic link" };
  if (kind !== 0 && kind !== plainFile && kind !== folder) return { other: "something that is no file" };
  return entry.fileName.endsWith("/") ? "folder" : "file";
}

/** All members of an archive, as its central directory lists them. */
async function listEntries(zip: ZipFile, limits: ArchiveLimits): Promise<Entry[]> {
  if (zip.entryCount > limits.entries) {
    throw lastingError(`the archive holds more than ${limits.entries} files`);
  }
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    zip.on("error", (error: Error) => reject(explainZipError(error)));
    zip.on("end", () => resolve(entries));
    zip.on("entry", (entry: Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

/** Members that share bytes make a small archive's content endless. */
function refuseOverlaps(entries: readonly Entry[]): void {
  let end = 0;
  for (const entry of entries) {
    if (entry.relativeOffsetOfLocalHeader < end) {
      throw lastingError("members of the archive overlap, which none that was made honestly does");
    }
    end = entry.relativeOffsetOfLocalHeader + localHeaderBytes + entry.compressedSize;
  }
}

/** How members may be packed besides what can be read here, by number (PKWARE's APPNOTE 6.3.10, section 4.4.5). */
const otherMethods: Readonly<Record<number, string>> = {
  9: "Deflate64, as Windows' Explorer packs what is larger than 2 GB",
  12: "bzip2",
  14: "LZMA",
  93: "Zstandard",
  95: "XZ",
  96: "JPEG",
  98: "PPMd",
};

/** @throws Error if a member can't be read, before anything was written. */
function requireReadable(entry: Entry): void {
  if (entry.isEncrypted()) throw lastingError("the archive is locked with a password");
  const { compressionMethod: method } = entry;
  if (method === 0 || method === 8) return;
  const name = otherMethods[method] ?? `a method with the number ${method}`;
  throw lastingError(
    `the archive is packed with ${name}, which is not read here: unpack it with another program, such as 7-Zip, and ` +
      "pass the folder",
  );
}

/** A member's content, whose checksum is compared at its end. */
async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array, void, undefined> {
  let checksum = 0;
  try {
    const stream = await zip.openReadStreamPromise(entry);
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  } catch (error) {
    throw explainZipError(error);
  }
  if (checksum !== entry.crc32) throw damaged(`the checksum of ${JSON.stringify(entry.fileName)} is wrong`);
}

/**
 * Unpacks a zip archive in the order in which its content lies in the file; only what the keeper wants is read.
 *
 * @param zip - Opened with `zipOptions`, so with `lazyEntries` and not closing itself; the caller closes it.
 * @param onPlanned - Told how many bytes will be kept, before any is written; may refuse.
 * @throws Error whose message is the rest of a sentence.
 */
export async function unpackZip(
  zip: ZipFile,
  keeper: ArchiveKeeper,
  limits: ArchiveLimits,
  onPlanned: (bytes: number) => Promise<void>,
): Promise<void> {
  const entries = await listEntries(zip, limits);
  entries.sort((one, other) => one.relativeOffsetOfLocalHeader - other.relativeOffsetOfLocalHeader);
  refuseOverlaps(entries);
  const wanted: { entry: Entry; file: string }[] = [];
  let packed = 0;
  let unpacked = 0;
  for (const entry of entries) {
    const size = entry.uncompressedSize;
    const file = keeper.admit({ name: entry.fileName, kind: kindOf(entry), size });
    if (file === null) continue;
    requireReadable(entry);
    packed += entry.compressedSize;
    unpacked += size;
    checkExpansion(packed, unpacked, limits);
    wanted.push({ entry, file });
  }
  // Everything is looked at before anything is written.
  await onPlanned(unpacked);
  for (const { entry, file } of wanted) {
    await keeper.write(file, entry.uncompressedSize, contentOf(zip, entry));
  }
}

/** Says in our words what the zip reader found wrong with an archive; other errors stay as they are. */
export function explainZipError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (/^(?:absolute path|invalid relative path|invalid characters in fileName)/i.test(message)) {
    const name = message.slice(message.indexOf(":") + 1).trim();
    return lastingError(
      `the archive holds ${JSON.stringify(name)}, a path that leaves its folder; nothing was unpacked`,
    );
  }
  if (/end of central directory/i.test(message))
    return damaged("its end is missing, or it is no zip archive");
  if (
    code?.startsWith("Z_") ||
    /signature|unexpected EOF|too many bytes|not enough bytes|invalid|size|overflow/i.test(message)
  ) {
    return damaged(message);
  }
  return error;
}
