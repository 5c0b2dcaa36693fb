import { open, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import pMap from "p-map";
import sharp from "sharp";
import { sha256 } from "../../runtime/content-hash";
import {
  explainDecodingError,
  explainFileError,
  fileSizeLimit,
  imageFormatOf,
  pixelLimit,
} from "./image-problems";
import { likenessSize, perceptualHash } from "./perceptual-hash";

// Files are read here and decoded once; a cache of decoded images would only hold memory.
sharp.cache(false);

/** Images decoded at the same time: one a core. */
export const imageConcurrency: number = availableParallelism();

/** What one look into an image's file tells. */
export interface ImageFacts {
  /** Of the file's bytes, hexadecimal. */
  sha256: string;
  /** Pixels, after any EXIF rotation. */
  width: number;
  height: number;
  /** Mean red, green and blue, each 0..255. */
  meanColour: [number, number, number];
  /** What the image looks like, 16 hexadecimal digits; null if it is too plain to tell. */
  perceptualHash: string | null;
}

/** The facts of a readable image, or the reason why it can't be used, as the rest of a sentence. */
export type Inspection = { ok: true; facts: ImageFacts } | { ok: false; reason: string };

type Pipeline = ReturnType<typeof sharp>;

type Outcome<T> = { ok: true; value: T } | { ok: false; reason: string };

async function readImageFile(path: string): Promise<Outcome<Buffer>> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size > fileSizeLimit) {
        const megabytes = Math.round(size / 1024 / 1024);
        return {
          ok: false,
          reason: `it has ${megabytes} MiB, more than ${fileSizeLimit / 1024 / 1024}; cut it into patches first`,
        };
      }
      return { ok: true, value: await file.readFile() };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { ok: false, reason: explainFileError(error) };
  }
}

/**
 * The one way from any image to 8-bit sRGB: first page, upright, alpha laid on white (as a slide's background),
 * grey, CMYK, palette and 16 bits converted. Damaged and cut-off files are errors, mere oddities in them are not.
 */
function toRgb(bytes: Uint8Array): Pipeline {
  return sharp(bytes, { failOn: "error", limitInputPixels: pixelLimit, pages: 1 })
    .autoOrient()
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb");
}

/**
 * The whole image, stretched to a square.
 *
 * Cubic kernel, widened when shrinking (Catmull-Rom, as Pillow's bicubic, which ImageNet networks are commonly fed
 * with). JPEG's own shrinking is off, so that a JPEG and a PNG of the same picture are resized by the same filter.
 */
async function decodeSquare(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const pixels = await toRgb(bytes)
    .resize(size, size, { fit: "fill", kernel: "cubic", fastShrinkOnLoad: false })
    .raw()
    .toBuffer();
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}

/** Does something with an image's bytes, or says why they are no image. */
async function withReason<T>(bytes: Buffer, work: (bytes: Buffer) => Promise<T>): Promise<Outcome<T>> {
  if (imageFormatOf(bytes) === null) return { ok: false, reason: explainDecodingError(bytes, null) };
  try {
    return { ok: true, value: await work(bytes) };
  } catch (error) {
    return { ok: false, reason: explainDecodingError(bytes, error) };
  }
}

async function readWithReason<T>(path: string, work: (bytes: Buffer) => Promise<T>): Promise<Outcome<T>> {
  const file = await readImageFile(path);
  return file.ok === false ? file : withReason(file.value, work);
}

const unusable = (path: string, reason: string): Error =>
  new Error(`The image ${path} can't be used: ${reason}.`);

function orThrow<T>(path: string, outcome: Outcome<T>): T {
  if (outcome.ok === false) throw unusable(path, outcome.reason);
  return outcome.value;
}

async function withPath<T>(path: string, work: (bytes: Buffer) => Promise<T>): Promise<T> {
  return orThrow(path, await readWithReason(path, work));
}

function meanColour(pixels: Uint8Array): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  for (let offset = 0; offset < pixels.length; offset += 3) {
    sums[0] += pixels[offset]!;
    sums[1] += pixels[offset + 1]!;
    sums[2] += pixels[offset + 2]!;
  }
  const count = pixels.length / 3;
  const round = (sum: number) => Math.round((sum / count) * 100) / 100;
  return [round(sums[0]), round(sums[1]), round(sums[2])];
}

async function lookInto(bytes: Buffer): Promise<ImageFacts> {
  const header = await sharp(bytes, { limitInputPixels: pixelLimit }).metadata();
  // Decoding to the end is what finds a file that was cut off.
  // The small copy is large enough for a mean colour within half a level.
  const pixels = await decodeSquare(bytes, likenessSize);
  return {
    sha256: sha256(bytes),
    width: header.autoOrient.width,
    height: header.autoOrient.height,
    meanColour: meanColour(pixels),
    perceptualHash: perceptualHash(pixels),
  };
}

/** Reads an image's file once, decodes it wholly and tells its facts, or why it can't be used. Never throws. */
export async function inspectImage(path: string): Promise<Inspection> {
  const outcome = await readWithReason(path, lookInto);
  return outcome.ok === true ? { ok: true, facts: outcome.value } : outcome;
}

/**
 * Decodes an image of any kind (PNG, JPEG, TIFF, WebP; grey, alpha, palette, CMYK, 16 bits, EXIF rotation) and
 * stretches it to a square.
 *
 * @param size - Edge of the square in pixels, at least 1.
 * @returns Shape [size, size, 3], RGB, 0..255. The same file gives the same bytes every time.
 * @throws Error with the reason if the file is missing, broken or no such image.
 */
