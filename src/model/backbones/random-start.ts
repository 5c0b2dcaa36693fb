import { type NativeScope, withNativeScope } from "../../runtime/native/native-ops";
import { createTape, type Tape, type TapeValue } from "../../runtime/native/native-tape";
import type { TapeConvolution } from "../../runtime/native/tape-layers";
import { createRandom, type Random } from "../../runtime/random";
import { tf } from "../../runtime/tensorflow";
import type { OpenBackbone } from "./architecture";
import type { Convolution, ConvolutionWeights } from "./convolutions";
import type { StageOperations } from "./stages";
import { fineTunedBackbone } from "./tuned-weights";

/** Against a division by 0 where a channel gives the same everywhere; BatchNorm has the like. */
const smallestVariance = 1e-3;

/** Uniform around 0; how large does not matter, since every channel is scaled afterwards. */
function randomKernel({ kernel }: Convolution, random: Random): Float32Array {
  return Float32Array.from({ length: kernel.size }, () => 2 * random.next() - 1);
}

/** Scales each output channel to mean 0 and variance 1. */
function normalise(kernel: Float32Array, output: tf.Tensor4D): ConvolutionWeights {
  const { mean, variance } = tf.tidy(() => tf.moments(output, [0, 1, 2]));
  const means = mean.dataSync<"float32">();
  const variances = variance.dataSync<"float32">();
  tf.dispose([mean, variance]);
  const scales = Array.from(variances, (variance) => 1 / Math.sqrt(variance + smallestVariance));
  return {
    kernel: kernel.map((weight, i) => weight * scales[i % scales.length]!),
    bias: Float32Array.from(means, (mean, channel) => -mean * scales[channel]!),
  };
}

type Convolve = (input: TapeValue, convolution: TapeConvolution) => TapeValue;

/** A network's operations, each convolution of which begins anew; its weights are noted in `made`. */
function beginningOperations(
  scope: NativeScope,
  random: Random,
  made: Map<string, ConvolutionWeights>,
  held: tf.Tensor[],
): { tape: Tape; operations: StageOperations } {
  const tape = createTape(scope);
  const leaf = (tensor: tf.Tensor) => {
    held.push(tensor);
    return tape.leaf(scope.input(tensor), false);
  };
  /** Tries random weights on the input, and gives those that were scaled by what came of them. */
  function begin(input: TapeValue, convolution: Convolution, pad: "valid" | "same", convolve: Convolve) {
    const { name, kernel, bias, stride } = convolution;
    const values = randomKernel(convolution, random.fork(name));
    const plain = { kernel: leaf(tf.tensor(values, kernel.shape)), bias: leaf(tf.zeros(bias.shape)) };
    const tried = convolve(input, { ...plain, stride, pad, activation: "linear" });
    const output = scope.toTensor(tried.id) as tf.Tensor4D;
    const scaled = normalise(values, output);
    output.dispose();
    made.set(name, scaled);
    const weights = { kernel: tf.tensor(scaled.kernel, kernel.shape), bias: tf.tensor1d(scaled.bias) };
    return { kernel: leaf(weights.kernel), bias: leaf(weights.bias), stride, pad };
  }
  const operations: StageOperations = {
    pad: tape.pad,
    poolLargest: tape.poolLargest,
    convolve: (input, convolution, { pad, activation, plus }) =>
      tape.convolve(input, { ...begin(input, convolution, pad, tape.convolve), activation }, plus),
    convolveDepthwise(input, convolution) {
      const begun = begin(input, convolution, "same", tape.convolveDepthwise);
      return tape.convolveDepthwise(input, { ...begun, activation: "relu6" });
    },
  };
  return { tape, operations };
}

/**
 * A network of the same shape that has learned nothing, for comparisons with those that have: random kernels, scaled so
 * that over some images each channel of every convolution has mean 0 and variance 1. That is where BatchNorm, which is
 * folded away here, would begin, and without it a deep network hardly learns.
 *
 * Source: Krähenbühl, Doersch, Donahue, Darrell, "Data-dependent Initializations of Convolutional Neural Networks", 2016.
 *
 * @param images - RGB, integers in [0, 255], shape [n, inputSize, inputSize, 3]: some of those to be learned from.
 * @returns Its own weights throughout; the caller disposes.
 */
export function startFromScratch(backbone: OpenBackbone, images: tf.Tensor4D, seed: number): OpenBackbone {
  const random = createRandom(seed).fork("from scratch");
  const { staged } = backbone;
  const made = new Map<string, ConvolutionWeights>();
  const held: tf.Tensor[] = [];
  let current = tf.tidy(() => staged.prepare(images));
  try {
    for (const block of staged.stages.flatMap(({ blocks }) => blocks)) {
      const next = withNativeScope((scope) => {
        const { tape, operations } = beginningOperations(scope, random, made, held);
        return scope.toTensor(block(operations, tape.leaf(scope.input(current), false)).id);
      });
      tf.dispose([current, ...held.splice(0)]);
      current = next as tf.Tensor4D;
    }
  } finally {
    tf.dispose([current, ...held]);
  }
  return fineTunedBackbone(backbone, staged.stages[0]!.name, made);
}
