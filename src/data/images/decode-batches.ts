import { stat } from "node:fs/promises";
import pMap from "p-map";
import type { ImageFile } from "../record";
import { type Stretching, stretchToSquare, withPixels } from "./decode-pixels";
import { imageConcurrency, pathOf, readImageFile, requirePositiveInteger, unusable } from "./images";
import { takeStretched } from "./stretched-images";

/** Something done to an image's pixels, RGB, 0..255, before they are used. */
export type PixelTransform = (pixels: Uint8Array) => Uint8Array;

const unchanged: PixelTransform = (pixels) => pixels;

/** Images of one batch, in order. */
export interface DecodedBatch {
  /** Shape [count, size, size, 3], RGB, 0..255. */
  pixels: Uint8Array;
  /** Index in `images` of the batch's first image. */
  start: number;
  /** Images in this batch: `batchSize`, or less in the last one. */
  count: number;
}

/**
 * Decodes images batch by batch, the next two while the caller works on this one.
 *
 * TensorFlow holds up whoever calls it, so a batch is handed over only when the files of the next ones are read and wait
 * for the decoders. Between decoding and resizing this thread is asked once; two batches ahead, one is resized while
 * the other one is decoded.
 *
 * At most three batches are in memory. Leaving the loop early waits for the images being decoded and starts no more.
 *
 * @param images - Paths, or with the checksums that the files must have.
 * @param options.transform - Done to each image's pixels; it must leave their number as it is.
 * @param options.interpolation - How images are stretched, by default bicubically.
 * @throws Error with path and reason at the first image that can't be used.
 *
 * @example
 * for await (const { pixels, start, count } of decodeBatches(paths, 224, 16)) { … }
 */
export async function* decodeBatches(
  images: readonly (string | ImageFile)[],
  size: number,
  batchSize: number,
  options: { transform?: PixelTransform; interpolation?: Stretching } = {},
): AsyncGenerator<DecodedBatch, void, undefined> {
  requirePositiveInteger("An image's size", size);
  requirePositiveInteger("A batch's size", batchSize);
  const { transform = unchanged, interpolation = "bicubic" } = options;
  const how = { size, transform, interpolation };
  const start = (first: number) => new StartedBatch(images.slice(first, first + batchSize), first, how);
  const ahead = [start(0), start(batchSize)];
  try {
    for (let first = 0; first < images.length; first += batchSize) {
      const batch = await ahead[0]!.decoded;
      if (batch.ok === false) throw batch.error;
      ahead.shift();
      ahead.push(start(first + 2 * batchSize));
      await Promise.all(ahead.map(({ queued }) => queued));
      yield batch.value;
    }
  } finally {
    await Promise.all(ahead.map(({ decoded }) => decoded));
  }
}

type BatchOutcome = { ok: true; value: DecodedBatch } | { ok: false; error: unknown };

/** A batch of files with at most this many bytes together is read at once, a larger one few at a time. */
const waitingBytesLimit = 64 * 1024 * 1024;

/** Bytes of files together; one that can't be asked counts nothing, and its reading says why. */
async function totalBytes(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A batch that is under way. Neither promise rejects: nobody may ask for it any more. */
class StartedBatch {
  /** Every file is read and waits for a decoder. */
  readonly queued: Promise<unknown>;
  readonly decoded: Promise<BatchOutcome>;
  private readonly pixels: Uint8Array;
  private readonly failures: unknown[] = [];
  private readonly decoding: Promise<void>[] = [];

  constructor(
    private readonly images: readonly (string | ImageFile)[],
    private readonly start: number,
    private readonly how: { size: number; transform: PixelTransform; interpolation: Stretching },
  ) {
    this.pixels = new Uint8Array(images.length * how.size ** 2 * 3);
    this.queued = this.readAll();
    this.decoded = this.queued.then(() => Promise.all(this.decoding)).then(() => this.outcome());
  }

  /** Reading at once leaves no file behind others' decoding, which takes the same threads. */
  private async readAll(): Promise<void> {
    const { images } = this;
    if ((await totalBytes(images.map(pathOf))) <= waitingBytesLimit) {
      await Promise.all(images.map((image, index) => this.read(image, index, false)));
    } else {
      const one = (image: string | ImageFile, index: number) => this.read(image, index, true);
      await pMap(images, one, { concurrency: imageConcurrency });
    }
  }

  private async read(image: string | ImageFile, index: number, waitForDecoder: boolean): Promise<void> {
    if (this.failures.length > 0) return;
    if (this.takeKept(image, index)) return;
    const path = pathOf(image);
    const file = await readImageFile(image);
    if (file.ok === false) {
      this.failures.push(unusable(path, file.reason));
      return;
    }
    const decodingOne = this.decode(path, file.value, index);
    this.decoding.push(decodingOne);
    if (waitForDecoder) await decodingOne;
  }

  /** Whether the image was decoded and stretched alike when its file was looked into. */
  private takeKept(image: string | ImageFile, index: number): boolean {
    const { size, transform, interpolation } = this.how;
    if (typeof image === "string" || interpolation !== "bicubic") return false;
    const kept = takeStretched(image.sha256, size);
    if (kept === null) return false;
    try {
      this.pixels.set(transform(kept), index * size * size * 3);
    } catch (error) {
      this.failures.push(error);
    }
    return true;
  }

  private async decode(path: string, bytes: Buffer, index: number): Promise<void> {
    const { size, transform, interpolation } = this.how;
    try {
      const image = await withPixels(bytes, (whole) => stretchToSquare(whole, size, interpolation));
      if (image.ok === false) this.failures.push(unusable(path, image.reason));
      else this.pixels.set(transform(image.value), index * size * size * 3);
    } catch (error) {
      this.failures.push(error);
    }
  }

  private outcome(): BatchOutcome {
    if (this.failures.length > 0) return { ok: false, error: this.failures[0] };
    return { ok: true, value: { pixels: this.pixels, start: this.start, count: this.images.length } };
  }
}
