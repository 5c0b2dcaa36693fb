import {
  type DensityVector,
  deconvolver,
  densityTables,
  dot,
  ruifrokVectors,
  unitCrossProduct,
  whiteLight,
} from "../../data/images/optical-density";
import type { ImageRecord } from "../../data/record";
import { rangeRefusal } from "../../runtime/refusal";

/** From the least to the most that counts as usual. */
export interface UsualRange {
  least: number;
  most: number;
}

/** How strongly an image is stained on the whole, as optical densities of its mean colour. */
export interface MeanStain {
  haematoxylin: number;
  eosin: number;
  /** What neither dye absorbs: far from 0 where the colours are those of no H&E. */
  other: number;
}

/** What a classifier remembers of its training images, to say of others how unlike them they are. */
export interface Familiarity {
  /** Features of training images, each row of length 1; shape [count, width]. */
  examples: Float32Array;
  width: number;
  /** An image whose nearest example is farther away than this is unlike the training images; in [0, 2]. */
  limit: number;
  /** What the limit was chosen on. */
  validation: {
    images: number;
    /** Images of validation that are farther away than the limit. */
    beyond: number;
    /** Of new images like those of validation, at most this share is expected beyond the limit. */
    falseAlarmRate: number;
  };
  stain: Record<keyof MeanStain, UsualRange>;
  /** In pixels, and width divided by height. */
  size: { shorterSide: UsualRange; aspect: UsualRange };
}

/** One way in which an image is unlike the training images. */
export interface Unlikeness {
  about: "features" | "stain" | "size" | "numbers" | "heads";
  /** A sentence without its full stop. */
  text: string;
}

/** What is looked at besides the features. */
export type ImageLooks = Pick<ImageRecord, "meanColour" | "width" | "height">;

const whiteTables = densityTables(whiteLight);
const dyesOf = deconvolver(ruifrokVectors);
const acrossDyes = unitCrossProduct(ruifrokVectors.haematoxylin, ruifrokVectors.eosin);

/** Says what the two dyes would have to absorb for an image's mean colour, by Ruifrok and Johnston's (2001) vectors. */
export function meanStain([red, green, blue]: ImageLooks["meanColour"]): MeanStain {
  const densityOf = (channel: 0 | 1 | 2, value: number) => whiteTables[channel][Math.round(value)]!;
  const density: DensityVector = [densityOf(0, red), densityOf(1, green), densityOf(2, blue)];
  const [haematoxylin, eosin] = dyesOf(density);
  return { haematoxylin, eosin, other: dot(density, acrossDyes) };
}

/** Rows scaled to length 1; a row of zeros stays as it is. */
export function unitRows(values: Float32Array, width: number): Float32Array {
  const rows = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += width) {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += values[start + i]! ** 2;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < width; i++) rows[start + i] = values[start + i]! * scale;
  }
  return rows;
}

/**
 * Distance between an image's features and the nearest example's, both scaled to length 1.
 *
 * Sun, Ming, Zhu and Li, "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022: scaling matters, a
 * sample of the training images is enough, and nothing is assumed about how they are distributed.
 *
 * @param features - Shape [width].
 * @returns In [0, 2]; 0 for a training image that is among the examples, up to rounding.
 */
export function distanceToNearest(
  { examples, width }: Pick<Familiarity, "examples" | "width">,
  features: Float32Array,
): number {
  if (features.length !== width) {
    throw rangeRefusal(`Examples have ${width} features, found an image with ${features.length}.`);
  }
  const image = unitRows(features, width);
  let nearest = Number.POSITIVE_INFINITY;
  for (let start = 0; start < examples.length; start += width) {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += (image[i]! - examples[start + i]!) ** 2;
    nearest = Math.min(nearest, squares);
  }
  return Math.sqrt(nearest);
}

/** In pixels. */
export const shorterSide: (looks: ImageLooks) => number = ({ width, height }) => Math.min(width, height);
/** Width divided by height. */
export const aspectOf: (looks: ImageLooks) => number = ({ width, height }) => width / height;

const stainNames: Record<keyof MeanStain, string> = {
  haematoxylin: "haematoxylin (blue)",
  eosin: "eosin (pink)",
  other: "colour that is neither dye's",
};

const isOutside = (value: number, { least, most }: UsualRange) => value < least || value > most;

function compareStain(familiarity: Familiarity, looks: ImageLooks): Unlikeness[] {
  const found = meanStain(looks.meanColour);
  return (Object.keys(stainNames) as (keyof MeanStain)[]).flatMap((dye): Unlikeness[] => {
    const range = familiarity.stain[dye];
    if (!isOutside(found[dye], range)) return [];
    const amount = found[dye] < range.least ? "less" : "more";
    const numbers = `${found[dye].toFixed(2)}, usual ${range.least.toFixed(2)} to ${range.most.toFixed(2)}`;
    return [{ about: "stain", text: `${amount} ${stainNames[dye]} than in training (${numbers})` }];
  });
}

function compareSize({ size }: Familiarity, looks: ImageLooks): Unlikeness[] {
  const pixels = `${looks.width} × ${looks.height} pixels`;
  const unlike: Unlikeness[] = [];
  if (isOutside(shorterSide(looks), size.shorterSide)) {
    const kind = shorterSide(looks) < size.shorterSide.least ? "much smaller" : "much larger";
    unlike.push({ about: "size", text: `${kind} than the training images (${pixels})` });
  }
  if (isOutside(aspectOf(looks), size.aspect)) {
    unlike.push({ about: "size", text: `of other proportions than the training images (${pixels})` });
  }
  return unlike;
}

/**
 * Says in which ways an image is unlike the training images: such an answer is not to be relied on.
 *
 * @param features - Shape [width], the classifier's own.
 * @returns The distance to the nearest training image in units of the limit (above 1 is unlike), and what to warn of.
 */
export function compareWithTraining(
  familiarity: Familiarity,
  features: Float32Array,
  looks: ImageLooks,
): { distance: number; unlike: Unlikeness[] } {
  const { limit } = familiarity;
  const absolute = distanceToNearest(familiarity, features);
  const distance = limit > 0 ? absolute / limit : absolute > 0 ? Number.POSITIVE_INFINITY : 0;
  const far: Unlikeness[] =
    absolute > limit
      ? [
          {
            about: "features",
            text: `looks unlike the training images (${distance.toFixed(2)} times as far away as is usual)`,
          },
        ]
      : [];
  return {
    distance,
    unlike: [...far, ...compareStain(familiarity, looks), ...compareSize(familiarity, looks)],
  };
}
