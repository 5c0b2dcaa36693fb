import type { NativeId } from "./native-backend";
import type { NativeScope } from "./native-ops";
import {
  convolve,
  dense,
  depthwiseConvolution,
  normalConvolution,
  padSides,
  poolLargest,
  poolMean,
  type TapeConvolution,
} from "./tape-layers";
import { TapeRecord, type TapeValue } from "./tape-record";

export type { TapeActivation, TapeValue } from "./tape-record";

/** A computation on TensorFlow's own operations; what goes in is of shape [n, height, width, channels]. */
export interface Tape {
  /** Numbers that nothing is asked about, or, if tracked, whose gradient is wanted; they stay the caller's. */
  leaf(id: NativeId, tracked: boolean): TapeValue;
  /** activation(convolution + bias + plus). */
  convolve(input: TapeValue, convolution: TapeConvolution, plus?: TapeValue): TapeValue;
  /** activation(convolution of each channel by itself + bias). */
  convolveDepthwise(input: TapeValue, convolution: TapeConvolution): TapeValue;
  /** Zeros at all four sides. */
  pad(input: TapeValue, pixels: number): TapeValue;
  /** The largest of each window, without padding. */
  poolLargest(input: TapeValue, window: number, stride: number): TapeValue;
  /** Means over height and width: shape [n, channels]. */
  poolMean(input: TapeValue): TapeValue;
  /** values · kernel + bias, then ReLU and a mask where they are wanted; values of shape [n, inputs]. */
  dense(
    input: TapeValue,
    kernel: TapeValue,
    bias: TapeValue,
    options: { relu: boolean; mask?: NativeId },
  ): TapeValue;
  /**
   * Does a piece of the computation now, forgets all but its result, and does it again on the way back: for what is large
   * and quickly computed.
   */
  recompute(input: TapeValue, work: (input: TapeValue) => TapeValue): TapeValue;
  /**
   * Goes backwards from a value, and frees what was computed on the way there.
   *
   * @param slope - What the loss changes by for each of the value's numbers; freed.
   * @returns The slope of each tracked leaf that it depends on, held by the scope.
   */
  backward(value: TapeValue, slope: NativeId): Map<TapeValue, NativeId>;
}

/**
 * Starts a computation in a scope: each operation is done at once, and remembered if anything tracked went into it.
 *
 * Instead of TensorFlow.js' gradients, which follow any computation, but take a step function for ReLU's, a sum for a
 * bias', and hold every intermediate result: here a layer keeps its output and nothing else.
 */
export function createTape(scope: NativeScope): Tape {
  const record = new TapeRecord(scope);
  return {
    leaf: (id, tracked) => ({ id, tracked }),
    convolve: (input, convolution, plus) => convolve(record, normalConvolution, input, convolution, plus),
    convolveDepthwise: (input, convolution) => convolve(record, depthwiseConvolution, input, convolution),
    pad: (input, pixels) => padSides(record, input, pixels),
    poolLargest: (input, window, stride) => poolLargest(record, input, window, stride),
    poolMean: (input) => poolMean(record, input),
    dense: (input, kernel, bias, options) => dense(record, input, kernel, bias, options),
    recompute: (input, work) => record.recompute(input, work),
    backward: (value, slope) => record.backward(value, slope),
  };
}
