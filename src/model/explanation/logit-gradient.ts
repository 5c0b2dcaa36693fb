import type { Head, HeadLayer } from "../classifier/head";
import { headMembers } from "../classifier/head-members";

/** A layer's outputs before its activation, in double precision. */
function applyLayer({ kernel, bias, inputs, units }: HeadLayer, values: ArrayLike<number>): Float64Array {
  const outputs = Float64Array.from(bias);
  for (let input = 0; input < inputs; input++) {
    const value = values[input]!;
    if (value === 0) continue;
    for (let unit = 0; unit < units; unit++) outputs[unit]! += value * kernel[input * units + unit]!;
  }
  return outputs;
}

/** What a layer's inputs are worth, if its outputs are worth this much. */
function passBack({ kernel, inputs, units }: HeadLayer, worth: Float64Array): Float64Array {
  const passed = new Float64Array(inputs);
  for (let input = 0; input < inputs; input++) {
    for (let unit = 0; unit < units; unit++) passed[input]! += kernel[input * units + unit]! * worth[unit]!;
  }
  return passed;
}

/**
 * Computes a head's logits for one image, and how one of them changes with each feature.
 *
 * In closed form and double precision: dense layers and ReLUs need no automatic differentiation. Of an ensemble it is the
 * mean of its heads' logits, and of their gradients.
 *
 * @param features - Shape [inputs of the head].
 * @param classIndex - The class whose logit, before the softmax, is differentiated.
 * @returns `logits` of shape [classCount], `gradient` of shape [inputs of the head].
 * @throws RangeError if the features don't fit the head, or there is no such class.
 */
export function headGradient(
  head: Head,
  features: ArrayLike<number>,
  classIndex: number,
): { logits: Float64Array; gradient: Float64Array } {
  const members = headMembers(head).map((member) => memberGradient(member, features, classIndex));
  const [first] = members;
  if (members.length === 1) return first!;
  const mean = (of: (member: LogitGradient) => Float64Array) =>
    of(first!).map((_, i) => members.reduce((sum, member) => sum + of(member)[i]!, 0) / members.length);
  return { logits: mean(({ logits }) => logits), gradient: mean(({ gradient }) => gradient) };
}

interface LogitGradient {
  logits: Float64Array;
  gradient: Float64Array;
}

function memberGradient({ layers }: Head, features: ArrayLike<number>, classIndex: number): LogitGradient {
  const classCount = layers[layers.length - 1]!.units;
  if (features.length !== layers[0]!.inputs) {
    throw new RangeError(`This head takes ${layers[0]!.inputs} features, found ${features.length}.`);
  }
  if (!Number.isInteger(classIndex) || classIndex < 0 || classIndex >= classCount) {
    throw new RangeError(`There is no class ${classIndex} among ${classCount}.`);
  }
  const outputs: Float64Array[] = [];
  let values: ArrayLike<number> = features;
  for (const layer of layers) {
    const output = applyLayer(layer, values);
    outputs.push(output);
    values = output.map((value) => Math.max(0, value));
  }
  const logits = outputs[outputs.length - 1]!;
  let gradient: Float64Array = logits.map((_, index) => (index === classIndex ? 1 : 0));
  for (let index = layers.length - 1; index >= 0; index--) {
    gradient = passBack(layers[index]!, gradient);
    const before = outputs[index - 1];
    if (before) gradient = gradient.map((value, unit) => (before[unit]! > 0 ? value : 0));
  }
  return { logits, gradient };
}
