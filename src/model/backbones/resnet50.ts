import { createRandom } from "../../runtime/random";
import { tf } from "../../runtime/tensorflow";
import { checkInputSize, type LayerSummary, type NetworkOrigin, type OpenBackbone } from "./architecture";
import {
  type Convolution,
  convolve,
  countParameters,
  loadConvolution,
  loadWhole,
  randomiseConvolution,
  refuseLeftovers,
} from "./convolutions";
import { backboneOf, type NetworkKind } from "./network-backbone";
import { imageNode, type NetworkGraph, startGraph } from "./network-graph";
import {
  type Bottleneck,
  convolutionsOfStage,
  meanColour,
  padSides,
  type Resnet50Network,
  resnet50Stages,
} from "./resnet50-stages";
import type { WeightsFile } from "./weight-tensors";

/** Width of ResNet50's features: the channels of its last stage. */
export const resnet50FeatureWidth = 2048;

const batchNormEpsilon = 1.001e-5;
/** A block widens its result to this many times its own channels. */
const expansion = 4;

interface StageShape {
  name: string;
  channels: number;
  blocks: number;
  stride: number;
}

const stages: readonly StageShape[] = [
  { name: "conv2", channels: 64, blocks: 3, stride: 1 },
  { name: "conv3", channels: 128, blocks: 4, stride: 2 },
  { name: "conv4", channels: 256, blocks: 6, stride: 2 },
  { name: "conv5", channels: 512, blocks: 3, stride: 2 },
];

/**
 * The stem's kernel takes BGR, as Caffe's models did; with its input channels in the other order it takes RGB,
 * and the images needn't be turned round.
 */
function swapRedAndBlue(kernel: Float32Array): Float32Array {
  const outputs = 64;
  const swapped = new Float32Array(kernel.length);
  for (let start = 0; start < kernel.length; start += 3 * outputs) {
    for (let channel = 0; channel < 3; channel++) {
      const from = start + (2 - channel) * outputs;
      swapped.set(kernel.subarray(from, from + outputs), start + channel * outputs);
    }
  }
  return swapped;
}

function loadNamed(
  file: WeightsFile,
  name: string,
  size: number,
  inputs: number,
  outputs: number,
  stride = 1,
) {
  return loadConvolution(file, {
    name: `${name}_conv`,
    batchNorm: `${name}_bn`,
    epsilon: batchNormEpsilon,
    kernelShape: [size, size, inputs, outputs],
    stride,
    hasBias: true,
    ...(name === "conv1" ? { adaptKernel: swapRedAndBlue } : {}),
  });
}

function loadBlock(
  file: WeightsFile,
  name: string,
  inputs: number,
  stage: StageShape,
  isFirst: boolean,
): Bottleneck {
  const { channels } = stage;
  const stride = isFirst ? stage.stride : 1;
  const outputs = channels * expansion;
  return {
    projection: isFirst ? loadNamed(file, `${name}_0`, 1, inputs, outputs, stride) : null,
    reduce: loadNamed(file, `${name}_1`, 1, inputs, channels, stride),
    spatial: loadNamed(file, `${name}_2`, 3, channels, channels),
    widen: loadNamed(file, `${name}_3`, 1, channels, outputs),
  };
}

function loadStage(file: WeightsFile, stage: StageShape, inputs: number): Bottleneck[] {
  return Array.from({ length: stage.blocks }, (_, index) =>
    loadBlock(
      file,
      `${stage.name}_block${index + 1}`,
      index === 0 ? inputs : stage.channels * expansion,
      stage,
      index === 0,
    ),
  );
}

const loadNetwork = (file: WeightsFile): Resnet50Network => ({
  stem: loadNamed(file, "conv1", 7, 3, 64, 2),
  stages: stages.map((stage, index) => {
    const previous = stages[index - 1];
    return loadStage(file, stage, previous === undefined ? 64 : previous.channels * expansion);
  }),
});

function applyBlock(input: tf.Tensor4D, block: Bottleneck): tf.Tensor4D {
  return tf.tidy(() => {
    const shortcut = block.projection === null ? input : convolve(input, block.projection, "valid", "linear");
    const reduced = convolve(input, block.reduce, "valid", "relu");
    const seen = convolve(reduced, block.spatial, "same", "relu");
    const widened = convolve(seen, block.widen, "valid", "linear");
    return tf.relu(tf.add(shortcut, widened)) as tf.Tensor4D;
  });
}

function applyStem(network: Resnet50Network, images: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const centred = tf.sub(tf.cast(images, "float32"), tf.tensor1d(meanColour)) as tf.Tensor4D;
    const stem = convolve(padSides(centred, 3), network.stem, "valid", "relu");
    return tf.maxPool(padSides(stem, 1), 3, 2, "valid");
  });
}

function applyNetwork(network: Resnet50Network, images: tf.Tensor4D): tf.Tensor4D {
  let current = applyStem(network, images);
  for (const block of network.stages.flat()) {
    const next = applyBlock(current, block);
    current.dispose();
    current = next;
  }
  return current;
}

