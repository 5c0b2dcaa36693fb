import { sha256 } from "../../runtime/cache/content-hash";
import { refusal } from "../../runtime/refusal";
import type { tf } from "../../runtime/tensorflow";
import type { ConvolutionWeights } from "./convolutions";
import type { NetworkGraph } from "./network-graph";
import type { BackboneRecipe, Interpolation } from "./recipe";
import type { StagedNetwork } from "./stages";

/** One row of an architecture table: a stage of the network. */
export interface LayerSummary {
  name: string;
  /** What the stage does, for example "3 bottleneck blocks". */
  kind: string;
  /** Without the batch: [height, width, channels], or [features] after pooling. */
  outputShape: number[];
  /** As Keras counts them: BatchNorm's moving statistics included, although nothing here is trained. */
  parameters: number;
}

/** Which weights a network computes with. */
export interface WeightsOrigin {
  /** File name. */
  name: string;
  /** Of the whole file, in hexadecimal. */
  sha256: string;
  /** Where the file came from, for example "user's file". */
  source: string;
}

/** What was trained further in a network, and from which weights. */
export interface FineTuned {
  /** The lowest stage that was trained; those above it were trained too. */
  from: string;
  /** The weights that training began with: those of the stages below still are. */
  base: WeightsOrigin;
}

/** Where a network's weights come from, and whether they are the published ones. */
export type NetworkOrigin = WeightsOrigin & { pretrained: boolean; fineTuned?: FineTuned };

/** Names weights of which some were made random, so that nobody takes them for the file's. */
export function withRandomWeights<Origin extends WeightsOrigin>(
  origin: Origin,
  seed: number,
): Origin & { pretrained: boolean } {
  const source = `${origin.source}, last stage random (seed ${seed})`;
  // Another checksum as well: features in the cache are found by it.
  return { ...origin, source, sha256: sha256(`${origin.sha256}:random top:${seed}`), pretrained: false };
}

/** Images as they are decoded. */
export interface PixelBatch {
  /** RGB, 0..255. */
  pixels: Uint8Array;
  /** [n, inputSize, inputSize, 3] */
  shape: [number, number, number, number];
  /** How many of the n are images; by default all. What follows only fills the batch up, and its features are not used. */
  count?: number;
}

/** Anything that turns an image into a row of features. */
export interface Backbone {
  /** "resnet50", "efficientnet-lite0", or what somebody else's is called. */
  name: string;
  weights: WeightsOrigin;
  /** True if the checksum is that of known ImageNet weights; false says only that nothing is known. */
  pretrained: boolean;
  /** Width and height of the images it takes, in pixels. */
  inputSize: number;
  /** By default bicubic. */
  interpolation?: Interpolation;
  featureWidth: number;
  layers: LayerSummary[];
  /** Sum of `parameters` over `layers`; null where it is not known. */
  parameterCount: number | null;
  /** What is done around somebody else's network, for it to be found and used again in the same way; none for ours. */
  recipe?: BackboneRecipe;
  /** Absolute path of somebody else's network; none for ours. */
  location?: string;
  /** What was trained further; nothing where no stage was. */
  fineTuned?: FineTuned;
  /**
   * Computes features; preprocessing is part of it.
   *
   * @param images - RGB, integers in [0, 255], shape [n, inputSize, inputSize, 3].
   * @returns Shape [n, featureWidth]; the caller disposes of it.
   * @throws RangeError if the images have another shape.
   */
  embed(images: tf.Tensor4D): tf.Tensor2D | Promise<tf.Tensor2D>;
  /**
   * The same for pixels as they were decoded, which need not become a tensor first; where a backbone lacks it,
   * `embed` does.
   *
   * @returns As `embed`, to the bit.
   */
  embedPixels?(batch: PixelBatch): tf.Tensor2D | Promise<tf.Tensor2D>;
  /** Frees the weights; the backbone is of no use afterwards. */
  dispose(): void;
}

/** A network of our own, which can be looked into: convolutions up to global average pooling. */
export interface OpenBackbone extends Backbone {
  name: "resnet50" | "efficientnet-lite0";
  parameterCount: number;
  embed(images: tf.Tensor4D): tf.Tensor2D;
  embedPixels?(batch: PixelBatch): tf.Tensor2D;
  /**
   * Computes the last stage's activations: features are their means over height and width.
   *
   * @param images - As for `embed`.
   * @returns Shape [n, rows, columns, featureWidth]; the caller disposes of it.
   * @throws RangeError if the images have another shape.
   */
  activate(images: tf.Tensor4D): tf.Tensor4D;
  /** Describes what `activate` computes, weights included, for programs that compute it elsewhere. */
  describe(): NetworkGraph;
  /**
   * The same network with random weights in its last stage (He-uniform kernels, zero biases), for sanity checks
   * of explanations. The stages below are shared: dispose of the copy first, which frees only its own weights.
   */
  withRandomTop(seed: number): OpenBackbone;
  /** Its stages, for those who freeze some of them and train the others. */
  staged: StagedNetwork;
  /**
   * The same network with other weights in some convolutions, by their names. The others are shared: dispose of the
   * copy first, which frees only its own weights.
   *
   * @throws RangeError naming the convolution if weights don't fit or there is none of that name.
   */
  withWeights(
    changed: ReadonlyMap<string, ConvolutionWeights>,
    origin: WeightsOrigin & { fineTuned: FineTuned },
  ): OpenBackbone;
}

/** Whether a backbone can be looked into. */
export const isOpen = (backbone: Backbone): backbone is OpenBackbone => "staged" in backbone;

/**
 * A backbone as one that can be looked into.
 *
 * @param what - Who wants to, beginning a sentence, such as "Grad-CAM".
 * @throws Error that says that this one can't.
 */
export function requireOpen(backbone: Backbone, what: string): OpenBackbone {
  if (isOpen(backbone)) return backbone;
  throw refusal(
    `${what} looks into the network, and of ${backbone.name} only the features are known: take the backbone "resnet50" or "efficientnet-lite0" for it.`,
  );
}

/** The smallest image on which five halvings leave something to pool, as in Keras. */
export const smallestInputSize = 32;

/** @throws RangeError if a backbone can't work on images of this size. */
export function checkInputSize(inputSize: number): void {
  if (!Number.isInteger(inputSize) || inputSize < smallestInputSize) {
    throw new RangeError(`inputSize is a whole number of at least ${smallestInputSize}, found ${inputSize}.`);
  }
}

/** @throws RangeError if a batch of images isn't [n, inputSize, inputSize, 3]. */
export function checkImageShape(shape: number[], inputSize: number): void {
  const [, height, width, channels] = shape;
  if (shape.length !== 4 || height !== inputSize || width !== inputSize || channels !== 3) {
    throw new RangeError(
      `This backbone takes images of shape [n, ${inputSize}, ${inputSize}, 3], found [${shape.join(", ")}].`,
    );
  }
}
