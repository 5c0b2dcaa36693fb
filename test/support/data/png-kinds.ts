import { deflateSync } from "node:zlib";
import sharp from "sharp";
import {
  drawPattern,
  exifWithOrientation,
  type FileKind,
  patternHeight as height,
  laidOnWhite,
  patternAt,
  patternPixels,
  patternWidth as width,
} from "./drawn-pattern";
import { encodePng, type PngChunk } from "./png-file";

const rgb = drawPattern(3);
const greys = drawPattern(3, (pixel) => patternAt(pixel, 0));
const onWhite = drawPattern(3, (pixel, channel) =>
  laidOnWhite(patternAt(pixel, channel), patternAt(pixel, 3)),
);
const greysOnWhite = drawPattern(3, (pixel) => laidOnWhite(patternAt(pixel, 0), patternAt(pixel, 1)));

type Samples = Parameters<typeof encodePng>[0];
const png = (
  colourType: Samples["colourType"],
  depth: number,
  values: ArrayLike<number>,
  chunks: readonly PngChunk[] = [],
) => encodePng({ width, height, depth, colourType, values, chunks });

/** 16-bit numbers whose high byte is the pattern's. */
const deep = (channels: number) =>
  drawPattern(channels, (pixel, channel) => 256 * patternAt(pixel, channel) + ((pixel * 31) % 256));

/** Grey of few bits, and what it looks like. */
const shallow = (depth: number) => drawPattern(1, (pixel) => patternAt(pixel, 0) >> (8 - depth));
const shallowLooks = (depth: number) =>
  drawPattern(3, (pixel) => ((patternAt(pixel, 0) >> (8 - depth)) * 255) / (2 ** depth - 1));

const colourOf = (place: number, channel: number) => (place * 37 + channel * 83 + 11) % 256;
const palette = (count: number): PngChunk => [
  "PLTE",
  Uint8Array.from({ length: 3 * count }, (_, i) => colourOf(Math.floor(i / 3), i % 3)),
];
const placeAt = (count: number) => (pixel: number) => patternAt(pixel, 0) % count;
const places = (count: number) => drawPattern(1, placeAt(count));
const paletteLooks = (count: number) =>
  drawPattern(3, (pixel, channel) => colourOf(placeAt(count)(pixel), channel));
const paletteAlpha = (place: number) => (place === 0 ? 0 : (place * 29) % 256);

const sharpPng = (channels: 3 | 4 = 3) =>
  sharp(Uint8Array.from(drawPattern(channels)), { raw: { width, height, channels } });

const fourBytes = (...numbers: number[]) => {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * i);
  return bytes;
};

/** The picture is stored lying on its side: orientation 6 is turned clockwise. */
const clockwise = Array.from({ length: patternPixels * 3 }, (_, i) => {
  const pixel = Math.floor(i / 3);
  const [x, y] = [pixel % height, Math.floor(pixel / height)];
  return patternAt((height - 1 - x) * width + y, i % 3);
});

/** The colour of one pixel of the pattern, as tRNS writes it. */
function keyOf(pixel: number): Buffer {
  const key = Buffer.alloc(6);
  for (let c = 0; c < 3; c++) key.writeUInt16BE(patternAt(pixel, c), 2 * c);
  return key;
}

/** The pattern with the pixels of that colour white. */
function keyed(): number[] {
  const isKey = (pixel: number) => [0, 1, 2].every((c) => patternAt(pixel, c) === patternAt(1, c));
  return drawPattern(3, (pixel, c) => (isKey(pixel) ? 255 : patternAt(pixel, c)));
}

const refused = (reason: RegExp, encode: FileKind["encode"], name: string): FileKind => ({
  name,
  encode,
  expected: reason,
});

