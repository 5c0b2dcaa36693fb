import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { removeAbandoned, unfinishedName, unfinishedPrefix } from "./leftovers";
import { leadsInto, type Output, openOutput } from "./write-into";

type Chunk = string | Uint8Array;

/** What a file is made of; one that is too large for memory comes in pieces. */
export type FileContent = Chunk | Iterable<Chunk> | AsyncIterable<Chunk>;

/** Bytes that are collected before they are written. */
const blockBytes = 1 << 20;

const isChunk = (content: FileContent): content is Chunk =>
  typeof content === "string" || content instanceof Uint8Array;

const bytesOf = (chunk: Chunk): Uint8Array =>
  typeof chunk === "string" ? Buffer.from(chunk, "utf8") : chunk;

/** The content in few pieces: a file of many short lines is not many writes. */
async function* inBlocks(content: FileContent): AsyncGenerator<Uint8Array> {
  if (isChunk(content)) {
    yield bytesOf(content);
    return;
  }
  let collected: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    collected.push(bytesOf(chunk));
    bytes += collected.at(-1)!.byteLength;
    if (bytes < blockBytes) continue;
    yield collected.length === 1 ? collected[0]! : Buffer.concat(collected);
    collected = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(collected);
}

/** A write may take less than it is given, as on a disk that becomes full: then the rest is another write. */
async function writeAll(file: Output, content: FileContent): Promise<number> {
  let total = 0;
  for await (const block of inBlocks(content)) {
    for (let at = 0; at < block.byteLength; ) {
      const written = await file.write(block.subarray(at, at + blockBytes));
      if (written === 0) throw Object.assign(new Error("nothing more is taken"), { code: "ENOSPC" });
      at += written;
    }
    total += block.byteLength;
  }
  return total;
}

const inWords: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk has no more room for you",
  EFBIG: "it would become larger than files may be here (ulimit -f)",
  EROFS: "the disk can only be read",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is a file",
  EEXIST: "a part of its path is a file",
  ENAMETOOLONG: "its name is too long",
  EPIPE: "whoever read it has stopped reading",
};

/** The same failure with the name that was asked for, since the temporary one tells nobody anything. */
export function explainWriting(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = inWords[code ?? ""] ?? message;
  const kept = code === "EPIPE" ? "" : " What was there before is still there.";
  return Object.assign(new Error(`${path} can't be written: ${reason}.${kept}`, { cause: error }), { code });
}

/** What `writeWholeFile` may leave out. */
export interface WriteOptions {
  /** Whether to wait for the disk; without, a power cut may lose what is computed again. */
  flush?: boolean;
}

async function flushAndCheck(file: FileHandle, bytes: number, flush: boolean): Promise<void> {
  if (flush) await file.sync();
  const { size } = await file.stat();
  if (size !== bytes) throw new Error(`${size} of ${bytes} bytes are on the disk`);
}

/**
 * Writes a file under a name that nobody reads yet, as within an unfinished folder: all of it, or it throws.
 *
 * @throws Error whose message is the system's.
 */
export async function writeWholeFile(
  path: string,
  content: FileContent,
  { flush = true }: WriteOptions = {},
): Promise<void> {
  const file = await open(path, "w");
  try {
    const written = await writeAll(
      { write: async (bytes) => (await file.write(bytes, 0, bytes.byteLength, null)).bytesWritten },
      content,
    );
    await flushAndCheck(file, written, flush);
  } finally {
    await file.close();
  }
}

/** A rename outlasts a power cut once its folder is on the disk; some network disks don't flush folders. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  await handle.sync().catch(() => undefined);
  await handle.close();
}

/** Where a name leads: a link stays a link, and what it leads to is replaced. */
async function realTarget(path: string): Promise<string> {
  const link = (await lstat(path).catch(() => null))?.isSymbolicLink() ?? false;
  if (!link) return path;
  return realpath(path).catch(() => {
    throw new Error("it is a symbolic link to nothing");
  });
}

/** Gives the new file the permissions of the one that it replaces. */
async function keepPermissions(target: string, temporary: string): Promise<void> {
  const earlier = await stat(target).catch(() => null);
  if (earlier === null) return;
  const file = await open(temporary, "r+");
  try {
    await file.chmod(earlier.mode & 0o777);
    // Only root may give files away.
    await file.chown(earlier.uid, earlier.gid).catch(() => undefined);
  } finally {
    await file.close();
  }
}

async function replaceFile(target: string, content: FileContent): Promise<void> {
  const folder = dirname(target);
  await mkdir(folder, { recursive: true });
  const prefix = unfinishedPrefix(target);
  removeAbandoned(folder, prefix);
  const temporary = resolve(folder, `${prefix}${unfinishedName()}`);
  try {
    await writeWholeFile(temporary, content);
    await keepPermissions(target, temporary);
    // Renaming a file over a folder fails, which is right.
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushFolder(folder);
}

/**
 * Writes a result: whole or not at all. It is written beside its place, flushed to the disk, checked and renamed, so
 * that after a failure what was there before is still there. Folders above it are made. A pipe, a terminal or
 * `/dev/stdout` is written into.
 *
 * What a killed process left of the same file is removed.
 *
 * @throws Error naming the path and the reason, with the system's code.
 *
 * @example
 * await writeFileAtomically("/tmp/breakhis-lab-example/answers.json", "{}\n");
 */
export async function writeFileAtomically(path: string, content: FileContent): Promise<void> {
  try {
    const output = await openOutput(path);
    if (output === null) return await replaceFile(await realTarget(resolve(path)), content);
    try {
      await writeAll(output, content);
    } finally {
      await output.close();
    }
  } catch (error) {
    throw explainWriting(path, error);
  }
}

/**
 * Makes sure before any work that a result can be written: makes the folders above it, and tries.
 *
 * @throws As `writeFileAtomically`.
 */
export async function requireWritable(path: string): Promise<void> {
  try {
    if (await leadsInto(path)) return;
    const target = await realTarget(resolve(path));
    if ((await stat(target).catch(() => null))?.isDirectory()) {
      throw Object.assign(new Error(), { code: "EISDIR" });
    }
    await mkdir(dirname(target), { recursive: true });
    const trial = resolve(dirname(target), `${unfinishedPrefix(target)}${unfinishedName()}`);
    await (await open(trial, "wx")).close();
    await rm(trial);
  } catch (error) {
    throw explainWriting(path, error);
  }
}
