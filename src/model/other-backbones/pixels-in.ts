import type { BackboneRecipe } from "../backbones/recipe";

/** Of each channel as it goes in: where its colour lies in RGB, and what each of 256 levels becomes. */
interface Channel {
  colour: number;
  levels: Float32Array;
}

/** Levels become (level * scale - mean) / deviation, worked out in double precision and rounded once. */
function channelsOf({ channels, scale, mean, deviation }: BackboneRecipe): Channel[] {
  return [0, 1, 2].map((place) => ({
    colour: channels === "RGB" ? place : 2 - place,
    levels: Float32Array.from(
      { length: 256 },
      (_, level) => (level * scale - mean[place]!) / deviation[place]!,
    ),
  }));
}

/**
 * Makes of pixels what a network takes.
 *
 * @returns What does it: given RGB, 0..255, of at most `count` images, it fills an input of exactly `count`, black where
 * no image is.
 *
 * @example
 * pixelsIn({ ...recipe, layout: "NCHW" }, 1)(pixels); // red values, then green, then blue
 */
export function pixelsIn(recipe: BackboneRecipe, count: number): (pixels: Uint8Array) => Float32Array {
  const channels = channelsOf(recipe);
  const area = recipe.inputSize * recipe.inputSize;
  const planar = recipe.layout === "NCHW";
  const [step, apart] = planar ? [1, area] : [3, 1];
  return (pixels) => {
    const input = new Float32Array(count * area * 3);
    for (let image = 0; image < count; image++) {
      const start = image * area * 3;
      for (const [place, { colour, levels }] of channels.entries()) {
        let target = start + place * apart;
        for (let source = start + colour, i = 0; i < area; i++, source += 3, target += step) {
          input[target] = levels[pixels[source] ?? 0]!;
        }
      }
    }
    return input;
  };
}

/** The shape of so many images as they go in. */
export const inputShape = ({ layout, inputSize }: BackboneRecipe, count: number): number[] =>
  layout === "NCHW" ? [count, 3, inputSize, inputSize] : [count, inputSize, inputSize, 3];
