import { createRandom } from "../../runtime/random";
import { rangeRefusal } from "../../runtime/refusal";
import { type Eigenpair, symmetricEigenvectors } from "../../runtime/symmetric-eigenvectors";
import { tf } from "../../runtime/tensorflow";

/** The directions in which rows differ most, and where each row lies along them. */
export interface Projection {
  /** Shape [rows × count], row-major; each column has mean 0. */
  scores: Float32Array;
  count: number;
  /** The part of the total variance that each direction explains, 0 to 1, falling. */
  explained: number[];
}

/** More directions than asked for make the iteration converge in tens of steps instead of hundreds. */
const spareDirections = 8;
const maximumIterations = 300;
/** Relative change of the wanted variances at which the directions count as found; float32 allows no less. */
const tolerance = 1e-7;

/**
 * Computes the first principal components of rows by orthogonal iteration on the centred matrix.
 *
 * A direction's sign is chosen so that its largest score in magnitude is positive, so the same rows always give
 * the same picture.
 *
 * @param values - Shape [rows × width], row-major.
 * @param count - How many components, at most the smaller of rows and width.
 * @throws RangeError if `values` is not made of whole rows of finite numbers, or there are fewer rows or columns than
 *   `count`.
 *
 * @example
 * principalComponents(new Float32Array([0, 0, 1, 2, 2, 4]), 2, 1).explained; // [1]
 */
export function principalComponents(values: Float32Array, width: number, count: number): Projection {
  const rows = values.length / width;
  if (!Number.isInteger(rows)) {
    throw rangeRefusal(`Expected rows of ${width} values, found ${values.length} values in all.`);
  }
  if (count > Math.min(rows, width)) {
    throw rangeRefusal(`${rows} rows of ${width} values have fewer than ${count} principal components.`);
  }
  const gap = values.findIndex((value) => !Number.isFinite(value));
  if (gap >= 0) {
    throw rangeRefusal(
      `Row ${Math.floor(gap / width)} holds ${values[gap]}: were the features interrupted? Compute them again first.`,
    );
  }
  return tf.tidy(() => {
    const matrix = tf.tensor2d(values, [rows, width]);
    const centred = matrix.sub(matrix.mean(0, true)) as tf.Tensor2D;
    const totalVariance = centred.square().sum().dataSync()[0]!;
    const { scores, variances } = iterate(centred, count);
    const explained = variances.map((variance) => (totalVariance > 0 ? variance / totalVariance : 0));
    return { scores: withFixedSigns(scores, count), count, explained };
  });
}

/** Turns a random basis towards the directions of largest variance until their variances settle. */
function iterate(centred: tf.Tensor2D, count: number): { scores: Float32Array; variances: number[] } {
  const [rows, width] = centred.shape;
  const size = Math.min(count + spareDirections, rows, width);
  const random = createRandom(0);
  let basis = orthonormalise(
    Array.from({ length: size }, () => Float64Array.from({ length: width }, () => random.normal())),
  );
  let previous = 0;
  for (let step = 1; ; step += 1) {
    const { next, covariance, along } = turn(centred, basis);
    const axes = symmetricEigenvectors(covariance);
    const wanted = axes.slice(0, count);
    const variance = wanted.reduce((sum, axis) => sum + axis.value, 0);
    if (step === maximumIterations || Math.abs(variance - previous) <= tolerance * variance) {
      return { scores: rotate(along, wanted, size), variances: wanted.map((axis) => axis.value) };
    }
    previous = variance;
    basis = orthonormalise(next);
  }
}

interface Turn {
  /** The basis multiplied by the covariance matrix: closer to the principal directions. */
  next: Float64Array[];
  /** The rows' coordinates along the basis, shape [rows × size]. */
  along: Float32Array;
  /** Shape [size][size]: how those coordinates vary together. */
  covariance: number[][];
}

function turn(centred: tf.Tensor2D, basis: Float64Array[]): Turn {
  const width = centred.shape[1];
  const flat = new Float32Array(basis.length * width);
  basis.forEach((vector, i) => {
    flat.set(vector, i * width);
  });
  const { next, along, covariance } = tf.tidy(() => {
    const coordinates = tf.matMul(centred, tf.tensor2d(flat, [basis.length, width]), false, true);
    return {
      next: tf.matMul(coordinates, centred, true, false).dataSync() as Float32Array,
      along: coordinates.dataSync() as Float32Array,
      covariance: tf.matMul(coordinates, coordinates, true, false).arraySync() as number[][],
    };
  });
  const turned = basis.map((_, i) => Float64Array.from(next.subarray(i * width, (i + 1) * width)));
  return { next: turned, along, covariance };
}

/** Gram-Schmidt, twice for accuracy; a vector that depends on those before it becomes zero. */
function orthonormalise(vectors: Float64Array[]): Float64Array[] {
  const done: Float64Array[] = [];
  for (const vector of vectors) {
    const original = Math.sqrt(dot(vector, vector));
    for (const other of [...done, ...done]) {
      const overlap = dot(vector, other);
      for (let i = 0; i < vector.length; i += 1) vector[i]! -= overlap * other[i]!;
    }
    const length = Math.sqrt(dot(vector, vector));
    const scale = length > 1e-6 * original ? 1 / length : 0;
    done.push(vector.map((value) => value * scale));
  }
  return done;
}

function rotate(along: Float32Array, axes: Eigenpair[], size: number): Float32Array {
  const rows = along.length / size;
  const scores = new Float32Array(rows * axes.length);
  for (let row = 0; row < rows; row += 1) {
    axes.forEach((axis, j) => {
      scores[row * axes.length + j] = dot(axis.vector, along.subarray(row * size, (row + 1) * size));
    });
  }
  return scores;
}

/** Mirrors each column so that its largest value in magnitude is positive. */
function withFixedSigns(scores: Float32Array, count: number): Float32Array {
  for (let column = 0; column < count; column += 1) {
    let largest = 0;
    for (let i = column; i < scores.length; i += count) {
      if (Math.abs(scores[i]!) > Math.abs(largest)) largest = scores[i]!;
    }
    if (largest >= 0) continue;
    for (let i = column; i < scores.length; i += count) scores[i] = -scores[i]!;
  }
  return scores;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i]! * b[i]!;
  return sum;
}
