import type { BigPicture } from "../../data/pictures/big-picture";
import { layGrid, type Size, type TileGrid } from "../../data/pictures/tile-grid";
import { refusal } from "../../runtime/refusal";
import type { TrainedScale } from "../classifier/trained-scale";

/** What is said about a picture that its file or the classifier does not say. */
export interface TileAsking {
  /** µm a pixel of the picture; by default what its file says. */
  micronsPerPixel?: number | null;
  /** Which of the magnifications trained at a tile shows; needed where there are several. */
  magnification?: number | null;
  /** A tile's width and height in the picture's pixels, in place of all the rest. */
  tileSize?: Size | null;
}

/** How a picture is cut, and why. */
export interface TileScale {
  grid: TileGrid;
  /** What a tile shows and where that comes from, in sentences. */
  description: string;
  /** What speaks against the answers because of the scale, in sentences; empty where nothing does. */
  doubts: string[];
}

/** How much coarser or larger a tile may be than a training image before it is said. */
const resolutionMargin = 2;
const spreadMargin = 1.1;

function requirePositive(what: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value))) throw refusal(`${what} must be above 0, found ${value}.`);
}

const nameOf = ({ magnification }: TrainedScale) =>
  magnification === null ? "an unknown magnification" : `${magnification}×`;

/** @throws Error that asks for the magnification where the training images had several. */
function chooseTrained(scales: readonly TrainedScale[], magnification: number | null): TrainedScale | null {
  const known = scales.map(nameOf).join(", ");
  if (magnification !== null) {
    const found = scales.find((scale) => scale.magnification === magnification);
    if (found !== undefined) return found;
    const trained = known === "" ? "none that is known" : known;
    throw refusal(`This classifier was not trained at ${magnification}×, but at ${trained}.`);
  }
  if (scales.length <= 1) return scales[0] ?? null;
  throw refusal(
    `This classifier was trained on images of ${known}: say as \`magnification\` which of them a tile is to show.`,
  );
}

const micronText = (microns: number) => `${Number(microns.toPrecision(3))} µm`;

/** @throws Error that asks for µm a pixel. */
function micronsOf(
  { path, scale }: BigPicture,
  given: number | null,
): { x: number; y: number; saidBy: string } {
  if (given !== null) {
    requirePositive("µm a pixel", given);
    return { x: given, y: given, saidBy: "as was said" };
  }
  if (scale.microns !== null) return { ...scale.microns, saidBy: `as ${scale.saidBy} says` };
  const hint =
    scale.objective === null
      ? ""
      : ` It only names an objective of ${scale.objective}×: on most scanners that is ${micronText(10 / scale.objective)} a pixel.`;
  throw refusal(
    `The file ${path} does not say how large its pixels are: say it as \`micronsPerPixel\`, for example 0.25.${hint}`,
  );
}

function describeTrained(
  { width, height, microns }: TrainedScale & { microns: number },
  scale: TrainedScale,
): string {
  const field = `${Math.round(width * microns)} × ${Math.round(height * microns)} µm`;
  return `A tile shows ${field}, as the training images of ${nameOf(scale)} do (${width} × ${height} pixels of ${micronText(microns)})`;
}

function describeGrid({ width, height, columns, rows }: TileGrid): string {
  const tile = { width: width / columns, height: height / rows };
  const size = `${Number(tile.width.toFixed(1))} × ${Number(tile.height.toFixed(1))}`;
  return `The image, ${width} × ${height} pixels, is cut into ${columns} × ${rows} tiles of ${size} pixels, side by side over all of it.`;
}

function doubtsOf(grid: TileGrid, wanted: Size, trained: TrainedScale | null): string[] {
  const tile = { width: grid.width / grid.columns, height: grid.height / grid.rows };
  const ratios = [tile.width / wanted.width, tile.height / wanted.height];
  const doubts = ratios.some((ratio) => Math.max(ratio, 1 / ratio) > spreadMargin)
    ? [
        `Spread evenly, tiles are ${ratios.map((ratio) => ratio.toFixed(2)).join(" and ")} times as wide and as high as they should be: the image is only a few tiles large.`,
      ]
    : [];
  if (trained === null) return doubts;
  const coarser = trained.width / tile.width;
  if (coarser > resolutionMargin) {
    doubts.push(
      `The image is ${coarser.toFixed(1)} times as coarse as the training images: what they show finer than that is not there to be seen.`,
    );
  }
  return doubts;
}

/**
 * Decides how a picture is cut: so that a tile shows as much tissue as a training image.
 *
 * @param scales - The classifier's; undefined where it does not know them.
 * @throws Error that says what has to be said, and as what.
 */
export function chooseTiles(
  picture: BigPicture,
  scales: readonly TrainedScale[] | undefined,
  asking: TileAsking,
): TileScale {
  const { tileSize = null, magnification = null, micronsPerPixel = null } = asking;
  if (tileSize !== null) {
    requirePositive("A tile's width", tileSize.width);
    requirePositive("A tile's height", tileSize.height);
    const grid = layGrid(picture, tileSize);
    const description = `A tile's size in pixels was said. ${describeGrid(grid)}`;
    return { grid, description, doubts: doubtsOf(grid, tileSize, null) };
  }
  const trained = chooseTrained(scales ?? [], magnification);
  if (trained?.microns == null) {
    const why =
      trained === null
        ? "This classifier does not remember the size of its training images"
        : `How large the pixels of this classifier's training images (${trained.width} × ${trained.height}) are in the tissue is not known`;
    throw refusal(
      `${why}: say as \`tileSize\` how many of the image's pixels, in width and height, show as much as a training image.`,
    );
  }
  const { x, y, saidBy } = micronsOf(picture, micronsPerPixel);
  const known = { ...trained, microns: trained.microns };
  const wanted = { width: (known.width * known.microns) / x, height: (known.height * known.microns) / y };
  const grid = layGrid(picture, wanted);
  const description = `${describeTrained(known, trained)}; the image has ${micronText(x)} a pixel, ${saidBy}. ${describeGrid(grid)}`;
  return { grid, description, doubts: doubtsOf(grid, wanted, trained) };
}
