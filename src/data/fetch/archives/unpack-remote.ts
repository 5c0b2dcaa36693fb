import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fromRandomAccessReaderPromise } from "yauzl";
import { checksumFile, downloadFile } from "../download";
import { lastingError } from "../download-problems";
import { openHttpClient } from "../http-client";
import { RemoteFile, type RemoteOptions } from "../remote-file";
import { openRemoteZip } from "../remote-zip";
import { requireSpace, type Staging } from "../staging";
import { archiveKindOf, headBytes } from "./archive-kind";
import {
  megabyteProgress,
  requireChecksum,
  type UnpackOptions,
  unpackOpenZip,
  unpackTarStream,
  unpackZipFile,
  zipOptions,
} from "./unpack-archive";
import { explainZipError } from "./unpack-zip";

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
  const file = new RemoteFile(client, url, { ...remote, signal: options.signal });
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
    const needed = total === null ? options.usualBytes : total * options.share;
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
