import { tf } from "../../runtime/tensorflow";
import type { Convolution } from "./convolutions";
import type { Block, Stage, StagedNetwork } from "./stages";

/** A bottleneck: 1×1 (with the stride), 3×3, 1×1, added to its input or to a projection of it. */
export interface Bottleneck {
  reduce: Convolution;
  spatial: Convolution;
  widen: Convolution;
  projection: Convolution | null;
}

/** ResNet50's convolutions, in their places. */
export interface Resnet50Network {
  stem: Convolution;
  /** conv2 to conv5. */
  stages: Bottleneck[][];
}

/** ImageNet's mean colour in the 1.0 to 255.0 scale of the Caffe models, red, green, blue. */
export const meanColour: number[] = [123.68, 116.779, 103.939];

/** Zeros on all four sides: Keras pads before it convolves, which differs from SAME when the stride is 2. */
export const padSides = (images: tf.Tensor4D, pixels: number): tf.Tensor4D =>
  tf.pad(images, [
    [0, 0],
    [pixels, pixels],
    [pixels, pixels],
    [0, 0],
  ]);

export const convolutionsOfStage = (blocks: Bottleneck[]): Convolution[] =>
  blocks.flatMap(({ reduce, spatial, widen, projection }) => [
    ...(projection === null ? [] : [projection]),
    reduce,
    spatial,
    widen,
  ]);

const bottleneck =
  ({ reduce, spatial, widen, projection }: Bottleneck): Block =>
  (op, input) => {
    const plus =
      projection === null ? input : op.convolve(input, projection, { pad: "valid", activation: "linear" });
    const reduced = op.convolve(input, reduce, { pad: "valid", activation: "relu" });
    const seen = op.convolve(reduced, spatial, { pad: "same", activation: "relu" });
    return op.convolve(seen, widen, { pad: "valid", activation: "relu", plus });
  };

/** ResNet50 as a row of stages: conv1, the stem with its pooling, then conv2 to conv5. */
export function resnet50Stages(network: Resnet50Network): StagedNetwork {
  const stem: Block = (op, input) => {
    const seen = op.convolve(input, network.stem, { pad: "valid", activation: "relu" });
    return op.poolLargest(op.pad(seen, 1), 3, 2);
  };
  return {
    last: "conv5",
    prepare: (images) =>
      tf.tidy(() => padSides(tf.sub(tf.cast(images, "float32"), tf.tensor1d(meanColour)) as tf.Tensor4D, 3)),
    stages: [
      { name: "conv1", convolutions: [network.stem], blocks: [stem], recomputed: true },
      ...network.stages.map(
        (blocks, index): Stage => ({
          name: `conv${index + 2}`,
          convolutions: convolutionsOfStage(blocks),
          blocks: blocks.map(bottleneck),
          recomputed: index === 0,
        }),
      ),
    ],
  };
}
