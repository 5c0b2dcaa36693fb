import { type DensityVector, whiteLight } from "./optical-density";

/** This share of an image's pixels, the brightest, is taken for glass: enough for a mean, little enough to be found. */
const glassShare = 0.01;
/** Glass is no darker than this in any channel; where nothing is brighter, there is no glass in the picture. */
const darkestGlass = 170;

/** The colour of the light that tissue takes away from. */
export interface Lamp {
  /** Red, green and blue, 0..255. */
  light: DensityVector;
  /** False if the image shows no glass, and the light is only assumed to be white. */
  seen: boolean;
}

const darkest = (pixels: Uint8Array, offset: number): number =>
  Math.min(pixels[offset]!, pixels[offset + 1]!, pixels[offset + 2]!);

/** The value that the brightest pixels reach in every channel. */
function glassLevel(pixels: Uint8Array): number {
  const counts = new Float64Array(256);
  for (let offset = 0; offset < pixels.length; offset += 3) counts[darkest(pixels, offset)]! += 1;
  const wanted = (glassShare * pixels.length) / 3;
  let level = 255;
  for (let brighter = counts[255]!; brighter < wanted && level > 0; brighter += counts[level]!) level--;
  return level;
}

/**
 * Finds the lamp's colour: that of empty glass, which is what the brightest 1 % of the pixels show.
 *
 * Cameras and lamps differ: in BreaKHis glass is anything from (192, 199, 188) to white.
 *
 * @param pixels - RGB, 0..255.
 */
export function estimateLamp(pixels: Uint8Array): Lamp {
  const level = glassLevel(pixels);
  if (pixels.length === 0 || level < darkestGlass) return { light: [...whiteLight], seen: false };
  const sums: DensityVector = [0, 0, 0];
  let count = 0;
  for (let offset = 0; offset < pixels.length; offset += 3) {
    if (darkest(pixels, offset) < level) continue;
    for (let channel = 0; channel < 3; channel++) sums[channel]! += pixels[offset + channel]!;
    count++;
  }
  return { light: [sums[0] / count, sums[1] / count, sums[2] / count], seen: true };
}
