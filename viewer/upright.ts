import type { RgbImage } from "./rgb-image";

/**
 * Turns an image as EXIF says that it is to be turned.
 *
 * @param orientation - 1 to 8; 1 is upright already.
 */
export function turnUpright(image: RgbImage, orientation: number): RgbImage {
  if (orientation === 1) return image;
  const { pixels, width, height } = image;
  const swaps = orientation > 4;
  const [newWidth, newHeight] = swaps ? [height, width] : [width, height];
  const turned = new Uint8Array(pixels.length);
  const [right, bottom] = [width - 1, height - 1];
  /** Where a pixel of the upright image lies in the stored one. */
  const sources: ((x: number, y: number) => [number, number])[] = [
    (x, y) => [x, y],
    (x, y) => [right - x, y],
    (x, y) => [right - x, bottom - y],
    (x, y) => [x, bottom - y],
    (x, y) => [y, x],
    (x, y) => [y, bottom - x],
    (x, y) => [right - y, bottom - x],
    (x, y) => [right - y, x],
  ];
  const source = sources[orientation - 1]!;
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      const [fromX, fromY] = source(x, y);
      const from = 3 * (fromY * width + fromX);
      turned.set(pixels.subarray(from, from + 3), 3 * (y * newWidth + x));
    }
  }
  return { pixels: turned, width: newWidth, height: newHeight };
}
