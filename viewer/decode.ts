import { imageFormatOf, pixelLimit } from "../src/data/images/image-problems";

/** A decoded image; whoever has it closes its bitmap. */
export interface DecodedImage {
  bitmap: ImageBitmap;
  /** RGB, 0..255, shape [height, width, 3]; what is transparent lies on white. */
  pixels: Uint8Array;
  width: number;
  height: number;
}

const headBytes = 256 * 1024;
const thumbnailWidth = 180;

/** Profiles are converted to sRGB, as sharp does; other hints about colour (PNG's gAMA) are left alone, as there. */
function hasColourProfile(head: Uint8Array, format: string): boolean {
  const text = new TextDecoder("latin1").decode(head);
  const marker = { PNG: "iCCP", JPEG: "ICC_PROFILE\0", WebP: "ICCP" }[format];
  const end = format === "PNG" ? text.indexOf("IDAT") : -1;
  return marker !== undefined && (end === -1 ? text : text.slice(0, end)).includes(marker);
}

async function readHead(file: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(0, headBytes).arrayBuffer());
  } catch {
    throw new Error("it can't be read: it was moved, deleted or is a folder");
  }
}

async function openBitmap(file: Blob): Promise<ImageBitmap> {
  if (file.size === 0) throw new Error("the file is empty (0 bytes)");
  const head = await readHead(file);
  const format = imageFormatOf(head);
  if (format === null) throw new Error("its content is not a PNG, JPEG or WebP image");
  try {
    return await createImageBitmap(file, {
      colorSpaceConversion: hasColourProfile(head, format) ? "default" : "none",
      premultiplyAlpha: "none",
      imageOrientation: "from-image",
    });
  } catch {
    throw new Error(
      format === "TIFF"
        ? "this browser reads no TIFF; convert it to PNG"
        : `the ${format} file is damaged or cut short, or too large for this browser`,
    );
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

/**
 * Decodes a file: upright, in sRGB.
 *
 * @throws Error with the reason, as the rest of a sentence, if it can't be used.
 */
export async function decodeFile(file: Blob): Promise<DecodedImage> {
  const bitmap = await openBitmap(file);
  try {
    const { width, height } = bitmap;
    if (width * height > pixelLimit) {
      throw new Error(`it has more than ${pixelLimit / 1e6} million pixels; cut it into patches first`);
    }
    const { context } = drawOnWhite(bitmap, width, height);
    return { bitmap, pixels: toRgb(context.getImageData(0, 0, width, height).data), width, height };
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
