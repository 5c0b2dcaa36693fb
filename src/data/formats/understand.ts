import { atHand, type ByteSource } from "./bytes";
import { imageFormatOf } from "./image-format";
import { type ImageFormat, type ImageKind, leftOut, type Understanding } from "./image-kind";
import { understandJpeg } from "./jpeg";
import { understandPng } from "./png";
import { understandTiff } from "./tiff";
import { understandWebp } from "./webp";

/** An image that is decoded whole has at most this many pixels: a slide's patch has less than a million, a whole slide billions. */
export const pixelLimit = 100_000_000;

const readers: Readonly<Record<ImageFormat, (file: ByteSource) => Understanding>> = {
  PNG: (file) => understandPng(file.head()),
  JPEG: (file) => understandJpeg(file.head()),
  TIFF: understandTiff,
  WebP: (file) => understandWebp(file.head()),
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
  return understandFile(atHand(bytes), pixelLimit);
}

/** The same of a file of which only parts are read. @param mostPixels - More are refused. */
export function understandFile(file: ByteSource, mostPixels: number): Understanding {
  const format = imageFormatOf(file.part(0, Math.min(12, file.length)));
  if (format === null) return leftOut("its content is not a PNG, JPEG, TIFF or WebP image");
  try {
    const understood = readers[format](file);
    if (understood.ok === false) return understood;
    const problem = problemOfColours(understood.kind);
    if (problem !== null) return leftOut(problem);
    const { width, height } = understood.kind;
    if (width * height > mostPixels) {
      return leftOut(
        `it has more than ${mostPixels / 1e6} million pixels; npm run predict with --tiles cuts it`,
      );
    }
    return width * height === 0 ? leftOut("it has no pixels") : understood;
  } catch {
    // A number that should lie beyond the end of the file.
    return leftOut(`the ${format} file is damaged or cut short`);
  }
}