/** The same as `applyNetwork`, step by step, as data. */
function describeNetwork(network: Resnet50Network): NetworkGraph {
  const graph = startGraph();
  const offsets = meanColour.map((mean) => -mean);
  let current = graph.add("preprocessing", [imageNode], { kind: "rescale", scale: 1, offsets });
  current = graph.add("conv1_pad", [current], { kind: "pad", pixels: 3 });
  current = graph.convolve("conv1", current, network.stem, "valid", "relu");
  current = graph.add("pool1_pad", [current], { kind: "pad", pixels: 1 });
  current = graph.add("pool1", [current], { kind: "poolLargest", window: 3, stride: 2 });
  for (const [index, blocks] of network.stages.entries()) {
    for (const [number, { reduce, spatial, widen, projection }] of blocks.entries()) {
      const name = `${stages[index]!.name}_block${number + 1}`;
      const shortcut =
        projection === null
          ? current
          : graph.convolve(`${name}_project`, current, projection, "valid", "linear");
      const reduced = graph.convolve(`${name}_reduce`, current, reduce, "valid", "relu");
      const seen = graph.convolve(`${name}_spatial`, reduced, spatial, "same", "relu");
      const widened = graph.convolve(`${name}_widen`, seen, widen, "valid", "linear");
      current = graph.add(`${name}_out`, [shortcut, widened], { kind: "add", activation: "relu" });
    }
  }
  return graph.nodes;
}

/** A network of its own last stage, at random; everything below is the given one's. */
function randomiseTop(network: Resnet50Network, seed: number): Resnet50Network {
  const random = createRandom(seed).fork("top stage");
  const randomise = (convolution: Convolution) => randomiseConvolution(convolution, random);
  const top = network.stages[network.stages.length - 1]!.map(({ reduce, spatial, widen, projection }) => ({
    projection: projection === null ? null : randomise(projection),
    reduce: randomise(reduce),
    spatial: randomise(spatial),
    widen: randomise(widen),
  }));
  return { stem: network.stem, stages: [...network.stages.slice(0, -1), top] };
}

const convolutionsOf = ({ stem, stages }: Resnet50Network): Convolution[] => [
  stem,
  ...stages.flatMap(convolutionsOfStage),
];

function summarise(network: Resnet50Network, inputSize: number): LayerSummary[] {
  // Every halving rounds up: (size + 2 · padding − window) / 2 + 1 for odd windows, and 1×1 with stride 2.
  const half = (size: number) => Math.ceil(size / 2);
  let size = half(inputSize);
  const rows: LayerSummary[] = [
    {
      name: "conv1",
      kind: "7×7 convolution, stride 2",
      outputShape: [size, size, 64],
      parameters: network.stem.parameters,
    },
  ];
  size = half(size);
  rows.push({
    name: "pool1",
    kind: "3×3 max pooling, stride 2",
    outputShape: [size, size, 64],
    parameters: 0,
  });
  for (const [index, { name, channels, blocks, stride }] of stages.entries()) {
    if (stride === 2) size = half(size);
    rows.push({
      name,
      kind: `${blocks} bottleneck blocks`,
      outputShape: [size, size, channels * expansion],
      parameters: countParameters(convolutionsOfStage(network.stages[index]!)),
    });
  }
  rows.push({
    name: "avg_pool",
    kind: "global average pooling",
    outputShape: [resnet50FeatureWidth],
    parameters: 0,
  });
  return rows;
}

const resnet50: NetworkKind<Resnet50Network> = {
  name: "resnet50",
  featureWidth: resnet50FeatureWidth,
  convolutionsOf,
  apply: applyNetwork,
  describe: describeNetwork,
  summarise,
  stagesOf: resnet50Stages,
  randomiseTop(network, seed) {
    const random = randomiseTop(network, seed);
    return { network: random, made: convolutionsOfStage(random.stages[random.stages.length - 1]!) };
  },
};

/**
 * Builds ResNet50 without its classifier, equal to Keras'
 * `applications.ResNet50(include_top=False, pooling="avg")` after its `preprocess_input`, with every
 * BatchNorm folded into its convolution.
 *
 * Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2016; the stride of a stage
 * is in its first 1×1 convolution, as in the paper.
 *
 * @param file - Keras' weights, with their names, for example "conv2_block1_0_conv/kernel".
 * @throws Error naming the tensor and the file if one is missing or doesn't fit, and if the file holds further convolutions.
 */
export function buildResnet50(file: WeightsFile, origin: NetworkOrigin, inputSize: number): OpenBackbone {
  checkInputSize(inputSize);
  const network = loadWhole(() => {
    const loaded = loadNetwork(file);
    refuseLeftovers(file, convolutionsOf(loaded));
    return loaded;
  });
  return backboneOf(resnet50, network, origin, inputSize);
}
