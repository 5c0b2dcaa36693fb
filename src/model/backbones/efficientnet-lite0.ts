import { createRandom } from "../../runtime/random";
import { tf } from "../../runtime/tensorflow";
import { checkInputSize, type LayerSummary, type NetworkOrigin, type OpenBackbone } from "./architecture";
import {
  type Convolution,
  convolve,
  convolveDepthwise,
  countParameters,
  loadConvolution,
  loadWhole,
  randomiseConvolution,
  refuseLeftovers,
} from "./convolutions";
import {
  convolutionsOfStage,
  type EfficientnetLite0Network,
  efficientnetLite0Stages,
  type InvertedBottleneck,
  pixelOffset,
  pixelScale,
} from "./efficientnet-lite0-stages";
import { backboneOf, type NetworkKind } from "./network-backbone";
import { imageNode, type NetworkGraph, startGraph } from "./network-graph";
import type { WeightsFile } from "./weight-tensors";

/** Width of EfficientNet-Lite0's features: the channels of its last convolution. */
export const efficientnetLite0FeatureWidth = 1280;

const batchNormEpsilon = 1e-3;
const stemChannels = 32;

interface StageShape {
  repeats: number;
  window: number;
  stride: number;
  expansion: number;
  outputs: number;
}

const stages: readonly StageShape[] = [
  { repeats: 1, window: 3, stride: 1, expansion: 1, outputs: 16 },
  { repeats: 2, window: 3, stride: 2, expansion: 6, outputs: 24 },
  { repeats: 2, window: 5, stride: 2, expansion: 6, outputs: 40 },
  { repeats: 3, window: 3, stride: 2, expansion: 6, outputs: 80 },
  { repeats: 3, window: 5, stride: 1, expansion: 6, outputs: 112 },
  { repeats: 4, window: 5, stride: 2, expansion: 6, outputs: 192 },
  { repeats: 1, window: 3, stride: 1, expansion: 6, outputs: 320 },
];

const shared = { epsilon: batchNormEpsilon, hasBias: false };

function loadPointwise(file: WeightsFile, name: string, inputs: number, outputs: number): Convolution {
  const kernelShape: [number, number, number, number] = [1, 1, inputs, outputs];
  return loadConvolution(file, { ...shared, name, batchNorm: name, kernelShape, stride: 1 });
}

function loadBlock(
  file: WeightsFile,
  name: string,
  inputs: number,
  stride: number,
  stage: StageShape,
): InvertedBottleneck {
  const channels = inputs * stage.expansion;
  return {
    expand: stage.expansion === 1 ? null : loadPointwise(file, `${name}/expand`, inputs, channels),
    depthwise: loadConvolution(file, {
      ...shared,
      name: `${name}/depthwise`,
      batchNorm: `${name}/depthwise`,
      kernelShape: [stage.window, stage.window, channels, 1],
      stride,
      depthwise: true,
    }),
    project: loadPointwise(file, `${name}/project`, channels, stage.outputs),
    hasShortcut: stride === 1 && inputs === stage.outputs,
  };
}

function loadNetwork(file: WeightsFile): EfficientnetLite0Network {
  let blockIndex = 0;
  let channels = stemChannels;
  const loadStage = (stage: StageShape): InvertedBottleneck[] =>
    Array.from({ length: stage.repeats }, (_, index) => {
      const stride = index === 0 ? stage.stride : 1;
      const block = loadBlock(file, `block${blockIndex++}`, channels, stride, stage);
      channels = stage.outputs;
      return block;
    });
  return {
    stem: loadConvolution(file, {
      ...shared,
      name: "stem",
      batchNorm: "stem",
      kernelShape: [3, 3, 3, stemChannels],
      stride: 2,
    }),
    stages: stages.map(loadStage),
    head: loadPointwise(file, "head", channels, efficientnetLite0FeatureWidth),
  };
}

function applyBlock(input: tf.Tensor4D, block: InvertedBottleneck): tf.Tensor4D {
  return tf.tidy(() => {
    const wide = block.expand === null ? input : convolve(input, block.expand, "same", "relu6");
    const seen = convolveDepthwise(wide, block.depthwise);
    const narrow = convolve(seen, block.project, "same", "linear");
    return block.hasShortcut ? tf.add(input, narrow) : narrow;
  });
}

