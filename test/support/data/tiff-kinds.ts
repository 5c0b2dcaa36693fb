import sharp from "sharp";
import {
  drawPattern,
  type FileKind,
  patternHeight as height,
  laidOnWhite,
  patternAt,
  patternWidth as width,
} from "./drawn-pattern";
import { encodeTiff, type TiffPage } from "./tiff-file";

const rgb = drawPattern(3);
const greys = drawPattern(3, (pixel) => patternAt(pixel, 0));
const [minIsBlack, rgbColours] = [1, 2];
const tag = { subfile: 254, compression: 259, description: 270, largest: 281, extra: 338 };

/** A page of the pattern, a number of bytes each. */
function page(channels: number, options: Partial<TiffPage> & { at?: typeof patternAt } = {}): TiffPage {
  const { at = patternAt, bits = 8, ...others } = options;
  const values = drawPattern(channels, at);
  const data = Buffer.alloc((values.length * bits) / 8);
  for (const [i, value] of values.entries()) {
    if (bits === 8) data[i] = value;
    else if (bits === 16) data.writeUInt16LE(value, 2 * i);
    else if (others.format === 3) data.writeFloatLE(value, 4 * i);
    else data.writeUInt32LE(value, 4 * i);
  }
  const photometric = channels < 3 ? minIsBlack : rgbColours;
  return { width, height, data, bits, channels, photometric, ...others };
}

const sixteen = (most: number) => (pixel: number, channel: number) =>
  Math.round((patternAt(pixel, channel) * most) / 255);
const picture = () => sharp(Uint8Array.from(rgb), { raw: { width, height, channels: 3 } });
const read = (name: string, pages: TiffPage[], expected: FileKind["expected"], tolerance = 0): FileKind => ({
  name,
  encode: () => encodeTiff(pages),
  expected,
  tolerance,
  viewerRefuses: /reads no TIFF/,
});
const written = (name: string, encode: FileKind["encode"], expected: FileKind["expected"]): FileKind => ({
  name,
  encode,
  expected,
  viewerRefuses: /reads no TIFF/,
});
const refused = (name: string, pages: TiffPage[], reason: RegExp): FileKind => ({
  name,
  encode: () => encodeTiff(pages),
  expected: reason,
});

const ome = (attributes: string) =>
  `<?xml version="1.0"?><OME><Image><Pixels Type="uint16" ${attributes}/></Image></OME>`;
const onWhite = drawPattern(3, (pixel, c) => laidOnWhite(patternAt(pixel, c), patternAt(pixel, 3)));
/** Colours multiplied by their alpha already. */
const multiplied = (pixel: number, channel: number) =>
  channel === 3 ? patternAt(pixel, 3) : Math.round((patternAt(pixel, channel) * patternAt(pixel, 3)) / 255);
const thumbnail = page(3, { at: () => 0, tags: { [tag.subfile]: 1 } });

