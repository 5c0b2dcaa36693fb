import pMap from "p-map";
import { breathe } from "../../runtime/interruption";
import { median } from "../../runtime/percentile";
import { startProgress } from "../../runtime/progress";
import { refusal } from "../../runtime/refusal";
import type { ImageFile } from "../record";
import { decodeImage, imageConcurrency } from "./images";
import { type DensityVector, unitVector } from "./optical-density";
import { estimateStains, type Stains } from "./stain";

/** What images are normalised to; plain numbers, saved with a classifier. */
export interface StainReference extends Stains {
  /** How many images it was fitted on. */
  images: number;
}

const medianVector = (vectors: readonly DensityVector[]): DensityVector =>
  unitVector([
    median(vectors.map((vector) => vector[0])),
    median(vectors.map((vector) => vector[1])),
    median(vectors.map((vector) => vector[2])),
  ]);

/**
 * Combines the stains of several images: medians, so that a few odd ones don't matter.
 *
 * @throws RangeError if there are none.
 */
export function combineStains(stains: readonly Stains[]): StainReference {
  return {
    haematoxylin: medianVector(stains.map(({ haematoxylin }) => haematoxylin)),
    eosin: medianVector(stains.map(({ eosin }) => eosin)),
    strongest: [
      median(stains.map(({ strongest }) => strongest[0])),
      median(stains.map(({ strongest }) => strongest[1])),
    ],
    images: stains.length,
  };
}

/**
 * Fits what images are normalised to. Pass the training part's images only: a reference that has seen the test
 * part has learned from it.
 *
 * @param images - Training images, as paths or with their checksums; those whose stains can't be told are left out.
 * @param size - Edge in pixels that images are stretched to, as for the network.
 * @throws Error if no image shows two stains, or one can't be read.
 *
 * @example
 * const reference = await fitStainReference(split.train.map((row) => imageFile(dataset, dataset.records[row]!)), 224);
 */
export async function fitStainReference(
  images: readonly (string | ImageFile)[],
  size: number,
): Promise<StainReference> {
  const progress = startProgress("Looking at stains", images.length, "images");
  try {
    const estimates = await pMap(
      images,
      async (image) => {
        const estimate = estimateStains(await decodeImage(image, size));
        progress.advance();
        await breathe();
        return estimate;
      },
      { concurrency: imageConcurrency },
    );
    const stains = estimates.flatMap((estimate) => (estimate.found === true ? [estimate.stains] : []));
    if (stains.length === 0) {
      throw refusal(
        `None of ${images.length} images shows haematoxylin and eosin, so there is nothing to normalise stains to. Leave normalisation out for this data set.`,
      );
    }
    return combineStains(stains);
  } finally {
    progress.finish();
  }
}
