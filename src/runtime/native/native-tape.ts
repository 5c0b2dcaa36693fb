import { tf } from "../tensorflow";
import type { NativeId } from "./native-backend";
import {
  flagAttribute,
  integersAttribute,
  type NativeScope,
  textAttribute,
  typeAttribute,
} from "./native-ops";

/** Numbers in a computation that can be gone through backwards. */
export interface TapeValue {
  readonly id: NativeId;
  /** Whether what is wanted depends on it. */
  readonly tracked: boolean;
}

/** What comes after a convolution. */
export type TapeActivation = "linear" | "relu" | "relu6";

/** A convolution's weights and how it goes over its input. */
export interface TapeConvolution {
  /** Shape [height, width, inputs, outputs]; [height, width, channels, 1] if it is depthwise. */
  kernel: TapeValue;
  /** Shape [outputs]. */
  bias: TapeValue;
  stride: number;
  pad: "valid" | "same";
  activation: TapeActivation;
}

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

const type = () => typeAttribute("T");
const format = () => textAttribute("data_format", "NHWC");
const spread = (stride: number) => integersAttribute("strides", [1, stride, stride, 1]);
const padding = (pad: "valid" | "same") => textAttribute("padding", pad.toUpperCase());

/** One step of a computation, remembered. */
interface Entry {
  output: TapeValue;
  /** Tells the inputs their slopes; the output's own slope is freed afterwards. */
  passBack(slope: NativeId): void;
}

/**
 * Starts a computation in a scope: each operation is done at once, and remembered if anything tracked went into it.
 *
 * Instead of TensorFlow.js' gradients, which follow any computation, but take a step function for ReLU's, a sum for a
 * bias', and hold every intermediate result: here a layer keeps its output and nothing else.
 */
