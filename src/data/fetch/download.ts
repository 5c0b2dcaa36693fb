import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { explainDownloadError, lastingError, refuseExcess } from "./download-problems";
import { type HttpAnswer, type HttpClient, openHttpClient, statusError, withoutSecrets } from "./http-client";
import { abandonPart, claimPart, completePart, sizeOf } from "./part-file";
import { pauseOrThrow, type RetryOptions } from "./retry";
import { type Patience, SilenceWatch } from "./silence";
import { forgetValidator, readValidator, rememberValidator, validatorOf } from "./validator";

/** How a file is downloaded. */
export interface DownloadOptions extends RetryOptions, Patience {
  /** The content's SHA-256 in hexadecimal. */
  sha256?: string;
  /** The content's MD5 in hexadecimal, where its publisher gives no better. */
  md5?: string;
  /** Called as bytes arrive; the total is null where the server doesn't tell. */
  onProgress?: (receivedBytes: number, totalBytes: number | null) => void;
  /** Called before bytes are written, with how many are missing, null where the server doesn't tell; may refuse. */
  beforeWriting?: (missingBytes: number | null) => Promise<void>;
  /** Bytes that may arrive in all. Default 64 GiB: a server without a length may send for ever. */
  mostBytes?: number;
  /** Sent to the address's own server, not to one that it redirects to. */
  authorization?: string | null;
}

interface Transfer {
  client: HttpClient;
  url: string;
  target: string;
  part: string;
  options: DownloadOptions;
}

/**
 * Where in the file the body of this answer belongs.
 *
 * @returns The first byte's position, "complete" if the server has nothing beyond what is there, or "elsewhere" if it
 * sends another part than was asked for.
 */
function placeOfBody(response: HttpAnswer, received: number): number | "complete" | "elsewhere" {
  const range = response.header("content-range") ?? "";
  if (response.status === 206 && range.startsWith(`bytes ${received}-`)) return received;
  if (response.status === 416 && range === `bytes */${received}`) return "complete";
  // A part that is longer than the file is of another file: from the start again, without asking for a range.
  if (response.status === 416) return 0;
  if (response.status === 200) return 0;
  if (response.status === 206) return "elsewhere";
  throw statusError(response);
}

function totalBytes(response: HttpAnswer, start: number): number | null {
  const length = Number(response.header("content-length") ?? Number.NaN);
  return Number.isFinite(length) ? start + length : null;
}

async function writeBody(
  response: HttpAnswer,
  start: number,
  { part, options }: Transfer,
  onChunk: (bytes: number) => void,
) {
  const total = totalBytes(response, start);
  refuseExcess(total ?? 0, options.mostBytes);
  await options.beforeWriting?.(total === null ? null : total - start);
  const file = await open(part, start === 0 ? "w" : "a");
  let received = start;
  try {
    options.onProgress?.(received, total);
    for await (const chunk of response.chunks) {
      onChunk(chunk.length);
      refuseExcess(received + chunk.length, options.mostBytes);
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
  const { client, url, target, part, options } = transfer;
  const received = await sizeOf(part);
  const watch = new SilenceWatch(options, options.signal);
  // Compressed answers have lengths and ranges of their own.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (received > 0) {
    headers["range"] = `bytes=${received}-`;
    // A server whose file has changed since then sends the whole of it.
    const validator = await readValidator(target, url);
    if (validator !== null) headers["if-range"] = validator;
  }
  try {
    const authorization = options.authorization ?? null;
    const response = await client.send(url, { headers, authorization, signal: watch.signal });
    const start = placeOfBody(response, received);
    if (start === "complete") return;
    if (start === "elsewhere") {
      await rm(part, { force: true });
      throw new Error("the server sends another part of the file than was asked for");
    }
    if (response.status === 416) {
      await rm(part, { force: true });
      throw new Error("what an earlier download left doesn't belong to this file");
    }
    if (start === 0) await rememberValidator(target, url, validatorOf(response));
    await writeBody(response, start, transfer, (bytes) => watch.signOfLife(bytes));
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
      failures = (await sizeOf(part)) > before ? 1 : failures + 1;
      await pauseOrThrow(error, failures, options);
    }
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
  const isRecognisable = (await readValidator(transfer.target, transfer.url)) !== null;
  // Otherwise nothing would tell that two halves belong to different files.
  if (!isVerifiable && !isRecognisable) await rm(transfer.part, { force: true });
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

/** @throws Error in one sentence if the environment's proxy can't be used. */
function clientFor(url: string): HttpClient {
  try {
    return openHttpClient();
  } catch (error) {
    throw new Error(`${withoutSecrets(url)} could not be downloaded: ${(error as Error).message}.`);
  }
}

/**
 * Downloads a file, completely and correct, or not at all.
 *
 * It is written beside the target and renamed when its checksum is right. An interrupted download goes on where
 * it stopped, in this call and in later ones, if a checksum is given or the server names the file's version (ETag or
 * Last-Modified). Proxies are those of the environment.
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
  const client = clientFor(url);
  const part = await claimPart(target);
  try {
    await transferAndCheck({ client, url, target, part, options });
    await completePart(part, target);
    await forgetValidator(target);
  } catch (error) {
    await abandonPart(part, target);
    if ((await sizeOf(`${target}.part`)) === 0) await forgetValidator(target);
    options.signal?.throwIfAborted();
    throw new Error(`${withoutSecrets(url)} could not be downloaded: ${explainDownloadError(error)}.`, {
      cause: error,
    });
  } finally {
    await client.close();
  }
}

/**
 * Asks a server whether it has a file, without fetching it.
 *
 * @param limitMs - How long to wait for the answer, in milliseconds.
 * @returns Null if it has, else what is in the way, as the rest of a sentence.
 */
export async function probeDownload(url: string, limitMs: number): Promise<string | null> {
  let client: HttpClient | null = null;
  try {
    client = openHttpClient();
    const answer = await client.send(url, { method: "HEAD", signal: AbortSignal.timeout(limitMs) });
    return answer.status === 200 ? null : explainDownloadError(statusError(answer));
  } catch (error) {
    if ((error as Error).name === "TimeoutError")
      return `the server did not answer within ${limitMs / 1000} s`;
    return explainDownloadError(error);
  } finally {
    await client?.close();
  }
}
