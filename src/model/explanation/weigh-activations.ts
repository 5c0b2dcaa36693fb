import { largest } from "../../runtime/many";
import type { Head } from "../classifier/head";
import { headGradient } from "./logit-gradient";

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

/** What the last stage of a network makes of one image. */
export interface Activations {
  /** Shape [rows, columns, channels]. */
  values: Float32Array;
  rows: number;
  columns: number;
  channels: number;
}

function softmax(logits: Float64Array): number[] {
  const highest = largest(logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
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
export interface SeenImage extends Activations {
  /** Shape [channels]: the means over the cells. */
  features: Float64Array;
  /** Shape [classCount]. */
  probabilities: number[];
}

/**
 * Sends the activations of one image's last stage through the head.
 *
 * @throws RangeError if the head is not one for these activations.
 */
export function seeActivations(activations: Activations, head: Head): SeenImage {
  const features = poolCells(activations.values, activations.channels);
  return { ...activations, features, probabilities: softmax(headGradient(head, features, 0).logits) };
}

/** Grad-CAM of a class before ReLU, shape [rows, columns]; see `weighActivations`. */
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
 * Computes Grad-CAM on the network's own grid, from the activations of one image's last stage.
 *
 * Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017:
 * the last stage's activations, each channel weighted with the mean gradient of the class's logit, then ReLU. Behind
 * the activations lie only global average pooling and the head, so that the gradient is the same in every cell:
 * the head's, divided by the number of cells.
 *
 * @param chooseClass - Index of the class to explain, from the image's probabilities.
 * @throws RangeError if there is no such class, or the head is not one for these activations.
 */
export function weighActivations(
  activations: Activations,
  head: Head,
  chooseClass: (probabilities: number[]) => number,
): ActivationMap {
  const seen = seeActivations(activations, head);
  const { rows, columns, probabilities } = seen;
  const classIndex = chooseClass(probabilities);
  const signed = explainSeen(head, seen, classIndex);
  return { values: positivePart(signed), signed, rows, columns, classIndex, probabilities };
}

/** Scales a map so that its largest value is 1; one that is 0 everywhere stays as it is. */
export function scaleToOne(values: Float32Array): Float32Array {
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  return largest > 0 ? values.map((value) => value / largest) : values;
}
