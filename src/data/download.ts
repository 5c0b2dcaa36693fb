import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { explainDownloadError, isLasting, lastingError } from "./download-problems";
import { abandonPart, claimPart, completePart, sizeOf } from "./part-file";

/** How a file is downloaded. */
export interface DownloadOptions {
  /** The content's SHA-256 in hexadecimal. */
  sha256?: string;
  /** The content's MD5 in hexadecimal, where its publisher gives no better. */
  md5?: string;
  /** Called as bytes arrive; the total is null where the server doesn't tell. */
  onProgress?: (receivedBytes: number, totalBytes: number | null) => void;
  /** Stops the download; what has arrived is kept for the next one. */
  signal?: AbortSignal;
  /** Silence after which a connection counts as lost, in milliseconds. Default 30,000. */
  stallMs?: number;
  /** Connections in a row that may bring nothing before it is given up. Default 3. */
  attempts?: number;
  /** Pause before the next connection, in milliseconds. Default 1,000. */
  retryDelayMs?: number;
}

interface Transfer {
  url: string;
  part: string;
  options: DownloadOptions;
}

const temporaryStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

interface Watch {
  /** Aborts after too long a silence, and when the caller's own signal does. */
  signal: AbortSignal;
  signOfLife(): void;
  stop(): void;
}

/** A timer that is started again at every sign of life, and aborts when there was none for too long. */
function watchSilence(milliseconds: number, outer: AbortSignal | undefined): Watch {
  const controller = new AbortController();
  const silence = new Error(`nothing arrived for ${Math.round(milliseconds / 1000)} s`);
  const start = () => setTimeout(() => controller.abort(silence), milliseconds);
  const passOn = () => controller.abort(outer?.reason);
  let timer = start();
  outer?.addEventListener("abort", passOn);
  if (outer?.aborted) passOn();
  return {
    signal: controller.signal,
    signOfLife() {
      clearTimeout(timer);
      timer = start();
    },
    stop() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", passOn);
      // An answer that nobody reads to its end would keep its connection open.
      controller.abort();
    },
  };
}

/**
 * Where in the file the body of this answer belongs.
 *
 * @returns The first byte's position, or "complete" if the server has nothing beyond what is there.
 */
function placeOfBody(response: Response, received: number): number | "complete" {
  const range = response.headers.get("content-range") ?? "";
  if (response.status === 206 && range.startsWith(`bytes ${received}-`)) return received;
  if (response.status === 416 && range === `bytes */${received}`) return "complete";
  // A part that is longer than the file is of another file: from the start again, without asking for a range.
  if (response.status === 416) return 0;
  if (response.ok && response.status !== 206) return 0;
  const status = `the server answers ${response.status} ${response.statusText}`.trim();
  throw temporaryStatuses.has(response.status) ? new Error(status) : lastingError(status);
}

function totalBytes(response: Response, start: number): number | null {
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  return Number.isFinite(length) ? start + length : null;
}

