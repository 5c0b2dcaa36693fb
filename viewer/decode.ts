import type { ImageKind } from "../src/data/formats/image-kind";
import { understandImage } from "../src/data/formats/understand";
import { decodePng } from "./png-pixels";
import type { RgbImage } from "./rgb-image";

/** A decoded image, with a bitmap to be drawn; whoever has it closes its bitmap. */
export interface DecodedImage extends RgbImage {
  bitmap: ImageBitmap;
}

/** As many bytes as Node reads. */
const fileSizeLimit = 512 * 1024 * 1024;
const thumbnailWidth = 180;

async function readBytes(file: Blob): Promise<Uint8Array> {
  if (file.size === 0) throw new Error("the file is empty (0 bytes)");
  if (file.size > fileSizeLimit) throw new Error("it is too large for a page; cut it into patches first");
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Error("it can't be read: it was moved, deleted or is a folder");
  }
}

/** Why a browser does not give the pixels that Node gives, where it does not; null where it does. */
function problemInBrowsers({ format, profile, alpha, bits }: ImageKind, bytes: Uint8Array): string | null {
  if (format === "TIFF") return "this page reads no TIFF; convert it to PNG";
  if (profile === "other") {
    return "it has a colour profile, which browsers convert a little differently; convert it to sRGB";
  }
  if (format === "WebP" && alpha !== "none") return "it is a WebP with transparency; convert it to PNG";
  const isInterlaced = bytes[28] === 1;
  if (format === "PNG" && bits < 8 && isInterlaced) return "it is interlaced; save it without that";
  return null;
}

const reasonOf = (format: string) =>
  `the ${format} file is damaged or cut short, or too large for this browser`;

async function openBitmap(file: Blob, format: string): Promise<ImageBitmap> {
  try {
    // Numbers as they are stored: those of other colours than sRGB are refused before.
    const asStored = { colorSpaceConversion: "none", premultiplyAlpha: "none" } as const;
    return await createImageBitmap(file, { ...asStored, imageOrientation: "from-image" });
  } catch {
    throw new Error(reasonOf(format));
  }
}

function pixelsOfPng(bytes: Uint8Array, kind: ImageKind): RgbImage {
  try {
    return decodePng(bytes, kind);
  } catch (error) {
    const { cause } = error as Error;
    throw new Error(typeof cause === "string" ? cause : reasonOf("PNG"));
  }
}

function drawOnWhite(bitmap: ImageBitmap, width: number, height: number) {
  const canvas = new OffscreenCanvas(width, height);
  // On the processor, where pixels come back as they were drawn.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("it is too large for this browser");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return { canvas, context };
}

/** Leaves alpha out: it is 255 everywhere. */
export function toRgb(rgba: Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let pixel = 0; pixel < rgb.length / 3; pixel++) {
    for (let channel = 0; channel < 3; channel++) rgb[3 * pixel + channel] = rgba[4 * pixel + channel]!;
  }
  return rgb;
}

/** Puts an opaque alpha in. */
export function toRgba(rgb: Uint8Array): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let pixel = 0; pixel < rgb.length / 3; pixel++) {
    for (let channel = 0; channel < 3; channel++) rgba[4 * pixel + channel] = rgb[3 * pixel + channel]!;
  }
  return rgba;
}

function pixelsOf(bitmap: ImageBitmap): RgbImage {
  const { width, height } = bitmap;
  const { context } = drawOnWhite(bitmap, width, height);
  return { pixels: toRgb(context.getImageData(0, 0, width, height).data), width, height };
}

/**
 * Decodes a file: upright, in sRGB, the pixels that `decodeImage` sees in Node. PNGs are decoded here; JPEGs and WebPs by
 * the browser, which is checked in Chromium.
 *
 * @throws Error with the reason, as the rest of a sentence, if it can't be used, or would have other pixels than in Node.
 */
export async function decodeFile(file: Blob): Promise<DecodedImage> {
  const bytes = await readBytes(file);
  const understood = understandImage(bytes);
  if (understood.ok === false) throw new Error(understood.reason);
  const { kind } = understood;
  const problem = problemInBrowsers(kind, bytes);
  if (problem !== null) throw new Error(problem);
  const bitmap = await openBitmap(file, kind.format);
  try {
    return { bitmap, ...(kind.format === "PNG" ? pixelsOfPng(bytes, kind) : pixelsOf(bitmap)) };
  } catch (error) {
    bitmap.close();
    throw error;
  }
}

/** The size of an image when it is no wider than this; never enlarged. */
export function fitWidth({ width, height }: { width: number; height: number }, greatest: number) {
  const share = Math.min(1, greatest / width);
  return { width: Math.max(1, Math.round(width * share)), height: Math.max(1, Math.round(height * share)) };
}

/** Draws an image to be looked at; its pixels are shape [height, width, 4]. */
export function drawPicture({ bitmap, ...size }: DecodedImage, greatestWidth: number) {
  const { width, height } = fitWidth(size, greatestWidth);
  const { context } = drawOnWhite(bitmap, width, height);
  return { rgba: context.getImageData(0, 0, width, height).data, width, height };
}

/** Encodes a small JPEG for the list. */
export function encodeThumbnail({ bitmap, ...size }: DecodedImage): Promise<Blob> {
  const { width, height } = fitWidth(size, thumbnailWidth);
  return drawOnWhite(bitmap, width, height).canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
}

/**
 * Whether this browser gives other pixels back than were drawn: some do, so that pages can't recognise a visitor, and
 * then every answer here would be slightly off.
 */
export function changesPixels(): boolean {
  const size = 32;
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const drawn = new ImageData(size, size);
  for (let i = 0; i < drawn.data.length; i++) drawn.data[i] = i % 4 === 3 ? 255 : (i * 37) % 256;
  context.putImageData(drawn, 0, 0);
  const found = context.getImageData(0, 0, size, size).data;
  return found.some((value, i) => value !== drawn.data[i]);
}