export function createTape(scope: NativeScope): Tape {
  let entries: Entry[] = [];
  let slopes = new Map<TapeValue, NativeId>();

  const run = (name: string, inputs: NativeId[], ...attributes: ReturnType<typeof type>[]) =>
    scope.run(name, [type(), ...attributes], inputs);
  const shapeOf = (id: NativeId) => scope.run("Shape", [type(), typeAttribute("out_type", "int32")], [id]);

  /** Does something with intermediate results that are freed at once. */
  function consume<T>(ids: NativeId[], work: () => T): T {
    const result = work();
    for (const id of ids) scope.free(id);
    return result;
  }

  function give(value: TapeValue, slope: NativeId): void {
    const before = slopes.get(value);
    if (before === undefined) slopes.set(value, slope);
    else
      slopes.set(
        value,
        consume([before, slope], () => run("AddV2", [before, slope])),
      );
  }

  function remember(
    id: NativeId,
    inputs: TapeValue[],
    passBack: (output: TapeValue, slope: NativeId) => void,
  ) {
    const output = { id, tracked: inputs.some(({ tracked }) => tracked) };
    if (output.tracked) entries.push({ output, passBack: (slope) => passBack(output, slope) });
    return output;
  }

  function activate(sums: NativeId, activation: TapeActivation): NativeId {
    if (activation === "linear") return sums;
    return consume([sums], () => run(activation === "relu" ? "Relu" : "Relu6", [sums]));
  }

  /** The slope before an activation, from that behind it; a handle of its own in any case. */
  function beforeActivation(slope: NativeId, output: NativeId, activation: TapeActivation): NativeId {
    if (activation === "linear") return run("Identity", [slope]);
    return run(activation === "relu" ? "ReluGrad" : "Relu6Grad", [slope, output]);
  }

  /** Slopes of a convolution's bias, kernel and input. */
  function passConvolution(
    names: { kernel: string; input: string },
    input: TapeValue,
    { kernel, bias, stride, pad }: TapeConvolution,
    slope: NativeId,
  ): void {
    const attributes = [spread(stride), padding(pad), format()];
    if (bias.tracked) give(bias, run("BiasAddGrad", [slope], format()));
    if (kernel.tracked) {
      const shape = shapeOf(kernel.id);
      give(
        kernel,
        consume([shape], () => run(names.kernel, [input.id, shape, slope], ...attributes)),
      );
    }
    if (input.tracked) {
      const shape = shapeOf(input.id);
      give(
        input,
        consume([shape], () => run(names.input, [shape, kernel.id, slope], ...attributes)),
      );
    }
  }

  function convolveWith(
    forward: string,
    names: { kernel: string; input: string },
    input: TapeValue,
    convolution: TapeConvolution,
    plus: TapeValue | undefined,
  ): TapeValue {
    const { kernel, bias, stride, pad, activation } = convolution;
    const product = run(forward, [input.id, kernel.id], spread(stride), padding(pad), format());
    let sums = consume([product], () => run("BiasAdd", [product, bias.id], format()));
    if (plus !== undefined) {
      const both = sums;
      sums = consume([both], () => run("AddV2", [both, plus.id]));
    }
    const inputs = [input, kernel, bias, ...(plus === undefined ? [] : [plus])];
    return remember(activate(sums, activation), inputs, (output, slope) => {
      const before = beforeActivation(slope, output.id, activation);
      passConvolution(names, input, convolution, before);
      if (plus?.tracked === true) give(plus, before);
      else scope.free(before);
    });
  }

  /** Whole numbers, or one number, as an input of an operation. */
  function constant(values: number[], shape: number[], dtype: "int32" | "float32" = "int32"): NativeId {
    const tensor = tf.tensor(values, shape, dtype);
    const id = scope.run("Identity", [typeAttribute("T", dtype)], [scope.input(tensor)]);
    tensor.dispose();
    return id;
  }

  /** [n, channels] → as large as the input, [n, height, width, channels], each cell with its share. */
  function spreadOverCells(slope: NativeId, input: NativeId, cells: number): NativeId {
    const [share, axis, size] = [constant([1 / cells], [], "float32"), constant([1], []), shapeOf(input)];
    const shared = run("Mul", [slope, share]);
    const index = typeAttribute("Tdim", "int32");
    const row = consume([shared], () => run("ExpandDims", [shared, axis], index));
    const cell = consume([row, axis], () => run("ExpandDims", [row, axis], index));
    const spreadOut = () => run("BroadcastTo", [cell, size], typeAttribute("Tidx", "int32"));
    return consume([cell, size, share], spreadOut);
  }

  /** Does something, and hands out what there is to remember of it. */
  function apart<T>(work: () => T): [result: T, remembered: Entry[]] {
    const outer = entries;
    entries = [];
    try {
      return [work(), entries];
    } finally {
      entries = outer;
    }
  }

  function goBack(remembered: readonly Entry[]): void {
    for (const { output, passBack } of [...remembered].reverse()) {
      const own = slopes.get(output);
      if (own !== undefined) {
        slopes.delete(output);
        passBack(own);
        scope.free(own);
      }
      scope.free(output.id);
    }
  }

  const normal = { kernel: "Conv2DBackpropFilter", input: "Conv2DBackpropInput" };
  const depthwise = {
    kernel: "DepthwiseConv2dNativeBackpropFilter",
    input: "DepthwiseConv2dNativeBackpropInput",
  };

  return {
    leaf: (id, tracked) => ({ id, tracked }),
    convolve: (input, convolution, plus) => convolveWith("Conv2D", normal, input, convolution, plus),
    convolveDepthwise: (input, convolution) =>
      convolveWith("DepthwiseConv2dNative", depthwise, input, convolution, undefined),
    pad(input, pixels) {
      const sides = constant([0, 0, pixels, pixels, pixels, pixels, 0, 0], [4, 2]);
      const id = consume([sides], () => run("Pad", [input.id, sides], typeAttribute("Tpaddings", "int32")));
      return remember(id, [input], (_output, slope) => {
        const [begin, size] = [constant([0, pixels, pixels, 0], [4]), shapeOf(input.id)];
        const cut = () => run("Slice", [slope, begin, size], typeAttribute("Index", "int32"));
        give(input, consume([begin, size], cut));
      });
    },
    poolLargest(input, window, stride) {
      const windows = integersAttribute("ksize", [1, window, window, 1]);
      const attributes = [windows, spread(stride), padding("valid"), format()];
      return remember(run("MaxPool", [input.id], ...attributes), [input], (output, slope) =>
        give(input, run("MaxPoolGrad", [input.id, output.id, slope], ...attributes)),
      );
    },
    poolMean(input) {
      const axes = constant([1, 2], [2]);
      const attributes = [flagAttribute("keep_dims", false), typeAttribute("Tidx", "int32")];
      const means = consume([axes], () => run("Mean", [input.id, axes], ...attributes));
      const [, height, width] = scope.shapeOf(input.id);
      return remember(means, [input], (_output, slope) =>
        give(input, spreadOverCells(slope, input.id, height! * width!)),
      );
    },
    dense(input, kernel, bias, { relu, mask }) {
      const multiply = (a: NativeId, b: NativeId, transposeA: boolean, transposeB: boolean) =>
        run(
          "MatMul",
          [a, b],
          flagAttribute("transpose_a", transposeA),
          flagAttribute("transpose_b", transposeB),
        );
      const product = multiply(input.id, kernel.id, false, false);
      const sums = consume([product], () => run("BiasAdd", [product, bias.id], format()));
      const active = activate(sums, relu ? "relu" : "linear");
      const masked = mask === undefined ? active : consume([active], () => run("Mul", [active, mask]));
      return remember(masked, [input, kernel, bias], (output, slope) => {
        const kept = mask === undefined ? run("Identity", [slope]) : run("Mul", [slope, mask]);
        // What was dropped is 0 like what ReLU cut off, and its slope is 0 either way.
        const before = consume([kept], () => beforeActivation(kept, output.id, relu ? "relu" : "linear"));
        if (bias.tracked) give(bias, run("BiasAddGrad", [before], format()));
        if (kernel.tracked) give(kernel, multiply(input.id, before, true, false));
        if (input.tracked) give(input, multiply(before, kernel.id, false, true));
        scope.free(before);
      });
    },
    recompute(input, work) {
      const [result, passed] = apart(() => work(input));
      for (const { output } of passed) if (output !== result) scope.free(output.id);
      // A value of its own: what was computed the second time has a slope of its own.
      const output = { ...result };
      const passBack = (slope: NativeId) => {
        // Without the wait, a graph would not compute it a second time but hold it.
        const waiting = { ...input, id: scope.passAfter(input.id, slope) };
        const [again, toGoBack] = apart(() => work(waiting));
        give(again, run("Identity", [slope]));
        goBack(toGoBack);
        const own = slopes.get(waiting);
        slopes.delete(waiting);
        if (own !== undefined) give(input, own);
        scope.free(waiting.id);
      };
      if (output.tracked) entries.push({ output, passBack });
      return output;
    },
    backward(value, slope) {
      slopes = new Map([[value, slope]]);
      goBack(entries.splice(0));
      return slopes;
    },
  };
}
