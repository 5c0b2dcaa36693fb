import { rangeRefusal } from "../../runtime/refusal";

/** Optical densities in red, green and blue. */
export type DensityVector = [red: number, green: number, blue: number];

/** The value that stands for all light. */
const fullLight = 255;
/** All light in every channel: what an image is compared with if its lamp is not to be found out. */
export const whiteLight: Readonly<DensityVector> = [fullLight, fullLight, fullLight];

/**
 * Tabulates optical densities of 8-bit values: log10(light / value) for red, green and blue; black counts as 1.
 *
 * By Beer and Lambert's law densities add up where dyes lie on each other, and grow with their amounts.
 *
 * @param light - The lamp's red, green and blue, 0..255: what has the density 0.
 * @returns Three tables of 256; values brighter than the lamp have densities below 0.
 */
export function densityTables(light: Readonly<DensityVector>): [Float64Array, Float64Array, Float64Array] {
  const table = (lamp: number) =>
    Float64Array.from({ length: 256 }, (_, value) => Math.log10(lamp / Math.max(1, value)));
  return [table(light[0]), table(light[1]), table(light[2])];
}

/** The 8-bit value of an optical density under full light, unrounded: 255 at 0 and below. */
export const lightOf = (density: number): number => fullLight * 10 ** -Math.max(0, density);

export const dot = (a: Readonly<DensityVector>, b: Readonly<DensityVector>): number =>
  a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** The same direction, of length 1. */
export function unitVector(vector: Readonly<DensityVector>): DensityVector {
  const length = Math.sqrt(dot(vector, vector));
  return [vector[0] / length, vector[1] / length, vector[2] / length];
}

/** What is at right angles to both, of length 1. */
export function unitCrossProduct(a: Readonly<DensityVector>, b: Readonly<DensityVector>): DensityVector {
  return unitVector([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]);
}

/** The angle between two vectors in degrees, 0 to 180. */
export function angleBetween(a: Readonly<DensityVector>, b: Readonly<DensityVector>): number {
  const cosine = dot(unitVector(a), unitVector(b));
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
}

/** Directions in which haematoxylin and eosin absorb, each of length 1. */
export interface StainVectors {
  haematoxylin: DensityVector;
  eosin: DensityVector;
}

/**
 * Haematoxylin and eosin as Ruifrok and Johnston measured them.
 *
 * "Quantification of histochemical staining by color deconvolution", Anal. Quant. Cytol. Histol. 23(4), 2001.
 */
export const ruifrokVectors: Readonly<StainVectors> = {
  haematoxylin: unitVector([0.65, 0.7, 0.29]),
  eosin: unitVector([0.07, 0.99, 0.11]),
};

/**
 * Finds how much of each dye explains a density, by least squares (a pseudo-inverse, made once).
 *
 * @throws RangeError if the two dyes have the same direction.
 */
export function deconvolver({
  haematoxylin,
  eosin,
}: StainVectors): (density: Readonly<DensityVector>) => [haematoxylin: number, eosin: number] {
  const [hh, he, ee] = [dot(haematoxylin, haematoxylin), dot(haematoxylin, eosin), dot(eosin, eosin)];
  const determinant = hh * ee - he * he;
  if (!(determinant > 1e-9 * hh * ee)) {
    throw rangeRefusal("Two dyes that absorb the same colours can't be told apart.");
  }
  return (density) => {
    const [h, e] = [dot(density, haematoxylin), dot(density, eosin)];
    return [(ee * h - he * e) / determinant, (hh * e - he * h) / determinant];
  };
}
