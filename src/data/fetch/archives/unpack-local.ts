import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { checksumFile } from "../download";
import { lastingError } from "../download-problems";
import { requireSpace, type Staging } from "../staging";
import { archiveKindOf, headBytes } from "./archive-kind";
import {
  megabyteProgress,
  requireChecksum,
  type UnpackOptions,
  unpackTarStream,
  unpackZipFile,
} from "./unpack-archive";

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
