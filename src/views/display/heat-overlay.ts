import sharp from "sharp";
import { enlargeBilinearly } from "../../data/images/bilinear";
import { decodePicture } from "../../data/images/images";
import type { GradCam } from "../../model/explanation/grad-cam";
import { blendHeat, usualOpacity } from "./heat-blend";

export { heatLegend } from "./heat-blend";

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
  const jpeg = await sharp(blendHeat(picture.pixels, heat, opacity), { raw })
    .jpeg({ quality: 85 })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
}
