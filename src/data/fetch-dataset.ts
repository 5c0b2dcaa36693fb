import { readFile, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { runCooperatively } from "../runtime/interruption";
import { dataFolder } from "../runtime/paths";
import { type ArchiveLimits, defaultLimits } from "./archive-limits";
import { type CheckedSet, checkSet, countsText } from "./check-set";
import { downloadFile } from "./download";
import { explainDownloadError, isDamage } from "./download-problems";
import { type UnpackOptions, unpackLocal, unpackRemote } from "./fetch-archive";
import { findImages } from "./folder-walk";
import { withoutSecrets } from "./http-client";
import type { RemoteOptions } from "./remote-file";
import { type DataSource, dataSources, shareOf } from "./sources";
import { exists, type FreeSpace, freeSpaceOf, openStaging, type Staging } from "./staging";

/** How a data set is fetched. */
export interface FetchOptions {
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

/** What stands in a fetched set's SOURCE.json. */
interface Origin {
  source: string;
  address: string;
  magnification: number | null;
  fetched: string;
  sha256: string | null;
  images: number;
  byClass: Record<string, number>;
}

interface Job {
  /** Null for an archive of the user's. */
  source: DataSource | null;
  /** For people. */
  title: string;
  /** The address or the file. */
  origin: string;
  target: string;
  options: FetchOptions;
}

const originFile = "SOURCE.json";

/**
 * Gets a data set: from its publisher, or from an archive of yours. It is fetched and unpacked beside its place, counted,
 * decoded once, and only then takes its name; after a failure or an interrupt nothing of it is left.
 *
 * A broken connection is taken up again by itself. Proxies are those of the environment. A folder of yours is checked
 * and used where it is.
 *
 * @param source - "perceptilabs", "kaggle", "original", or the path of a folder or a .zip, .tar.gz or .tar archive.
 * @throws Error saying in one or two sentences what is in the way and what to do.
 *
 * @example
 * const { folder } = await fetchDataset("original", { magnification: 400 });
 */
export async function fetchDataset(
  source: string | DataSource,
  options: FetchOptions = {},
): Promise<FetchedDataset> {
  const known =
    typeof source === "object" ? source : (dataSources.find(({ name }) => name === source) ?? null);
  const origin = known === null ? resolve(source as string) : (options.mirror ?? known.url);
  if (known === null) {
    const found = await requireLocal(source as string, options);
    if (found.isDirectory()) return checkFolder(origin, options);
  } else requireMagnification(known, options.magnification ?? null);
  const name = known?.name ?? (basename(origin).replace(/\.(?:zip|tgz|tar|tar\.gz)$/i, "") || "archive");
  const job: Job = {
    source: known,
    title: known?.title ?? basename(origin),
    origin,
    target: resolve(options.into ?? join(dataFolder(), name)),
    options,
  };
  const present = await findPresent(job);
  return present ?? runCooperatively(`Fetching ${job.title}`, (signal) => fetchWhole(job, signal));
}

async function requireLocal(path: string, options: FetchOptions) {
  const found = await stat(path).catch(() => null);
  if (found === null) {
    const names = dataSources.map(({ name }) => name).join(", ");
    throw new Error(`${path} is neither a source (${names}) nor a file or folder here.`);
  }
  if (options.mirror || options.archive) {
    throw new Error(`${path} is here already, so neither a mirror nor an archive to download to is needed.`);
  }
  return found;
}

function requireMagnification({ title, expected }: DataSource, magnification: number | null): void {
  if (magnification === null || expected[magnification] !== undefined) return;
  const there = Object.keys(expected)
    .map((scale) => `${scale}×`)
    .join(", ");
  throw new Error(`There are no images at ${magnification}× in ${title}; it has ${there}.`);
}

/** A folder of the user's: only looked at. */
async function checkFolder(folder: string, options: FetchOptions): Promise<FetchedDataset> {
  if (options.into) {
    throw new Error(
      `${folder} is a folder and is used where it is; leave out --into, or copy it there yourself.`,
    );
  }
  const checked = await runCooperatively(`Checking ${folder}`, (signal) =>
    checkSet(folder, { source: null, magnification: null, signal }).catch((error: unknown) => {
      if (signal.aborted) throw new Error(`Checking ${folder} was stopped.`);
      throw new Error(`${folder} can't be used: ${explainDownloadError(error)}.`, { cause: error });
    }),
  );
  return { folder, ...checked, sha256: null, alreadyThere: true };
}

async function readOrigin(folder: string): Promise<Origin | null> {
  try {
    return JSON.parse(await readFile(join(folder, originFile), "utf8")) as Origin;
  } catch {
    return null;
  }
}

/** The same set from an earlier call, or null if there is nothing. @throws Error if something else is in the place. */
async function findPresent({ source, target, options }: Job): Promise<FetchedDataset | null> {
  if (!(await exists(target))) return null;
  const origin = await readOrigin(target);
  const isSame =
    source !== null &&
    origin?.source === source.name &&
    origin.magnification === (options.magnification ?? null);
  if (origin !== null && isSame) {
    const { images } = await findImages(target);
    const { byClass, sha256 } = origin;
    if (images.length >= origin.images) {
      return { folder: target, images: origin.images, byClass, sha256, warnings: [], alreadyThere: true };
    }
    throw new Error(
      `${target} should hold ${origin.images} images but holds ${images.length}. Move it away and run this again.`,
    );
  }
  throw new Error(`${target} exists and is not replaced. Move it away, or name another folder with --into.`);
}

async function fetchWhole(job: Job, signal: AbortSignal): Promise<FetchedDataset> {
  const staging = await openStaging(job.target);
  try {
    const { sha256, checked } = await fill(job, staging, signal);
    await writeOrigin(job, staging, checked, sha256);
    signal.throwIfAborted();
    await staging.complete();
    return { folder: job.target, ...checked, sha256, alreadyThere: false };
  } catch (error) {
    throw explainFailure(job, error, signal);
  } finally {
    await staging.discard();
  }
}

async function fill(job: Job, staging: Staging, signal: AbortSignal) {
  const { source, options } = job;
  const magnification = options.magnification ?? null;
  const unpack: UnpackOptions = {
    title: job.title,
    magnification,
    // Of an archive of the user's nobody knows how much of it has the magnification.
    share: source !== null ? shareOf(source, magnification) : magnification === null ? 1 : 0,
    limits: options.limits ?? defaultLimits,
    signal,
    freeSpace: options.freeSpace ?? freeSpaceOf,
    sha256: options.sha256 ?? source?.sha256 ?? null,
  };
  const check = () => checkSet(staging.content, { source, magnification, signal });
  if (source === null) {
    const sha256 = await unpackLocal(job.origin, staging, unpack);
    return { sha256, checked: await check() };
  }
  // A mirror is another's server: the token is not for it.
  const authorization = options.mirror ? null : ((await source.authorize?.()) ?? null);
  const remote: RemoteOptions = { ...options.connection, authorization };
  if (options.archive) {
    const archive = resolve(options.archive);
    if (!(await exists(archive))) await downloadFile(job.origin, archive, { ...remote, signal });
    const sha256 = await unpackLocal(archive, staging, unpack);
    return { sha256, checked: await check() };
  }
  let wasJoined = false;
  const attempt = async (useRanges: boolean) => {
    const sha256 = await unpackRemote(job.origin, staging, unpack, { ...remote, useRanges }, () => {
      wasJoined = true;
    });
    return { sha256, checked: await check() };
  };
  try {
    return await attempt(options.connection?.useRanges ?? true);
  } catch (error) {
    if (!isDamage(error) || !wasJoined) throw error;
    // A server that sends wrong bytes when asked for a range may still send the whole file right.
    await staging.restart();
    return await attempt(false);
  }
}

async function writeOrigin(job: Job, staging: Staging, checked: CheckedSet, sha256: string | null) {
  const origin: Origin = {
    source: job.source?.name ?? job.title,
    address: job.source === null ? basename(job.origin) : withoutSecrets(job.origin),
    magnification: job.options.magnification ?? null,
    fetched: new Date().toISOString(),
    sha256,
    images: checked.images,
    byClass: checked.byClass,
  };
  await writeFile(join(staging.content, originFile), `${JSON.stringify(origin, null, 2)}\n`);
}

function explainFailure(job: Job, error: unknown, signal: AbortSignal): Error {
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
  return new Error(`${job.title} could not be ${verb}${from}: ${explainDownloadError(error)}.${help}`, {
    cause: error,
  });
}

/** One sentence: what is where. */
export function describeFetched({ folder, images, byClass, alreadyThere }: FetchedDataset): string {
  const count = `${images.toLocaleString("en")} images (${countsText(byClass)})`;
  return alreadyThere
    ? `${folder} is complete: ${count}.`
    : `${count} are in ${folder}, complete and checked.`;
}
