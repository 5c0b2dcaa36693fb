import { Readable } from "node:stream";
import { RandomAccessReader } from "yauzl";
import type { RemoteFile } from "./remote-file";

/** The central directory lies at the end; that of BreaKHis takes less. */
const tailBytes = 2 ** 20;
/** Rather read over a gap than connect anew. */
const longestGapBytes = 2 ** 22;

interface Forward {
  chunks: AsyncGenerator<Uint8Array, void, undefined>;
  position: number;
  rest: Uint8Array;
}

/** Reads a zip archive where it is, on the server: its directory first, then members in one go, from first to last. */
class RemoteZipReader extends RandomAccessReader {
  private forward: Forward | null = null;

  constructor(
    private readonly file: RemoteFile,
    private readonly tail: Uint8Array,
    private readonly tailStart: number,
    private readonly onBytes: (count: number) => void,
  ) {
    super();
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.range(start, end), { objectMode: false });
  }

  override close(callback: (error: Error | null) => void): void {
    const closing = this.forward?.chunks.return() ?? Promise.resolve();
    closing.then(
      () => callback(null),
      (error: Error) => callback(error),
    );
  }

  private async *range(start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
    if (start >= this.tailStart) {
      yield Buffer.from(this.tail.subarray(start - this.tailStart, end - this.tailStart));
      return;
    }
    const forward = await this.forwardTo(start);
    while (forward.position < end) {
      if (forward.rest.length === 0) {
        const next = await forward.chunks.next();
        if (next.done === true) return;
        this.onBytes(next.value.length);
        forward.rest = next.value;
      }
      const from = Math.min(forward.rest.length, Math.max(0, start - forward.position));
      const to = Math.min(forward.rest.length, end - forward.position);
      const chunk = forward.rest.subarray(from, to);
      const used = Math.max(from, to);
      forward.rest = forward.rest.subarray(used);
      forward.position += used;
      if (chunk.length > 0) yield Buffer.from(chunk);
    }
  }

  private async forwardTo(start: number): Promise<Forward> {
    const current = this.forward;
    if (current !== null && start >= current.position && start - current.position <= longestGapBytes) {
      return current;
    }
    await current?.chunks.return();
    this.forward = { chunks: this.file.read(start), position: start, rest: new Uint8Array() };
    return this.forward;
  }
}

/**
 * Opens a zip archive on a server that answers ranges, so that only what is wanted is fetched and kept.
 *
 * @param onBytes - Told how many bytes of members have arrived.
 */
export async function openRemoteZip(
  file: RemoteFile,
  totalBytes: number,
  onBytes: (count: number) => void,
): Promise<RandomAccessReader> {
  const tailStart = Math.max(0, totalBytes - tailBytes);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.read(tailStart)) chunks.push(chunk);
  return new RemoteZipReader(file, Buffer.concat(chunks), tailStart, onBytes);
}
