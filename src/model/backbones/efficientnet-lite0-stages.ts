import { tf } from "../../runtime/tensorflow";
import type { Convolution } from "./convolutions";
import type { Block, Stage, StagedNetwork } from "./stages";

/** An inverted bottleneck: widen 1×1, look at each channel alone, narrow 1×1. */
export interface InvertedBottleneck {
  expand: Convolution | null;
  depthwise: Convolution;
  project: Convolution;
  /** The input is added to the result where both have the same shape. */
  hasShortcut: boolean;
}

/** EfficientNet-Lite0's convolutions, in their places. */
export interface EfficientnetLite0Network {
  stem: Convolution;
  /** stage1 to stage7. */
  stages: InvertedBottleneck[][];
  head: Convolution;
}

/** Pixels become (x − 127) / 128, as in the release that the weights come from. */
export const pixelOffset = 127;
export const pixelScale = 128;

export const convolutionsOfStage = (blocks: InvertedBottleneck[]): Convolution[] =>
  blocks.flatMap(({ expand, depthwise, project }) => [
    ...(expand === null ? [] : [expand]),
    depthwise,
    project,
  ]);

const invertedBottleneck =
  ({ expand, depthwise, project, hasShortcut }: InvertedBottleneck): Block =>
  (op, input) => {
    const wide = expand === null ? input : op.convolve(input, expand, { pad: "same", activation: "relu6" });
    const seen = op.convolveDepthwise(wide, depthwise);
    const shortcut = hasShortcut ? { plus: input } : {};
    return op.convolve(seen, project, { pad: "same", activation: "linear", ...shortcut });
  };

/** EfficientNet-Lite0 as a row of stages: the stem, stage1 to stage7, and the 1×1 convolution called head. */
export function efficientnetLite0Stages(network: EfficientnetLite0Network): StagedNetwork {
  const single = (name: string, convolution: Convolution, recomputed: boolean): Stage => ({
    name,
    recomputed,
    convolutions: [convolution],
    blocks: [(op, input) => op.convolve(input, convolution, { pad: "same", activation: "relu6" })],
  });
  return {
    last: "stage7",
    prepare: (images) =>
      tf.tidy(() => tf.div(tf.sub(tf.cast(images, "float32"), pixelOffset), pixelScale) as tf.Tensor4D),
    stages: [
      single("stem", network.stem, true),
      ...network.stages.map(
        (blocks, index): Stage => ({
          name: `stage${index + 1}`,
          convolutions: convolutionsOfStage(blocks),
          blocks: blocks.map(invertedBottleneck),
          recomputed: index < 2,
        }),
      ),
      single("head", network.head, false),
    ],
  };
}