async function writeBody(
  response: Response,
  start: number,
  { part, options }: Transfer,
  onChunk: () => void,
) {
  const total = totalBytes(response, start);
  const file = await open(part, start === 0 ? "w" : "a");
  let received = start;
  try {
    options.onProgress?.(received, total);
    const reader = response.body?.getReader();
    for (let step = await reader?.read(); step?.value !== undefined; step = await reader?.read()) {
      const chunk: Uint8Array = step.value;
      onChunk();
      await file.writeFile(chunk);
      received += chunk.length;
      options.onProgress?.(received, total);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (total !== null && received !== total) throw new Error(`${received} of ${total} bytes arrived`);
}

/** One connection: asks for what is missing and appends it. */
async function transferOnce(transfer: Transfer): Promise<void> {
  const { url, part, options } = transfer;
  const received = await sizeOf(part);
  const watch = watchSilence(options.stallMs ?? 30_000, options.signal);
  // Compressed answers have lengths and ranges of their own.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (received > 0) headers["range"] = `bytes=${received}-`;
  try {
    const response = await fetch(url, { headers, signal: watch.signal });
    const start = placeOfBody(response, received);
    if (start === "complete") return;
    if (response.status === 416) {
      await rm(part, { force: true });
      throw new Error("what an earlier download left doesn't belong to this file");
    }
    await writeBody(response, start, transfer, watch.signOfLife);
  } finally {
    watch.stop();
  }
}

/** Connects again for as long as each connection, or one of the next few, brings something. */
async function transferWhole(transfer: Transfer): Promise<void> {
  const { part, options } = transfer;
  for (let failures = 0; ; ) {
    const before = await sizeOf(part);
    try {
      return await transferOnce(transfer);
    } catch (error) {
      options.signal?.throwIfAborted();
      failures = (await sizeOf(part)) > before ? 1 : failures + 1;
      if (isLasting(error) || failures >= (options.attempts ?? 3)) throw error;
    }
    await delay(options.retryDelayMs ?? 1_000, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** A file's checksum in hexadecimal; the file is streamed, not held in memory. */
export async function checksumFile(path: string, algorithm: "sha256" | "md5"): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Says what is wrong with a file's content, or null if it is the expected one. */
async function findMismatch(path: string, options: DownloadOptions): Promise<string | null> {
  for (const algorithm of ["sha256", "md5"] as const) {
    const expected = options[algorithm];
    if (expected === undefined) continue;
    const found = await checksumFile(path, algorithm);
    const name = algorithm === "md5" ? "MD5" : "SHA-256";
    if (found !== expected) return `its ${name} is ${found}, expected ${expected}`;
  }
  return null;
}

async function transferAndCheck(transfer: Transfer): Promise<void> {
  const isVerifiable = transfer.options.sha256 !== undefined || transfer.options.md5 !== undefined;
  // Without a checksum nothing would tell that two halves belong to different files.
  if (!isVerifiable) await rm(transfer.part, { force: true });
  const resumed = (await sizeOf(transfer.part)) > 0;
  await transferWhole(transfer);
  let mismatch = await findMismatch(transfer.part, transfer.options);
  if (mismatch !== null && resumed) {
    await rm(transfer.part, { force: true });
    await transferWhole(transfer);
    mismatch = await findMismatch(transfer.part, transfer.options);
  }
  if (mismatch === null) return;
  await rm(transfer.part, { force: true });
  throw lastingError(`what arrived is not the expected file (${mismatch}) and was removed`);
}

/**
 * Downloads a file, completely and correct, or not at all.
 *
 * It is written beside the target and renamed when its checksum is right. An interrupted download goes on where
 * it stopped, in this call and in later ones, if a checksum is given. Proxies are those of Node's `fetch`.
 *
 * @param url - http or https.
 * @param target - Replaced if it exists; its folder is made.
 * @throws Error saying in one sentence what failed; the signal's reason if it was aborted.
 */
export async function downloadFile(
  url: string,
  target: string,
  options: DownloadOptions = {},
): Promise<void> {
  if (!/^https?:\/\//.test(url)) throw new Error(`Only http and https addresses can be downloaded: ${url}`);
  await mkdir(dirname(target), { recursive: true });
  const part = await claimPart(target);
  try {
    await transferAndCheck({ url, part, options });
    await completePart(part, target);
  } catch (error) {
    await abandonPart(part, target);
    options.signal?.throwIfAborted();
    throw new Error(`${url} could not be downloaded: ${explainDownloadError(error)}.`, { cause: error });
  }
}

/**
 * Asks a server whether it has a file, without fetching it.
 *
 * @param limitMs - How long to wait for the answer, in milliseconds.
 * @returns Null if it has, else what is in the way, as the rest of a sentence.
 */
export async function probeDownload(url: string, limitMs: number): Promise<string | null> {
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(limitMs) });
    return response.ok ? null : `the server answers ${response.status} ${response.statusText}`.trim();
  } catch (error) {
    if ((error as Error).name === "TimeoutError")
      return `the server did not answer within ${limitMs / 1000} s`;
    return explainDownloadError(error);
  }
}
