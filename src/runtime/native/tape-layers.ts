import type { NativeId } from "./native-backend";
import { flagAttribute, integersAttribute, textAttribute, typeAttribute } from "./native-ops";
import type { TapeActivation, TapeRecord, TapeValue } from "./tape-record";

// The layers of a tape: each does its operations, and says how a slope goes back through them.

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

/** The operations of a kind of convolution. */
interface ConvolutionKind {
  forward: string;
  kernelSlope: string;
  inputSlope: string;
}

export const normalConvolution: ConvolutionKind = {
  forward: "Conv2D",
  kernelSlope: "Conv2DBackpropFilter",
  inputSlope: "Conv2DBackpropInput",
};

export const depthwiseConvolution: ConvolutionKind = {
  forward: "DepthwiseConv2dNative",
  kernelSlope: "DepthwiseConv2dNativeBackpropFilter",
  inputSlope: "DepthwiseConv2dNativeBackpropInput",
};

const format = () => textAttribute("data_format", "NHWC");
const spread = (stride: number) => integersAttribute("strides", [1, stride, stride, 1]);
const padding = (pad: "valid" | "same") => textAttribute("padding", pad.toUpperCase());

/** activation(convolution + bias + plus). */
export function convolve(
  record: TapeRecord,
  kind: ConvolutionKind,
  input: TapeValue,
  convolution: TapeConvolution,
  plus?: TapeValue,
): TapeValue {
  const { kernel, bias, stride, pad, activation } = convolution;
  const product = record.run(kind.forward, [input.id, kernel.id], spread(stride), padding(pad), format());
  let sums = record.consume([product], () => record.run("BiasAdd", [product, bias.id], format()));
  if (plus !== undefined) {
    const both = sums;
    sums = record.consume([both], () => record.run("AddV2", [both, plus.id]));
  }
  const inputs = [input, kernel, bias, ...(plus === undefined ? [] : [plus])];
  return record.remember(record.activate(sums, activation), inputs, (output, slope) => {
    const before = record.beforeActivation(slope, output.id, activation);
    passConvolution(record, kind, input, convolution, before);
    if (plus?.tracked === true) record.give(plus, before);
    else record.scope.free(before);
  });
}

/** Slopes of a convolution's bias, kernel and input. */
function passConvolution(
  record: TapeRecord,
  kind: ConvolutionKind,
  input: TapeValue,
  { kernel, bias, stride, pad }: TapeConvolution,
  slope: NativeId,
): void {
  const attributes = [spread(stride), padding(pad), format()];
  if (bias.tracked) record.give(bias, record.run("BiasAddGrad", [slope], format()));
  if (kernel.tracked) {
    const shape = record.shapeOf(kernel.id);
    const pass = () => record.run(kind.kernelSlope, [input.id, shape, slope], ...attributes);
    record.give(kernel, record.consume([shape], pass));
  }
  if (input.tracked) {
    const shape = record.shapeOf(input.id);
    const pass = () => record.run(kind.inputSlope, [shape, kernel.id, slope], ...attributes);
    record.give(input, record.consume([shape], pass));
  }
}

/** Zeros at all four sides. */
export function padSides(record: TapeRecord, input: TapeValue, pixels: number): TapeValue {
  const sides = record.constant([0, 0, pixels, pixels, pixels, pixels, 0, 0], [4, 2]);
  const padded = () => record.run("Pad", [input.id, sides], typeAttribute("Tpaddings", "int32"));
  return record.remember(record.consume([sides], padded), [input], (_output, slope) => {
    const [begin, size] = [record.constant([0, pixels, pixels, 0], [4]), record.shapeOf(input.id)];
    const cut = () => record.run("Slice", [slope, begin, size], typeAttribute("Index", "int32"));
    record.give(input, record.consume([begin, size], cut));
  });
}

/** The largest of each window, without padding. */
export function poolLargest(record: TapeRecord, input: TapeValue, window: number, stride: number): TapeValue {
  const windows = integersAttribute("ksize", [1, window, window, 1]);
  const attributes = [windows, spread(stride), padding("valid"), format()];
  return record.remember(record.run("MaxPool", [input.id], ...attributes), [input], (output, slope) =>
    record.give(input, record.run("MaxPoolGrad", [input.id, output.id, slope], ...attributes)),
  );
}

/** Means over height and width: shape [n, channels]. */
export function poolMean(record: TapeRecord, input: TapeValue): TapeValue {
  const axes = record.constant([1, 2], [2]);
  const attributes = [flagAttribute("keep_dims", false), typeAttribute("Tidx", "int32")];
  const means = record.consume([axes], () => record.run("Mean", [input.id, axes], ...attributes));
  const [, height, width] = record.scope.shapeOf(input.id);
  return record.remember(means, [input], (_output, slope) =>
    record.give(input, spreadOverCells(record, slope, input.id, height! * width!)),
  );
}

/** [n, channels] → as large as the input, [n, height, width, channels], each cell with its share. */
function spreadOverCells(record: TapeRecord, slope: NativeId, input: NativeId, cells: number): NativeId {
  const share = record.constant([1 / cells], [], "float32");
  const [axis, size] = [record.constant([1], []), record.shapeOf(input)];
  const shared = record.run("Mul", [slope, share]);
  const index = typeAttribute("Tdim", "int32");
  const row = record.consume([shared], () => record.run("ExpandDims", [shared, axis], index));
  const cell = record.consume([row, axis], () => record.run("ExpandDims", [row, axis], index));
  const spreadOut = () => record.run("BroadcastTo", [cell, size], typeAttribute("Tidx", "int32"));
  return record.consume([cell, size, share], spreadOut);
}

/** values · kernel + bias, then ReLU and a mask where they are wanted; values of shape [n, inputs]. */
export function dense(
  record: TapeRecord,
  input: TapeValue,
  kernel: TapeValue,
  bias: TapeValue,
  { relu, mask }: { relu: boolean; mask?: NativeId },
): TapeValue {
  const activation = relu ? "relu" : "linear";
  const multiply = (a: NativeId, b: NativeId, transposeA: boolean, transposeB: boolean) => {
    const flags = [flagAttribute("transpose_a", transposeA), flagAttribute("transpose_b", transposeB)];
    return record.run("MatMul", [a, b], ...flags);
  };
  const product = multiply(input.id, kernel.id, false, false);
  const sums = record.consume([product], () => record.run("BiasAdd", [product, bias.id], format()));
  const active = record.activate(sums, activation);
  const masked =
    mask === undefined ? active : record.consume([active], () => record.run("Mul", [active, mask]));
  return record.remember(masked, [input, kernel, bias], (output, slope) => {
    const kept = mask === undefined ? record.run("Identity", [slope]) : record.run("Mul", [slope, mask]);
    // What was dropped is 0 like what ReLU cut off, and its slope is 0 either way.
    const before = record.consume([kept], () => record.beforeActivation(kept, output.id, activation));
    if (bias.tracked) record.give(bias, record.run("BiasAddGrad", [before], format()));
    if (kernel.tracked) record.give(kernel, multiply(input.id, before, true, false));
    if (input.tracked) record.give(input, multiply(before, kernel.id, false, true));
    record.scope.free(before);
  });
}
