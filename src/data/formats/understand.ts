import { imageFormatOf } from "./image-format";
import { type ImageFormat, type ImageKind, leftOut, type Understanding } from "./image-kind";
import { understandJpeg } from "./jpeg";
import { understandPng } from "./png";
import { understandTiff } from "./tiff";
import { understandWebp } from "./webp";

/** An image has at most this many pixels: a slide's patch has less than a million, a whole slide billions. */
export const pixelLimit = 100_000_000;

const readers: Readonly<Record<ImageFormat, (bytes: Uint8Array) => Understanding>> = {
  PNG: understandPng,
  JPEG: understandJpeg,
  TIFF: understandTiff,
  WebP: understandWebp,
};

/** Why colours can't be converted, null where they can or need not be. */
function problemOfColours({ colours, bits, profile }: ImageKind): string | null {
  if (colours === "cmyk" && profile === "none") {
    return "its inks (CMYK) come without a profile that says which colours they print; convert it to sRGB";
  }
  if (profile !== "other") return null;
  // sharp leaves such a profile aside.
  const isIgnored = colours === "grey" && bits === 16;
  return isIgnored
    ? "it is grey of 16 bits with a colour profile, which is not read; convert it to sRGB"
    : null;
}

/**
 * Tells what an image's numbers mean from the description in its own file: format, bits, colours, transparency,
 * profile, and which page is the picture. Decided here once, for Node, the viewer and exports alike; what is not
 * understood is left out with a reason, never guessed.
 *
 * @param bytes - The whole file.
 * @returns Never throws, whatever the bytes.
 */
export function understandImage(bytes: Uint8Array): Understanding {
  const format = imageFormatOf(bytes);
  if (format === null) return leftOut("its content is not a PNG, JPEG, TIFF or WebP image");
  try {
    const understood = readers[format](bytes);
    if (understood.ok === false) return understood;
    const problem = problemOfColours(understood.kind);
    if (problem !== null) return leftOut(problem);
    const { width, height } = understood.kind;
    if (width * height > pixelLimit) {
      return leftOut(`it has more than ${pixelLimit / 1e6} million pixels; cut it into patches first`);
    }
    return width * height === 0 ? leftOut("it has no pixels") : understood;
  } catch {
    // A number that should lie beyond the end of the file.
    return leftOut(`the ${format} file is damaged or cut short`);
  }
}
