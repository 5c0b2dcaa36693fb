import type { LayoutOptions } from "../layouts/layouts";
import type { ArchiveLimits } from "./archives/archive-limits";
import { countsText } from "./check-set";
import { explainDownloadError } from "./download-problems";
import { withoutSecrets } from "./http-client";
import type { RemoteOptions } from "./remote-file";
import type { DataSource } from "./sources";
import type { FreeSpace } from "./staging";

/** How a data set is fetched. */
export interface FetchOptions extends LayoutOptions {
  /** Keeps images of this magnification only; null takes all. */
  magnification?: number | null;
  /** Another address of the same archive; it gets no token. */
  mirror?: string | null;
  /** The folder that the set will be. Default `data/<name of the source>`. */
  into?: string | null;
  /**
   * Fetches the archive into this file first and keeps it. A download that was stopped or killed then goes on where it
   * was in the next call, but the disk holds the archive and what is unpacked.
   */
  archive?: string | null;
  /** The archive's SHA-256 in hexadecimal, if you know it. */
  sha256?: string | null;
  limits?: ArchiveLimits;
  connection?: Omit<RemoteOptions, "signal" | "authorization">;
  freeSpace?: FreeSpace;
}

/** A data set that is there, whole and checked. */
export interface FetchedDataset {
  /** Absolute. */
  folder: string;
  images: number;
  byClass: Record<string, number>;
  /** Of the archive, where all of it was read. */
  sha256: string | null;
  warnings: string[];
  /** Whether there was nothing to do. */
  alreadyThere: boolean;
}

/** One data set to be fetched to one place. */
export interface Job {
  /** Null for an archive of the user's. */
  source: DataSource | null;
  /** For people. */
  title: string;
  /** The address or the file. */
  origin: string;
  target: string;
  options: FetchOptions;
}

/** The error that people see: what failed, why, and what to do. */
export function explainFailure(job: Job, error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) {
    const kept = job.options.archive
      ? "what arrived of the archive is kept, and the next call goes on there"
      : "nothing was kept";
    return new Error(`Fetching ${job.title} was stopped; ${kept}.`);
  }
  const { status = null } = { ...((error as Error).cause as object), ...(error as object) } as {
    status?: number;
  };
  const isRefusal = status !== null && [401, 403, 404, 410].includes(status);
  const help = isRefusal && job.source !== null && !job.options.mirror ? ` ${job.source.help}.` : "";
  const from = job.source === null ? "" : ` from ${withoutSecrets(job.origin)}`;
  const verb = job.source === null ? "unpacked" : "fetched";
  const title = job.title.charAt(0).toUpperCase() + job.title.slice(1);
  return new Error(
    `${job.source === null ? job.title : title} could not be ${verb}${from}: ${explainDownloadError(error)}.${help}`,
    {
      cause: error,
    },
  );
}

/** One sentence: what is where. */
export function describeFetched({ folder, images, byClass, alreadyThere }: FetchedDataset): string {
  const count = `${images.toLocaleString("en")} ${images === 1 ? "image" : "images"} (${countsText(byClass)})`;
  return alreadyThere
    ? `${folder} is complete: ${count}.`
    : `${count} ${images === 1 ? "is" : "are"} in ${folder}, complete and checked.`;
}
