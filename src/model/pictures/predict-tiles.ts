import { asSharp, type Pixels, stretchToSquare } from "../../data/images/decode-pixels";
import { measureGlass } from "../../data/images/image-quality";
import type { Picture } from "../../data/images/images";
import { estimateLamp } from "../../data/images/lamp";
import type { DensityVector } from "../../data/images/optical-density";
import { likenessSize, meanColour } from "../../data/images/perceptual-hash";
import { type BigPicture, cutOut, openBigPicture } from "../../data/pictures/big-picture";
import { readBlocks, surveyPicture } from "../../data/pictures/survey";
import type { Tile, TileGrid } from "../../data/pictures/tile-grid";
import { breathe, runCooperatively } from "../../runtime/interruption";
import { largest, pushAll, smallest } from "../../runtime/many";
import { startProgress } from "../../runtime/progress";
import { type Classifier, classifierViews, embedViews } from "../classifier/classifier";
import { decideRows } from "../classifier/decision";
import { compareWithTraining, type Unlikeness } from "../classifier/familiarity";
import { headClassCount, predictHead } from "../classifier/head";
import { meanOverViews } from "../classifier/predict-rows";
import { featureBatchSize } from "../features/features";
import { chooseTiles, type TileAsking } from "./tile-scale";

/** What a classifier says about one tile of a picture. */
export interface TileAnswer extends Tile {
  /** Shape [classCount]; sums to 1. */
  probabilities: number[];
  predicted: number;
  /** To the nearest training image; above 1 is unlike all of them. Null where the classifier remembers none. */
  distance: number | null;
  /** Ways in which the tile is unlike the training images, its size in pixels left aside. */
  unlike: Unlikeness[];
}

/** A tile that decided, with a small picture of it. */
export interface DecidingTile {
  tile: TileAnswer;
  /** A JPEG as a data URL. */
  picture: string;
}

/** What a classifier says about a large picture, tile by tile. */
export interface PicturePrediction {
  /** Absolute. */
  path: string;
  grid: TileGrid;
  /** How it was cut and why, in sentences. */
  description: string;
  /** What speaks against all of the answers, in sentences. */
  doubts: string[];
  /** Row by row; empty tiles are not among them. */
  tiles: TileAnswer[];
  /** Tiles that were left out because they are empty. */
  empty: number;
  thumbnail: Picture;
  /** The most suspicious first, at most `decidingTiles`. */
  deciding: DecidingTile[];
  /** False if it was interrupted: then some tiles are missing. */
  complete: boolean;
}

/** So many tiles are shown, and averaged: enough that one odd tile decides nothing, few enough to be looked at. */
export const decidingTiles = 10;
/** A tile with at least so much glass is empty: images of BreaKHis have at most half. */
export const emptyGlass = 0.9;
/** Nor is there tissue where a channel's values are no farther apart: ink, or what scanners fill gaps with. */
const plainRange = 12;
/** Pixels of a deciding tile's picture. */
const pictureWidth = 220;

