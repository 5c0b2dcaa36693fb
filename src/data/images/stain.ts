import { percentile } from "../../runtime/percentile";
import { symmetricEigenvectors } from "../../runtime/symmetric-eigenvectors";
import { estimateLamp } from "./lamp";
import {
  angleBetween,
  type DensityVector,
  deconvolver,
  densityTables,
  dot,
  lightOf,
  type StainVectors,
  unitVector,
} from "./optical-density";

/** How an image is stained: which colours its two dyes absorb, and how strongly. */
export interface Stains extends StainVectors {
  /** Optical density of haematoxylin and eosin where there is much of them: 99th percentile over the tissue. */
  strongest: [haematoxylin: number, eosin: number];
}

/** The stains of an image and its lamp, or why they can't be told, as the rest of a sentence. */
export type StainEstimate =
  | { found: true; stains: Stains; light: DensityVector }
  | { found: false; reason: string };

/** Pixels with less density than this, as a vector's length, are glass (Macenko's β). */
export const leastDensity = 0.15;
/** The extreme directions are taken at these percentiles, since the very last ones are noise (Macenko's α). */
const robustPercents = [1, 99] as const;
const strongPercent = 99;
/** Below this share of tissue an estimate would rest on specks of dust. */
const leastTissueShare = 0.01;
/** Two stains differ by 15° and more; a single one, spread by noise and rounding, by less than this. */
const leastAngle = 8;
/** Less density than this where the stain is strongest: it isn't there. */
const leastStrength = 0.02;

/** Densities of the pixels that are tissue, three numbers each. */
function tissueDensities(pixels: Uint8Array, light: DensityVector): Float64Array {
  const [reds, greens, blues] = densityTables(light);
  const kept = new Float64Array(pixels.length);
  let length = 0;
  for (let offset = 0; offset < pixels.length; offset += 3) {
    const red = reds[pixels[offset]!]!;
    const green = greens[pixels[offset + 1]!]!;
    const blue = blues[pixels[offset + 2]!]!;
    if (red * red + green * green + blue * blue < leastDensity * leastDensity) continue;
    kept[length++] = red;
    kept[length++] = green;
    kept[length++] = blue;
  }
  return kept.subarray(0, length);
}

/**
 * The plane through the origin that holds most of the densities: two dyes in any mixture lie in one plane.
 *
 * As singular vectors of the densities, which are eigenvectors of their second moments.
 */
function planeOf(densities: Float64Array): [DensityVector, DensityVector] {
  const moments = [new Float64Array(3), new Float64Array(3), new Float64Array(3)];
  for (let offset = 0; offset < densities.length; offset += 3) {
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) moments[i]![j]! += densities[offset + i]! * densities[offset + j]!;
    }
  }
  const [first, second] = symmetricEigenvectors(moments.map((row) => Array.from(row)));
  // All densities are positive, so their main direction is too; its sign is left open by the eigenvectors.
  const sign = Math.sign(first!.vector.reduce((sum, value) => sum + value, 0));
  return [first!.vector.map((value) => sign * value) as DensityVector, second!.vector as DensityVector];
}

/** The outermost directions in the plane, at robust percentiles of the angle. */
function extremeDirections(densities: Float64Array): [DensityVector, DensityVector] {
  const [main, across] = planeOf(densities);
  const angles = new Float64Array(densities.length / 3);
  for (let pixel = 0; pixel < angles.length; pixel++) {
    const density: DensityVector = [
      densities[3 * pixel]!,
      densities[3 * pixel + 1]!,
      densities[3 * pixel + 2]!,
    ];
    angles[pixel] = Math.atan2(dot(density, across), dot(density, main));
  }
  angles.sort();
  const direction = (percent: number): DensityVector => {
    const angle = percentile(angles, percent);
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return unitVector([
      c * main[0] + s * across[0],
      c * main[1] + s * across[1],
      c * main[2] + s * across[2],
    ]);
  };
  return [direction(robustPercents[0]), direction(robustPercents[1])];
}

