import { median } from "../../runtime/percentile";

/** Edge in pixels of the square that a likeness is computed from. */
export const likenessSize = 64;

const gridSize = 32;
const frequencies = 8;
/**
 * Grey levels of standard deviation below which there is nothing to recognise an image by: a blank tile's likeness
 * would be that of its noise. The plainest of 4,520 images of BreaKHis and IDC has 5.1.
 */
const plainestContrast = 2;

/** cosines[u][x]: the cosine of frequency u at x, as the discrete cosine transform (type II) has it. */
const cosines = Array.from({ length: frequencies }, (_, u) =>
  Float64Array.from({ length: gridSize }, (_value, x) =>
    Math.cos((Math.PI * (2 * x + 1) * u) / (2 * gridSize)),
  ),
);

/** Brightness (ITU-R BT.601) of a picture shrunk to a grid by taking means; null if it is all but plain. */
function toGrid(pixels: Uint8Array): Float64Array | null {
  const cell = likenessSize / gridSize;
  const grid = new Float64Array(gridSize * gridSize);
  let sum = 0;
  let squares = 0;
  for (let y = 0; y < likenessSize; y++) {
    for (let x = 0; x < likenessSize; x++) {
      const offset = 3 * (y * likenessSize + x);
      const grey = 0.299 * pixels[offset]! + 0.587 * pixels[offset + 1]! + 0.114 * pixels[offset + 2]!;
      sum += grey;
      squares += grey * grey;
      grid[Math.floor(y / cell) * gridSize + Math.floor(x / cell)]! += grey / cell ** 2;
    }
  }
  const mean = sum / likenessSize ** 2;
  const variance = squares / likenessSize ** 2 - mean ** 2;
  return variance < plainestContrast ** 2 ? null : grid;
}

/** The grid's lowest frequencies, without the mean: 63 numbers. */
function lowFrequencies(grid: Float64Array): number[] {
  const rows = new Float64Array(gridSize * frequencies);
  for (let y = 0; y < gridSize; y++) {
    for (let u = 0; u < frequencies; u++) {
      let sum = 0;
      for (let x = 0; x < gridSize; x++) sum += grid[y * gridSize + x]! * cosines[u]![x]!;
      rows[y * frequencies + u] = sum;
    }
  }
  const coefficients: number[] = [];
  for (let v = 0; v < frequencies; v++) {
    for (let u = 0; u < frequencies; u++) {
      if (u === 0 && v === 0) continue;
      let sum = 0;
      for (let y = 0; y < gridSize; y++) sum += rows[y * frequencies + u]! * cosines[v]![y]!;
      coefficients.push(sum);
    }
  }
  return coefficients;
}

/**
 * What an image looks like, in 63 bits: which of its low frequencies are stronger than their median ("pHash",
 * C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010).
 *
 * Compressing, resizing, blurring or brightening an image changes few bits; another image differs in about half.
 *
 * @param pixels - RGB, 0..255, shape [64, 64, 3].
 * @returns 16 hexadecimal digits, or null for an image too plain to be recognised.
 */
export function perceptualHash(pixels: Uint8Array): string | null {
  const grid = toGrid(pixels);
  if (grid === null) return null;
  const coefficients = lowFrequencies(grid);
  const middle = median([...coefficients]);
  let bits = 0n;
  for (const coefficient of coefficients) bits = (bits << 1n) | (coefficient > middle ? 1n : 0n);
  return bits.toString(16).padStart(16, "0");
}

/** Mean red, green and blue, each 0..255 to two decimals, of pixels of shape [count, 3]. */
export function meanColour(pixels: Uint8Array): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  for (let offset = 0; offset < pixels.length; offset += 3) {
    sums[0] += pixels[offset]!;
    sums[1] += pixels[offset + 1]!;
    sums[2] += pixels[offset + 2]!;
  }
  const count = pixels.length / 3;
  const round = (sum: number) => Math.round((sum / count) * 100) / 100;
  return [round(sums[0]), round(sums[1]), round(sums[2])];
}
