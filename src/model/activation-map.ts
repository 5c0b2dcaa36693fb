import { tf } from "../runtime/tensorflow";
import type { Backbone } from "./architecture";
import type { Head } from "./head";
import { headGradient } from "./head-gradient";

/** What each cell of the network's own coarse grid says about a class. */
export interface ActivationMap {
  /** Shape [rows, columns]: Grad-CAM, at least 0. */
  values: Float32Array;
  /** The same before ReLU: what is below 0 speaks against the class. */
  signed: Float32Array;
  rows: number;
  columns: number;
  classIndex: number;
  /** Shape [classCount]: probabilities of all classes for this image. */
  probabilities: number[];
}

function softmax(logits: Float64Array): number[] {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** Activations of one image's last stage, shape [rows, columns, channels]. */
function activateOne(backbone: Backbone, pixels: Uint8Array) {
  const { inputSize } = backbone;
  const activations = tf.tidy(() =>
    backbone.activate(tf.tensor4d(Int32Array.from(pixels), [1, inputSize, inputSize, 3], "int32")),
  );
  const [, rows, columns, channels] = activations.shape;
  const values = activations.dataSync<"float32">();
  activations.dispose();
  return { values, rows, columns, channels };
}

/** Means over the cells, in double precision. */
function poolCells(values: Float32Array, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) sums[i % channels]! += values[i]!;
  return sums.map((sum) => (sum * channels) / values.length);
}

/** Weights each channel and adds them up, cell by cell. */
function weighChannels(values: Float32Array, weights: Float64Array): Float32Array {
  const channels = weights.length;
  return Float32Array.from({ length: values.length / channels }, (_, cell) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      sum += weights[channel]! * values[cell * channels + channel]!;
    }
    return sum;
  });
}

/** One image, seen by the network but not explained yet. */
export interface SeenImage extends ReturnType<typeof activateOne> {
  /** Shape [channels]: the means over the cells. */
  features: Float64Array;
  /** Shape [classCount]. */
  probabilities: number[];
}

/**
 * Sends one image through backbone and head.
 *
 * @param pixels - RGB, 0..255, shape [inputSize, inputSize, 3], prepared as in training.
 * @throws RangeError if the head is not one for this backbone.
 */
export function seeImage(backbone: Backbone, head: Head, pixels: Uint8Array): SeenImage {
  const activations = activateOne(backbone, pixels);
  const features = poolCells(activations.values, activations.channels);
  return { ...activations, features, probabilities: softmax(headGradient(head, features, 0).logits) };
}

/** Grad-CAM of a class before ReLU, shape [rows, columns]; see `activationMap`. */
export function explainSeen(
  head: Head,
  { values, features, rows, columns }: SeenImage,
  classIndex: number,
): Float32Array {
  const { gradient } = headGradient(head, features, classIndex);
  const cells = rows * columns;
  return weighChannels(
    values,
    gradient.map((value) => value / cells),
  );
}

/** What speaks for a class: what is above 0. */
export const positivePart = (signed: Float32Array): Float32Array => signed.map((value) => Math.max(0, value));

/**
 * Computes Grad-CAM of one image on the network's own grid.
 *
 * Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017:
 * the last stage's activations, each channel weighted with the mean gradient of the class's logit, then ReLU. Behind
 * the activations lie only global average pooling and the head, so that the gradient is the same in every cell:
 * the head's, divided by the number of cells.
 *
 * @param pixels - RGB, 0..255, shape [inputSize, inputSize, 3], prepared as in training.
 * @param chooseClass - Index of the class to explain, from the image's probabilities.
 * @throws RangeError if there is no such class, or the head is not one for this backbone.
 */
export function activationMap(
  backbone: Backbone,
  head: Head,
  pixels: Uint8Array,
  chooseClass: (probabilities: number[]) => number,
): ActivationMap {
  const seen = seeImage(backbone, head, pixels);
  const { rows, columns, probabilities } = seen;
  const classIndex = chooseClass(probabilities);
  const signed = explainSeen(head, seen, classIndex);
  return { values: positivePart(signed), signed, rows, columns, classIndex, probabilities };
}
