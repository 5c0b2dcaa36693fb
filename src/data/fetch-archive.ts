import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fromRandomAccessReaderPromise, openPromise, type ZipFile } from "yauzl";
import { startProgress } from "../runtime/progress";
import { type ArchiveKeeper, keepInto } from "./archive-keeper";
import { archiveKindOf, headBytes } from "./archive-kind";
import type { ArchiveLimits } from "./archive-limits";
import { checksumFile, downloadFile } from "./download";
import { damaged, lastingError } from "./download-problems";
import { openHttpClient } from "./http-client";
import { openRemoteFile, type RemoteFile, type RemoteOptions } from "./remote-file";
import { openRemoteZip } from "./remote-zip";
import { type FreeSpace, requireSpace, type Staging } from "./staging";
import { unpackTar } from "./unpack-tar";
import { explainZipError, unpackZip } from "./unpack-zip";

/** How an archive is unpacked into a staging folder. */
export interface UnpackOptions {
  /** For the progress, for example "the original BreaKHis". */
  title: string;
  magnification: number | null;
  /** The share of the archive that is wanted, as far as one can know, in [0, 1]. */
  share: number;
  limits: ArchiveLimits;
  signal: AbortSignal;
  freeSpace: FreeSpace;
  /** The archive's SHA-256 in hexadecimal, if known. */
  sha256: string | null;
}

const megabyte = 1e6;
const zipOptions = { autoClose: false, lazyEntries: true, strictFileNames: true };

/** Reports bytes as whole megabytes. */
function megabyteProgress(task: string, totalBytes: number | null) {
  const progress = startProgress(task, Math.round((totalBytes ?? 0) / megabyte), "MB");
  let bytes = 0;
  let reported = 0;
  return {
    advance(count: number) {
      bytes += count;
      const whole = Math.floor(bytes / megabyte);
      if (whole > reported) progress.advance(whole - reported);
      reported = whole;
    },
    finish: () => progress.finish(),
  };
}

function keeperFor(staging: Staging, options: UnpackOptions, onKept?: () => void): ArchiveKeeper {
  const { magnification, limits, signal } = options;
  return keepInto(staging.content, { magnification, limits, signal, ...(onKept ? { onKept } : {}) });
}

/** Gives a stream's first bytes without losing them. */
async function peek(chunks: AsyncGenerator<Uint8Array, void, undefined>) {
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < headBytes) {
    const next = await chunks.next();
    if (next.done === true) break;
    first.push(next.value);
    length += next.value.length;
  }
  async function* whole() {
    yield* first;
    yield* chunks;
  }
  return { head: Buffer.concat(first), whole: whole() };
}

async function unpackOpenZip(zip: ZipFile, staging: Staging, options: UnpackOptions, onKept?: () => void) {
  try {
    await unpackZip(zip, keeperFor(staging, options, onKept), options.limits, (bytes) =>
      requireSpace(dirname(staging.content), bytes, options.freeSpace),
    );
  } finally {
    zip.close();
  }
}

/** A zip archive on the disk. */
async function unpackZipFile(path: string, staging: Staging, options: UnpackOptions): Promise<void> {
  const progress = startProgress(`Unpacking ${options.title}`, 0, "files");
  try {
    const zip = await openPromise(path, zipOptions).catch((error) => Promise.reject(explainZipError(error)));
    await unpackOpenZip(zip, staging, options, () => progress.advance());
  } finally {
    progress.finish();
  }
}

/** A tar archive, wherever it comes from; what passes is hashed. @returns Its SHA-256. */
async function unpackTarStream(
  content: AsyncIterable<Uint8Array>,
  compressed: boolean,
  onBytes: (count: number) => void,
  staging: Staging,
  options: UnpackOptions,
): Promise<string> {
  const hash = createHash("sha256");
  async function* observed() {
    for await (const chunk of content) {
      hash.update(chunk);
      onBytes(chunk.length);
      yield chunk;
    }
  }
  await unpackTar(observed(), compressed, keeperFor(staging, options), options.limits);
  return hash.digest("hex");
}

function requireChecksum(found: string, expected: string | null): void {
  if (expected !== null && found !== expected.toLowerCase()) {
    throw damaged(`its SHA-256 is ${found}, expected ${expected}`);
  }
}