/** Kinds of TIFF that are read in Node; the viewer reads none. */
const readKinds: readonly FileKind[] = [
  read("rgb.tif", [page(3)], rgb),
  read("grey.tif", [page(1)], greys),
  read("white-is-zero.tif", [page(1, { photometric: 0, at: (pixel) => 255 - patternAt(pixel, 0) })], greys),
  read("rgb16.tif", [page(3, { bits: 16, at: (pixel, c) => 257 * patternAt(pixel, c) })], rgb),
  read("12-bits-said.tif", [page(3, { bits: 16, at: sixteen(4095), tags: { [tag.largest]: 4095 } })], rgb),
  read(
    "12-bits-ome.tif",
    [page(3, { bits: 16, at: sixteen(4095), tags: { [tag.description]: ome('SignificantBits="12"') } })],
    rgb,
  ),
  // The largest value that happens to occur is not a range.
  read(
    "statistics.tif",
    [page(3, { bits: 16, at: (pixel, c) => 257 * patternAt(pixel, c), tags: { [tag.largest]: 60000 } })],
    rgb,
  ),
  read("alpha.tif", [page(4, { tags: { [tag.extra]: 2 } })], onWhite, 1),
  read("multiplied.tif", [page(4, { at: multiplied, tags: { [tag.extra]: 1 } })], onWhite, 2),
  read(
    "multiplied16.tif",
    [page(4, { bits: 16, at: (pixel, c) => 257 * multiplied(pixel, c), tags: { [tag.extra]: 1 } })],
    onWhite,
    2,
  ),
  read("fourth-unspecified.tif", [page(4, { tags: { [tag.extra]: 0 } })], rgb),
  read(
    "grey-alpha.tif",
    [page(2, { tags: { [tag.extra]: 2 } })],
    drawPattern(3, (pixel) => laidOnWhite(patternAt(pixel, 0), patternAt(pixel, 1))),
    1,
  ),
  read("thumbnail-first.tif", [thumbnail, page(3)], rgb),
  read("label-after.tif", [page(3), page(3, { at: () => 9, tags: { [tag.subfile]: 9 } })], rgb),
  read("colour-stack.tif", [page(3), page(3, { at: () => 9 })], rgb),
  written("lzw.tif", () => picture().tiff({ compression: "lzw", predictor: "horizontal" }).toBuffer(), rgb),
  written("deflate.tif", () => picture().tiff({ compression: "deflate" }).toBuffer(), rgb),
  written("packbits.tif", () => picture().tiff({ compression: "packbits" }).toBuffer(), rgb),
  written("big.tif", () => picture().tiff({ compression: "lzw", bigtiff: true }).toBuffer(), rgb),
  written(
    "tiled.tif",
    () => picture().tiff({ compression: "deflate", tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
    rgb,
  ),
  written(
    "pyramid.tif",
    () =>
      picture()
        .tiff({ compression: "lzw", tile: true, tileWidth: 16, tileHeight: 16, pyramid: true })
        .toBuffer(),
    rgb,
  ),
  written("jpeg.tif", () => picture().tiff({ compression: "jpeg" }).toBuffer(), null),
  written(
    "srgb-profile.tif",
    () => picture().withIccProfile("srgb").tiff({ compression: "lzw" }).toBuffer(),
    rgb,
  ),
  written(
    "fax.tif",
    () => picture().toColourspace("b-w").tiff({ bitdepth: 1, compression: "ccittfax4" }).toBuffer(),
    null,
  ),
];

const floats = /samples are floating-point numbers \(32 bits\)/;
const several = /several grey pictures of one size/;

/** Kinds that are left out. */
const refusedKinds: readonly FileKind[] = [
  refused(
    "float-0-to-1.tif",
    [page(3, { bits: 32, format: 3, at: (pixel, c) => patternAt(pixel, c) / 255 })],
    floats,
  ),
  refused("float-0-to-255.tif", [page(1, { bits: 32, format: 3 })], floats),
  refused("nan.tif", [page(1, { bits: 32, format: 3, at: () => Number.NaN })], floats),
  refused("half.tif", [page(3, { bits: 16, format: 3 })], /floating-point numbers \(16 bits\)/),
  refused("signed8.tif", [page(3, { format: 2 })], /signed whole numbers \(8 bits\)/),
  refused("signed16.tif", [page(3, { bits: 16, format: 2 })], /signed whole numbers \(16 bits\)/),
  refused("unsigned32.tif", [page(3, { bits: 32 })], /it has 32 bits a sample/),
  {
    ...refused(
      "exceeds.tif",
      [page(3, { bits: 16, at: (pixel, c) => 257 * patternAt(pixel, c), tags: { [tag.largest]: 4095 } })],
      /numbers reach \d+, though it announces 4095/,
    ),
    viewerRefuses: /reads no TIFF/,
  },
  refused(
    "ome-channels.tif",
    [0, 1, 2].map((c) =>
      page(1, {
        at: (pixel) => patternAt(pixel, c),
        tags: c === 0 ? { [tag.description]: ome('SizeC="3"') } : {},
      }),
    ),
    several,
  ),
  refused(
    "imagej-stack.tif",
    [page(1, { tags: { [tag.description]: "ImageJ=1.54f\nimages=3\nchannels=3\nmode=composite\n" } })],
    several,
  ),
  refused(
    "three-greys.tif",
    [page(3, { photometric: minIsBlack })],
    /3 channels that are not said to be red, green and blue/,
  ),
  refused("fourth-unsaid.tif", [page(4)], /4 channels, and what they are is not said/),
  refused("five-channels.tif", [page(5)], /it has 5 channels/),
  refused("mixed-bits.tif", [page(3, { tags: { 258: [8, 8, 16] } })], /channels have different bits/),
  refused("only-copies.tif", [thumbnail], /marked as reduced copies/),
  refused("lab.tif", [page(3, { photometric: 8 })], /colours are of a kind that is not read \(8\)/),
  ...(
    [
      ["zstd", 50000, /ZSTD/],
      ["lerc", 34887, /LERC/],
      ["jpeg2000", 34712, /JPEG 2000/],
      ["jpegxl", 50002, /JPEG XL/],
      ["lzma", 34925, /LZMA/],
    ] as const
  ).map(([name, method, reason]) =>
    refused(`${name}.tif`, [page(3, { tags: { [tag.compression]: method } })], reason),
  ),
];

/** Kinds of TIFF. */
export const tiffKinds: readonly FileKind[] = [...readKinds, ...refusedKinds];
