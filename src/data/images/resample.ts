/** Weights and sums are whole numbers of 1 / 2²², as Pillow has them. */
const weightBits = 22;
const half = 2 ** (weightBits - 1);
/** A kernel and how far it reaches, in pixels of the coarser grid. */
interface Kernel {
  weigh(distance: number): number;
  support: number;
}

/** Keys' cubic convolution with a = −1/2 (Catmull-Rom). */
function cubicKernel(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

const cubic: Kernel = { weigh: cubicKernel, support: 2 };
const linear: Kernel = { weigh: (distance) => Math.max(0, 1 - Math.abs(distance)), support: 1 };

/** What each place of the new axis is made of: neighbours from `first` on, with weights. */
interface Place {
  first: number;
  weights: Int32Array;
}

/** Centres lie on centres; a longer axis than the new one widens the kernel, so that all of its pixels count. */
function placesOf(from: number, to: number, { weigh, support }: Kernel): Place[] {
  const scale = from / to;
  const widened = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support * widened + 0.5));
    const end = Math.min(from, Math.trunc(centre + support * widened + 0.5));
    const weights = Array.from({ length: end - first }, (_, i) =>
      weigh((i + first - centre + 0.5) * (1 / widened)),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const whole = weights.map((weight) => {
      const exact = (weight / total) * 2 ** weightBits;
      return Math.trunc(exact < 0 ? exact - 0.5 : exact + 0.5);
    });
    return { first, weights: Int32Array.from(whole) };
  });
}

/** Values in three axes, of which the middle one is resized. */
interface Axis {
  values: Uint8Array;
  outer: number;
  length: number;
  inner: number;
}

/** As many values as are apart by `inner`, weighed; of four neighbours, as nearly all are, without a loop. */
function weighNeighbours(values: Uint8Array, start: number, inner: number, weights: Int32Array): number {
  if (weights.length === 4) {
    return (
      half +
      weights[0]! * values[start]! +
      weights[1]! * values[start + inner]! +
      weights[2]! * values[start + 2 * inner]! +
      weights[3]! * values[start + 3 * inner]!
    );
  }
  let sum = half;
  for (let k = 0; k < weights.length; k++) sum += weights[k]! * values[start + k * inner]!;
  return sum;
}

function resizeAxis({ values, outer, length, inner }: Axis, to: number, kernel: Kernel): Uint8Array {
  if (length === to) return values;
  // Clamps to 0..255; what it is given is whole already.
  const resized = new Uint8ClampedArray(outer * to * inner);
  for (const [t, { first, weights }] of placesOf(length, to, kernel).entries()) {
    for (let o = 0; o < outer; o++) {
      const start = (o * length + first) * inner;
      const target = (o * to + t) * inner;
      for (let i = 0; i < inner; i++) {
        resized[target + i] = weighNeighbours(values, start + i, inner, weights) >> weightBits;
      }
    }
  }
  return new Uint8Array(resized.buffer);
}

/**
 * Stretches an image to a square with a cubic kernel, to the bit as Pillow's BICUBIC does (Pillow 13: the axis that is
 * made shorter most goes first, else columns), each axis rounded to 8 bits.
 *
 * TensorFlow's `tf.image.resize` with bicubic and antialias, PyTorch's and OpenCV's cubic lay pixels on each other in
 * the same way, centres on centres.
 *
 * @param values - RGB, 0..255, shape [height, width, 3].
 * @returns Shape [size, size, 3].
 */
export function stretchBicubically(
  values: Uint8Array,
  width: number,
  height: number,
  size: number,
): Uint8Array {
  return stretch(values, width, height, size, cubic);
}

/**
 * The same with a triangle for a kernel, to the bit as Pillow's BILINEAR.
 *
 * @param values - RGB, 0..255, shape [height, width, 3].
 * @returns Shape [size, size, 3].
 */
export function stretchBilinearly(
  values: Uint8Array,
  width: number,
  height: number,
  size: number,
): Uint8Array {
  return stretch(values, width, height, size, linear);
}

function stretch(values: Uint8Array, width: number, height: number, size: number, kernel: Kernel) {
  if (height > size && height > width) {
    const shorter = resizeAxis({ values, outer: 1, length: height, inner: width * 3 }, size, kernel);
    return resizeAxis({ values: shorter, outer: size, length: width, inner: 3 }, size, kernel);
  }
  const wide = resizeAxis({ values, outer: height, length: width, inner: 3 }, size, kernel);
  return resizeAxis({ values: wide, outer: 1, length: height, inner: size * 3 }, size, kernel);
}
