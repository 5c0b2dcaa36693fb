import type { OpenBackbone } from "../../../src/model/backbones/architecture";
import { tf } from "../../../src/runtime/tensorflow";
import { meanColourBackbone } from "./mean-colour-backbone";

/** Stands in for a network that can tell how an image is turned: mean colours of a corner, in units of about 1. */
export function cornerBackbone(inputSize: number): OpenBackbone {
  const [rows, columns] = [Math.floor(inputSize / 2), Math.floor(inputSize / 3)];
  return {
    ...meanColourBackbone(inputSize),
    weights: { name: "none", sha256: "c0", source: "a test" },
    embed: (batch) =>
      tf.tidy(() => {
        const corner = tf.slice(tf.cast(batch, "float32"), [0, 0, 0, 0], [-1, rows, columns, 3]);
        return tf.div(tf.sub(tf.mean(corner, [1, 2]), 128), 64) as tf.Tensor2D;
      }),
    withRandomTop: () => cornerBackbone(inputSize),
  };
}
