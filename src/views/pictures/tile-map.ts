import sharp from "sharp";
import { cellOf } from "../../data/pictures/survey";
import { type PicturePrediction, suspicionOf, type TileAnswer } from "../../model/pictures/predict-tiles";
import { viridis } from "../display/colour-map";

/** How strongly an answer covers the picture; the same for all, since a low probability is an answer too. */
const cover = 0.55;
/** Lines across tiles that are unlike the training images: every so many pixels, and so wide. */
const hatch = { every: 8, width: 2 };
const hatchColour = [255, 255, 255] as const;

type Drawn = Pick<PicturePrediction, "grid" | "thumbnail" | "tiles">;

async function encode(pixels: Uint8Array, width: number, height: number): Promise<string> {
  const jpeg = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
}

/** The small copy of the picture: a JPEG as a data URL. */
export function encodePicture({ thumbnail: { pixels, width, height } }: Drawn): Promise<string> {
  return encode(pixels, width, height);
}

function drawTile(
  pixels: Uint8Array,
  tile: TileAnswer,
  { grid, thumbnail, positiveClass }: Drawn & { positiveClass: number | null },
): void {
  const cell = cellOf(grid);
  const colour = viridis(suspicionOf(tile, positiveClass));
  const isHatched = tile.unlike.length > 0;
  for (let y = tile.row * cell.height; y < (tile.row + 1) * cell.height; y++) {
    for (let x = tile.column * cell.width; x < (tile.column + 1) * cell.width; x++) {
      const onLine = isHatched && (x + y) % hatch.every < hatch.width;
      const shown = onLine ? hatchColour : colour;
      const offset = 3 * (y * thumbnail.width + x);
      for (let channel = 0; channel < 3; channel++) {
        const under = thumbnail.pixels[offset + channel]!;
        pixels[offset + channel] = Math.round((1 - cover) * under + cover * shown[channel]!);
      }
    }
  }
}

/**
 * Draws each tile's answer over the small copy: viridis from 0 to 1, empty tiles as they are, tiles unlike the training
 * images with lines across.
 *
 * @returns A JPEG as a data URL.
 */
export function encodeTileMap(drawn: Drawn, positiveClass: number | null): Promise<string> {
  const { pixels, width, height } = drawn.thumbnail;
  const map = pixels.slice();
  for (const tile of drawn.tiles) drawTile(map, tile, { ...drawn, positiveClass });
  return encode(map, width, height);
}