function applyNetwork(network: EfficientnetLite0Network, images: tf.Tensor4D): tf.Tensor4D {
  let current = tf.tidy(() => {
    const scaled = tf.div(tf.sub(tf.cast(images, "float32"), pixelOffset), pixelScale) as tf.Tensor4D;
    return convolve(scaled, network.stem, "same", "relu6");
  });
  for (const block of network.stages.flat()) {
    const next = applyBlock(current, block);
    current.dispose();
    current = next;
  }
  const activations = convolve(current, network.head, "same", "relu6");
  current.dispose();
  return activations;
}

/** The same as `applyNetwork`, step by step, as data. */
function describeNetwork(network: EfficientnetLite0Network): NetworkGraph {
  const graph = startGraph();
  // Both are exact in binary, so this is (x − 127) / 128 to the bit.
  const [scale, offsets] = [1 / pixelScale, [-pixelOffset / pixelScale]];
  let current = graph.add("preprocessing", [imageNode], { kind: "rescale", scale, offsets });
  current = graph.convolve("stem", current, network.stem, "same", "relu6");
  for (const [index, { expand, depthwise, project, hasShortcut }] of network.stages.flat().entries()) {
    const name = `block${index + 1}`;
    const wide =
      expand === null ? current : graph.convolve(`${name}_expand`, current, expand, "same", "relu6");
    const seen = graph.convolveDepthwise(`${name}_depthwise`, wide, depthwise);
    const narrow = graph.convolve(`${name}_project`, seen, project, "same", "linear");
    current = hasShortcut
      ? graph.add(`${name}_add`, [current, narrow], { kind: "add", activation: "linear" })
      : narrow;
  }
  graph.convolve("top", current, network.head, "same", "relu6");
  return graph.nodes;
}

const convolutionsOf = ({ stem, stages, head }: EfficientnetLite0Network): Convolution[] => [
  stem,
  ...stages.flatMap(convolutionsOfStage),
  head,
];

function summarise(network: EfficientnetLite0Network, inputSize: number): LayerSummary[] {
  const half = (size: number) => Math.ceil(size / 2);
  const width = efficientnetLite0FeatureWidth;
  let size = half(inputSize);
  const stem = { outputShape: [size, size, stemChannels], parameters: network.stem.parameters };
  const middle = stages.map(({ repeats, window, stride, outputs }, index) => {
    if (stride === 2) size = half(size);
    return {
      name: `stage${index + 1}`,
      kind: `${repeats} inverted bottleneck block${repeats === 1 ? "" : "s"}, ${window}×${window}`,
      outputShape: [size, size, outputs],
      parameters: countParameters(convolutionsOfStage(network.stages[index]!)),
    };
  });
  return [
    { name: "stem", kind: "3×3 convolution, stride 2", ...stem },
    ...middle,
    {
      name: "head",
      kind: "1×1 convolution",
      outputShape: [size, size, width],
      parameters: network.head.parameters,
    },
    { name: "avg_pool", kind: "global average pooling", outputShape: [width], parameters: 0 },
  ];
}

const efficientnetLite0: NetworkKind<EfficientnetLite0Network> = {
  name: "efficientnet-lite0",
  featureWidth: efficientnetLite0FeatureWidth,
  convolutionsOf,
  apply: applyNetwork,
  describe: describeNetwork,
  summarise,
  stagesOf: efficientnetLite0Stages,
  randomiseTop(network, seed) {
    const head = randomiseConvolution(network.head, createRandom(seed).fork("top stage"));
    return { network: { ...network, head }, made: [head] };
  },
};

/**
 * Builds EfficientNet-Lite0 without its classifier, with every BatchNorm folded into its convolution.
 *
 * Source: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019; the
 * Lite variant (Google, 2020) has ReLU6 for swish and no squeeze-and-excite.
 *
 * @param file - Weights with the names that python/convert_efficientnet_lite0.py gives.
 * @throws Error naming the tensor and the file if one is missing or doesn't fit, and if the file holds further convolutions.
 */
export function buildEfficientnetLite0(
  file: WeightsFile,
  origin: NetworkOrigin,
  inputSize: number,
): OpenBackbone {
  checkInputSize(inputSize);
  const network = loadWhole(() => {
    const loaded = loadNetwork(file);
    refuseLeftovers(file, convolutionsOf(loaded));
    return loaded;
  });
  return backboneOf(efficientnetLite0, network, origin, inputSize);
}
