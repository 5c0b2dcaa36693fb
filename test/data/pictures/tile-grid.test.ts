import { describe, expect, it } from "vitest";
import { blocksOf, layGrid, type Tile, tileAt } from "../../../src/data/pictures/tile-grid";
import { createRandom } from "../../../src/runtime/random";

const random = createRandom(7);
/** Pictures and tiles of any proportions, small enough to count every pixel. */
const cases = Array.from({ length: 200 }, () => {
  const picture = { width: 2 + random.integer(200), height: 2 + random.integer(200) };
  const wanted = {
    width: 2 + random.integer(10 * picture.width) / 10,
    height: 2 + random.integer(10 * picture.height) / 10,
  };
  return { picture, wanted };
}).filter(({ picture, wanted }) => wanted.width <= picture.width && wanted.height <= picture.height);

function allTiles(grid: ReturnType<typeof layGrid>): Tile[] {
  return Array.from({ length: grid.columns * grid.rows }, (_, i) =>
    tileAt(grid, i % grid.columns, Math.floor(i / grid.columns)),
  );
}

describe("layGrid", () => {
  it("covers every pixel once and reaches beyond no edge, whatever the sizes", () => {
    expect(cases.length).toBeGreaterThan(150);
    for (const { picture, wanted } of cases) {
      const seen = new Uint8Array(picture.width * picture.height);
      for (const { left, top, width, height } of allTiles(layGrid(picture, wanted))) {
        expect(width * height).toBeGreaterThan(0);
        expect(left + width).toBeLessThanOrEqual(picture.width);
        expect(top + height).toBeLessThanOrEqual(picture.height);
        for (let y = top; y < top + height; y++) {
          for (let x = left; x < left + width; x++) seen[y * picture.width + x]!++;
        }
      }
      expect(seen.every((times) => times === 1)).toBe(true);
    }
  });

  it("makes tiles of the wanted size within what even spreading takes, of one size up to a pixel", () => {
    for (const { picture, wanted } of cases) {
      const grid = layGrid(picture, wanted);
      const ratio = picture.width / grid.columns / wanted.width;
      expect(Math.abs(ratio - 1)).toBeLessThanOrEqual(0.5 / grid.columns + 1e-9);
      const widths = allTiles(grid).map(({ width }) => width);
      expect(Math.max(...widths) - Math.min(...widths)).toBeLessThanOrEqual(1);
    }
  });

  it("refuses tiles of a pixel, tiles larger than the picture, and more than anybody waits for", () => {
    expect(() => layGrid({ width: 500, height: 500 }, { width: 1.5, height: 9 })).toThrow(
      /too few to show anything/,
    );
    expect(() => layGrid({ width: 500, height: 500 }, { width: 800, height: 90 })).toThrow(/nothing to cut/);
    expect(() => layGrid({ width: 90_000, height: 90_000 }, { width: 9, height: 9 })).toThrow(
      /100000000 tiles/,
    );
    expect(() => layGrid({ width: 90_000, height: 90_000 }, { width: 9000, height: 9000 })).toThrow(
      /25 million/,
    );
    expect(() => layGrid({ width: 500, height: 500 }, { width: Number.NaN, height: 9 })).toThrow(RangeError);
  });
});

describe("blocksOf", () => {
  it("reads each tile once, in blocks that hold exactly their tiles and stay below the limit", () => {
    for (const { picture, wanted } of cases) {
      const grid = layGrid(picture, wanted);
      for (const most of [1, 900, 1e6]) {
        const blocks = [...blocksOf(grid, most)];
        const names = blocks.flatMap(({ tiles }) => tiles.map(({ column, row }) => `${column} ${row}`));
        expect(new Set(names).size).toBe(names.length);
        expect(names.length).toBe(grid.columns * grid.rows);
        for (const { tiles, width, height } of blocks) {
          const area = tiles.reduce((sum, tile) => sum + tile.width * tile.height, 0);
          expect(area).toBe(width * height);
          // A tile may be a pixel larger than the mean one.
          const largest = Math.ceil(picture.width / grid.columns) * Math.ceil(picture.height / grid.rows);
          if (tiles.length > 1)
            expect(width * height).toBeLessThanOrEqual(Math.max(most, tiles.length * largest));
        }
      }
    }
  });
});
