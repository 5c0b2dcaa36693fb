import { readEntry, writeEntry } from "../../runtime/cache/content-cache";
import { sha256 } from "../../runtime/cache/content-hash";
import { arithmeticKey, describeDevice, deviceKind } from "../../runtime/device/device";
import { processorKey } from "../../runtime/device/processor";
import { type Backbone, isOpen, type OpenBackbone } from "../backbones/architecture";

/**
 * Batches smaller than the usual ones, for few images. They may only be used where they give the same bits, which
 * depends on the processor, on how TensorFlow divides the work among cores, and on nothing in the images: so it is
 * tried once for each backbone on a machine, and kept.
 */

/** Sizes that are tried: one image, and the views of one. */
const triedSizes = [1, 8];
const cacheKind = "batches";
/** Raised by hand when something else is tried. */
const trialVersion = 1;

/** What is known in this process: by key, the sizes that give the same bits; null if nobody tried yet. */
const known = new Map<string, readonly number[] | null>();

function keyOf({ name, inputSize }: Backbone, batchSize: number): string {
  const { tensorflowVersion } = describeDevice();
  const machine = [tensorflowVersion, arithmeticKey(), processorKey()];
  return sha256(JSON.stringify([trialVersion, name, inputSize, batchSize, triedSizes, ...machine]));
}

type Tried = OpenBackbone & Required<Pick<OpenBackbone, "embedPixels">>;

// GPUs choose algorithms by a batch's size, and are done with a whole one as soon as with a small one; somebody else's
// network does what it likes.
const isTried = (backbone: Backbone): backbone is Tried =>
  isOpen(backbone) && backbone.embedPixels !== undefined && deviceKind() === "cpu";

/** Reads what was found out on this machine; called before `smallestBatch`, which else knows of whole batches alone. */
export async function recallSmallBatches(backbone: Backbone, batchSize: number): Promise<void> {
  if (!isTried(backbone)) return;
  const key = keyOf(backbone, batchSize);
  if (known.has(key)) return;
  const entry = await readEntry(cacheKind, key).catch(() => null);
  known.set(key, entry === null ? null : (JSON.parse(entry.toString("utf8")) as number[]));
}

/** The size of the smallest batch that gives these images the bits that a whole one gives them. */
export function smallestBatch(backbone: Backbone, count: number, batchSize: number): number {
  if (!isTried(backbone) || count === batchSize) return batchSize;
  const sizes = known.get(keyOf(backbone, batchSize)) ?? [];
  return sizes.find((size) => size >= count) ?? batchSize;
}

/** A whole batch and what it gave. */
export interface WholeBatch {
  /** RGB, 0..255, shape [count, inputSize, inputSize, 3]; black images follow up to the batch's size. */
  pixels: Uint8Array;
  count: number;
  /** Shape [count, featureWidth]. */
  values: Float32Array;
}

/**
 * Computes some of a batch's images again in small batches, the first ones and the last, and remembers which sizes gave
 * the same bits; nothing to do where that is known.
 */
export async function learnSmallBatches(
  backbone: Backbone,
  batch: WholeBatch,
  batchSize: number,
): Promise<void> {
  if (!isTried(backbone)) return;
  const key = keyOf(backbone, batchSize);
  if (known.get(key) !== null) return;
  const sizes = triedSizes.filter((size) => size < batchSize && givesSameBits(backbone, batch, size));
  known.set(key, sizes);
  // Where nothing can be kept, the next process tries again.
  await writeEntry(cacheKind, key, Buffer.from(JSON.stringify(sizes))).catch(() => undefined);
}

function givesSameBits(backbone: Tried, { pixels, count, values }: WholeBatch, size: number): boolean {
  const { inputSize, featureWidth } = backbone;
  const imageLength = inputSize * inputSize * 3;
  const last = Math.max(0, count - size);
  return [...new Set([0, last])].every((first) => {
    const present = Math.min(size, count - first);
    const some = new Uint8Array(size * imageLength);
    some.set(pixels.subarray(first * imageLength, (first + present) * imageLength));
    const features = backbone.embedPixels({ pixels: some, shape: [size, inputSize, inputSize, 3] });
    const found = features.dataSync<"float32">().slice(0, present * featureWidth);
    features.dispose();
    const expected = values.slice(first * featureWidth, (first + present) * featureWidth);
    return Buffer.from(found.buffer).equals(Buffer.from(expected.buffer));
  });
}
