import type { NativeId } from "../../runtime/native/native-backend";
import { withNativeScope } from "../../runtime/native/native-ops";
import { createTape, type Tape, type TapeActivation, type TapeValue } from "../../runtime/native/native-tape";
import type { tf } from "../../runtime/tensorflow";
import type { Convolution } from "./convolutions";

/** What stages are made of; see `Tape`, which does it. */
export interface StageOperations {
  /** activation(convolution + bias + plus). */
  convolve(
    input: TapeValue,
    convolution: Convolution,
    how: { pad: "valid" | "same"; activation: TapeActivation; plus?: TapeValue },
  ): TapeValue;
  /** With TensorFlow's SAME padding, then ReLU6. */
  convolveDepthwise(input: TapeValue, convolution: Convolution): TapeValue;
  pad(input: TapeValue, pixels: number): TapeValue;
  poolLargest(input: TapeValue, window: number, stride: number): TapeValue;
}

/** A piece of a stage between whose steps nothing else needs to be remembered. */
export type Block = (op: StageOperations, input: TapeValue) => TapeValue;

/** A part of a network that is frozen, or trained, as a whole. */
export interface Stage {
  /** As in the architecture table, for example "conv5". */
  name: string;
  /** In the order of use. */
  convolutions: readonly Convolution[];
  blocks: readonly Block[];
  /** Whether training computes it again on the way back, rather than hold its results: they are large, and it is quick. */
  recomputed: boolean;
}

/** A network as a row of stages. */
export interface StagedNetwork {
  /** From images (RGB, 0..255, shape [n, inputSize, inputSize, 3]) to the first stage's input; the caller disposes. */
  prepare(images: tf.Tensor4D): tf.Tensor4D;
  stages: readonly Stage[];
  /** The stage that "last" means: what is worth training first. */
  last: string;
}

/** Kernel and bias of a convolution, as they are to be used. */
export type WeightsOf = (convolution: Convolution) => { kernel: TapeValue; bias: TapeValue };

/** A network's operations on a tape. */
export function stageOperations(tape: Tape, weightsOf: WeightsOf): StageOperations {
  return {
    convolve: (input, convolution, { pad, activation, plus }) =>
      tape.convolve(input, { ...weightsOf(convolution), stride: convolution.stride, pad, activation }, plus),
    convolveDepthwise: (input, convolution) =>
      tape.convolveDepthwise(input, {
        ...weightsOf(convolution),
        stride: convolution.stride,
        pad: "same",
        activation: "relu6",
      }),
    pad: tape.pad,
    poolLargest: tape.poolLargest,
  };
}

/** Goes through stages, remembering what has to be remembered to go back. */
export function runOnTape(
  tape: Tape,
  stages: readonly Stage[],
  weightsOf: WeightsOf,
  input: NativeId,
): TapeValue {
  const op = stageOperations(tape, weightsOf);
  let value = tape.leaf(input, false);
  for (const { blocks, recomputed } of stages) {
    for (const block of blocks) {
      value = recomputed ? tape.recompute(value, (before) => block(op, before)) : block(op, value);
    }
  }
  return value;
}

/** The tensors that a convolution computes with. */
export type TensorsOf = (convolution: Convolution) => { kernel: tf.Tensor; bias: tf.Tensor };

/**
 * Goes through stages block by block, holding no more than one block's results.
 *
 * @param input - Shape [n, height, width, channels]; stays the caller's.
 * @param tensorsOf - By default the network's own weights.
 * @returns The last stage's output; the caller disposes. Without stages, a copy of the input.
 */
export function runStages(
  stages: readonly Stage[],
  input: tf.Tensor4D,
  tensorsOf: TensorsOf = (convolution) => convolution,
): tf.Tensor4D {
  let current = input.clone();
  for (const block of stages.flatMap((stage) => stage.blocks)) {
    const next = withNativeScope((scope) => {
      const tape = createTape(scope);
      const op = stageOperations(tape, (convolution) => {
        const { kernel, bias } = tensorsOf(convolution);
        return { kernel: tape.leaf(scope.input(kernel), false), bias: tape.leaf(scope.input(bias), false) };
      });
      return scope.toTensor(block(op, tape.leaf(scope.input(current), false)).id);
    });
    current.dispose();
    current = next as tf.Tensor4D;
  }
  return current;
}
