import { rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { makeTemporaryFolder } from "../../runtime/files/temporary-folder";
import { refusal } from "../../runtime/refusal";
import type { ImageKind } from "../formats/image-kind";
import { type PictureScale, readTiffPage, scaleOfDensity, type TiffPage } from "../formats/picture-scale";
import { pixelLimit, understandFile } from "../formats/understand";
import { decoder, type Pixels, takeSamples } from "../images/decode-pixels";
import { explainFileError } from "../images/image-problems";
import { unusable } from "../images/images";
import { openPartly, type PartlyRead } from "./file-part";
import type { Region } from "./tile-grid";

/** An image that is never decoded whole, but part by part, so that it may have any size. */
export interface BigPicture {
  /** Absolute. */
  path: string;
  width: number;
  height: number;
  scale: PictureScale;
  /**
   * Decodes a part: the same numbers as of the whole image.
   *
   * @throws Error with the reason if that part is damaged, or the file has changed since it was opened.
   */
  read(region: Region): Promise<Pixels>;
  close(): Promise<void>;
}

/** The most pixels that JPEG and WebP can have are 4 thousand million; the largest slides have about as many. */
const mostPixels = 20_000_000_000;
/** A tile of a TIFF is decoded whole, and several of them at a time. */
const mostTilePixels = 4_000_000;
const copyTile = 256;

interface Looked {
  kind: ImageKind;
  page: TiffPage | null;
}

/** @throws Error with the reason if the file is no image that is understood. */
function lookInto(path: string, file: PartlyRead): Looked {
  const understood = understandFile(file, mostPixels);
  if (understood.ok === false) throw unusable(path, understood.reason);
  const { kind } = understood;
  return { kind, page: kind.format === "TIFF" ? readTiffPage(file, kind.page) : null };
}

async function openFile(path: string): Promise<PartlyRead> {
  try {
    return await openPartly(path);
  } catch (error) {
    throw unusable(path, explainFileError(error));
  }
}

const stampOf = ({ size, ino, mtimeMs, ctimeMs }: PartlyRead["stats"]) =>
  [size, ino, mtimeMs, ctimeMs].join(" ");

const damaged = (path: string, { format }: ImageKind) =>
  unusable(path, `the ${format} file is damaged or cut short, or of a kind that is not read`);

/** What can only be decoded whole must fit into memory; what lies on its side has coordinates that others read otherwise. */
async function checkStorage(path: string, kind: ImageKind): Promise<PictureScale> {
  const found = await sharp(path, { limitInputPixels: mostPixels, page: kind.page })
    .metadata()
    .catch(() => null);
  if (found === null) throw damaged(path, kind);
  if ((found.orientation ?? 1) !== 1) {
    throw unusable(
      path,
      `it is marked as rotated (EXIF orientation ${found.orientation}); save it upright first`,
    );
  }
  const isWhole = kind.format === "WebP" || found.isProgressive === true;
  if (isWhole && kind.width * kind.height > pixelLimit) {
    throw unusable(
      path,
      `it is a ${kind.format} that can only be decoded whole, and has more than ${pixelLimit / 1e6} million pixels; save it as a tiled TIFF`,
    );
  }
  return scaleOfDensity(found.density);
}

/** Writes the image once as a TIFF of tiles, without loss, of which parts can be read. */
async function copyToTiles(path: string, kind: ImageKind): Promise<{ folder: string; copy: string }> {
  const bytes = kind.width * kind.height * (kind.alpha === "none" ? 3 : 4) * (kind.bits === 16 ? 2 : 1);
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize < bytes) {
    throw refusal(
      `To read ${path} part by part, a copy of ${Math.ceil(bytes / 1e6)} MB is made in ${tmpdir()}, where ${Math.floor((bavail * bsize) / 1e6)} MB are free: make room, name another folder in $TMPDIR, or save the image as a tiled TIFF.`,
    );
  }
  const folder = makeTemporaryFolder();
  const copy = join(folder, "tiles.tif");
  try {
    await decoder(path, kind, mostPixels)
      .tiff({ tile: true, tileWidth: copyTile, tileHeight: copyTile, compression: "none", bigtiff: true })
      .toFile(copy);
    return { folder, copy };
  } catch {
    await rm(folder, { recursive: true, force: true });
    throw damaged(path, kind);
  }
}

/** What the copy's numbers are: converted already, but what the image said of its range and transparency still holds. */
async function kindOfCopy(copy: string, { alpha, whitest }: ImageKind): Promise<ImageKind> {
  const file = await openFile(copy);
  try {
    return { ...lookInto(copy, file).kind, alpha, whitest };
  } finally {
    file.close();
  }
}

/**
 * Opens an image of any size to read it part by part; what its numbers mean is decided as for every other image.
 *
 * A tiled TIFF, such as a slide, is read where it is. Everything else is first copied, once, into a tiled one in the
 * folder for temporary files, since nothing can be read from its middle.
 *
 * @returns The caller closes it.
 * @throws Error with the reason if the file is missing, damaged or no image that is understood.
 */
export async function openBigPicture(given: string): Promise<BigPicture> {
  const path = resolve(given);
  const file = await openFile(path);
  const stamp = stampOf(file.stats);
  let looked: Looked;
  try {
    looked = lookInto(path, file);
  } finally {
    file.close();
  }
  const { kind, page } = looked;
  const { width, height } = kind;
  const density = await checkStorage(path, kind);
  const isTiled = page !== null && page.tilePixels !== null && page.tilePixels <= mostTilePixels;
  const copied = isTiled ? null : await copyToTiles(path, kind);
  const stored = copied === null ? kind : await kindOfCopy(copied.copy, kind);
  const source = copied?.copy ?? path;
  return {
    ...{ path, width, height, scale: page?.scale ?? density },
    async read(region) {
      if (stampOf(await stat(path)) !== stamp) throw unusable(path, "it has changed since it was opened");
      const asked = decoder(source, stored, mostPixels).extract(region);
      const taken = await takeSamples(asked, stored, "white").catch(() => null);
      if (taken === null) throw damaged(path, kind);
      const { samples } = taken;
      if (samples.ok === false) throw unusable(path, samples.reason);
      return { rgb: samples.rgb, width: taken.width, height: taken.height, note: samples.note };
    },
    async close() {
      if (copied !== null) await rm(copied.folder, { recursive: true, force: true });
    },
  };
}

/** A part of decoded pixels, for example one of a block's tiles. */
export function cutOut(from: Pixels & Region, { left, top, width, height }: Region): Pixels {
  const rgb = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const start = 3 * ((top - from.top + y) * from.width + left - from.left);
    rgb.set(from.rgb.subarray(start, start + 3 * width), 3 * y * width);
  }
  return { rgb, width, height, note: from.note };
}
