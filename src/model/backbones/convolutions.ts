import type { Random } from "../../runtime/random";
import { tf } from "../../runtime/tensorflow";
import { countOf } from "../../runtime/words";
import { type FoldedConvolution, foldBatchNorm } from "./folding";
import { takeBatchNorm, takeWeight, type WeightsFile } from "./weight-tensors";

/** A convolution with its BatchNorm folded in, on the device. */
export interface Convolution {
  /** As in the file of weights, for example "conv5_block1_1_conv". */
  name: string;
  kernel: tf.Tensor4D;
  bias: tf.Tensor1D;
  stride: number;
  /** As in Keras: weights, bias, and the four vectors of its BatchNorm. */
  parameters: number;
}

type KernelShape = [height: number, width: number, inputs: number, outputs: number];

/** How a network describes one of its convolutions. */
export interface ConvolutionSpec {
  /** Name of the convolution's weights in the file. */
  name: string;
  /** Name of its BatchNorm's weights in the file. */
  batchNorm: string;
  epsilon: number;
  kernelShape: KernelShape;
  stride: number;
  hasBias: boolean;
  /** One kernel a channel: [height, width, channels, 1]. */
  depthwise?: boolean;
  /** Turns the kernel read from the file into the one to compute with. */
  adaptKernel?: (kernel: Float32Array) => Float32Array;
}

/**
 * Takes a convolution and its BatchNorm out of a file of weights and folds them into one.
 *
 * @returns On the device; the caller disposes of kernel and bias.
 * @throws Error naming the tensor and the file if one is missing or doesn't fit.
 */
export function loadConvolution(file: WeightsFile, spec: ConvolutionSpec): Convolution {
  const channels = spec.depthwise === true ? spec.kernelShape[2] : spec.kernelShape[3];
  const kernel = takeWeight(file, `${spec.name}/kernel`, spec.kernelShape);
  const bias = spec.hasBias ? takeWeight(file, `${spec.name}/bias`, [channels]) : null;
  const batchNorm = takeBatchNorm(file, spec.batchNorm, channels, spec.epsilon);
  const folded: FoldedConvolution = foldBatchNorm(kernel, bias, batchNorm);
  return {
    name: spec.name,
    kernel: tf.tensor4d(spec.adaptKernel?.(folded.kernel) ?? folded.kernel, spec.kernelShape),
    bias: tf.tensor1d(folded.bias),
    stride: spec.stride,
    parameters: kernel.length + (bias?.length ?? 0) + 4 * channels,
  };
}

/**
 * Makes sure that a file of weights is of this network and no larger one: ResNet101's holds all that ResNet50 needs.
 *
 * What has no window, a classifier's dense layers and their normalisation for example, may be left over.
 *
 * @param taken - All convolutions of the network.
 * @throws Error naming a convolution of the file that the network has not.
 */
export function refuseLeftovers(file: WeightsFile, taken: readonly Pick<Convolution, "name">[]): void {
  const names = new Set(taken.map(({ name }) => `${name}/kernel`));
  const left = [...file.tensors].filter(([name, { shape }]) => shape.length === 4 && !names.has(name));
  const [first] = left;
  if (first === undefined) return;
  throw new Error(
    `${file.path} holds ${countOf(left.length, "convolution")} that this network has not, the first "${first[0]}" [${first[1].shape.join(", ")}]: they are the weights of another network.`,
  );
}

/** Applies a convolution; the activation, if any, comes after the bias. */
export function convolve(
  input: tf.Tensor4D,
  convolution: Convolution,
  pad: "valid" | "same",
  activation: "linear" | "relu" | "relu6",
): tf.Tensor4D {
  return tf.fused.conv2d({
    x: input,
    filter: convolution.kernel,
    bias: convolution.bias,
    strides: convolution.stride,
    pad,
    activation,
  }) as tf.Tensor4D;
}

