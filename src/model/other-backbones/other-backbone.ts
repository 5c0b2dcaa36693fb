import { rangeRefusal, refusal } from "../../runtime/refusal";
import { inputSizeSchema } from "../../runtime/settings";
import { tf } from "../../runtime/tensorflow";
import { type Backbone, checkImageShape, type PixelBatch } from "../backbones/architecture";
import type { BackboneRecipe } from "../backbones/recipe";
import type { FoundNetwork, OpenedNetwork } from "./network";
import { inputShape, pixelsIn } from "./pixels-in";
import { type PooledRows, poolOutput } from "./pooling";

/** Images at once, of 224 pixels; of larger ones fewer, since memory grows with them. */
const mostImages = 8;
const usualSize = 224;

/** How many images go in at once: what the graph is fixed to, or what memory is sure to hold. */
function batchOf({ input }: OpenedNetwork, inputSize: number): number {
  const bounded = Math.max(1, Math.floor(mostImages * Math.min(1, (usualSize / inputSize) ** 2)));
  return input.shape[0] ?? bounded;
}

/** Computes features of images, batch by batch, each of the same size: an image's never depend on how many there are. */
class Embedding {
  private readonly batch: number;
  private readonly fill: (pixels: Uint8Array) => Float32Array;

  constructor(
    private readonly network: OpenedNetwork,
    private readonly recipe: BackboneRecipe,
  ) {
    this.batch = batchOf(network, recipe.inputSize);
    this.fill = pixelsIn(recipe, this.batch);
  }

  /** @param pixels - RGB, 0..255, of at most a batch. */
  async rowsOf(pixels: Uint8Array): Promise<PooledRows> {
    const { network, recipe, batch } = this;
    const output = await network.run(this.fill(pixels), inputShape(recipe, batch), recipe.output);
    if (output.shape[0] !== batch) {
      throw refusal(
        `Of ${batch} images the output "${recipe.output}" is of shape [${output.shape.join(", ")}]: its first axis is to be the images.`,
      );
    }
    return poolOutput(output, recipe);
  }

  async embed({ pixels, shape, count = shape[0] }: PixelBatch, width: number): Promise<tf.Tensor2D> {
    const { inputSize } = this.recipe;
    checkImageShape(shape, inputSize);
    const imageLength = inputSize * inputSize * 3;
    const features = new Float32Array(shape[0] * width);
    for (let first = 0; first < count; first += this.batch) {
      const images = Math.min(this.batch, count - first);
      const part = pixels.subarray(first * imageLength, (first + images) * imageLength);
      const { values } = await this.rowsOf(part);
      features.set(values.subarray(0, images * width), first * width);
    }
    return tf.tensor2d(features, [shape[0], width]);
  }
}

/** @throws RangeError if images can't be made of this size here. */
function checkSize({ inputSize }: BackboneRecipe, name: string): void {
  if (inputSizeSchema.safeParse(inputSize).success) return;
  throw rangeRefusal(`${name} takes images of ${inputSize} pixels; from 32 to 1024 are possible here.`);
}

/**
 * Makes a backbone of somebody else's network, once it was tried on a black image.
 *
 * @param network - Is the backbone's from here on, and disposed of if this fails.
 * @throws Error if it can't be run so.
 */
export async function backboneOfNetwork(
  found: FoundNetwork,
  network: OpenedNetwork,
  recipe: BackboneRecipe,
): Promise<Backbone> {
  try {
    checkSize(recipe, found.name);
    const embedding = new Embedding(network, recipe);
    const { width, values } = await embedding.rowsOf(new Uint8Array(0));
    if (!values.every(Number.isFinite)) {
      throw refusal(
        `${found.name} makes no finite numbers of a black image: are these its mean and deviation?`,
      );
    }
    const { name, location, sha256, parameterCount, kind } = found;
    const layer = {
      name: recipe.output,
      kind,
      outputShape: [width],
      parameters: parameterCount ?? Number.NaN,
    };
    return {
      name,
      weights: { name, sha256, source: "user's file" },
      pretrained: false,
      inputSize: recipe.inputSize,
      interpolation: recipe.interpolation,
      featureWidth: width,
      layers: [layer],
      parameterCount,
      recipe,
      location,
      embedPixels: (batch) => embedding.embed(batch, width),
      embed: (images) =>
        embedding.embed({ pixels: Uint8Array.from(images.dataSync()), shape: images.shape }, width),
      dispose: () => network.dispose(),
    };
  } catch (error) {
    network.dispose();
    throw error;
  }
}
