import type { Random } from "../../runtime/random";
import { rangeRefusal } from "../../runtime/refusal";
import { densityTables, dot, lightOf, ruifrokVectors, unitCrossProduct, whiteLight } from "./optical-density";

/**
 * How much augmentation changes stains: amounts are multiplied with 1 ± strength, and strength / ln(10) of density
 * is added or taken away. This is Tellez's "strong" variant; 0.05 is his "light" one.
 */
export const strongJitter = 0.2;

/** The paper leaves the density's base open; taken as natural, offsets are the gentler ones. Here it is 10. */
const perNaturalUnit = Math.LOG10E;

const { haematoxylin, eosin } = ruifrokVectors;
/** What neither dye explains. */
const residual = unitCrossProduct(haematoxylin, eosin);
const channels = [haematoxylin, eosin, residual] as const;

/** Rows that give the amounts of haematoxylin, eosin and the rest in a density: the inverse of the three. */
const unmixing = channels.map((own, index) => {
  const [next, last] = [channels[(index + 1) % 3]!, channels[(index + 2) % 3]!];
  const across = unitCrossProduct(next, last);
  const share = dot(own, across);
  return across.map((value) => value / share) as [number, number, number];
});

/**
 * Changes how strongly an image is stained, at random: what another laboratory, or another day, might have made of
 * the same tissue.
 *
 * Tellez et al., "Whole-slide mitosis detection in H&E breast histology using PHH3 as a reference to train
 * distilled stain-invariant convolutional networks", IEEE TMI 37(9), 2018: each of the haematoxylin, eosin and
 * residual channels c becomes α·c + β, α uniform in 1 ± strength, β uniform in ± strength.
 *
 * @param pixels - RGB, 0..255; left as they are.
 * @param strength - At least 0, below 1; 0 changes nothing.
 * @throws RangeError if the strength is out of range.
 */
export function jitterStains(pixels: Uint8Array, random: Random, strength: number): Uint8Array {
  if (!(strength >= 0 && strength < 1)) {
    throw rangeRefusal(`The strength of stain augmentation lies in [0, 1), found ${strength}.`);
  }
  const changes = channels.map(() => ({
    factor: 1 + strength * (2 * random.next() - 1),
    offset: strength * perNaturalUnit * (2 * random.next() - 1),
  }));
  // Unmixing, the change of each channel and mixing again are all linear: one matrix and one offset do them.
  const mixed = (output: number, input: number) =>
    channels.reduce((sum, vector, k) => sum + vector[output]! * changes[k]!.factor * unmixing[k]![input]!, 0);
  const matrix = [0, 1, 2].map((output) => [mixed(output, 0), mixed(output, 1), mixed(output, 2)] as const);
  const offsets = [0, 1, 2].map((output) =>
    channels.reduce((sum, vector, k) => sum + vector[output]! * changes[k]!.offset, 0),
  );
  const [reds, greens, blues] = densityTables(whiteLight);
  const jittered = new Uint8Array(pixels.length);
  for (let offset = 0; offset < pixels.length; offset += 3) {
    const red = reds[pixels[offset]!]!;
    const green = greens[pixels[offset + 1]!]!;
    const blue = blues[pixels[offset + 2]!]!;
    for (let channel = 0; channel < 3; channel++) {
      const row = matrix[channel]!;
      const density = row[0] * red + row[1] * green + row[2] * blue + offsets[channel]!;
      jittered[offset + channel] = Math.round(lightOf(density));
    }
  }
  return jittered;
}
