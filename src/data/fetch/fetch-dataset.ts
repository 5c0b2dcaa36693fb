import { rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { runCooperatively } from "../../runtime/interruption";
import { dataFolder } from "../../runtime/paths";
import { isLabelsFile } from "../layouts/labels-file";
import { noteContents } from "./archives/archive-contents";
import { defaultLimits } from "./archives/archive-limits";
import type { UnpackOptions } from "./archives/unpack-archive";
import { unpackLocal } from "./archives/unpack-local";
import { unpackRemote } from "./archives/unpack-remote";
import { type CheckedSet, checkSet } from "./check-set";
import { downloadFile } from "./download";
import { explainDownloadError, isDamage, lastingError } from "./download-problems";
import { explainFailure, type FetchedDataset, type FetchOptions, type Job } from "./fetch-job";
import { findPresent, writeOrigin } from "./fetched-origin";
import type { RemoteOptions } from "./remote-file";
import { type DataSource, dataSources, shareOf, usualBytes } from "./sources";
import { exists, freeSpaceOf, openStaging, requireSpace, type Staging } from "./staging";

export { describeFetched, type FetchedDataset, type FetchOptions } from "./fetch-job";

/**
 * Gets a data set: from its publisher, or from an archive of yours. It is fetched and unpacked beside its place, counted,
 * decoded once, and only then takes its name; after a failure or an interrupt nothing of it is left.
 *
 * A broken connection is taken up again by itself. Proxies are those of the environment. A folder of yours is checked
 * and used where it is.
 *
 * @param source - "perceptilabs", "kaggle", "original", or the path of a folder, a labels file, or a .zip, .tar.gz or .tar
 * archive.
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
    if (found.isDirectory() || isLabelsFile(origin)) return checkFolder(origin, options);
  } else requireMagnification(known, options.magnification ?? null);
  const name = known?.name ?? (basename(origin).replace(/\.(?:zip|tgz|tar|tar\.gz)$/i, "") || "archive");
  const job: Job = {
    source: known,
    title: known?.title ?? basename(origin),
    origin,
    target: resolve(options.into ?? join(dataFolder(), name)),
    options,
  };
  return runCooperatively(
    `Fetching ${job.title}`,
    async (signal) => (await findPresent(job)) ?? fetchWhole(job, signal),
  );
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

/** A folder or a labels file of the user's: only looked at. */
async function checkFolder(folder: string, options: FetchOptions): Promise<FetchedDataset> {
  const { labels = null, columns = null } = options;
  if (options.into || options.magnification || options.sha256) {
    throw new Error(`${folder} is used where it is and as it is: only labels and columns go with it.`);
  }
  const checked = await runCooperatively(`Checking ${folder}`, (signal) =>
    checkSet(folder, { source: null, magnification: null, signal, labels, columns }).catch(
      (error: unknown) => {
        if (signal.aborted) throw new Error(`Checking ${folder} was stopped.`);
        throw new Error(`${folder} can't be used: ${explainDownloadError(error)}.`, { cause: error });
      },
    ),
  );
  return { folder, ...checked, sha256: null, alreadyThere: true };
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

/** How a folder is filled from an archive. */
interface Filling {
  unpack: UnpackOptions;
  remote: RemoteOptions;
  check: () => Promise<CheckedSet>;
}

/** Fetches the archive into a file that is kept, or takes it from there. */
async function fillFromKept(job: Job, archive: string, staging: Staging, { unpack, remote, check }: Filling) {
  const wasThere = await exists(archive);
  if (!wasThere) {
    const beforeWriting = (missingBytes: number | null) =>
      requireSpace(dirname(archive), missingBytes, unpack.freeSpace);
    const { signal, sha256 } = unpack;
    const checksum = sha256 === null ? {} : { sha256: sha256.toLowerCase() };
    await downloadFile(job.origin, archive, { ...remote, ...checksum, signal, beforeWriting });
  }
  const keep = (error: unknown) => {
    const kept = `${archive} ${wasThere ? "was there already and " : ""}is kept: remove it to have it fetched again`;
    return isDamage(error) ? lastingError(`${(error as Error).message}. ${kept}`) : error;
  };
  let sha256: string | null;
  try {
    sha256 = await unpackLocal(archive, staging, unpack);
  } catch (error) {
    // What was there before may be worth something to whoever put it there; what just came would be used for ever after.
    if (wasThere || !isDamage(error)) throw keep(error);
    await rm(archive, { force: true });
    throw lastingError(`${(error as Error).message}. What arrived was removed`);
  }
  const checked = await check().catch((error: unknown) => Promise.reject(keep(error)));
  return { sha256, checked };
}

/** Unpacks the archive while it arrives. */
async function fillFromServer(job: Job, staging: Staging, { unpack, remote, check }: Filling) {
  let wasJoined = false;
  const attempt = async (useRanges: boolean) => {
    const sha256 = await unpackRemote(job.origin, staging, unpack, { ...remote, useRanges }, () => {
      wasJoined = true;
    });
    return { sha256, checked: await check() };
  };
  try {
    return await attempt(remote.useRanges ?? true);
  } catch (error) {
    if (!isDamage(error) || !wasJoined) throw error;
    // A server that sends wrong bytes when asked for a range may still send the whole file right.
    await staging.restart();
    return await attempt(false);
  }
}

async function fill(job: Job, staging: Staging, signal: AbortSignal) {
  const { source, options } = job;
  const magnification = options.magnification ?? null;
  const contents = noteContents();
  const unpack: UnpackOptions = {
    contents,
    title: job.title,
    magnification,
    // Of an archive of the user's nobody knows how much of it has the magnification.
    share: source !== null ? shareOf(source, magnification) : magnification === null ? 1 : 0,
    usualBytes: source === null ? null : usualBytes(source, magnification),
    limits: options.limits ?? defaultLimits,
    signal,
    freeSpace: options.freeSpace ?? freeSpaceOf,
    sha256: options.sha256 ?? source?.sha256 ?? null,
  };
  const { labels = null, columns = null } = options;
  const describeContents = () => contents.describe();
  const expected = { source, magnification, signal, describeContents, labels, columns };
  const check = () => checkSet(staging.content, expected);
  if (source === null) {
    const sha256 = await unpackLocal(job.origin, staging, unpack);
    return { sha256, checked: await check() };
  }
  // A mirror is another's server: the token is not for it.
  const authorization = options.mirror ? null : ((await source.authorize?.()) ?? null);
  const remote: RemoteOptions = {
    mostBytes: unpack.limits.archiveBytes,
    ...options.connection,
    authorization,
  };
  if (options.archive) return fillFromKept(job, resolve(options.archive), staging, { unpack, remote, check });
  return fillFromServer(job, staging, { unpack, remote, check });
}
