import type { BatchNormWeights } from "./folding";

/** Numbers and their shape, in row-major order. */
export interface WeightTensor {
  shape: number[];
  values: Float32Array;
}

/** A file of weights in memory. */
export interface WeightsFile {
  path: string;
  /** Of the whole file, in hexadecimal. */
  sha256: string;
  /** Of the whole file, in hexadecimal: the checksum that Keras publishes. */
  md5: string;
  /** By layer and kind, for example "conv1_conv/kernel". */
  tensors: Map<string, WeightTensor>;
}

const showShape = (shape: readonly number[]) => `[${shape.join(", ")}]`;

function firstNamesOf(file: WeightsFile): string {
  const names = [...file.tensors.keys()];
  return names.length === 0 ? "no tensors at all" : `${names.length} tensors, the first "${names[0]}"`;
}

/** The first position that holds no finite number, or -1; a loop, since a call for each of millions takes a tenth of a second. */
function findNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return i;
  return -1;
}

/**
 * Takes one tensor's values out of a file of weights.
 *
 * @throws Error naming the tensor and the file if it is missing, has another shape or isn't finite.
 */
export function takeWeight(file: WeightsFile, name: string, shape: readonly number[]): Float32Array {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) {
    throw new Error(
      `${file.path} has no weights "${name}" ${showShape(shape)}; it holds ${firstNamesOf(file)}. Are these the weights of another network?`,
    );
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
    throw new Error(
      `${file.path}: the weights "${name}" should have the shape ${showShape(shape)}, found ${showShape(tensor.shape)}. Are these the weights of another network?`,
    );
  }
  const broken = findNotFinite(tensor.values);
  if (broken !== -1) {
    throw new Error(
      `${file.path}: the weights "${name}" hold ${tensor.values[broken]} at position ${broken}; the file is damaged or its training diverged.`,
    );
  }
  return tensor.values;
}

/**
 * Takes a BatchNorm layer's four vectors out of a file of weights, in Keras' names.
 *
 * @throws Error as `takeWeight` does, and if a variance is negative.
 */
export function takeBatchNorm(
  file: WeightsFile,
  layer: string,
  channels: number,
  epsilon: number,
): BatchNormWeights {
  const vector = (kind: string) => takeWeight(file, `${layer}/${kind}`, [channels]);
  const movingVariance = vector("moving_variance");
  const negative = movingVariance.findIndex((variance) => variance < 0);
  if (negative !== -1) {
    throw new Error(
      `${file.path}: "${layer}/moving_variance" holds ${movingVariance[negative]} at position ${negative}; a variance is at least 0.`,
    );
  }
  return {
    gamma: vector("gamma"),
    beta: vector("beta"),
    movingMean: vector("moving_mean"),
    movingVariance,
    epsilon,
  };
}
