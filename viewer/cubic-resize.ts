// What sharp (libvips 8.18) does to 8-bit pixels when it shrinks with the cubic kernel, to the bit: rows first, then
// columns, each rounded to 8 bits; weights and positions in fixed point. The kernel is widened, and whole pixels are
// averaged before it.
import { stretchBicubically } from "../src/data/images/resample";

/** Weights and sums are whole numbers of 1 / 4096. */
const weightBits = 12;
const half = 1 << (weightBits - 1);
/** Positions between two pixels are rounded to one of so many. */
const positionSteps = 64;
/** As many pixels are averaged beforehand as leave the kernel at least this much to shrink. */
const gap = 2;

/** Catmull-Rom: Keys' cubic convolution with a = −1/2. */
function cubicKernel(distance: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
  if (x <= 2) return -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2;
  return 0;
}

const toFixedPoint = (weights: readonly number[]) =>
  Int32Array.from(weights, (weight) => Math.trunc(weight * (1 << weightBits)));

const fromFixedPoint = (sum: number) => Math.min(255, Math.max(0, (sum + half) >> weightBits));

/** Which of the prepared sets of weights a position needs. */
const stepOf = (position: number) =>
  ((Math.floor(position * positionSteps * 2) & (positionSteps * 2 - 1)) + 1) >> 1;

/** Rounds halves to even, as C's rint does. */
function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** Values in three axes, of which the middle one is resized. */
interface Axis {
  values: Uint8Array;
  outer: number;
  length: number;
  inner: number;
}

/** Averages whole pixels; the last one is repeated where they don't come out even. */
function averagePixels({ values, outer, length, inner }: Axis, factor: number): Axis {
  const shorter = Math.ceil(length / factor);
  const averaged = new Uint8Array(outer * shorter * inner);
  // Division by multiplication and a shift, which rounds a little otherwise than division does.
  const multiplier = Math.floor(2 ** 32 / (256 * factor));
  for (let o = 0; o < outer; o++) {
    for (let t = 0; t < shorter; t++) {
      for (let i = 0; i < inner; i++) {
        let sum = factor >> 1;
        for (let k = 0; k < factor; k++) {
          const place = Math.min(length - 1, t * factor + k);
          sum += values[(o * length + place) * inner + i]!;
        }
        averaged[(o * shorter + t) * inner + i] = Math.floor((sum * multiplier) / 2 ** 24);
      }
    }
  }
  return { values: averaged, outer, length: shorter, inner };
}

/** The widened kernel at every position between two pixels. */
function shrinkingWeights(shrink: number): Int32Array[] {
  const points = 2 * roundToEven(2 * shrink) + 1;
  return Array.from({ length: positionSteps + 1 }, (_, step) => {
    const centre = step / positionSteps + points / 2 - 1;
    const weights = Array.from({ length: points }, (_, i) => cubicKernel((i - centre) / shrink));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return toFixedPoint(weights.map((weight) => weight / total));
  });
}

function shrinkAxis(axis: Axis, target: number): Uint8Array {
  let current = axis;
  let shrink = axis.length / target;
  let extraPixels = target * shrink - axis.length;
  const whole = Math.max(1, Math.floor(axis.length / target / gap));
  if (whole > 1) {
    current = averagePixels(axis, whole);
    shrink /= whole;
    extraPixels /= whole;
  }
  const { values, outer, length, inner } = current;
  if (shrink === 1) return values;
  const weights = shrinkingWeights(shrink);
  const points = weights[0]!.length;
  const before = Math.ceil(points / 2) - 1;
  const resized = new Uint8Array(outer * target * inner);
  let position = 0.5 * shrink - 0.5 - ((1 + extraPixels) / 2 - 1);
  for (let t = 0; t < target; t++, position += shrink) {
    const mask = weights[stepOf(position)]!;
    const first = Math.trunc(position) - before;
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let k = 0; k < points; k++) {
          const place = Math.min(length - 1, Math.max(0, first + k));
          sum += mask[k]! * values[(o * length + place) * inner + i]!;
        }
        resized[(o * target + t) * inner + i] = fromFixedPoint(sum);
      }
    }
  }
  return resized;
}

/**
 * Stretches an image to a square as `decodeImage` does in Node, to the bit.
 *
 * @param values - RGB, 0..255, shape [height, width, 3].
 * @returns Shape [size, size, 3].
 */
export function stretchToSquare(values: Uint8Array, width: number, height: number, size: number): Uint8Array {
  if (width < size || height < size) return stretchBicubically(values, width, height, size);
  let image = values;
  if (height > size) image = shrinkAxis({ values: image, outer: 1, length: height, inner: width * 3 }, size);
  if (width > size) image = shrinkAxis({ values: image, outer: size, length: width, inner: 3 }, size);
  return image;
}