/** Kinds of PNG. */
export const pngKinds: readonly FileKind[] = [
  { name: "rgb.png", encode: () => png(2, 8, rgb), expected: rgb },
  {
    name: "rgb-interlaced.png",
    encode: () => sharpPng().png({ progressive: true }).toBuffer(),
    expected: rgb,
  },
  {
    name: "rgb-filtered.png",
    encode: () => sharpPng().png({ adaptiveFiltering: true }).toBuffer(),
    expected: rgb,
  },
  { name: "rgba.png", encode: () => png(6, 8, drawPattern(4)), expected: onWhite, tolerance: 1 },
  {
    name: "rgba-opaque.png",
    encode: () =>
      png(
        6,
        8,
        drawPattern(4, (pixel, c) => (c === 3 ? 255 : patternAt(pixel, c))),
      ),
    expected: rgb,
  },
  {
    name: "rgba-interlaced.png",
    encode: () => sharpPng(4).png({ progressive: true }).toBuffer(),
    expected: onWhite,
    tolerance: 1,
  },
  { name: "rgb-key.png", encode: () => png(2, 8, rgb, [["tRNS", keyOf(1)]]), expected: keyed() },
  { name: "rgb16.png", encode: () => png(2, 16, deep(3)), expected: rgb },
  { name: "rgba16.png", encode: () => png(6, 16, deep(4)), expected: onWhite, tolerance: 1 },
  { name: "grey.png", encode: () => png(0, 8, drawPattern(1)), expected: greys },
  { name: "grey16.png", encode: () => png(0, 16, deep(1)), expected: greys },
  { name: "grey1.png", encode: () => png(0, 1, shallow(1)), expected: shallowLooks(1) },
  { name: "grey2.png", encode: () => png(0, 2, shallow(2)), expected: shallowLooks(2) },
  { name: "grey4.png", encode: () => png(0, 4, shallow(4)), expected: shallowLooks(4) },
  {
    name: "grey4-key.png",
    encode: () => png(0, 4, shallow(4), [["tRNS", Buffer.from([0, patternAt(5, 0) >> 4])]]),
    expected: shallowLooks(4).map((value) => (value === (patternAt(5, 0) >> 4) * 17 ? 255 : value)),
  },
  { name: "grey-alpha.png", encode: () => png(4, 8, drawPattern(2)), expected: greysOnWhite, tolerance: 1 },
  { name: "grey-alpha16.png", encode: () => png(4, 16, deep(2)), expected: greysOnWhite, tolerance: 1 },
  { name: "palette8.png", encode: () => png(3, 8, places(200), [palette(200)]), expected: paletteLooks(200) },
  { name: "palette4.png", encode: () => png(3, 4, places(13), [palette(13)]), expected: paletteLooks(13) },
  { name: "palette1.png", encode: () => png(3, 1, places(2), [palette(2)]), expected: paletteLooks(2) },
  {
    name: "palette-alpha.png",
    encode: () =>
      png(3, 4, places(13), [
        palette(13),
        ["tRNS", Uint8Array.from({ length: 13 }, (_, i) => paletteAlpha(i))],
      ]),
    expected: drawPattern(3, (pixel, channel) => {
      const place = placeAt(13)(pixel);
      return laidOnWhite(colourOf(place, channel), paletteAlpha(place));
    }),
    tolerance: 1,
  },
  {
    name: "palette4-interlaced.png",
    encode: () => sharpPng().png({ palette: true, colours: 8, dither: 0, progressive: true }).toBuffer(),
    expected: null,
    viewerRefuses: /it is interlaced/,
  },
  {
    name: "turned.png",
    encode: () => png(2, 8, rgb, [["eXIf", exifWithOrientation(6)]]),
    expected: clockwise,
  },
  {
    name: "srgb-chunk.png",
    encode: () =>
      png(2, 8, rgb, [
        ["sRGB", Buffer.of(0)],
        ["gAMA", fourBytes(100000)],
      ]),
    expected: rgb,
  },
  {
    name: "srgb-profile.png",
    encode: () => sharpPng().withIccProfile("srgb").png().toBuffer(),
    expected: rgb,
  },
  {
    name: "display-p3.png",
    encode: () => sharpPng().withIccProfile("p3").png().toBuffer(),
    expected: null,
    viewerRefuses: /colour profile, which browsers convert/,
  },
  refused(
    /its gamma is 1, sRGB's 0.45455; convert it to sRGB/,
    () => png(2, 8, rgb, [["gAMA", fourBytes(100000)]]),
    "linear.png",
  ),
  refused(
    /primaries \(cHRM\) are not sRGB's/,
    () => png(2, 8, rgb, [["cHRM", fourBytes(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)]]),
    "wide.png",
  ),
  refused(
    /not sRGB's \(cICP 9 16 0 1\)/,
    () => png(2, 8, rgb, [["cICP", Buffer.of(9, 16, 0, 1)]]),
    "hdr.png",
  ),
  refused(
    /profile is damaged/,
    () => png(2, 8, rgb, [["iCCP", Buffer.concat([Buffer.from("x\0\0"), deflateSync(Buffer.alloc(300))])]]),
    "no-profile.png",
  ),
  refused(/it is an animation/, () => png(2, 8, rgb, [["acTL", fourBytes(1, 0)]]), "animated.png"),
  refused(
    /all of it is transparent/,
    () =>
      png(
        6,
        8,
        drawPattern(4, (pixel, c) => (c === 3 ? 0 : patternAt(pixel, c))),
      ),
    "clear.png",
  ),
];
