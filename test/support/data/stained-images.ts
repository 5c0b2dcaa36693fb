import { createRandom } from "../../../src/runtime/random";

export type Dye = [number, number, number];

/** What an image is mixed of: the truth that estimates are compared with. */
export interface Mixture {
  /** Optical density (to base 10) of a unit of each dye; of length 1. */
  haematoxylin: Dye;
  eosin: Dye;
  /** Largest amount of each; 0 leaves a dye out. */
  strength: [haematoxylin: number, eosin: number];
  /** The lamp's red, green and blue. */
  light: Dye;
}

export const unit = (vector: Dye): Dye => {
  const length = Math.hypot(...vector);
  return [vector[0] / length, vector[1] / length, vector[2] / length];
};

/** Two laboratories' stains, unlike each other. */
export const laboratories: [Mixture, Mixture] = [
  {
    haematoxylin: unit([0.65, 0.7, 0.29]),
    eosin: unit([0.07, 0.99, 0.11]),
    strength: [0.9, 0.6],
    light: [255, 255, 255],
  },
  {
    haematoxylin: unit([0.55, 0.76, 0.35]),
    eosin: unit([0.15, 0.85, 0.5]),
    strength: [0.55, 0.4],
    light: [228, 240, 226],
  },
];

/**
 * Mixes an image: a tenth of it glass, the rest tissue with amounts of both dyes at random, a part of it with one
 * dye only, as nuclei and stroma are.
 *
 * @param count - Pixels.
 * @param nuclei - Share of the pixels that hold haematoxylin only, below 0.5.
 * @param seed - The same seed is the same tissue, whatever its stain.
 * @returns Shape [count, 3], RGB.
 */
export function mixImage(mixture: Mixture, count: number, seed: number, nuclei = 0.25): Uint8Array {
  const random = createRandom(seed);
  const pixels = new Uint8Array(count * 3);
  for (let pixel = 0; pixel < count; pixel++) {
    const kind = random.next();
    const amounts = [0.25 + 0.75 * random.next(), 0.25 + 0.75 * random.next()];
    if (kind < 0.1) amounts.fill(0);
    else if (kind < 0.1 + nuclei) amounts[1] = 0;
    else if (kind < 0.6) amounts[0] = 0;
    const [h, e] = [amounts[0]! * mixture.strength[0], amounts[1]! * mixture.strength[1]];
    for (let channel = 0; channel < 3; channel++) {
      const density = h * mixture.haematoxylin[channel]! + e * mixture.eosin[channel]!;
      pixels[3 * pixel + channel] = Math.round(mixture.light[channel]! * 10 ** -density);
    }
  }
  return pixels;
}
