import { sha256 } from "../../runtime/cache/content-hash";
import type { tf } from "../../runtime/tensorflow";
import type { FineTuned, OpenBackbone, WeightsOrigin } from "./architecture";
import type { ConvolutionWeights } from "./convolutions";
import { decodeSafetensors, encodeSafetensors } from "./safetensors";
import { takeWeight } from "./weight-tensors";

/** Convolutions from a stage on, in the order of use. */
function trainedConvolutions(backbone: OpenBackbone, from: string) {
  const { stages } = backbone.staged;
  const first = stages.findIndex(({ name }) => name === from);
  if (first < 0) throw new RangeError(`${backbone.name} has no stage "${from}".`);
  return stages.slice(first).flatMap((stage) => stage.convolutions);
}

/** The lower one of two stages. */
function lowest(backbone: OpenBackbone, one: string, other: string): string {
  const place = (stage: string) => backbone.staged.stages.findIndex(({ name }) => name === stage);
  return place(one) <= place(other) ? one : other;
}

/**
 * Weights of the trained stages as a safetensors file, `<convolution>/kernel` and `<convolution>/bias`, BatchNorm folded.
 *
 * @throws Error if nothing was trained.
 */
export function encodeTunedWeights(backbone: OpenBackbone): Buffer {
  const { fineTuned } = backbone;
  if (fineTuned === undefined) throw new Error(`Nothing was trained in this ${backbone.name}.`);
  const values = (tensor: tf.Tensor) => ({ shape: tensor.shape, values: tensor.dataSync<"float32">() });
  return encodeSafetensors(
    trainedConvolutions(backbone, fineTuned.from).flatMap(({ name, kernel, bias }) => [
      { name: `${name}/kernel`, ...values(kernel) },
      { name: `${name}/bias`, ...values(bias) },
    ]),
  );
}

/** The origin that a network has whose weights from a stage on were changed. */
function tunedOrigin(
  base: WeightsOrigin,
  from: string,
  checksum: string,
): WeightsOrigin & { fineTuned: FineTuned } {
  return {
    name: base.name,
    // Everything that the features depend on: they are found in the cache by it.
    sha256: sha256(`${base.sha256}:fine-tuned from ${from}:${checksum}`),
    source: `${base.source}, fine-tuned from ${from}`,
    fineTuned: { from, base },
  };
}

/**
 * A network like the given one, but for the weights of some convolutions.
 *
 * @param changed - By name; null changes nothing, and gives a copy that may be disposed of without harm.
 * @returns Shares all other weights: dispose of it first.
 */
export function fineTunedBackbone(
  backbone: OpenBackbone,
  from: string,
  changed: ReadonlyMap<string, ConvolutionWeights> | null,
): OpenBackbone {
  if (changed === null) return { ...backbone, dispose() {} };
  const base = backbone.fineTuned?.base ?? backbone.weights;
  const lower = backbone.fineTuned === undefined ? from : lowest(backbone, from, backbone.fineTuned.from);
  // The checksum of what will be saved is only known from a network that has these weights.
  const unnamed = backbone.withWeights(changed, tunedOrigin(base, lower, ""));
  const checksum = sha256(encodeTunedWeights(unnamed));
  unnamed.dispose();
  return backbone.withWeights(changed, tunedOrigin(base, lower, checksum));
}

/**
 * Puts trained weights into the network that they were trained from.
 *
 * @param bytes - What `encodeTunedWeights` gave.
 * @param path - Named in errors.
 * @returns Shares the weights of its frozen stages: dispose of it first.
 * @throws Error naming the tensor and the file if one is missing or doesn't fit.
 */
export function decodeTunedWeights(
  base: OpenBackbone,
  from: string,
  bytes: Buffer,
  path: string,
): OpenBackbone {
  const file = { path, sha256: "", md5: "", tensors: decodeSafetensors(bytes, path) };
  const changed = new Map(
    trainedConvolutions(base, from).map(({ name, kernel, bias }) => [
      name,
      {
        kernel: takeWeight(file, `${name}/kernel`, kernel.shape),
        bias: takeWeight(file, `${name}/bias`, bias.shape),
      },
    ]),
  );
  return base.withWeights(changed, tunedOrigin(base.weights, from, sha256(bytes)));
}