/** Applies a depthwise convolution with TensorFlow's SAME padding, then ReLU6. */
export function convolveDepthwise(input: tf.Tensor4D, convolution: Convolution): tf.Tensor4D {
  // Three plain ops: tfjs-node's fused depthwise kernel takes nearly twice as long.
  const output = tf.depthwiseConv2d(input, convolution.kernel, convolution.stride, "same");
  return tf.relu6(tf.add<tf.Tensor4D>(output, convolution.bias));
}

/**
 * Makes a convolution of the same shape with random weights: He-uniform kernel, zero bias.
 *
 * He et al., "Delving Deep into Rectifiers", 2015: uniform within ±√(6 / inputs), which keeps activations' scale.
 *
 * @returns On the device; the caller disposes of kernel and bias.
 */
export function randomiseConvolution(convolution: Convolution, random: Random): Convolution {
  const { kernel, bias } = convolution;
  const [height, width, inputs] = kernel.shape;
  const limit = Math.sqrt(6 / (height * width * inputs));
  const values = new Float32Array(kernel.size);
  for (let i = 0; i < values.length; i++) values[i] = limit * (2 * random.next() - 1);
  return { ...convolution, kernel: tf.tensor4d(values, kernel.shape), bias: tf.zeros(bias.shape) };
}

/** A convolution's weights in place of its own: in the order of `Convolution`'s. */
export interface ConvolutionWeights {
  kernel: Float32Array;
  /** Shape [outputs]. */
  bias: Float32Array;
}

/**
 * Makes a network like another one, some of its convolutions with other weights; the rest are the given one's.
 *
 * @param network - Convolutions in any arrangement of objects and arrays.
 * @param changed - By the convolution's name.
 * @returns The network, and the convolutions that were made for it, on the device; the caller disposes of them.
 * @throws RangeError naming the convolution if weights don't fit, or there is none of that name.
 */
export function replaceConvolutions<Network extends object>(
  network: Network,
  changed: ReadonlyMap<string, ConvolutionWeights>,
): { network: Network; made: Convolution[] } {
  const made: Convolution[] = [];
  const visit = (part: unknown): unknown => {
    if (typeof part !== "object" || part === null) return part;
    if (Array.isArray(part)) return part.map(visit);
    if (!("kernel" in part))
      return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, visit(value)]));
    const convolution = part as Convolution;
    const weights = changed.get(convolution.name);
    if (weights === undefined) return convolution;
    made.push(withWeights(convolution, weights));
    return made[made.length - 1];
  };
  try {
    const replaced = visit(network) as Network;
    const names = new Set(made.map(({ name }) => name));
    const unknown = [...changed.keys()].find((name) => !names.has(name));
    if (unknown !== undefined) throw new RangeError(`There is no convolution "${unknown}" in this network.`);
    return { network: replaced, made };
  } catch (error) {
    disposeConvolutions(made);
    throw error;
  }
}

function withWeights(convolution: Convolution, { kernel, bias }: ConvolutionWeights): Convolution {
  const { name, kernel: before, bias: biasBefore } = convolution;
  if (kernel.length !== before.size || bias.length !== biasBefore.size) {
    throw new RangeError(
      `"${name}" has ${before.size} weights and ${biasBefore.size} biases, found ${kernel.length} and ${bias.length}.`,
    );
  }
  return { ...convolution, kernel: tf.tensor4d(kernel, before.shape), bias: tf.tensor1d(bias) };
}

/** Loads a network whole or not at all: if a weight doesn't fit, those already on the device are freed. */
export function loadWhole<Network extends object>(load: () => Network): Network {
  return tf.tidy(load as () => tf.TensorContainer) as Network;
}

/** Parameters of several convolutions and their BatchNorms, as Keras counts them. */
export function countParameters(convolutions: readonly Convolution[]): number {
  return convolutions.reduce((sum, { parameters }) => sum + parameters, 0);
}

/** Frees the weights of convolutions. */
export function disposeConvolutions(convolutions: Iterable<Convolution>): void {
  for (const { kernel, bias } of convolutions) tf.dispose([kernel, bias]);
}
