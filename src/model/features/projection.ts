import { spreadEvenly } from "../../runtime/many";
import { createRandom } from "../../runtime/random";
import { rangeRefusal } from "../../runtime/refusal";
import { type Eigenpair, symmetricEigenvectors } from "../../runtime/symmetric-eigenvectors";
import { tf } from "../../runtime/tensorflow";
import { areInMemory, countValues, type FeatureValues, gatherRows, storedRows } from "./feature-rows";

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
/** Of more rows, so many show the directions, evenly over all: more of them would turn these by less than is seen. */
const mostFitted = 20_000;
/** Rows that are projected at a time. */
const rowsAtOnce = 4096;

/**
 * Computes the first principal components of rows by orthogonal iteration on the centred matrix.
 *
 * A direction's sign is chosen so that its largest score in magnitude is positive, so the same rows always give
 * the same picture. Of more than 20,000 rows, so many are looked at for the directions, evenly over all, and for what
 * these explain.
 *
 * @param values - Shape [rows × width], row-major.
 * @param count - How many components, at most the smaller of rows and width.
 * @throws RangeError if `values` is not made of whole rows of finite numbers, or there are fewer rows or columns than
 *   `count`.
 *
 * @example
 * principalComponents(new Float32Array([0, 0, 1, 2, 2, 4]), 2, 1).explained; // [1]
 */
export function principalComponents(values: FeatureValues, width: number, count: number): Projection {
  const found = countValues(values);
  const rows = found / width;
  if (!Number.isInteger(rows)) {
    throw rangeRefusal(`Expected rows of ${width} values, found ${found} values in all.`);
  }
  if (count > Math.min(rows, width)) {
    throw rangeRefusal(`${rows} rows of ${width} values have fewer than ${count} principal components.`);
  }
  requireFinite(values, width);
  const all = Array.from({ length: rows }, (_, row) => row);
  const fitted = spreadEvenly(all, mostFitted);
  return tf.tidy(() => {
    const matrix = tf.tensor2d(
      areInMemory(values) && fitted.length === rows ? values : gatherRows(values, width, fitted),
      [fitted.length, width],
    );
    const mean = matrix.mean(0, true);
    const centred = matrix.sub(mean) as tf.Tensor2D;
    const totalVariance = centred.square().sum().dataSync()[0]!;
    const { scores, variances, directions } = iterate(centred, count);
    const explained = variances.map((variance) => (totalVariance > 0 ? variance / totalVariance : 0));
    const ofAll = fitted.length === rows ? scores : project(storedRows(values, width), mean, directions);
    return { scores: withFixedSigns(ofAll, count), count, explained };
  });
}

function requireFinite(values: FeatureValues, width: number): void {
  const source = storedRows(values, width);
  const looked = new Float32Array(width);
  for (let row = 0; row < source.count; row++) {
    source.read(row, looked, 0);
    const gap = looked.findIndex((value) => !Number.isFinite(value));
    if (gap < 0) continue;
    throw rangeRefusal(
      `Row ${row} holds ${looked[gap]}: were the features interrupted? Compute them again first.`,
    );
  }
}

/** Coordinates of all rows along directions, block by block; shape [rows × directions]. */
function project(
  source: ReturnType<typeof storedRows>,
  mean: tf.Tensor,
  directions: readonly Float64Array[],
): Float32Array {
  const { count, width } = source;
  const along = tf.tensor2d(flatten(directions, width), [directions.length, width]);
  const scores = new Float32Array(count * directions.length);
  for (let first = 0; first < count; first += rowsAtOnce) {
    const rows = Array.from({ length: Math.min(rowsAtOnce, count - first) }, (_, i) => first + i);
    const ofBlock = tf.tidy(() => {
      const block = tf.tensor2d(gatherRows(source, width, rows), [rows.length, width]);
      return tf.matMul(block.sub(mean) as tf.Tensor2D, along, false, true).dataSync<"float32">();
    });
    scores.set(ofBlock, first * directions.length);
  }
  return scores;
}

function flatten(vectors: readonly Float64Array[], width: number): Float32Array {
  const flat = new Float32Array(vectors.length * width);
  vectors.forEach((vector, i) => {
    flat.set(vector, i * width);
  });
  return flat;
}

/** Turns a random basis towards the directions of largest variance until their variances settle. */
function iterate(
  centred: tf.Tensor2D,
  count: number,
): { scores: Float32Array; variances: number[]; directions: Float64Array[] } {
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
      const directions = wanted.map(({ vector }) => combine(basis, vector));
      return { scores: rotate(along, wanted, size), variances: wanted.map((axis) => axis.value), directions };
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
  const flat = flatten(basis, width);
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

/** The sum of vectors, each times its factor. */
function combine(vectors: readonly Float64Array[], factors: ArrayLike<number>): Float64Array {
  return vectors[0]!.map((_, j) => vectors.reduce((sum, vector, i) => sum + factors[i]! * vector[j]!, 0));
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