export function decodeImage(path: string, size: number): Promise<Uint8Array> {
  requirePositiveInteger("An image's size", size);
  return withPath(path, (bytes) => decodeSquare(bytes, size));
}

/** An image as it is looked at: upright, in its own proportions. */
export interface Picture {
  /** Shape [height, width, 3], RGB, 0..255. */
  pixels: Uint8Array;
  width: number;
  height: number;
}

/**
 * Decodes an image in its own proportions, made smaller where it is wider than asked for, never larger.
 *
 * @param greatestWidth - In pixels, at least 1.
 * @throws Error with the reason if the file is missing, broken or no such image.
 */
export function decodePicture(path: string, greatestWidth: number): Promise<Picture> {
  requirePositiveInteger("A picture's width", greatestWidth);
  return withPath(path, async (bytes) => {
    const { data, info } = await toRgb(bytes)
      .resize({ width: greatestWidth, kernel: "cubic", withoutEnlargement: true, fastShrinkOnLoad: false })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { pixels, width: info.width, height: info.height };
  });
}

/** Something done to an image's pixels, RGB, 0..255, before they are used. */
export type PixelTransform = (pixels: Uint8Array) => Uint8Array;

const unchanged: PixelTransform = (pixels) => pixels;

/** Images of one batch, in order. */
export interface DecodedBatch {
  /** Shape [count, size, size, 3], RGB, 0..255. */
  pixels: Uint8Array;
  /** Index in `paths` of the batch's first image. */
  start: number;
  /** Images in this batch: `batchSize`, or less in the last one. */
  count: number;
}

/**
 * Decodes images batch by batch, the next batch while the caller works on this one.
 *
 * TensorFlow holds up whoever calls it, so a batch is handed over only when the next one's files are read and wait
 * for the decoders, which need nobody's help from there on.
 *
 * At most two batches are in memory. Leaving the loop early waits for the images being decoded and starts no more.
 *
 * @param options.transform - Done to each image's pixels; it must leave their number as it is.
 * @throws Error with path and reason at the first image that can't be used.
 *
 * @example
 * for await (const { pixels, start, count } of decodeBatches(paths, 224, 16)) { … }
 */
export async function* decodeBatches(
  paths: readonly string[],
  size: number,
  batchSize: number,
  options: { transform?: PixelTransform } = {},
): AsyncGenerator<DecodedBatch, void, undefined> {
  requirePositiveInteger("An image's size", size);
  requirePositiveInteger("A batch's size", batchSize);
  const { transform = unchanged } = options;
  const start = (first: number) => startBatch(paths.slice(first, first + batchSize), first, size, transform);
  let ahead = start(0);
  try {
    for (let first = 0; first < paths.length; first += batchSize) {
      const batch = await ahead.decoded;
      if (batch.ok === false) throw batch.error;
      ahead = start(first + batchSize);
      await ahead.queued;
      yield batch.value;
    }
  } finally {
    await ahead.decoded;
  }
}

type BatchOutcome = { ok: true; value: DecodedBatch } | { ok: false; error: unknown };

/** A batch that is under way. Neither promise rejects: nobody may ask for it any more. */
interface StartedBatch {
  /** Every file is read and waits for a decoder. */
  queued: Promise<unknown>;
  decoded: Promise<BatchOutcome>;
}

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

function startBatch(
  paths: readonly string[],
  start: number,
  size: number,
  transform: PixelTransform,
): StartedBatch {
  const imageBytes = size * size * 3;
  const pixels = new Uint8Array(paths.length * imageBytes);
  const failures: unknown[] = [];
  const decoding: Promise<void>[] = [];

  async function decode(path: string, bytes: Buffer, index: number): Promise<void> {
    try {
      const image = orThrow(path, await withReason(bytes, (whole) => decodeSquare(whole, size)));
      pixels.set(transform(image), index * imageBytes);
    } catch (error) {
      failures.push(error);
    }
  }

  async function read(path: string, index: number, waitForDecoder: boolean): Promise<void> {
    if (failures.length > 0) return;
    const file = await readImageFile(path);
    if (file.ok === false) {
      failures.push(unusable(path, file.reason));
      return;
    }
    const decodingOne = decode(path, file.value, index);
    decoding.push(decodingOne);
    if (waitForDecoder) await decodingOne;
  }

  /** Reading at once leaves no file behind others' decoding, which takes the same threads. */
  async function readAll(): Promise<void> {
    if ((await totalBytes(paths)) <= waitingBytesLimit) {
      await Promise.all(paths.map((path, index) => read(path, index, false)));
    } else {
      const one = (path: string, index: number) => read(path, index, true);
      await pMap(paths, one, { concurrency: imageConcurrency });
    }
  }

  const queued = readAll();
  const finished = queued.then(() => Promise.all(decoding));
  return {
    queued,
    decoded: finished.then(() =>
      failures.length > 0
        ? { ok: false, error: failures[0] }
        : { ok: true, value: { pixels, start, count: paths.length } },
    ),
  };
}

/**
 * Encodes a small copy of an image for a page: a JPEG as a data URL, its proportions kept, never enlarged.
 *
 * @param width - Greatest width in pixels.
 * @throws Error with the reason if the file is missing, broken or no such image.
 */
export async function encodeThumbnail(path: string, width: number): Promise<string> {
  requirePositiveInteger("A thumbnail's width", width);
  const jpeg = await withPath(path, (bytes) =>
    toRgb(bytes)
      .resize({ width, kernel: "cubic", withoutEnlargement: true })
      .jpeg({ quality: 85 })
      .toBuffer(),
  );
  return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
}

function requirePositiveInteger(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${what} must be a positive whole number, found ${value}.`);
  }
}