function isPlain(pixels: Uint8Array): boolean {
  for (let channel = 0; channel < 3; channel++) {
    let [least, most] = [255, 0];
    for (let i = channel; i < pixels.length; i += 3) {
      const value = pixels[i]!;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (most - least > plainRange) return false;
  }
  return true;
}

/** Glass has no colour of its own, the palest stroma has. */
const colourlessRange = 12;

/** The lamp as the tile itself shows it; null where its brightest part is coloured, and so may be tissue. */
function ownLamp(pixels: Uint8Array): DensityVector | null {
  const { light, seen } = estimateLamp(pixels);
  return seen && largest(light) - smallest(light) <= colourlessRange ? light : null;
}

/**
 * Whether a tile shows no tissue: nine tenths of it are glass, or all of it has one colour.
 *
 * @param light - The picture's lamp. Where scanners fill gaps with white, that is brighter than its glass, so the tile's
 * own counts as well.
 */
export function isEmptyTile(pixels: Uint8Array, light: Readonly<DensityVector>): boolean {
  const own = ownLamp(pixels);
  const isGlass = (lamp: Readonly<DensityVector>) => measureGlass(pixels, lamp) >= emptyGlass;
  return isGlass(light) || (own !== null && isGlass(own)) || isPlain(pixels);
}

/** How suspicious an answer is: the probability of the class that is looked for, or of the answer where none is. */
export function suspicionOf(
  { probabilities, predicted }: Pick<TileAnswer, "probabilities" | "predicted">,
  positiveClass: number | null,
): number {
  return probabilities[positiveClass ?? predicted]!;
}

/** The most suspicious tiles, the first of equals in the picture first. */
export function mostSuspicious(
  tiles: readonly TileAnswer[],
  positiveClass: number | null,
  most: number,
): TileAnswer[] {
  return [...tiles]
    .sort((one, other) => suspicionOf(other, positiveClass) - suspicionOf(one, positiveClass))
    .slice(0, most);
}

interface CutTile {
  tile: Tile;
  whole: Pixels;
}

/** Of the pixels, since a tile's size says nothing about what it shows. */
async function compare(classifier: Classifier, features: Float32Array, whole: Pixels) {
  if (classifier.familiarity === undefined) return { distance: null, unlike: [] };
  const { width, height } = whole;
  const colour = meanColour(await stretchToSquare(whole, likenessSize));
  const found = compareWithTraining(classifier.familiarity, features, { meanColour: colour, width, height });
  return { distance: found.distance, unlike: found.unlike.filter(({ about }) => about !== "size") };
}

/** Answers a batch of tiles as `predictImages` answers image files with the same pixels, to the bit. */
async function answer(classifier: Classifier, tiles: readonly CutTile[]): Promise<TileAnswer[]> {
  const { backbone, head } = classifier;
  const images = await Promise.all(
    tiles.map(async ({ whole }) => ({
      pixels: await stretchToSquare(whole, backbone.inputSize, backbone.interpolation),
    })),
  );
  const views = classifierViews(classifier);
  const features = await embedViews(classifier, images, views);
  const all = predictHead(head, features, backbone.featureWidth);
  const length = tiles.length * headClassCount(head);
  const values = meanOverViews(views.map((_, i) => all.subarray(i * length, (i + 1) * length)));
  const nameOf = (i: number) => `the tile at ${tiles[i]!.tile.left}, ${tiles[i]!.tile.top}`;
  const decisions = decideRows(values, headClassCount(head), classifier, nameOf);
  const { featureWidth } = backbone;
  return Promise.all(
    tiles.map(async ({ tile, whole }, i) => {
      const row = features.slice(i * featureWidth, (i + 1) * featureWidth);
      return { ...tile, ...decisions[i]!, ...(await compare(classifier, row, whole)) };
    }),
  );
}

interface Answers {
  tiles: TileAnswer[];
  empty: number;
  complete: boolean;
}

interface Watched {
  signal: AbortSignal;
  advance: (tiles: number) => void;
}

/** Answers all tiles that are not empty, in batches. */
async function answerAll(
  classifier: Classifier,
  picture: BigPicture,
  cut: { grid: TileGrid; light: DensityVector },
  { signal, advance }: Watched,
): Promise<Answers> {
  const tiles: TileAnswer[] = [];
  let empty = 0;
  for await (const { block, pixels } of readBlocks(picture, cut.grid)) {
    let waiting: CutTile[] = [];
    for (const [i, tile] of block.tiles.entries()) {
      if (signal.aborted) return { tiles, empty, complete: false };
      const whole = cutOut(pixels, tile);
      if (isEmptyTile(whole.rgb, cut.light)) empty++;
      else waiting.push({ tile, whole });
      if (waiting.length === featureBatchSize || (i === block.tiles.length - 1 && waiting.length > 0)) {
        pushAll(tiles, await answer(classifier, waiting));
        waiting = [];
        await breathe();
      }
      advance(1);
    }
  }
  return { tiles, empty, complete: true };
}

/** Small pictures of the tiles that decided, read once more. */
async function pictureTiles(picture: BigPicture, tiles: readonly TileAnswer[]): Promise<DecidingTile[]> {
  const pictured: DecidingTile[] = [];
  for (const tile of tiles) {
    const { left, top, width, height } = tile;
    const small = asSharp(await picture.read({ left, top, width, height })).resize({
      width: pictureWidth,
      kernel: "cubic",
      withoutEnlargement: true,
    });
    const jpeg = await small.jpeg({ quality: 85 }).toBuffer();
    pictured.push({ tile, picture: `data:image/jpeg;base64,${jpeg.toString("base64")}` });
  }
  return pictured;
}

async function watch<T>(task: string, total: number, work: (watched: Watched) => Promise<T>): Promise<T> {
  const progress = startProgress(task, total, "tiles");
  try {
    return await runCooperatively(task.toLowerCase(), (signal) =>
      work({ signal, advance: (tiles) => progress.advance(tiles) }),
    );
  } finally {
    progress.finish();
  }
}

async function predictOpened(
  classifier: Classifier,
  picture: BigPicture,
  asking: TileAsking,
): Promise<PicturePrediction> {
  const { grid, description, doubts } = chooseTiles(picture, classifier.scales, asking);
  const total = grid.columns * grid.rows;
  const survey = await watch("Looking over the image", total, (watched) =>
    surveyPicture(picture, grid, watched),
  );
  const about = { path: picture.path, grid, description, doubts };
  if (survey === null) {
    const thumbnail = { pixels: new Uint8Array(), width: 0, height: 0 };
    return { ...about, thumbnail, tiles: [], empty: 0, deciding: [], complete: false };
  }
  const { light, thumbnail, note } = survey;
  if (note !== null) doubts.push(`Its numbers may not show what they should: ${note}.`);
  const answers = await watch("Predicting tiles", total, (watched) =>
    answerAll(classifier, picture, { grid, light }, watched),
  );
  const deciding = mostSuspicious(answers.tiles, classifier.positiveClass, decidingTiles);
  return { ...about, ...answers, thumbnail, deciding: await pictureTiles(picture, deciding) };
}

/**
 * Cuts an image of any size into tiles that show as much as a training image, and answers each that is not empty.
 *
 * Memory does not grow with the image: two parts of it are decoded at a time.
 *
 * @param path - PNG, JPEG, WebP or TIFF, also a slide that is stored as a tiled TIFF of one of the codecs read.
 * @param asking - What neither file nor classifier says.
 * @throws Error that says what is missing or wrong with the file, or what has to be said.
 *
 * @example
 * const { tiles } = await predictTiles(classifier, "slide.svs", { magnification: 400 });
 */
export async function predictTiles(
  classifier: Classifier,
  path: string,
  asking: TileAsking = {},
): Promise<PicturePrediction> {
  const picture = await openBigPicture(path);
  try {
    return await predictOpened(classifier, picture, asking);
  } finally {
    await picture.close();
  }
}
