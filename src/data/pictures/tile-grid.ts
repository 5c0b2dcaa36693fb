import { rangeRefusal } from "../../runtime/refusal";

/** A rectangle of a picture, in its own pixels. */
export interface Region {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** One of the equal parts that a picture is cut into. */
export interface Tile extends Region {
  /** From 0 on. */
  column: number;
  row: number;
}

/** Width and height in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** How a picture is cut. */
export interface TileGrid extends Size {
  columns: number;
  rows: number;
}

/** More tiles than this nobody waits for. */
const mostTiles = 2_000_000;
/** A tile is decoded whole. */
const mostTilePixels = 25_000_000;

const sizeText = ({ width, height }: Size) => `${Math.round(width)} × ${Math.round(height)} pixels`;

/**
 * Spreads tiles of about a wanted size evenly over a picture: each pixel lies in exactly one of them, and none reaches
 * beyond an edge. From some five tiles a side on, a tile is within a tenth of the wanted size.
 *
 * @param wanted - In the picture's pixels, not necessarily whole.
 * @throws RangeError if a tile would be no larger than a pixel, larger than the picture, or they would be too many.
 *
 * @example
 * layGrid({ width: 1000, height: 500 }, { width: 240, height: 160 }); // { width: 1000, height: 500, columns: 4, rows: 3 }
 */
export function layGrid(picture: Size, wanted: Size): TileGrid {
  if (!(wanted.width >= 2 && wanted.height >= 2)) {
    throw rangeRefusal(
      `A tile would have ${wanted.width.toPrecision(3)} × ${wanted.height.toPrecision(3)} pixels, too few to show anything: check the scale (µm a pixel).`,
    );
  }
  if (wanted.width > 1.5 * picture.width || wanted.height > 1.5 * picture.height) {
    throw rangeRefusal(
      `The image has ${sizeText(picture)} and one tile ${sizeText(wanted)}: there is nothing to cut. Ask about it as it is, or check the scale (µm a pixel).`,
    );
  }
  const columns = Math.max(1, Math.round(picture.width / wanted.width));
  const rows = Math.max(1, Math.round(picture.height / wanted.height));
  if (wanted.width * wanted.height > mostTilePixels || columns * rows > mostTiles) {
    throw rangeRefusal(
      `The image would be cut into ${columns * rows} tiles of ${sizeText(wanted)}: at most ${mostTiles} tiles and ${mostTilePixels / 1e6} million pixels a tile are read. Check the scale (µm a pixel).`,
    );
  }
  return { width: picture.width, height: picture.height, columns, rows };
}

/** Where a length that is divided evenly is cut the i-th time. */
const edge = (length: number, parts: number, i: number) => Math.round((i * length) / parts);

/** The tile of a column and a row. */
export function tileAt({ width, height, columns, rows }: TileGrid, column: number, row: number): Tile {
  const [left, top] = [edge(width, columns, column), edge(height, rows, row)];
  return {
    column,
    row,
    left,
    top,
    width: edge(width, columns, column + 1) - left,
    height: edge(height, rows, row + 1) - top,
  };
}

/** Tiles that are read together. */
export interface TileBlock extends Region {
  /** Row by row. */
  tiles: Tile[];
}

function blockOf(tiles: Tile[]): TileBlock {
  const first = tiles[0]!;
  const last = tiles.at(-1)!;
  const width = last.left + last.width - first.left;
  return { tiles, left: first.left, top: first.top, width, height: last.top + last.height - first.top };
}

/**
 * Puts tiles together into blocks that are read at once: whole rows of tiles, or parts of one row, as fit into memory.
 *
 * @param mostPixels - Of a block; a single tile may have more.
 */
export function* blocksOf(grid: TileGrid, mostPixels: number): Generator<TileBlock> {
  const { columns, rows, width, height } = grid;
  const tilePixels = (width / columns) * (height / rows);
  const together = Math.max(1, Math.floor(mostPixels / tilePixels));
  const across = Math.min(columns, together);
  const down = Math.max(1, Math.floor(together / columns));
  for (let row = 0; row < rows; row += down) {
    for (let column = 0; column < columns; column += across) {
      const tiles: Tile[] = [];
      for (let r = row; r < Math.min(rows, row + down); r++) {
        for (let c = column; c < Math.min(columns, column + across); c++) tiles.push(tileAt(grid, c, r));
      }
      yield blockOf(tiles);
    }
  }
}
