import { normaliseStains } from "./stain";
import type { StainReference } from "./stain-reference";

/** Something done to every image between decoding and the network. */
export interface ImageTransform {
  /** Everything that the result depends on besides the image: features in the cache are found by it. */
  id: string;
  /**
   * @param pixels - RGB, 0..255; not to be changed.
   * @returns As many pixels.
   */
  apply(pixels: Uint8Array): Uint8Array;
}

/** Raised by hand when a transform computes something else than before. */
const transformVersion = 1;

/** Normalises every image's stains to a reference; images whose stains can't be told stay as they are. */
export function stainNormalisation(reference: StainReference): ImageTransform {
  const { haematoxylin, eosin, strongest } = reference;
  return {
    id: `stains normalised ${transformVersion}: ${JSON.stringify([haematoxylin, eosin, strongest])}`,
    apply: (pixels) => normaliseStains(pixels, reference).pixels,
  };
}

/** One transform after another. */
export function chainTransforms(transforms: readonly ImageTransform[]): ImageTransform {
  return {
    id: transforms.map(({ id }) => id).join(" | "),
    apply: (pixels) => transforms.reduce((current, transform) => transform.apply(current), pixels),
  };
}
