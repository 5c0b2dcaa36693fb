import { lastingError, refuseExcess } from "./download-problems";
import { type HttpAnswer, type HttpClient, statusError } from "./http-client";
import { pauseOrThrow, type RetryOptions } from "./retry";
import { type Patience, SilenceWatch } from "./silence";
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
 * A file on a server, read from any place on; a broken connection is mended without the reader noticing.
 *
 * A lost connection goes on with a range. Where the server refuses ranges, or answers with another range than was asked
 * for, the file is asked for again and what is known is skipped.
 */
export class RemoteFile {
  private version: Version | null = null;
  private rangesWork: boolean | null;
  private joined = false;

  constructor(
    private readonly client: HttpClient,
    private readonly url: string,
    private readonly options: RemoteOptions,
  ) {
    this.rangesWork = options.useRanges === false ? false : null;
  }

  /** Known from the first answer on; null where the server doesn't tell. */
  totalBytes(): number | null {
    return this.version?.total ?? null;
  }

  /** Whether the content was put together from several answers: if it is broken, this may be why. */
  wasJoined(): boolean {
    return this.joined;
  }

  /** Whether the server answers ranges; tried out if not known yet. */
  async offersRanges(): Promise<boolean> {
    if (this.rangesWork === null) {
      // The second byte on: the first would be the whole file to some servers.
      const reader = this.read(1);
      await reader.next();
      await reader.return();
    }
    return this.rangesWork === true;
  }

  /** Bytes from a position to the end. @throws Error whose message is the rest of a sentence. */
  async *read(start: number): AsyncGenerator<Uint8Array, void, undefined> {
    let position = start;
    for (let failures = 0; ; ) {
      const before = position;
      try {
        if (before > start) this.joined = true;
        for await (const chunk of this.readOnce(position)) {
          position += chunk.length;
          refuseExcess(position, this.options.mostBytes);
          yield chunk;
        }
        const total = this.totalBytes();
        if (total === null || position === total) return;
        throw new Error(`${position} of ${total} bytes arrived`);
      } catch (error) {
        failures = position > before ? 1 : failures + 1;
        await pauseOrThrow(error, failures, this.options);
      }
    }
  }

  /** What one connection brings. */
  private async *readOnce(position: number): AsyncGenerator<Uint8Array, void, undefined> {
    const watch = new SilenceWatch(this.options, this.options.signal);
    try {
      const connection = await this.connect(position, watch.signal);
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

  private async connect(position: number, signal: AbortSignal): Promise<Connection | null> {
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (position > 0 && this.rangesWork !== false) {
      headers["range"] = `bytes=${position}-`;
      if (this.version?.validator) headers["if-range"] = this.version.validator;
    }
    const authorization = this.options.authorization ?? null;
    return this.accept(await this.client.send(this.url, { headers, authorization, signal }), position);
  }

  /** What an answer brings from a position on; null where the file ends there. */
  private accept(answer: HttpAnswer, position: number): Connection | null {
    const { status } = answer;
    if (status === 200) {
      if (position > 0) this.rangesWork = false;
      this.compareVersion({ validator: validatorOf(answer), total: lengthOf(answer) });
      return { answer, skip: position };
    }
    if (status === 206) return this.acceptRange(answer, position);
    if (status === 416) {
      if (answer.header("content-range") === `bytes */${position}`) return null;
      if (this.version !== null) throw changed();
    }
    throw statusError(answer);
  }

  private acceptRange(answer: HttpAnswer, position: number): Connection {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.header("content-range") ?? "");
    if (range === null || Number(range[1]) !== position) {
      this.rangesWork = false;
      throw new Error("the server sends another part of the file than was asked for");
    }
    this.compareVersion({
      validator: validatorOf(answer),
      total: range[2] === "*" ? null : Number(range[2]),
    });
    this.rangesWork = true;
    this.joined = true;
    return { answer, skip: 0 };
  }

  /** Notes the file's version, or refuses another one. */
  private compareVersion(found: Version): void {
    this.version ??= found;
    const differs = (one: unknown, other: unknown) => one !== null && other !== null && one !== other;
    const { validator, total } = this.version;
    if (differs(validator, found.validator) || differs(total, found.total)) throw changed();
  }
}
