/**
 * A stained tissue section before a microscope looks at it: how much of each dye there is, pixel by pixel.
 *
 * Amounts are in optical density (a base-10 logarithm) at the dye's strongest wavelength, row by row.
 */
export interface Section {
  width: number;
  height: number;
  /** Pixels per reference pixel; drawing is described at 700 pixels a row, whatever the size of the image. */
  scale: number;
  haematoxylin: Float32Array;
  eosin: Float32Array;
}

/** Reference width: all lengths in the drawing are pixels of an image this wide, which is BreaKHis' width. */
export const REFERENCE_WIDTH = 700;

let planes: { haematoxylin: Float32Array; eosin: Float32Array } | null = null;

/**
 * An empty section of the given size in pixels.
 *
 * It shares its memory with the last one of that size, so only one can be in use: making and collecting
 * megabytes for each image takes as long as blurring it.
 */
export function emptySection(width: number, height: number): Section {
  const size = width * height;
  if (planes?.eosin.length !== size) {
    planes = { haematoxylin: new Float32Array(size), eosin: new Float32Array(size) };
  }
  planes.haematoxylin.fill(0);
  planes.eosin.fill(0);
  return { width, height, scale: width / REFERENCE_WIDTH, ...planes };
}

/** Visits the pixels of the square around a place; offsets are in reference pixels. */
export function forEachPixelAround(
  section: Section,
  x: number,
  y: number,
  reach: number,
  visit: (index: number, dx: number, dy: number) => void,
): void {
  const { width, height, scale } = section;
  const left = Math.max(0, Math.floor((x - reach) * scale));
  const right = Math.min(width - 1, Math.ceil((x + reach) * scale));
  const top = Math.max(0, Math.floor((y - reach) * scale));
  const bottom = Math.min(height - 1, Math.ceil((y + reach) * scale));
  for (let py = top; py <= bottom; py++) {
    for (let px = left; px <= right; px++) visit(py * width + px, px / scale - x, py / scale - y);
  }
}
