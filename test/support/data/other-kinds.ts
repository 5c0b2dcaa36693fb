import sharp from "sharp";
import { drawPattern, type FileKind, patternHeight as height, patternWidth as width } from "./drawn-pattern";

const picture = (channels: 3 | 4 = 3) =>
  sharp(Uint8Array.from(drawPattern(channels)), { raw: { width, height, channels } });
/** Larger than the network's square by more than four times, where sharp would shrink while it decodes. */
const large = () => picture().resize(1100, 900, { kernel: "cubic", fit: "fill" });
const rgb = drawPattern(3);
const needsProfile = /inks \(CMYK\) come without a profile/;
const refusesProfile = /colour profile, which browsers convert/;

/** Kinds of JPEG and WebP; what lossy ones hold is known only to a decoder. */
export const otherKinds: readonly FileKind[] = [
  { name: "plain.jpg", encode: () => picture().jpeg({ quality: 90 }).toBuffer(), expected: null },
  {
    name: "full-chroma.jpg",
    encode: () => picture().jpeg({ quality: 90, chromaSubsampling: "4:4:4" }).toBuffer(),
    expected: null,
  },
  { name: "progressive.jpg", encode: () => picture().jpeg({ progressive: true }).toBuffer(), expected: null },
  { name: "grey.jpg", encode: () => picture().toColourspace("b-w").jpeg().toBuffer(), expected: null },
  { name: "large.jpg", encode: () => large().jpeg({ quality: 90 }).toBuffer(), expected: null },
  {
    name: "turned.jpg",
    encode: () =>
      picture()
        .keepExif()
        .withExifMerge({ IFD0: { Orientation: "8" } })
        .jpeg()
        .toBuffer(),
    expected: null,
  },
  {
    name: "srgb-profile.jpg",
    encode: () => picture().withIccProfile("srgb").jpeg().toBuffer(),
    expected: null,
  },
  {
    name: "display-p3.jpg",
    encode: () => picture().withIccProfile("p3").jpeg().toBuffer(),
    expected: null,
    viewerRefuses: refusesProfile,
  },
  {
    name: "cmyk.jpg",
    encode: () => picture().toColourspace("cmyk").jpeg().toBuffer(),
    expected: needsProfile,
  },
  {
    name: "cmyk-profile.jpg",
    encode: () => picture().withIccProfile("cmyk").jpeg().toBuffer(),
    expected: null,
    viewerRefuses: refusesProfile,
  },
  { name: "lossless.webp", encode: () => picture().webp({ lossless: true }).toBuffer(), expected: rgb },
  { name: "lossy.webp", encode: () => picture().webp({ quality: 90 }).toBuffer(), expected: null },
  {
    name: "clear-parts.webp",
    encode: () => picture(4).webp({ lossless: true, exact: true }).toBuffer(),
    expected: null,
    viewerRefuses: /WebP with transparency/,
  },
  {
    name: "animated.webp",
    encode: () =>
      sharp(Uint8Array.from([...rgb, ...rgb.map((value) => 255 - value)]), {
        raw: { width, height: 2 * height, channels: 3, pageHeight: height },
      })
        .webp()
        .toBuffer(),
    expected: /it is an animation/,
  },
];
