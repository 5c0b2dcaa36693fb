import { readSync, writeSync } from "node:fs";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { sizeText } from "../../data/fetch/download-problems";
import { type FreeSpace, freeSpaceOf } from "../../data/fetch/staging";
import { prepareUnfinishedFolder } from "../../runtime/cache/cache-leftovers";
import { unfinishedName } from "../../runtime/files/leftovers";
import { cacheFolder } from "../../runtime/paths";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import type { FeatureValues, StoredRows } from "./feature-rows";

const bytesEach = Float32Array.BYTES_PER_ELEMENT;

/**
 * Features of so many bytes stay in memory. Training holds them three to four times there (as they came, its parts, and
 * TensorFlow's copy), so that these take 4 GB, which an ordinary machine has to spare; larger ones lie in a file.
 */
const mostInMemory = 2 ** 30;
const mostVariable = "BREAKHIS_FEATURES_IN_MEMORY";

/** In bytes; the environment says it in MB. */
function limitInMemory(): number {
  const given = process.env[mostVariable];
  if (!given) return mostInMemory;
  if (/^\d+$/.test(given)) return Number(given) * 1e6;
  throw rangeRefusal(
    `${mostVariable} says how many MB of features stay in memory, a whole number; found "${given}".`,
  );
}

// Whoever holds rows need not close their file: that is done once nobody holds them any more.
const openFiles = new FinalizationRegistry<FileHandle>((file) => void file.close());

/** Rows of float32 in a file that is open, from some byte on. */
export class RowFile implements StoredRows {
  /**
   * @param file - Is closed when nobody needs this object any more.
   * @param start - Bytes before the first row.
   */
  constructor(
    private readonly file: FileHandle,
    readonly count: number,
    readonly width: number,
    private readonly start: number = 0,
  ) {
    openFiles.register(this, file);
  }

  read(row: number, target: Float32Array, at: number): void {
    const bytes = this.width * bytesEach;
    for (let done = 0; done < bytes; ) {
      const position = this.start + row * bytes + done;
      const found = readSync(this.file.fd, target, at * bytesEach + done, bytes - done, position);
      if (found === 0) throw new Error(`The file of features ends before row ${row}: it was cut short.`);
      done += found;
    }
  }

  write(row: number, values: Uint8Array): void {
    for (let done = 0; done < values.length; ) {
      const position = this.start + row * values.length + done;
      done += writeSync(this.file.fd, values, done, values.length - done, position);
    }
  }
}

/** Rows that are being computed. */
export interface RowsToFill {
  /** What was not filled is NaN. */
  values: FeatureValues;
  /** @param values - The bytes of a row of float32. */
  fill(row: number, values: Uint8Array): void;
}

function rowsInMemory(count: number, width: number): RowsToFill {
  const values = new Float32Array(count * width).fill(Number.NaN);
  const bytes = new Uint8Array(values.buffer);
  return { values, fill: (row, filling) => bytes.set(filling, row * width * bytesEach) };
}

/** A file without a name: it is gone with its process, however that ends. */
async function openNamelessFile(bytes: number): Promise<FileHandle> {
  const folder = await prepareUnfinishedFolder(join(cacheFolder(), "features"));
  const path = join(folder, unfinishedName());
  const file = await open(path, "wx+", 0o600);
  await rm(path);
  await file.truncate(bytes);
  return file;
}

function noRoom(bytes: number, reason: string): Error {
  return refusal(
    `Features of ${sizeText(bytes)} are more than is held in memory and lie in a file in ${cacheFolder()} while they are used, where ${reason}: make room, or name a folder on another disk as BREAKHIS_CACHE. ${mostVariable} says how many MB of them stay in memory instead.`,
  );
}

async function rowsInFile(count: number, width: number, freeSpace: FreeSpace): Promise<RowsToFill> {
  const bytes = count * width * bytesEach;
  await mkdir(cacheFolder(), { recursive: true });
  const free = await freeSpace(cacheFolder());
  if (free < bytes) throw noRoom(bytes, `${sizeText(free)} are free`);
  const file = new RowFile(await openNamelessFile(bytes), count, width);
  const filled = new Uint8Array(count);
  const values: StoredRows = {
    count,
    width,
    read(row, target, at) {
      if (filled[row] === 1) file.read(row, target, at);
      else target.fill(Number.NaN, at, at + width);
    },
  };
  function fill(row: number, filling: Uint8Array): void {
    try {
      file.write(row, filling);
    } catch (error) {
      throw noRoom(bytes, `no more can be written (${(error as Error).message})`);
    }
    filled[row] = 1;
  }
  return { values, fill };
}

/**
 * Makes room for rows of features: in memory, or from 1 GiB on in a file in the cache's folder that has no name, so that
 * nothing of it outlives the process. `BREAKHIS_FEATURES_IN_MEMORY` says another limit, in MB.
 *
 * @param options.tables - How many tables of this size are used together, as views of the same images are.
 * @throws Error if the disk has no room for them.
 */
export async function makeRoomForRows(
  count: number,
  width: number,
  options: { tables?: number; freeSpace?: FreeSpace } = {},
): Promise<RowsToFill> {
  const bytes = count * width * bytesEach * (options.tables ?? 1);
  if (bytes <= limitInMemory()) return rowsInMemory(count, width);
  return rowsInFile(count, width, options.freeSpace ?? freeSpaceOf);
}
