import { tf } from "../../runtime/tensorflow";
import { type Backbone, requireOpen } from "../backbones/architecture";
import type { Head } from "../classifier/head";
import {
  type ActivationMap,
  type Activations,
  type SeenImage,
  seeActivations,
  weighActivations,
} from "./weigh-activations";

export { type ActivationMap, explainSeen, positivePart } from "./weigh-activations";

/** Activations of one image's last stage, shape [rows, columns, channels]. */
function activateOne(backbone: Backbone, pixels: Uint8Array): Activations {
  const { inputSize } = backbone;
  const network = requireOpen(backbone, "Grad-CAM");
  const activations = tf.tidy(() =>
    network.activate(tf.tensor4d(Int32Array.from(pixels), [1, inputSize, inputSize, 3], "int32")),
  );
  const [, rows, columns, channels] = activations.shape;
  const values = activations.dataSync<"float32">();
  activations.dispose();
  return { values, rows, columns, channels };
}

/**
 * Sends one image through backbone and head.
 *
 * @param pixels - RGB, 0..255, shape [inputSize, inputSize, 3], prepared as in training.
 * @throws RangeError if the head is not one for this backbone.
 */
export function seeImage(backbone: Backbone, head: Head, pixels: Uint8Array): SeenImage {
  return seeActivations(activateOne(backbone, pixels), head);
}

/**
 * Computes Grad-CAM of one image on the network's own grid (see `weighActivations`).
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
  return weighActivations(activateOne(backbone, pixels), head, chooseClass);
}
