import { availableParallelism } from "node:os";
import { sha256 } from "../../runtime/cache/content-hash";
import { openRegularFile } from "../../runtime/files/regular-file";
import { rangeRefusal } from "../../runtime/refusal";
import { countOf, nameSome } from "../../runtime/words";
import type { ImageFile } from "../record";
import {
  asSharp,
  type Outcome,
  type Pixels,
  type Stretching,
  stretchToSquare,
  withPixels,
} from "./decode-pixels";
import { explainFileError, fileSizeLimit } from "./image-problems";
import { likenessSize, meanColour, perceptualHash } from "./perceptual-hash";
import { hasRoomFor, keepStretched } from "./stretched-images";

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
  /** What looks wrong in its numbers, as the rest of a sentence; null where nothing does. */
  note: string | null;
}

/** Says in a sentence which images look wrong in their numbers, if any: names, each with its note in parentheses. */
export const describeNotes = (notes: readonly string[]): string[] =>
  notes.length === 0
    ? []
    : [`${countOf(notes.length, "image", "images")} may not show what they should: ${nameSome(notes)}.`];

/** The facts of a readable image, or the reason why it can't be used, as the rest of a sentence. */
export type Inspection = { ok: true; facts: ImageFacts } | { ok: false; reason: string };

/** The path of an image that is given by it, or with its checksum too. */
export const pathOf = (image: string | ImageFile): string => (typeof image === "string" ? image : image.path);

/**
 * Reads the file of an image, or says why it can't be read. What is decoded is what was looked into: of a file with a
 * checksum, only the bytes that it stands for are taken.
 */
export async function readImageFile(image: string | ImageFile): Promise<Outcome<Buffer>> {
  const read = await readBytes(pathOf(image));
  if (read.ok === false || typeof image === "string" || sha256(read.value) === image.sha256) return read;
  return { ok: false, reason: "it has changed since it was looked into; open the data set again" };
}

async function readBytes(path: string): Promise<Outcome<Buffer>> {
  try {
    const file = await openRegularFile(path);
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

async function readPixels<T>(image: string | ImageFile, work: (pixels: Pixels, bytes: Buffer) => Promise<T>) {
  const file = await readImageFile(image);
  return file.ok === false ? file : withPixels(file.value, (pixels) => work(pixels, file.value));
}

/** What an image that can't be used is refused with. */
export const unusable = (path: string, reason: string): Error =>
  new Error(`The image ${path} can't be used: ${reason}.`);

async function usePixels<T>(image: string | ImageFile, work: (pixels: Pixels) => Promise<T>): Promise<T> {
  const outcome = await readPixels(image, work);
  if (outcome.ok === false) throw unusable(pathOf(image), outcome.reason);
  return outcome.value;
}

async function lookInto(pixels: Pixels, bytes: Buffer): Promise<ImageFacts> {
  const { width, height, note } = pixels;
  // Large enough for a mean colour within half a level.
  const small = await stretchToSquare(pixels, likenessSize);
  return {
    sha256: sha256(bytes),
    width,
    height,
    meanColour: meanColour(small),
    perceptualHash: perceptualHash(small),
    note,
  };
}

/** Reads an image's file once, decodes it wholly and tells its facts, or why it can't be used. Never throws. */
export async function inspectImage(path: string): Promise<Inspection> {
  const outcome = await readPixels(path, lookInto);
  return outcome.ok === true ? { ok: true, facts: outcome.value } : outcome;
}

/** The same, and keeps the image stretched to a size, if there is room: `takeStretched` gives it to whoever decodes next. */
export async function inspectAndKeep(path: string, size: number): Promise<Inspection> {
  const outcome = await readPixels(path, async (pixels, bytes) => {
    const facts = await lookInto(pixels, bytes);
    if (hasRoomFor(size)) keepStretched(facts.sha256, size, await stretchToSquare(pixels, size));
    return facts;
  });
  return outcome.ok === true ? { ok: true, facts: outcome.value } : outcome;
}

/**
 * Decodes an image of any kind that is read (the table in data/README.md) and stretches it to a square.
 *
 * @param image - A path, or with the checksum that the file must have.
 * @param size - Edge of the square in pixels, at least 1.
 * @param stretching - By default bicubic.
 * @returns Shape [size, size, 3], RGB, 0..255. The same file gives the same bytes every time.
 * @throws Error with the reason if the file is missing, broken, no image that is understood or another one than it was.
 */
export function decodeImage(
  image: string | ImageFile,
  size: number,
  stretching?: Stretching,
): Promise<Uint8Array> {
  requirePositiveInteger("An image's size", size);
  return usePixels(image, (pixels) => stretchToSquare(pixels, size, stretching));
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
 * @throws Error with the reason if the file is missing, broken or no image that is understood.
 */
export function decodePicture(path: string, greatestWidth: number): Promise<Picture> {
  requirePositiveInteger("A picture's width", greatestWidth);
  return usePixels(path, async (whole) => {
    const { data, info } = await asSharp(whole)
      .resize({ width: greatestWidth, kernel: "cubic", withoutEnlargement: true })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { pixels, width: info.width, height: info.height };
  });
}

/**
 * Encodes a small copy of an image for a page: a JPEG as a data URL, its proportions kept, never enlarged.
 *
 * @param width - Greatest width in pixels.
 * @throws Error with the reason if the file is missing, broken or no image that is understood.
 */
export async function encodeThumbnail(path: string, width: number): Promise<string> {
  requirePositiveInteger("A thumbnail's width", width);
  const jpeg = await usePixels(path, (pixels) =>
    asSharp(pixels)
      .resize({ width, kernel: "cubic", withoutEnlargement: true })
      .jpeg({ quality: 85 })
      .toBuffer(),
  );
  return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
}

/** @throws RangeError if it is something else. */
export function requirePositiveInteger(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw rangeRefusal(`${what} must be a positive whole number, found ${value}.`);
  }
}
