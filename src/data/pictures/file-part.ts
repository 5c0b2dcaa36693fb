import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { openRegularFile } from "../../runtime/files/regular-file";
import type { ByteSource } from "../formats/bytes";

/** The descriptions of PNG, JPEG and WebP stand before the pixels: a profile has 16 MB at most there. */
const headBytes = 32 * 1024 * 1024;

/** A file of which only parts are read. */
export interface PartlyRead extends ByteSource {
  stats: Stats;
  close(): void;
}

/**
 * Opens a file of any size, of which parts are read when they are asked for.
 *
 * @returns The caller closes it.
 * @throws As `openRegularFile`.
 */
export async function openPartly(path: string): Promise<PartlyRead> {
  // What may not be opened, a pipe for example, is refused there.
  await (await openRegularFile(path)).close();
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = fstatSync(file);
  if (stats.isDirectory()) {
    closeSync(file);
    throw Object.assign(new Error("it is a folder"), { code: "EISDIR" });
  }
  const part = (start: number, end: number): Uint8Array => {
    const bytes = new Uint8Array(end - start);
    let read = 0;
    while (read < bytes.length) {
      const more = readSync(file, bytes, read, bytes.length - read, start + read);
      if (more === 0) throw new RangeError("The file ends earlier than it did.");
      read += more;
    }
    return bytes;
  };
  return {
    stats,
    length: stats.size,
    part,
    head: () => part(0, Math.min(headBytes, stats.size)),
    close: () => closeSync(file),
  };
}
