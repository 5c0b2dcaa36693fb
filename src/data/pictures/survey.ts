import { breathe } from "../../runtime/interruption";
import { asSharp, type Pixels } from "../images/decode-pixels";
import type { Picture } from "../images/images";
import { estimateLamp } from "../images/lamp";
import type { DensityVector } from "../images/optical-density";
import type { BigPicture } from "./big-picture";
import { blocksOf, type Region, type TileBlock, type TileGrid } from "./tile-grid";

/** 48 MB of RGB. Two blocks are in memory: the next one is decoded while this one is worked on. */
const blockPixels = 16_000_000;
/** Greatest width of the small copy that the map is drawn over. */
const thumbnailWidth = 1200;

/** Decoded tiles that lie together. */
export interface DecodedBlock {
  block: TileBlock;
  pixels: Pixels & Region;
}

/**
 * Decodes a picture block by block, the next one meanwhile.
 *
 * @throws Error with the reason at the first part that can't be decoded.
 */
export async function* readBlocks(picture: BigPicture, grid: TileGrid): AsyncGenerator<DecodedBlock> {
  const start = (block: TileBlock) => {
    const { tiles: _, ...region } = block;
    const decoded = picture.read(region).then((pixels) => ({ block, pixels: { ...region, ...pixels } }));
    // Whoever leaves the loop early asks for it no more.
    decoded.catch(() => undefined);
    return decoded;
  };
  let ahead: Promise<DecodedBlock> | null = null;
  for (const block of blocksOf(grid, blockPixels)) {
    const next = start(block);
    try {
      if (ahead !== null) yield await ahead;
    } finally {
      // What is under way reads a file that the caller closes next.
      await next.catch(() => undefined);
    }
    ahead = next;
  }
  if (ahead !== null) yield await ahead;
}

/** A picture seen from afar. */
export interface PictureSurvey {
  /** Each tile has as many pixels in it as every other one. */
  thumbnail: Picture;
  /** The lamp's colour: what glass looks like in this picture. */
  light: DensityVector;
  /** What looks wrong in its numbers, as the rest of a sentence; null where nothing does. */
  note: string | null;
}

/** How many pixels of the thumbnail a tile has. */
export function cellOf({ columns, rows, width, height }: TileGrid): { width: number; height: number } {
  const [tileWidth, tileHeight] = [width / columns, height / rows];
  const across = Math.max(1, Math.min(Math.floor(tileWidth), Math.round(thumbnailWidth / columns)));
  return { width: across, height: Math.max(1, Math.round((across * tileHeight) / tileWidth)) };
}

/** Copies a small block into the thumbnail. */
function place(thumbnail: Picture, values: Uint8Array, at: Region): void {
  for (let y = 0; y < at.height; y++) {
    const row = values.subarray(3 * y * at.width, 3 * (y + 1) * at.width);
    thumbnail.pixels.set(row, 3 * ((at.top + y) * thumbnail.width + at.left));
  }
}

/**
 * Looks at a whole picture once, part by part.
 *
 * @returns Null if it was interrupted.
 */
export async function surveyPicture(
  picture: BigPicture,
  grid: TileGrid,
  { signal, advance }: { signal: AbortSignal; advance: (tiles: number) => void },
): Promise<PictureSurvey | null> {
  const cell = cellOf(grid);
  const [width, height] = [grid.columns * cell.width, grid.rows * cell.height];
  const thumbnail: Picture = { pixels: new Uint8Array(3 * width * height), width, height };
  const notes: (string | null)[] = [];
  for await (const { block, pixels } of readBlocks(picture, grid)) {
    if (signal.aborted) return null;
    const first = block.tiles[0]!;
    const last = block.tiles.at(-1)!;
    const at: Region = {
      left: first.column * cell.width,
      top: first.row * cell.height,
      width: (last.column - first.column + 1) * cell.width,
      height: (last.row - first.row + 1) * cell.height,
    };
    const small = asSharp(pixels).resize(at.width, at.height, { fit: "fill", kernel: "cubic" });
    place(thumbnail, await small.raw().toBuffer(), at);
    notes.push(pixels.note);
    advance(block.tiles.length);
    await breathe();
  }
  const note = notes.includes(null) ? null : (notes[0] ?? null);
  return { thumbnail, light: estimateLamp(thumbnail.pixels).light, note };
}
