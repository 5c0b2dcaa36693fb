import { createRandom, type Random } from "../../runtime/random";
import { tf } from "../../runtime/tensorflow";
import { type Head, type HeadLayer, headMembers } from "./head-members";

export type { Head, HeadLayer } from "./head-members";

/** What a new head looks like. */
export interface HeadShape {
  /** Width of the features, at least 1. */
  inputs: number;
  /** Units of the hidden layers, first to last; none gives a logistic regression. */
  hiddenUnits: readonly number[];
  /** At least 2. */
  classCount: number;
  seed: number;
}

// Results of a matrix product depend on its shape in the last bits, so inference always uses this one.
const rowsPerBatch = 256;

/** Glorot and Bengio, AISTATS 2010, equation 16: uniform within ±√(6 / (inputs + units)), as in Keras. */
function glorotUniform(inputs: number, units: number, random: Random): Float32Array {
  const limit = Math.sqrt(6 / (inputs + units));
  const kernel = new Float32Array(inputs * units);
  for (let i = 0; i < kernel.length; i++) kernel[i] = (2 * random.next() - 1) * limit;
  return kernel;
}

/**
 * Builds an untrained head: seeded Glorot-uniform kernels and zero biases, as Keras starts its dense layers.
 *
 * @throws RangeError if a width is not a positive integer or there are fewer than 2 classes.
 */
export function buildHead({ inputs, hiddenUnits, classCount, seed }: HeadShape): Head {
  const widths = [inputs, ...hiddenUnits, classCount];
  for (const width of widths) {
    if (!Number.isSafeInteger(width) || width < 1) {
      throw new RangeError(`The widths of a head are positive integers, found ${widths.join(" → ")}.`);
    }
  }
  if (classCount < 2) throw new RangeError(`A head tells at least 2 classes apart, found ${classCount}.`);
  const random = createRandom(seed).fork("head");
  const layers = widths.slice(1).map((units, i): HeadLayer => {
    const layerInputs = widths[i]!;
    return {
      kernel: glorotUniform(layerInputs, units, random.fork(`layer ${i}`)),
      bias: new Float32Array(units),
      inputs: layerInputs,
      units,
      activation: i === widths.length - 2 ? "softmax" : "relu",
    };
  });
  return { layers };
}

/** Number of features that a head takes. */
export function headInputs(head: Head): number {
  return head.layers[0]!.inputs;
}

/** Number of classes that a head tells apart. */
export function headClassCount(head: Head): number {
  return head.layers[head.layers.length - 1]!.units;
}

/**
 * A head's weights as tensors: kernel and bias of the first layer, of the second, and so on. The caller disposes.
 *
 * @throws RangeError if it is an ensemble: that has no weights of its own, to be trained further, say.
 */
export function headTensors(head: Head): tf.Tensor[] {
  if (head.others !== undefined)
    throw new RangeError(
      "An ensemble can't be trained further: begin with one of its heads, or with a run's.",
    );
  return head.layers.flatMap((layer) => [
    tf.tensor2d(layer.kernel, [layer.inputs, layer.units]),
    tf.tensor1d(layer.bias),
  ]);
}

/**
 * Computes logits, before the softmax. Only tensor operations, so it can be differentiated.
 *
 * @param weights - Kernel and bias of each layer in turn, as `headTensors` gives them.
 * @param batch - Shape [n, inputs].
 * @param masks - What the output of each hidden layer is multiplied with, shape [n, units]; none by default.
 * @returns Shape [n, classCount]; call it inside `tf.tidy`.
 */
export function headLogits(weights: tf.Tensor[], batch: tf.Tensor2D, masks: tf.Tensor[] = []): tf.Tensor2D {
  const layerCount = weights.length / 2;
  let values = batch;
  for (let layer = 0; layer < layerCount; layer++) {
    values = tf.add(tf.matMul(values, weights[2 * layer]! as tf.Tensor2D), weights[2 * layer + 1]!);
    if (layer === layerCount - 1) break;
    values = tf.relu(values);
    const mask = masks[layer];
    if (mask) values = tf.mul(values, mask);
  }
  return values;
}

/**
 * Predicts class probabilities from features.
 *
 * Rows go through in zero-padded batches of one fixed size, so a row's result is the same bit for bit
 * whether it is predicted alone or among a thousand.
 *
 * @param values - Shape [n, width], row by row; n may be 0.
 * @param width - Number of features a row.
 * @returns Shape [n, classCount], row by row; each row sums to 1.
 * @throws RangeError if the width is not the head's or the values don't fill whole rows.
 */
export function predictHead(head: Head, values: Float32Array, width: number): Float32Array {
  if (width !== headInputs(head)) {
    throw new RangeError(
      `This head takes ${headInputs(head)} features an image, found ${width}: they are of another backbone.`,
    );
  }
  if (values.length % width !== 0) {
    throw new RangeError(`${values.length} values don't make whole rows of ${width} features.`);
  }
  const members = headMembers(head).map((member) => predictMember(member, values, width));
  const [first] = members;
  if (members.length === 1) return first!;
  return first!.map((_, i) => members.reduce((sum, member) => sum + member[i]!, 0) / members.length);
}

function predictMember(head: Head, values: Float32Array, width: number): Float32Array {
  const rows = values.length / width;
  const classCount = headClassCount(head);
  const probabilities = new Float32Array(rows * classCount);
  const weights = headTensors(head);
  const padded = new Float32Array(rowsPerBatch * width);
  for (let first = 0; first < rows; first += rowsPerBatch) {
    const count = Math.min(rowsPerBatch, rows - first);
    padded.fill(0).set(values.subarray(first * width, (first + count) * width));
    const predicted = tf.tidy(() => {
      const batch = tf.tensor2d(padded, [rowsPerBatch, width]);
      return tf.softmax(headLogits(weights, batch));
    });
    probabilities.set(predicted.dataSync<"float32">().subarray(0, count * classCount), first * classCount);
    predicted.dispose();
  }
  tf.dispose(weights);
  return probabilities;
}
