import { lastingError, refuseExcess } from "./download-problems";
import { type HttpAnswer, type HttpClient, statusError } from "./http-client";
import { pauseOrThrow, type RetryOptions } from "./retry";
import { type Patience, watchSilence } from "./silence";
import { validatorOf } from "./validator";

/** How a remote file is read. */
export interface RemoteOptions extends RetryOptions, Patience {
  /** Sent to the address's own server, not to one that it redirects to. */
  authorization?: string | null;
  /** The last byte that may be read. Default 64 GiB: a server without a length may send for ever. */
  mostBytes?: number;
  /** False asks for the whole file each time and skips what is known. Default true. */
  useRanges?: boolean;
}

/** A file on a server, read from any place on; a broken connection is mended without the reader noticing. */
export interface RemoteFile {
  /** Known from the first answer on; null where the server doesn't tell. */
  totalBytes(): number | null;
  /** Whether the content was put together from several answers: if it is broken, this may be why. */
  wasJoined(): boolean;
  /** Whether the server answers ranges; tried out if not known yet. */
  offersRanges(): Promise<boolean>;
  /** Bytes from a position to the end. @throws Error whose message is the rest of a sentence. */
  read(start: number): AsyncGenerator<Uint8Array, void, undefined>;
}

interface Connection {
  answer: HttpAnswer;
  /** Bytes to leave out until the wanted position is reached. */
  skip: number;
}

interface Version {
  validator: string | null;
  total: number | null;
}

function lengthOf(answer: HttpAnswer): number | null {
  const length = answer.header("content-length");
  return length !== null && /^\d+$/.test(length) ? Number(length) : null;
}

const changed = () =>
  lastingError("the file on the server changed while it was being downloaded; run the command again");

/**
 * Opens a file on a server.
 *
 * A lost connection goes on with a range. Where the server refuses ranges, or answers with another range than was asked
 * for, the file is asked for again and what is known is skipped.
 */
export function openRemoteFile(client: HttpClient, url: string, options: RemoteOptions): RemoteFile {
  let version: Version | null = null;
  let rangesWork = options.useRanges === false ? false : null;
  let joined = false;

  /** Notes the file's version, or refuses another one. */
  function compareVersion(found: Version): void {
    if (version === null) version = found;
    const differs = (one: unknown, other: unknown) => one !== null && other !== null && one !== other;
    if (differs(version.validator, found.validator) || differs(version.total, found.total)) throw changed();
  }

  function accept(answer: HttpAnswer, position: number): Connection | null {
    const { status } = answer;
    if (status === 200) {
      if (position > 0) rangesWork = false;
      compareVersion({ validator: validatorOf(answer), total: lengthOf(answer) });
      return { answer, skip: position };
    }
    if (status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.header("content-range") ?? "");
      if (range === null || Number(range[1]) !== position) {
        rangesWork = false;
        throw new Error("the server sends another part of the file than was asked for");
      }
      compareVersion({ validator: validatorOf(answer), total: range[2] === "*" ? null : Number(range[2]) });
      rangesWork = true;
      joined = true;
      return { answer, skip: 0 };
    }
    if (status === 416) {
      if (answer.header("content-range") === `bytes */${position}`) return null;
      if (version !== null) throw changed();
    }
    throw statusError(answer);
  }

  async function connect(position: number, signal: AbortSignal): Promise<Connection | null> {
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (position > 0 && rangesWork !== false) {
      headers["range"] = `bytes=${position}-`;
      if (version?.validator) headers["if-range"] = version.validator;
    }
    const authorization = options.authorization ?? null;
    return accept(await client.send(url, { headers, authorization, signal }), position);
  }

  /** What one connection brings. */
  async function* readOnce(position: number): AsyncGenerator<Uint8Array, void, undefined> {
    const watch = watchSilence(options, options.signal);
    try {
      const connection = await connect(position, watch.signal);
      if (connection === null) return;
      let { skip } = connection;
      for await (const chunk of connection.answer.chunks) {
        watch.signOfLife(chunk.length);
        watch.pause();
        if (skip < chunk.length) yield chunk.subarray(skip);
        skip = Math.max(0, skip - chunk.length);
        watch.resume();
      }
      if (skip > 0) throw changed();
    } finally {
      watch.stop();
    }
  }

  async function* read(start: number): AsyncGenerator<Uint8Array, void, undefined> {
    let position = start;
    for (let failures = 0; ; ) {
      const before = position;
      try {
        if (before > start) joined = true;
        for await (const chunk of readOnce(position)) {
          position += chunk.length;
          refuseExcess(position, options.mostBytes);
          yield chunk;
        }
        const total = version?.total ?? null;
        if (total === null || position === total) return;
        throw new Error(`${position} of ${total} bytes arrived`);
      } catch (error) {
        failures = position > before ? 1 : failures + 1;
        await pauseOrThrow(error, failures, options);
      }
    }
  }

  return {
    totalBytes: () => version?.total ?? null,
    wasJoined: () => joined,
    async offersRanges() {
      if (rangesWork === null) {
        // The second byte on: the first would be the whole file to some servers.
        const reader = read(1);
        await reader.next();
        await reader.return();
      }
      return rangesWork === true;
    },
    read,
  };
}
