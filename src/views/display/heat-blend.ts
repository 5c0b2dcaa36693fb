import { viridis, viridisGradient } from "./colour-map";

/** What a heat map's colours mean, for the line below the pictures. */
export const heatLegend: { gradient: string; least: string; most: string } = {
  /** CSS background of a bar from the least to the most. */
  gradient: viridisGradient,
  least: "nothing speaks for the class",
  most: "most speaks for the class",
};

/** How strongly heat covers the picture where it is 1. */
export const usualOpacity = 0.6;

/**
 * Lays heat over a picture: opaque where there is heat, clear where there is none, so that tissue stays as it is there.
 *
 * @param pixels - RGB, 0..255, shape [height, width, 3].
 * @param heat - Shape [height, width], in [0, 1].
 * @returns Shape of the pixels.
 */
export function blendHeat(pixels: Uint8Array, heat: Float32Array, opacity: number): Uint8Array {
  const blended = new Uint8Array(pixels.length);
  for (let pixel = 0; pixel < heat.length; pixel++) {
    const value = heat[pixel]!;
    const colour = viridis(value);
    // The root makes room for the middle of the scale; straight, only the peak would be seen.
    const cover = opacity * Math.sqrt(value);
    for (let channel = 0; channel < 3; channel++) {
      const offset = 3 * pixel + channel;
      blended[offset] = Math.round((1 - cover) * pixels[offset]! + cover * colour[channel]!);
    }
  }
  return blended;
}
