import { join } from "node:path";
import sharp from "sharp";

/** A picture put together of others of one size, side by side, and glass where there is none. */
export interface Mosaic {
  width: number;
  height: number;
  /** Shape [height, width, 3]. */
  pixels: Buffer;
}

/** @param rows - Paths of images, null for white glass. */
export async function layMosaic(
  rows: readonly (readonly (string | null)[])[],
  size: { width: number; height: number },
): Promise<Mosaic> {
  const [width, height] = [rows[0]!.length * size.width, rows.length * size.height];
  const placed = rows.flatMap((row, y) =>
    row.flatMap((input, x) =>
      input === null ? [] : [{ input, left: x * size.width, top: y * size.height }],
    ),
  );
  const pixels = await sharp({ create: { width, height, channels: 3, background: "#fff" } })
    .composite(placed)
    .removeAlpha()
    .raw()
    .toBuffer();
  return { width, height, pixels };
}

const raw = ({ pixels, width, height }: Mosaic) => sharp(pixels, { raw: { width, height, channels: 3 } });

/** The same pixels as everybody stores them: none of these loses anything. */
export async function writeMosaic(folder: string, mosaic: Mosaic): Promise<Record<string, string>> {
  const kinds: Record<string, (to: string) => Promise<unknown>> = {
    "plain.png": (to) => raw(mosaic).png().toFile(to),
    "interlaced.png": (to) => raw(mosaic).png({ progressive: true }).toFile(to),
    "strips.tif": (to) => raw(mosaic).tiff({ compression: "lzw" }).toFile(to),
    "tiles.tif": (to) =>
      raw(mosaic).tiff({ tile: true, tileWidth: 64, tileHeight: 64, compression: "deflate" }).toFile(to),
    "pyramid.tif": (to) =>
      raw(mosaic)
        .tiff({ tile: true, tileWidth: 128, tileHeight: 128, pyramid: true, compression: "deflate" })
        .toFile(to),
    "big-tiff.tif": (to) => raw(mosaic).tiff({ tile: true, bigtiff: true, compression: "lzw" }).toFile(to),
    "lossless.webp": (to) => raw(mosaic).webp({ lossless: true }).toFile(to),
    "transparent.png": (to) => raw(mosaic).ensureAlpha().png().toFile(to),
  };
  const paths: Record<string, string> = {};
  for (const [name, write] of Object.entries(kinds)) {
    paths[name] = join(folder, name);
    await write(paths[name]);
  }
  return paths;
}
