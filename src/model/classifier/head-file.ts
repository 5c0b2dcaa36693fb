import { decodeSafetensors, encodeSafetensors } from "../backbones/safetensors";
import { takeWeight } from "../backbones/weight-tensors";
import { type Head, type HeadLayer, headClassCount, headInputs } from "./head";

/** A layer without its weights: what a reader has to know before it takes them out of the file. */
export type LayerShape = Pick<HeadLayer, "inputs" | "units" | "activation">;

/** Shapes of a head's layers, first to last. */
export function headShapes(head: Head): LayerShape[] {
  return head.layers.map(({ inputs, units, activation }) => ({ inputs, units, activation }));
}

/**
 * Writes a head's weights as a safetensors file, which Python reads too: `layers.<i>.kernel` of shape
 * [inputs, units] and `layers.<i>.bias` of shape [units], float32.
 */
export function encodeHead(head: Head): Buffer {
  return encodeSafetensors(
    head.layers.flatMap((layer, i) => [
      { name: `layers.${i}.kernel`, shape: [layer.inputs, layer.units], values: layer.kernel },
      { name: `layers.${i}.bias`, shape: [layer.units], values: layer.bias },
    ]),
  );
}

/**
 * Reads what `encodeHead` wrote.
 *
 * @param path - Named in errors.
 * @throws Error if the file is damaged, or its layers are not those that are expected.
 */
export function decodeHead(bytes: Buffer, shapes: readonly LayerShape[], path: string): Head {
  const file = { path, sha256: "", md5: "", tensors: decodeSafetensors(bytes, path) };
  const layers = shapes.map((shape, i) => ({
    ...shape,
    kernel: takeWeight(file, `layers.${i}.kernel`, [shape.inputs, shape.units]),
    bias: takeWeight(file, `layers.${i}.bias`, [shape.units]),
  }));
  return { layers };
}

/** @throws Error if a head doesn't fit the features it gets or the classes it should tell apart. */
export function checkHeadFits(head: Head, featureWidth: number, classCount: number): void {
  if (headInputs(head) !== featureWidth || headClassCount(head) !== classCount) {
    throw new Error(
      `The head takes ${headInputs(head)} features and tells ${headClassCount(head)} classes apart, but the backbone gives ${featureWidth} features and there are ${classCount} classes.`,
    );
  }
}
