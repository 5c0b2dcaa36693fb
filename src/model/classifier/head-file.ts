import { decodeSafetensors, encodeSafetensors } from "../backbones/safetensors";
import { takeWeight } from "../backbones/weight-tensors";
import { type Head, type HeadLayer, headClassCount, headInputs } from "./head";
import { ensembleOf, headMembers } from "./head-members";

/** A layer without its weights: what a reader has to know before it takes them out of the file. */
export type LayerShape = Pick<HeadLayer, "inputs" | "units" | "activation">;

/** Shapes of a head's layers, first to last. */
export function headShapes(head: Head): LayerShape[] {
  return head.layers.map(({ inputs, units, activation }) => ({ inputs, units, activation }));
}

/**
 * Writes a head's weights as a safetensors file, which Python reads too: `layers.<i>.kernel` of shape
 * [inputs, units] and `layers.<i>.bias` of shape [units], float32; an ensemble's further heads as `heads.<k>.layers.<i>…`,
 * k from 1 on.
 */
export function encodeHead(head: Head): Buffer {
  return encodeSafetensors(
    headMembers(head).flatMap(({ layers }, member) =>
      layers.flatMap((layer, i) => [
        {
          name: `${prefixOf(member)}layers.${i}.kernel`,
          shape: [layer.inputs, layer.units],
          values: layer.kernel,
        },
        { name: `${prefixOf(member)}layers.${i}.bias`, shape: [layer.units], values: layer.bias },
      ]),
    ),
  );
}

const prefixOf = (member: number): string => (member === 0 ? "" : `heads.${member}.`);

/**
 * Reads what `encodeHead` wrote.
 *
 * @param path - Named in errors.
 * @param count - Heads of an ensemble, or 1.
 * @throws Error if the file is damaged, or its layers are not those that are expected.
 */
export function decodeHead(bytes: Buffer, shapes: readonly LayerShape[], path: string, count = 1): Head {
  const file = { path, sha256: "", md5: "", tensors: decodeSafetensors(bytes, path) };
  const members = Array.from({ length: count }, (_, member) => ({
    layers: shapes.map((shape, i) => ({
      ...shape,
      kernel: takeWeight(file, `${prefixOf(member)}layers.${i}.kernel`, [shape.inputs, shape.units]),
      bias: takeWeight(file, `${prefixOf(member)}layers.${i}.bias`, [shape.units]),
    })),
  }));
  return ensembleOf(members);
}

/** @throws Error if a head doesn't fit the features it gets or the classes it should tell apart. */
export function checkHeadFits(head: Head, featureWidth: number, classCount: number): void {
  if (headInputs(head) !== featureWidth || headClassCount(head) !== classCount) {
    throw new Error(
      `The head takes ${headInputs(head)} features and tells ${headClassCount(head)} classes apart, but the backbone gives ${featureWidth} features and there are ${classCount} classes.`,
    );
  }
}