/**
 * Unpacks an archive of the user's, which is left as it is.
 *
 * @returns Its SHA-256 if all of it was read.
 * @throws Error whose message is the rest of a sentence.
 */
export async function unpackLocal(
  path: string,
  staging: Staging,
  options: UnpackOptions,
): Promise<string | null> {
  const file = await open(path, "r");
  const head = Buffer.alloc(headBytes);
  const { bytesRead } = await file.read(head, 0, headBytes, 0).finally(() => file.close());
  const kind = archiveKindOf(head.subarray(0, bytesRead));
  if (typeof kind === "object") throw lastingError(kind.other);
  if (kind === "zip") {
    if (options.sha256 !== null) requireChecksum(await checksumFile(path, "sha256"), options.sha256);
    await unpackZipFile(path, staging, options);
    return options.sha256;
  }
  const { size } = await stat(path);
  await requireSpace(dirname(staging.content), size * options.share, options.freeSpace);
  const progress = megabyteProgress(`Unpacking ${options.title}`, size);
  try {
    const content = createReadStream(path) as AsyncIterable<Uint8Array>;
    const sha256 = await unpackTarStream(content, kind === "tar.gz", progress.advance, staging, options);
    requireChecksum(sha256, options.sha256);
    return sha256;
  } finally {
    progress.finish();
  }
}

/** A zip archive on a server: read in place if it answers ranges, else fetched whole and removed afterwards. */
async function unpackRemoteZip(
  file: RemoteFile,
  url: string,
  staging: Staging,
  options: UnpackOptions,
  remote: RemoteOptions,
): Promise<string | null> {
  const total = file.totalBytes();
  const progress = megabyteProgress(`Downloading ${options.title}`, total);
  try {
    if (total !== null && options.sha256 === null && (await file.offersRanges())) {
      const reader = await openRemoteZip(file, total, progress.advance);
      const zip = await fromRandomAccessReaderPromise(reader, total, zipOptions).catch((error) =>
        Promise.reject(explainZipError(error)),
      );
      await unpackOpenZip(zip, staging, options);
      return null;
    }
    await requireSpace(dirname(staging.content), total === null ? null : 2 * total, options.freeSpace);
    let seen = 0;
    await downloadFile(url, staging.scratch, {
      ...remote,
      ...(options.sha256 === null ? {} : { sha256: options.sha256 }),
      onProgress(received) {
        progress.advance(Math.max(0, received - seen));
        seen = Math.max(seen, received);
      },
    });
  } finally {
    progress.finish();
  }
  const sha256 = await checksumFile(staging.scratch, "sha256");
  await unpackZipFile(staging.scratch, staging, options);
  await rm(staging.scratch);
  return sha256;
}

/**
 * Fetches and unpacks an archive as it arrives; the disk holds what is wanted and no more, but for zip archives from
 * servers without ranges.
 *
 * @param onJoined - Called before an error is thrown if ranges had been joined.
 * @throws Error whose message is the rest of a sentence.
 */
export async function unpackRemote(
  url: string,
  staging: Staging,
  options: UnpackOptions,
  remote: RemoteOptions,
  onJoined: () => void,
): Promise<string | null> {
  const client = openHttpClient();
  const file = openRemoteFile(client, url, { ...remote, signal: options.signal });
  const chunks = file.read(0);
  try {
    const { head, whole } = await peek(chunks);
    const kind = archiveKindOf(head);
    if (typeof kind === "object") throw lastingError(`what the server sent can't be used: ${kind.other}`);
    if (kind === "zip") {
      await chunks.return();
      return await unpackRemoteZip(file, url, staging, options, { ...remote, signal: options.signal });
    }
    const total = file.totalBytes();
    const needed = total === null ? null : total * options.share;
    await requireSpace(dirname(staging.content), needed, options.freeSpace);
    const progress = megabyteProgress(`Downloading ${options.title}`, total);
    try {
      const sha256 = await unpackTarStream(whole, kind === "tar.gz", progress.advance, staging, options);
      requireChecksum(sha256, options.sha256);
      return sha256;
    } finally {
      progress.finish();
    }
  } catch (error) {
    if (file.wasJoined()) onJoined();
    throw error;
  } finally {
    await chunks.return();
    await client.close();
  }
}
