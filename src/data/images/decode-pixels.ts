import { Transformer } from "@napi-rs/image";
import sharp from "sharp";
import type { ImageKind } from "../formats/image-kind";
import { type RgbSamples, toRgbSamples, type WhollyTransparent } from "../formats/samples";
import { pixelLimit, understandImage } from "../formats/understand";
import { withDecodingRoom } from "./decoding-room";
import { explainDecodingError, explainForeignContent } from "./image-problems";
import { stretchBicubically, stretchBilinearly } from "./resample";

// Files are read and decoded once; a cache of decoded images would only hold memory.
sharp.cache(false);

/** What came of something, or the reason why nothing did, as the rest of a sentence. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; reason: string };

/** An image as it is: upright, in its own size. */
export interface Pixels {
  /** Shape [height, width, 3], 0..255. */
  rgb: Uint8Array;
  width: number;
  height: number;
  /** What looks wrong in it, as the rest of a sentence; null where nothing does. */
  note: string | null;
}

const needsConversion = ({ profile, colours }: ImageKind) => profile === "other" || colours === "cmyk";

/**
 * What sharp is asked for: the picture's page, upright, and sRGB by its profile where it has another one.
 *
 * Warnings count as errors: a tile that can't be decoded is one, and would be black.
 *
 * @param input - A file's bytes or its path.
 * @param mostPixels - What the caller has made sure that the file does not exceed.
 */
export function decoder(
  input: Uint8Array | string,
  kind: ImageKind,
  mostPixels: number = pixelLimit,
): ReturnType<typeof sharp> {
  const converts = needsConversion(kind);
  const upright = sharp(input, {
    failOn: "warning",
    limitInputPixels: mostPixels,
    page: kind.page,
    pages: 1,
    ignoreIcc: !converts,
  }).autoOrient();
  if (kind.bits < 16) return upright.toColourspace("srgb");
  // With a profile, sharp turns 16 bits into Display P3, unless it is told what they are to be.
  return converts ? upright.withIccProfile("srgb") : upright.toColourspace("rgb16");
}

/** Decodes what `decoder` was asked for into 8-bit RGB. */
export async function takeSamples(
  asked: ReturnType<typeof sharp>,
  kind: ImageKind,
  transparent?: WhollyTransparent,
): Promise<{ samples: RgbSamples; width: number; height: number }> {
  const raw = kind.bits === 16 && !needsConversion(kind) ? asked.raw({ depth: "ushort" }) : asked.raw();
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const isDeep = info.size === 2 * width * height * channels;
  const values = isDeep
    ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
    : new Uint8Array(data.buffer, data.byteOffset, data.length);
  const samples = toRgbSamples({ values, channels, alpha: kind.alpha, whitest: kind.whitest }, transparent);
  return { samples, width, height };
}

/** Most of BreaKHis and IDC: nothing is to be done to their numbers. */
const isOrdinaryPng = ({ format, bits, colours, alpha, profile, orientation }: ImageKind) =>
  format === "PNG" &&
  bits === 8 &&
  colours === "rgb" &&
  alpha === "none" &&
  profile !== "other" &&
  orientation === 1;

/**
 * Decodes an ordinary PNG in about half of sharp's processor time: the same bytes, which a test holds it to.
 *
 * @returns Null where it finds something wrong: sharp decides about that.
 */
async function decodeQuickly(bytes: Uint8Array, { width, height }: ImageKind): Promise<Pixels | null> {
  try {
    const rgb = await new Transformer(bytes).rawPixels();
    if (rgb.length !== 3 * width * height) return null;
    return { rgb: new Uint8Array(rgb.buffer, rgb.byteOffset, rgb.byteLength), width, height, note: null };
  } catch {
    return null;
  }
}

async function decodeSamples(bytes: Uint8Array, kind: ImageKind): Promise<Outcome<Pixels>> {
  const quick = isOrdinaryPng(kind) ? await decodeQuickly(bytes, kind) : null;
  if (quick !== null) return { ok: true, value: quick };
  const { samples, width, height } = await takeSamples(decoder(bytes, kind), kind);
  if (samples.ok === false) return samples;
  return { ok: true, value: { rgb: samples.rgb, width, height, note: samples.note } };
}

/**
 * Decodes an image's bytes wholly and does something with the pixels, which are freed after it.
 *
 * @returns Why they are no image that can be used, if so. Never throws for the bytes' sake.
 */
export async function withPixels<T>(
  bytes: Uint8Array,
  work: (pixels: Pixels) => Promise<T>,
): Promise<Outcome<T>> {
  const foreign = explainForeignContent(bytes);
  if (foreign !== null) return { ok: false, reason: foreign };
  const understood = understandImage(bytes);
  if (understood.ok === false) return understood;
  const { kind } = understood;
  const channels = kind.alpha === "none" ? 3 : 4;
  const room = kind.width * kind.height * channels * (kind.bits === 16 ? 3 : 1);
  return withDecodingRoom(room, async () => {
    let pixels: Outcome<Pixels>;
    try {
      pixels = await decodeSamples(bytes, kind);
    } catch {
      return { ok: false, reason: explainDecodingError(bytes) };
    }
    return pixels.ok === false ? pixels : { ok: true, value: await work(pixels.value) };
  });
}

/** Decoded pixels for sharp to go on with. */
export const asSharp = ({ rgb, width, height }: Pixels): ReturnType<typeof sharp> =>
  sharp(rgb, { raw: { width, height, channels: 3 } });

/** How an image of another size is stretched: Pillow's of these names. */
export type Stretching = "bicubic" | "bilinear";

/**
 * The whole image, stretched to a square with a cubic kernel (Catmull-Rom), widened when shrinking, as Pillow's bicubic,
 * which ImageNet networks are commonly fed with.
 *
 * Where no edge becomes longer, sharp's; else Pillow's to the bit, since sharp's enlarging lies half a pixel off all others'.
 * Or bilinearly, always to the bit as Pillow.
 *
 * @returns Shape [size, size, 3], RGB, 0..255.
 */
export async function stretchToSquare(
  pixels: Pixels,
  size: number,
  stretching: Stretching = "bicubic",
): Promise<Uint8Array> {
  const { rgb, width, height } = pixels;
  if (stretching === "bilinear") return stretchBilinearly(rgb, width, height, size);
  if (width < size || height < size) return stretchBicubically(rgb, width, height, size);
  if (width === size && height === size) return rgb;
  const square = await asSharp(pixels).resize(size, size, { fit: "fill", kernel: "cubic" }).raw().toBuffer();
  return new Uint8Array(square.buffer, square.byteOffset, square.byteLength);
}
