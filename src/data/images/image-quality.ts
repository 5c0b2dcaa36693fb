import pMap from "p-map";
import { readEntry, writeEntry } from "../../runtime/cache/content-cache";
import { sha256 } from "../../runtime/cache/content-hash";
import { breathe, runCooperatively } from "../../runtime/interruption";
import { startProgress } from "../../runtime/progress";
import type { Dataset, ImageRecord } from "../record";
import { imagePath } from "../record";
import { decodePicture, imageConcurrency, type Picture } from "./images";
import { estimateLamp } from "./lamp";
import { type DensityVector, deconvolver, densityTables, ruifrokVectors } from "./optical-density";

/** What can be wrong with a picture, in numbers; comparable between images of like magnification. */
export interface ImageQuality {
  /**
   * Variance of the Laplacian of the greys 0..255 at 448 pixels' width: at least 0, small where the image is out
   * of focus. In BreaKHis from 70 to 1900 (5th and 95th percentile of a sample), 200 in the middle, and higher at
   * low magnification, where nuclei are small; smooth tissue and glass are low even in focus.
   */
  focus: number;
  /** Mean optical density of haematoxylin over the tissue; 0 where there is none, in BreaKHis 0.08 to 0.29. */
  haematoxylin: number;
  /** The same of eosin, in BreaKHis 0 to 0.16; below 0 where it looks bluer than haematoxylin alone. */
  eosin: number;
  /** Share of the pixels that are glass, in [0, 1]; in BreaKHis 0.06 to 0.5. */
  background: number;
  /** Mean grey, 0 (black) to 255 (white). */
  brightness: number;
}

/** Every image is made this wide first, since focus depends on scale; smaller ones are measured as they are. */
export const qualityWidth = 448;

/** Raised by hand when something is measured differently. */
const qualityVersion = 2;
const cacheKind = "quality";
/** Density, as a vector's length, below which a pixel is glass: paler than the palest stroma. */
const glassDensity = 0.06;

/** By the three optical densities of a pixel. */
const isGlass = (red: number, green: number, blue: number) =>
  red * red + green * green + blue * blue < glassDensity * glassDensity;

/** Luma of ITU-R BT.601, what cameras and OpenCV call grey. */
function greysOf(pixels: Uint8Array): Float64Array {
  const greys = new Float64Array(pixels.length / 3);
  for (let i = 0; i < greys.length; i++) {
    greys[i] = 0.299 * pixels[3 * i]! + 0.587 * pixels[3 * i + 1]! + 0.114 * pixels[3 * i + 2]!;
  }
  return greys;
}

/**
 * Variance of the Laplacian (four neighbours minus four times the pixel), borders left out.
 *
 * Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
 *
 * @param greys - Shape [height, width].
 * @returns 0 for a picture without an inside.
 */
export function varianceOfLaplacian(greys: Float64Array, width: number, height: number): number {
  let [sum, squares, count] = [0, 0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      const value = greys[i - 1]! + greys[i + 1]! + greys[i - width]! + greys[i + width]! - 4 * greys[i]!;
      sum += value;
      squares += value * value;
      count++;
    }
  }
  return count === 0 ? 0 : Math.max(0, squares / count - (sum / count) ** 2);
}

/**
 * The share of a picture that is glass: pixels so pale that no dye is in them.
 *
 * @param pixels - RGB, 0..255.
 * @param light - The lamp's colour, from `estimateLamp`.
 * @returns In [0, 1].
 */
export function measureGlass(pixels: Uint8Array, light: Readonly<DensityVector>): number {
  const [reds, greens, blues] = densityTables(light);
  let glass = 0;
  for (let offset = 0; offset < pixels.length; offset += 3) {
    const density = [
      reds[pixels[offset]!]!,
      greens[pixels[offset + 1]!]!,
      blues[pixels[offset + 2]!]!,
    ] as const;
    if (isGlass(...density)) glass++;
  }
  return (3 * glass) / pixels.length;
}

/** Mean amounts of both dyes over the tissue, by the colours of Ruifrok and Johnston (2001), and the share of glass. */
function measureStains(pixels: Uint8Array): Pick<ImageQuality, "haematoxylin" | "eosin" | "background"> {
  const [reds, greens, blues] = densityTables(estimateLamp(pixels).light);
  const unmix = deconvolver(ruifrokVectors);
  let [haematoxylin, eosin, tissue] = [0, 0, 0];
  for (let offset = 0; offset < pixels.length; offset += 3) {
    const red = reds[pixels[offset]!]!;
    const green = greens[pixels[offset + 1]!]!;
    const blue = blues[pixels[offset + 2]!]!;
    if (isGlass(red, green, blue)) continue;
    const [h, e] = unmix([red, green, blue]);
    haematoxylin += h;
    eosin += e;
    tissue++;
  }
  const perPixel = tissue === 0 ? 0 : 1 / tissue;
  return {
    haematoxylin: haematoxylin * perPixel,
    eosin: eosin * perPixel,
    background: 1 - (3 * tissue) / pixels.length,
  };
}

/** Measures a decoded picture; it should be `qualityWidth` wide. */
export function measureQuality({ pixels, width, height }: Picture): ImageQuality {
  const greys = greysOf(pixels);
  return {
    focus: varianceOfLaplacian(greys, width, height),
    ...measureStains(pixels),
    brightness: greys.reduce((sum, grey) => sum + grey, 0) / greys.length,
  };
}

/** What was measured before; an entry that can't be read is as good as none. */
async function readMeasured(key: string): Promise<ImageQuality | null> {
  try {
    const entry = await readEntry(cacheKind, key);
    return entry === null ? null : (JSON.parse(entry.toString("utf8")) as ImageQuality);
  } catch {
    return null;
  }
}

async function measureRecord(dataset: Dataset, record: ImageRecord): Promise<ImageQuality> {
  const key = sha256(JSON.stringify([qualityVersion, qualityWidth, record.sha256]));
  const measured = await readMeasured(key);
  if (measured !== null) return measured;
  const quality = measureQuality(await decodePicture(imagePath(dataset, record), qualityWidth));
  await writeEntry(cacheKind, key, Buffer.from(JSON.stringify(quality)));
  await breathe();
  return quality;
}

/**
 * Measures images' quality, once each: it is remembered by content.
 *
 * @param records - Those wanted, such as the errors of a classifier; only they are read.
 * @returns In the order of the records; null for those not reached before an interrupt.
 * @throws Error naming the file if an image can't be read any more.
 *
 * @example
 * const [quality] = await measureImages(dataset, [dataset.records[0]!]);
 */
export async function measureImages(
  dataset: Dataset,
  records: readonly ImageRecord[],
): Promise<(ImageQuality | null)[]> {
  const progress = startProgress("Measuring images", records.length, "images");
  try {
    return await runCooperatively("measuring images", (signal) =>
      pMap(
        records,
        async (record) => {
          if (signal.aborted) return null;
          const quality = await measureRecord(dataset, record);
          progress.advance();
          return quality;
        },
        { concurrency: imageConcurrency },
      ),
    );
  } finally {
    progress.finish();
  }
}

/**
 * Where a value lies among others: the share of them that are smaller, ties counting half.
 *
 * For saying that an image is among the least sharp of its data set.
 *
 * @returns In [0, 1]; NaN without others.
 *
 * @example
 * rankAmong(2, [1, 2, 3, 4]); // 0.375
 */
export function rankAmong(value: number, others: readonly number[]): number {
  const smaller = others.filter((other) => other < value).length;
  const equal = others.filter((other) => other === value).length;
  return (smaller + equal / 2) / others.length;
}
