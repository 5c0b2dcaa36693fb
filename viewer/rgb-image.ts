/** An upright image: RGB, 0..255, shape [height, width, 3]. */
export interface RgbImage {
  pixels: Uint8Array;
  width: number;
  height: number;
}
