import type { Random } from "../../runtime/random";
import type { NoiseTiles } from "./demo-noise";
import type { Section } from "./demo-section";

type Colour = [number, number, number];

/** How one patient's section was cut, stained and photographed: what makes two patients look unlike each other. */
export interface Laboratory {
  /** Optical density of a unit of each dye in red, green and blue. */
  haematoxylinVector: Colour;
  eosinVector: Colour;
  haematoxylinStrength: number;
  eosinStrength: number;
  /** Empty glass, 0..255. */
  lamp: Colour;
  /** Relative loss of light towards the corners. */
  vignette: number;
  /** Standard deviation of the defocus in reference pixels. */
  blur: number;
  /** Standard deviation of the camera's noise, 0..255. */
  cameraNoise: number;
}

/**
 * Draws a laboratory at random; the ranges cover what BreaKHis shows, from pale blue to saturated red.
 *
 * Stain vectors start from Ruifrok and Johnston (2001), with more blue in eosin's absorption.
 */
export function drawLaboratory(random: Random): Laboratory {
  const between = (low: number, high: number) => low + (high - low) * random.next();
  const tint = between(-1, 1);
  const brightness = between(222, 252);
  return {
    haematoxylinVector: [between(0.58, 0.78), between(0.6, 0.78), between(0.2, 0.42)],
    eosinVector: [between(0.04, 0.24), between(0.85, 1), between(0.22, 0.58)],
    haematoxylinStrength: between(0.72, 1.25),
    eosinStrength: between(0.55, 1.35),
    lamp: [brightness + 3 * tint, brightness + between(-4, 3), brightness - 7 * tint],
    vignette: between(0, 0.12),
    blur: between(0.5, 1.5),
    cameraNoise: between(1, 3.5),
  };
}

/**
 * Photographs a section: Beer–Lambert absorption of both dyes, defocus, vignette and camera noise.
 *
 * The section's dye amounts are used up (blurred in place).
 *
 * @param place - Where to start reading the noise tile; different for each image.
 * @returns Shape [height, width, 3], RGB.
 */
export function photograph(
  section: Section,
  laboratory: Laboratory,
  noise: NoiseTiles,
  place: number,
): Uint8Array {
  const { width, height, haematoxylin, eosin } = section;
  blurInPlace(haematoxylin, width, height, laboratory.blur * section.scale);
  blurInPlace(eosin, width, height, laboratory.blur * section.scale);
  const pixels = new Uint8ClampedArray(width * height * 3);
  const { white } = noise;
  const transmitted = transmissionTable();
  const perUnit = [0, 1, 2].map((channel) => [
    laboratory.haematoxylinVector[channel]! * laboratory.haematoxylinStrength * TABLE_STEPS,
    laboratory.eosinVector[channel]! * laboratory.eosinStrength * TABLE_STEPS,
  ]);
  const [red, green, blue] = perUnit as [Colour, Colour, Colour];
  const [lampRed, lampGreen, lampBlue] = laboratory.lamp;
  const last = transmitted.length - 1;
  for (let y = 0, i = 0, out = 0; y < height; y++) {
    const vertical = (y / height - 0.5) ** 2;
    for (let x = 0; x < width; x++, i++, out += 3) {
      const light = 1 - laboratory.vignette * 2 * (vertical + (x / width - 0.5) ** 2);
      const h = haematoxylin[i]!;
      const e = eosin[i]!;
      const speckle = (i * 3 + place) % (white.length - 3);
      const camera = laboratory.cameraNoise;
      const r = transmitted[Math.min(last, (h * red[0] + e * red[1]) | 0)]!;
      const g = transmitted[Math.min(last, (h * green[0] + e * green[1]) | 0)]!;
      const b = transmitted[Math.min(last, (h * blue[0] + e * blue[1]) | 0)]!;
      pixels[out] = lampRed * light * r + camera * white[speckle]!;
      pixels[out + 1] = lampGreen * light * g + camera * white[speckle + 1]!;
      pixels[out + 2] = lampBlue * light * b + camera * white[speckle + 2]!;
    }
  }
  return new Uint8Array(pixels.buffer);
}

/** Entries of the table per unit of optical density. */
const TABLE_STEPS = 1024;

let table: Float32Array | null = null;

/** 10^-density for densities up to 4, because a table is several times faster than `Math.pow`. */
function transmissionTable(): Float32Array {
  table ??= Float32Array.from({ length: 4 * TABLE_STEPS }, (_, i) => 10 ** (-i / TABLE_STEPS));
  return table;
}

/** Kept between images: big arrays made anew for each cost more in collecting them than the blur itself. */
let scratch = new Float32Array(0);

/** The widest blur that five taps do well; wider ones are several blurs in a row, whose variances add up. */
const WIDEST_BLUR = 1.2;

/** Gaussian blur of a plane, separable, edges repeated. */
function blurInPlace(plane: Float32Array, width: number, height: number, sigma: number): void {
  const passes = Math.ceil((sigma / WIDEST_BLUR) ** 2);
  const variance = sigma ** 2 / passes;
  const [near, far] = [Math.exp(-1 / (2 * variance)), Math.exp(-4 / (2 * variance))];
  const total = 1 + 2 * near + 2 * far;
  const taps: Taps = [1 / total, near / total, far / total];
  if (scratch.length !== plane.length) scratch = new Float32Array(plane.length);
  for (let pass = 0; pass < passes; pass++) {
    blurRows(plane, scratch, taps, width);
    blurColumns(scratch, plane, taps, width, height);
  }
}

/** Weights of a pixel itself, its neighbours and theirs. */
type Taps = [number, number, number];

function blurRows(from: Float32Array, to: Float32Array, [centre, near, far]: Taps, width: number): void {
  for (let start = 0; start < from.length; start += width) {
    const last = start + width - 1;
    let [before, left, here] = [from[start]!, from[start]!, from[start]!];
    let right = from[Math.min(last, start + 1)]!;
    for (let i = start; i <= last; i++) {
      const after = from[i + 2 < last ? i + 2 : last]!;
      to[i] = centre * here + near * (left + right) + far * (before + after);
      before = left;
      left = here;
      here = right;
      right = after;
    }
  }
}

function blurColumns(
  from: Float32Array,
  to: Float32Array,
  [centre, near, far]: Taps,
  width: number,
  height: number,
): void {
  for (let y = 0; y < height; y++) {
    const rowAt = (row: number) => Math.min(height - 1, Math.max(0, row)) * width;
    const [before, above, here, below, after] = [
      rowAt(y - 2),
      rowAt(y - 1),
      rowAt(y),
      rowAt(y + 1),
      rowAt(y + 2),
    ];
    for (let x = 0; x < width; x++) {
      to[here + x] =
        centre * from[here + x]! +
        near * (from[above + x]! + from[below + x]!) +
        far * (from[before + x]! + from[after + x]!);
    }
  }
}
