import {
  type DensityVector,
  deconvolver,
  densityTables,
  dot,
  ruifrokVectors,
  unitCrossProduct,
  whiteLight,
} from "../../data/images/optical-density";
import type { Dataset, ImageRecord } from "../../data/record";
import type { Split } from "../../data/split/split-value";
import { largest, smallest, spreadEvenly } from "../../runtime/many";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import { countOf } from "../../runtime/words";
import { type Features, selectRows } from "../features/features";

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
  about: "features" | "stain" | "size" | "numbers";
  /** A sentence without its full stop. */
  text: string;
}

/** What is looked at besides the features. */
export type ImageLooks = Pick<ImageRecord, "meanColour" | "width" | "height">;

/** So that 2048 features an example stay below 2 MB. */
const mostExamples = 200;
/** So many distances tell from where on one is unusual as well as more would: comparing takes a second a thousand. */
const mostCompared = 4000;
/** Below this number of examples, the nearest one says nothing about what is usual. */
const fewestExamples = 10;
/** What validation has to be large enough for; with fewer images the rate is higher, and told. */
const wantedFalseAlarmRate = 0.01;
/** Stains vary a little beyond what a few hundred images show: by this share of their range. */
const stainMargin = 0.1;
/** Half and double the pixels of training: another scale. */
const scaleMargin = 2;
const aspectMargin = 1.25;

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
function unitRows(values: Float32Array, width: number): Float32Array {
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

/**
 * Chooses the distance that at most the wanted share of new images should exceed: the ⌈(n + 1)(1 − rate)⌉-th smallest of
 * validation, or its largest where it is too small to promise so little.
 *
 * Bates et al., "Testing for outliers with conformal p-values", Annals of Statistics 51(1), 2023. It holds for images
 * that are exchangeable with those of validation, which a new patient's are only roughly.
 */
function chooseLimit(distances: readonly number[]): Pick<Familiarity, "limit" | "validation"> {
  const sorted = [...distances].sort((a, b) => a - b);
  const images = sorted.length;
  // Without the small allowance, 0.99 × 100 in floating point could ask for a 100th.
  const rank = Math.min(images, Math.ceil((images + 1) * (1 - wantedFalseAlarmRate) - 1e-9));
  const limit = sorted[rank - 1]!;
  const beyond = sorted.filter((distance) => distance > limit).length;
  return { limit, validation: { images, beyond, falseAlarmRate: 1 - rank / (images + 1) } };
}

function rangeOf(values: readonly number[], margin: number): UsualRange {
  const [least, most] = [smallest(values), largest(values)];
  return { least: least - margin * (most - least), most: most + margin * (most - least) };
}

const shorterSide = ({ width, height }: ImageLooks) => Math.min(width, height);
const aspectOf = ({ width, height }: ImageLooks) => width / height;

function usualLooks(seen: readonly ImageLooks[]): Pick<Familiarity, "stain" | "size"> {
  const stains = seen.map(({ meanColour }) => meanStain(meanColour));
  const range = (dye: keyof MeanStain) =>
    rangeOf(
      stains.map((stain) => stain[dye]),
      stainMargin,
    );
  const scaled = (values: readonly number[], margin: number) => {
    const { least, most } = rangeOf(values, 0);
    return { least: least / margin, most: most * margin };
  };
  return {
    stain: { haematoxylin: range("haematoxylin"), eosin: range("eosin"), other: range("other") },
    size: {
      shorterSide: scaled(seen.map(shorterSide), scaleMargin),
      aspect: scaled(seen.map(aspectOf), aspectMargin),
    },
  };
}

/**
 * Remembers what training images look like, and chooses on validation from where on an image is unlike them.
 *
 * The same images, features and split give the same result to the bit. Of large sets a part is compared, evenly over all.
 *
 * @param features - The classifier's own: of its backbone, with its transform.
 * @throws Error if there are too few images in training, or none in validation.
 */
export function fitFamiliarity(
  dataset: Pick<Dataset, "records">,
  split: Pick<Split, "train" | "validation">,
  features: Features,
): Familiarity {
  const { train, validation } = split;
  if (train.length < fewestExamples || validation.length === 0) {
    throw refusal(
      `What is usual can't be told from ${countOf(train.length, "training image")} and ${countOf(validation.length, "validation image")}: at least ${fewestExamples} and 1 are needed.`,
    );
  }
  const { width } = features;
  const examples = unitRows(selectRows(features, spreadEvenly(train, mostExamples)), width);
  const distances = spreadEvenly(validation, mostCompared).map((row) =>
    distanceToNearest({ examples, width }, selectRows(features, [row])),
  );
  const seen = train.concat(validation).map((row) => dataset.records[row]!);
  return { examples, width, ...chooseLimit(distances), ...usualLooks(seen) };
}

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
