import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { openPromise, type ZipFile } from "yauzl";
import { startProgress } from "../../../runtime/progress";
import { damaged } from "../download-problems";
import { type FreeSpace, requireSpace, type Staging } from "../staging";
import type { ArchiveContents } from "./archive-contents";
import { ArchiveKeeper } from "./archive-keeper";
import type { ArchiveLimits } from "./archive-limits";
import { unpackTar } from "./unpack-tar";
import { explainZipError, unpackZip } from "./unpack-zip";

/** How an archive is unpacked into a staging folder. */
export interface UnpackOptions {
  /** For the progress, for example "the original BreaKHis". */
  title: string;
  magnification: number | null;
  /** The share of the archive that is wanted, as far as one can know, in [0, 1]. */
  share: number;
  /** What is wanted usually takes on a disk; null where one can't know. Counts where a server tells no length. */
  usualBytes: number | null;
  limits: ArchiveLimits;
  signal: AbortSignal;
  freeSpace: FreeSpace;
  /** The archive's SHA-256 in hexadecimal, if known. */
  sha256: string | null;
  contents: ArchiveContents;
}

const megabyte = 1e6;
/** How the zip reader is to open archives. Windows' backslashes become slashes, and names are checked after that. */
export const zipOptions = { autoClose: false, lazyEntries: true, strictFileNames: false };

/** Reports bytes as whole megabytes. */
export function megabyteProgress(
  task: string,
  totalBytes: number | null,
): { advance(bytes: number): void; finish(): void } {
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
  const { magnification, limits, signal, contents } = options;
  const whatFor = { magnification, limits, signal, contents };
  return new ArchiveKeeper(staging.content, { ...whatFor, ...(onKept ? { onKept } : {}) });
}

/** A zip archive, wherever it is; it is closed. */
export async function unpackOpenZip(
  zip: ZipFile,
  staging: Staging,
  options: UnpackOptions,
  onKept?: () => void,
): Promise<void> {
  try {
    await unpackZip(zip, keeperFor(staging, options, onKept), options.limits, (bytes) =>
      requireSpace(dirname(staging.content), bytes, options.freeSpace),
    );
  } finally {
    zip.close();
  }
}

/** A zip archive on the disk. */
export async function unpackZipFile(path: string, staging: Staging, options: UnpackOptions): Promise<void> {
  const progress = startProgress(`Unpacking ${options.title}`, 0, "files");
  try {
    const zip = await openPromise(path, zipOptions).catch((error) => Promise.reject(explainZipError(error)));
    await unpackOpenZip(zip, staging, options, () => progress.advance());
  } finally {
    progress.finish();
  }
}

/** A tar archive, wherever it comes from; what passes is hashed. @returns Its SHA-256. */
export async function unpackTarStream(
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

/** Refuses an archive whose checksum is not the one that is known. */
export function requireChecksum(found: string, expected: string | null): void {
  if (expected !== null && found !== expected.toLowerCase()) {
    throw damaged(`its SHA-256 is ${found}, expected ${expected}`);
  }
}
