import { decodeSafetensors, encodeSafetensors } from "../backbones/safetensors";
import { takeWeight } from "../backbones/weight-tensors";
import type { Familiarity } from "./familiarity";

/** A familiarity without its examples, which have a file of their own: plain numbers, in the classifier's manifest. */
export interface FamiliarityDescription extends Pick<Familiarity, "limit" | "validation" | "stain" | "size"> {
  /** Raised when the numbers mean something else. */
  format: 1;
  /** Training images in the file of examples. */
  count: number;
}

const tensorName = "examples";

/** Writes the examples as a safetensors file: one tensor `examples` of shape [count, width], float32. */
export function encodeExamples({ examples, width }: Familiarity): Buffer {
  const shape = [examples.length / width, width];
  return encodeSafetensors([{ name: tensorName, shape, values: examples }]);
}

/** What is kept beside the examples. */
export function describeFamiliarity(familiarity: Familiarity): FamiliarityDescription {
  const { examples, width, limit, validation, stain, size } = familiarity;
  return { format: 1, count: examples.length / width, limit, validation, stain, size };
}

/**
 * Puts together what `encodeExamples` and `describeFamiliarity` took apart.
 *
 * @param path - Of the examples, named in errors.
 * @throws Error if the file is damaged, or its examples are not of the classifier's backbone.
 */
export function decodeFamiliarity(
  bytes: Buffer,
  description: FamiliarityDescription,
  width: number,
  path: string,
): Familiarity {
  const { count, limit, validation, stain, size } = description;
  const file = { path, sha256: "", md5: "", tensors: decodeSafetensors(bytes, path) };
  const examples = takeWeight(file, tensorName, [count, width]);
  return { examples, width, limit, validation, stain, size };
}
