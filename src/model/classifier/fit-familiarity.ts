import type { Dataset } from "../../data/record";
import type { Split } from "../../data/split/split-value";
import { largest, smallest, spreadEvenly } from "../../runtime/many";
import { refusal } from "../../runtime/refusal";
import { countOf } from "../../runtime/words";
import { type Features, selectRows } from "../features/features";
import {
  aspectOf,
  distanceToNearest,
  type Familiarity,
  type ImageLooks,
  type MeanStain,
  meanStain,
  shorterSide,
  type UsualRange,
  unitRows,
} from "./familiarity";

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
