import { areInMemory, type FeatureValues } from "../../../src/model/features/feature-rows";

/** Features as the array that those of a few images are. */
export function inMemory(values: FeatureValues): Float32Array {
  if (areInMemory(values)) return values;
  throw new Error(`${values.count} rows lie in a file.`);
}