/** Haematoxylin absorbs red as well, which eosin lets through: that tells which is which. */
function nameStains([one, other]: [DensityVector, DensityVector]): StainVectors {
  return one[0] > other[0] ? { haematoxylin: one, eosin: other } : { haematoxylin: other, eosin: one };
}

function strongestOf(densities: Float64Array, vectors: StainVectors): [number, number] {
  const unmix = deconvolver(vectors);
  const haematoxylin = new Float64Array(densities.length / 3);
  const eosin = new Float64Array(densities.length / 3);
  for (let pixel = 0; pixel < eosin.length; pixel++) {
    const at = 3 * pixel;
    const amounts = unmix([densities[at]!, densities[at + 1]!, densities[at + 2]!]);
    haematoxylin[pixel] = amounts[0];
    eosin[pixel] = amounts[1];
  }
  return [percentile(haematoxylin.sort(), strongPercent), percentile(eosin.sort(), strongPercent)];
}

/**
 * Finds which colours the two dyes of an H&E image absorb, and how strongly it is stained.
 *
 * Macenko et al., "A method for normalizing histology slides for quantitative analysis", ISBI 2009: densities
 * of tissue (β = 0.15) lie in a plane; the dyes are its outermost directions, at the 1st and 99th percentile.
 * Unlike there, densities count from the image's own glass, which is seldom white.
 *
 * @param pixels - RGB, 0..255, of any number of pixels.
 * @returns The reason instead, if there is hardly any tissue or no two stains in it.
 */
export function estimateStains(pixels: Uint8Array): StainEstimate {
  const { light } = estimateLamp(pixels);
  const densities = tissueDensities(pixels, light);
  if (densities.length === 0 || densities.length < leastTissueShare * pixels.length) {
    return { found: false, reason: "hardly any of it is tissue" };
  }
  const vectors = nameStains(extremeDirections(densities));
  if (angleBetween(vectors.haematoxylin, vectors.eosin) < leastAngle) {
    return { found: false, reason: "there is one stain in it, not two" };
  }
  const strongest = strongestOf(densities, vectors);
  if (!strongest.every((strength) => strength >= leastStrength)) {
    return { found: false, reason: "one of the two stains is hardly there" };
  }
  return { found: true, stains: { ...vectors, strongest }, light };
}

/** An image after normalisation. */
export interface NormalisedImage {
  /** Shape as given; the very same array if nothing was changed. */
  pixels: Uint8Array;
  changed: boolean;
  /** Why it was left as it is, as the rest of a sentence; null if it was changed. */
  reason: string | null;
}

/**
 * Stains an image as the reference is stained: the amounts of both dyes stay where they are, scaled to the
 * reference's strength, and get the reference's colours (Macenko et al. 2009). Glass becomes white.
 *
 * @param pixels - RGB, 0..255; left as they are.
 * @returns An image whose stains can't be told is returned unchanged, with the reason.
 */
export function normaliseStains(pixels: Uint8Array, reference: Stains): NormalisedImage {
  const estimate = estimateStains(pixels);
  if (estimate.found === false) return { pixels, changed: false, reason: estimate.reason };
  const { stains, light } = estimate;
  const [reds, greens, blues] = densityTables(light);
  const unmix = deconvolver(stains);
  const { haematoxylin, eosin } = reference;
  const scaleH = reference.strongest[0] / stains.strongest[0];
  const scaleE = reference.strongest[1] / stains.strongest[1];
  const normalised = new Uint8Array(pixels.length);
  for (let offset = 0; offset < pixels.length; offset += 3) {
    const [h, e] = unmix([reds[pixels[offset]!]!, greens[pixels[offset + 1]!]!, blues[pixels[offset + 2]!]!]);
    for (let channel = 0; channel < 3; channel++) {
      const density = h * scaleH * haematoxylin[channel]! + e * scaleE * eosin[channel]!;
      normalised[offset + channel] = Math.round(lightOf(density));
    }
  }
  return { pixels: normalised, changed: true, reason: null };
}
