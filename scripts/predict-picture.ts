// What npm run predict does with --tiles: a large image, tile by tile.
import { type Command, InvalidArgumentError } from "commander";
import type { Size } from "../src/data/pictures/tile-grid";
import type { Classifier } from "../src/model/classifier/classifier";
import { type PicturePrediction, predictTiles } from "../src/model/pictures/predict-tiles";
import { writeFileAtomically } from "../src/runtime/files/write-file";
import { printable } from "../src/runtime/printable";
import { describePicture } from "../src/views/pictures/tile-displays";
import { encodeTilesCsv, encodeTilesGeoJson } from "../src/views/pictures/tile-files";
import { picturePageHtml } from "../src/views/report/picture-page";
import { complain } from "./say";

/** What is said of a large image. */
export interface PictureFlags {
  tiles?: boolean;
  mpp?: number;
  magnification?: number;
  tileSize?: Size;
  geojson?: string;
}

function numberAboveZero(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : 0;
  if (!(value > 0)) throw new InvalidArgumentError("Expected a number above 0, for example 0.25.");
  return value;
}

function readSize(text: string): Size {
  const [, width, height] = /^(\d+)[x×](\d+)$/i.exec(text) ?? [];
  if (width === undefined) throw new InvalidArgumentError("Expected width and height, for example 700x460.");
  return { width: Number(width), height: Number(height) };
}

/** Adds the flags for large images. */
export function addPictureFlags(command: Command): Command {
  return command
    .option("--tiles", "takes one image of any size, a slide for example, and answers it tile by tile")
    .option(
      "--mpp <number>",
      "with --tiles: µm a pixel of the image, where its file does not say it",
      numberAboveZero,
    )
    .option(
      "--magnification <number>",
      "with --tiles: which of the magnifications trained at a tile shows, where they are several",
      numberAboveZero,
    )
    .option(
      "--tile-size <size>",
      "with --tiles: a tile's pixels in place of both, for example 700x460",
      readSize,
    )
    .option("--geojson <file>", "with --tiles: writes the tiles here, for QuPath");
}

/** @throws Error if flags for large images stand without --tiles, or others with it. */
export function checkPictureFlags(
  flags: PictureFlags & { labels?: string; format?: string },
  given: string[],
): void {
  const { tiles, mpp, magnification, tileSize, geojson } = flags;
  const alone = {
    "--mpp": mpp,
    "--magnification": magnification,
    "--tile-size": tileSize,
    "--geojson": geojson,
  };
  const named = Object.entries(alone).find(([, value]) => value !== undefined)?.[0];
  if (tiles !== true) {
    if (named !== undefined) throw new Error(`${named} is for large images: give --tiles with it.`);
    return;
  }
  if (given.length !== 1) throw new Error(`--tiles takes one image at a time, found ${given.length}.`);
  if (flags.labels !== undefined) throw new Error("--tiles takes no labels: a label is about a whole image.");
  if (flags.format === "jsonl") throw new Error("--tiles writes CSV, and GeoJSON with --geojson.");
}

/** Settings are named as notebooks have them. */
function inFlags(error: unknown): Error {
  const { message } = error as Error;
  const flags = {
    micronsPerPixel: "--mpp",
    magnification: "--magnification",
    tileSize: "--tile-size 700x460",
  };
  return new Error(
    Object.entries(flags).reduce(
      (text, [name, flag]) => text.replace(`as \`${name}\``, `with ${flag}`),
      message,
    ),
    { cause: error },
  );
}

/** Answers one large image, and writes what was asked for; false if it was stopped. */
export async function predictPicture(
  classifier: Classifier,
  path: string,
  flags: PictureFlags & { out?: string; html?: string },
): Promise<boolean> {
  const { out, html, geojson, mpp = null, magnification = null, tileSize = null } = flags;
  let prediction: PicturePrediction;
  try {
    prediction = await predictTiles(classifier, path, { micronsPerPixel: mpp, magnification, tileSize });
  } catch (error) {
    throw inFlags(error);
  }
  if (!prediction.complete) return false;
  if (out !== undefined) await writeFileAtomically(out, encodeTilesCsv(prediction, classifier));
  if (geojson !== undefined) await writeFileAtomically(geojson, encodeTilesGeoJson(prediction, classifier));
  if (html !== undefined) await writeFileAtomically(html, await picturePageHtml(prediction, classifier));
  if ([out, geojson, html].every((target) => target === undefined)) {
    for (const line of encodeTilesCsv(prediction, classifier)) {
      process.stdout.write(process.stdout.isTTY ? printable(line) : line);
    }
  }
  for (const sentence of describePicture(prediction, classifier)) complain(sentence);
  return true;
}
