import { sha256 } from "../runtime/content-hash";
import { createRandom } from "../runtime/random";
import { normaliseStains } from "./stain";
import { jitterStains } from "./stain-jitter";
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

/**
 * One view of every image with stains changed at random: the same for the same image, seed and view, whatever
 * other images there are.
 *
 * @param options.view - From 0 on; each gives another view of an image.
 * @param options.strength - See `jitterStains`.
 */
export function stainView(options: { seed: number; view: number; strength: number }): ImageTransform {
  const { seed, view, strength } = options;
  const random = createRandom(seed).fork(`stain view ${view}`);
  return {
    id: `stains jittered ${transformVersion}: ${JSON.stringify([seed, view, strength])}`,
    apply: (pixels) => jitterStains(pixels, random.fork(sha256(pixels)), strength),
  };
}

/** One transform after another. */
export function chainTransforms(transforms: readonly ImageTransform[]): ImageTransform {
  return {
    id: transforms.map(({ id }) => id).join(" | "),
    apply: (pixels) => transforms.reduce((current, transform) => transform.apply(current), pixels),
  };
}
