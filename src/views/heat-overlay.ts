import sharp from "sharp";
import { enlargeBilinearly } from "../data/bilinear";
import { decodePicture } from "../data/images";
import type { GradCam } from "../model/grad-cam";
import { viridis, viridisGradient } from "./colour-map";

/** What a heat map's colours mean, for the line below the pictures. */
export const heatLegend = {
  /** CSS background of a bar from the least to the most. */
  gradient: viridisGradient,
  least: "nothing speaks for the class",
  most: "most speaks for the class",
};

/** How strongly heat covers the picture where it is 1. */
const usualOpacity = 0.6;

/** Opaque where there is heat, clear where there is none, so that tissue stays as it is there. */
function blend(pixels: Uint8Array, heat: Float32Array, opacity: number): Buffer {
  const blended = Buffer.alloc(pixels.length);
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

/**
 * Draws a heat map over its image, in the image's own proportions: a JPEG as a data URL for an `<img>`.
 *
 * The colours are viridis, as `heatLegend` explains; beside it, show the image itself (`encodeThumbnail`), since
 * what lies below the heat is changed.
 *
 * @param explanation - Of `gradCam`; its file is read again.
 * @param options - `width`: greatest width in pixels, by default the heat map's; `opacity` in [0, 1], default 0.6.
 * @throws Error with the reason if the image can't be read any more.
 */
export async function encodeHeatOverlay(
  explanation: Pick<GradCam, "file" | "heat" | "height" | "width">,
  options: { width?: number; opacity?: number } = {},
): Promise<string> {
  const { width = explanation.width, opacity = usualOpacity } = options;
  if (!(opacity >= 0 && opacity <= 1)) {
    throw new RangeError(`A heat map's opacity lies in [0, 1], found ${opacity}.`);
  }
  const picture = await decodePicture(explanation.file, width);
  const heat = enlargeBilinearly(
    explanation.heat,
    [explanation.height, explanation.width],
    [picture.height, picture.width],
  );
  const raw = { width: picture.width, height: picture.height, channels: 3 as const };
  const jpeg = await sharp(blend(picture.pixels, heat, opacity), { raw })
    .jpeg({ quality: 85 })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
}
