import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { checksumFile, downloadFile, probeDownload } from "../../data/fetch/download";
import { cacheFolder, projectRoot } from "../../runtime/paths";
import { type ProgressReporter, startProgress } from "../../runtime/progress";

/** A file of weights that its publisher offers, and how to recognise it. */
export interface PublishedWeights {
  name: string;
  url: string;
  /** In hexadecimal. */
  md5: string;
}

/** ResNet50's ImageNet weights without the classifier, as `keras.applications` downloads them. */
export const publishedResnet50: PublishedWeights = {
  name: "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
  url: "https://storage.googleapis.com/tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
  md5: "4d473c1dd8becc155b73f8504c6f6626",
};

/** File name of EfficientNet-Lite0's weights, which set-up converts. */
export const efficientnetLite0File = "efficientnet-lite0.safetensors";

/** Where weights were found, or why they were not, as the rest of a sentence. */
export type WeightsLocation =
  | { found: true; path: string; source: string }
  | { found: false; reason: string };

/** How long to wait for weights that have to be downloaded. */
export interface Patience {
  /** For the server's first answer, in milliseconds. */
  probeMs: number;
  /** For the whole file, in milliseconds; Infinity waits as long as bytes arrive. */
  downloadMs: number;
}

/** Long enough to find out whether the file can be had within seconds, and to have it. */
export const seconds: Patience = { probeMs: 3_000, downloadMs: 20_000 };
/** As long as it takes. */
export const asLongAsItTakes: Patience = { probeMs: 30_000, downloadMs: Number.POSITIVE_INFINITY };

/** The folder that downloaded weights are put into. */
export const weightsFolder = (): string => join(cacheFolder(), "weights");

/**
 * Finds weights that set-up made: in the cache, or in the project's own one, if `$BREAKHIS_CACHE` points elsewhere
 * than it did at set-up.
 */
export function findKeptWeights(name: string): string | null {
  const folders = [weightsFolder(), join(projectRoot(), ".cache", "weights")];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** Downloads with progress; listeners hear of it in bytes. */
async function downloadWithProgress(
  published: PublishedWeights,
  url: string,
  target: string,
  limitMs: number,
) {
  let progress: ProgressReporter | null = null;
  let reported = 0;
  try {
    await downloadFile(url, target, {
      md5: published.md5,
      ...(Number.isFinite(limitMs) ? { signal: AbortSignal.timeout(limitMs) } : {}),
      onProgress(receivedBytes, totalBytes) {
        progress ??= startProgress(`Downloading ${published.name}`, totalBytes ?? 0, "bytes");
        progress.advance(receivedBytes - reported);
        reported = receivedBytes;
      },
    });
  } finally {
    (progress as ProgressReporter | null)?.finish();
  }
}

async function fetchPublished(published: PublishedWeights, patience: Patience): Promise<WeightsLocation> {
  if (process.env["BREAKHIS_OFFLINE"] === "1") {
    return { found: false, reason: "BREAKHIS_OFFLINE=1 forbids downloading them" };
  }
  const url = process.env["BREAKHIS_WEIGHTS_URL"] || published.url;
  const obstacle = await probeDownload(url, patience.probeMs);
  if (obstacle !== null) return { found: false, reason: `the download failed, ${obstacle}` };
  const path = join(weightsFolder(), published.name);
  try {
    await downloadWithProgress(published, url, path, patience.downloadMs);
    return { found: true, path, source: `downloaded from ${url}` };
  } catch (error) {
    const { name, message } = error as Error;
    const limit = `the download takes longer than ${patience.downloadMs / 1000} s; the next one goes on where it stopped`;
    return { found: false, reason: name === "TimeoutError" ? limit : message.replace(/\.$/, "") };
  }
}

/**
 * Finds ResNet50's weights: a path that was given (`weights`, else `$BREAKHIS_WEIGHTS`), else the published file
 * in the cache, else downloads that, from `$BREAKHIS_WEIGHTS_URL` where a mirror is set.
 *
 * @throws Error if a path was given and nothing is there; everything else is a reason in the result.
 */
export async function locateResnet50(
  weights: string | null,
  patience: Patience,
  published: PublishedWeights = publishedResnet50,
): Promise<WeightsLocation> {
  const given = weights ?? (process.env["BREAKHIS_WEIGHTS"] || null);
  if (given !== null) {
    const path = resolve(given);
    if (existsSync(path)) return { found: true, path, source: "user's file" };
    throw new Error(
      `There is no file of weights at ${path}; give the path of ResNet50's weights as Keras saves them.`,
    );
  }
  const kept = join(weightsFolder(), published.name);
  if (!existsSync(kept)) return fetchPublished(published, patience);
  const md5 = await checksumFile(kept, "md5");
  if (md5 === published.md5)
    return { found: true, path: kept, source: `published with Keras, kept in ${kept}` };
  return {
    found: false,
    reason: `${kept} is not the published file (its MD5 is ${md5}, expected ${published.md5}); remove it to have it downloaded again, or give its path as \`weights\` to use it all the same`,
  };
}

function stampOf(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}

/**
 * Everything that decides which weights are found, in one text: as long as it is the same, so are they. Whether a server
 * answers is not part of it.
 *
 * @param weights - The path that was given, or null.
 */
export function weightsSituation(weights: string | null): string {
  const { BREAKHIS_WEIGHTS, BREAKHIS_WEIGHTS_URL, BREAKHIS_OFFLINE } = process.env;
  const given = weights ?? (BREAKHIS_WEIGHTS || null);
  const kept = [publishedResnet50.name, efficientnetLite0File].map((name) => join(weightsFolder(), name));
  const paths = [
    ...(given === null ? [] : [resolve(given)]),
    ...kept,
    findKeptWeights(efficientnetLite0File),
  ];
  const stamps = paths.map((path) => [path, path === null ? null : stampOf(path)]);
  return JSON.stringify([BREAKHIS_WEIGHTS_URL ?? "", BREAKHIS_OFFLINE ?? "", stamps]);
}
