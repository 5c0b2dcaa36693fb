import type { OpenBackbone } from "../../../src/model/backbones/architecture";
import { tf } from "../../../src/runtime/tensorflow";

/** Stands in for a network: mean red, green and blue of each image, which is quick, and easy to check. */
export function meanColourBackbone(inputSize: number): OpenBackbone {
  return {
    name: "resnet50",
    weights: { name: "none", sha256: "1234", source: "a test" },
    pretrained: false,
    inputSize,
    featureWidth: 3,
    layers: [],
    parameterCount: 0,
    embed: (batch) => tf.tidy(() => tf.mean(tf.cast(batch, "float32"), [1, 2])),
    activate: (batch) => tf.cast(batch, "float32"),
    describe: () => [],
    withRandomTop: () => meanColourBackbone(inputSize),
    staged: { prepare: (batch) => tf.cast(batch, "float32"), stages: [], last: "" },
    withWeights: () => meanColourBackbone(inputSize),
    dispose() {},
  };
}
