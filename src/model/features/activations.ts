import { mkdir } from "node:fs/promises";
import pMap from "p-map";
import { type Dataset, imageFile } from "../../data/dataset";
import { sizeText } from "../../data/fetch/download-problems";
import { type FreeSpace, freeSpaceOf } from "../../data/fetch/staging";
import { decodeBatches } from "../../data/images/decode-batches";
import type { ImageTransform } from "../../data/images/image-transform";
import { decodeImage, imageConcurrency } from "../../data/images/images";
import { measureEntry, readEntry, writeEntry } from "../../runtime/cache/content-cache";
import { sha256 } from "../../runtime/cache/content-hash";
import { arithmeticKey } from "../../runtime/device/device";
import { breathe, runCooperatively } from "../../runtime/interruption";
import { decodeFloat16, encodeFloat16 } from "../../runtime/native/float16";
import { cacheFolder } from "../../runtime/paths";
import { startProgress } from "../../runtime/progress";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import { tf } from "../../runtime/tensorflow";
import type { OpenBackbone } from "../backbones/architecture";
import { runStages } from "../backbones/stages";

/** What the frozen stages of a network make of a data set's images: the input of those that are trained. */
export interface Activations {
  /** Of one image: [height, width, channels]. */
  shape: [number, number, number];
  /**
   * Reads images' activations; what is no longer in the cache is computed again.
   *
   * @param rows - Indices of the data set's records.
   * @returns Shape [rows.length, height, width, channels]; the caller disposes.
   */
  load(rows: readonly number[]): Promise<tf.Tensor4D>;
  /** On disk; 0 where nothing is frozen, and images are decoded instead. */
  bytes: number;
  /** Images computed now. */
  computed: number;
  /** Images that were computed before. */
  fromCache: number;
  /** False if it was interrupted; another call goes on from there. */
  complete: boolean;
}

/** What activations are computed for. */
export interface ActivationsTask {
  dataset: Dataset;
  /** Indices of records. */
  rows: readonly number[];
  backbone: OpenBackbone;
  /** Name of the first stage that isn't frozen. */
  from: string;
  /** What is done to each image first; by default nothing. */
  transform?: ImageTransform | null;
  /** Told apart from the operating system's answer by tests. */
  freeSpace?: FreeSpace;
}

/** Images a batch, always filled up, so that an image's activations don't depend on which others there are. */
const batchSize = 16;
/** Raised by hand when the frozen stages, or how activations are kept, change. */
const activationsVersion = 2;
const cacheKind = "activations";
const cacheReaders = 8;
/** What the file system and a checksum add, and some room for others. */
const overhead = 1.05;

/**
 * Finds a stage by its name, "last" or "all".
 *
 * @throws RangeError naming the network's stages if it has none of that name.
 */
export function stageIndex({ name, staged }: Pick<OpenBackbone, "name" | "staged">, stage: string): number {
  if (stage === "all") return 0;
  const index = staged.stages.findIndex((one) => one.name === (stage === "last" ? staged.last : stage));
  if (index >= 0) return index;
  const names = staged.stages.map((one) => one.name).join(", ");
  throw rangeRefusal(`${name} has no stage "${stage}"; it has ${names}, and "last" and "all" are known too.`);
}

/** Shape of one image's activations, by sending one black image through. */
function measureShape(backbone: OpenBackbone, frozen: number): [number, number, number] {
  const { inputSize, staged } = backbone;
  const output = tf.tidy(() => {
    const image = tf.zeros<tf.Rank.R4>([1, inputSize, inputSize, 3], "int32");
    return runStages(staged.stages.slice(0, frozen), staged.prepare(image));
  });
  const [, height, width, channels] = output.shape;
  output.dispose();
  return [height, width, channels];
}

const bytesOf = (shape: readonly number[]) => 2 * shape.reduce((product, size) => product * size, 1);

/** Size on disk of the activations of so many images, in bytes; 0 if nothing is frozen. */
export function estimateActivations(backbone: OpenBackbone, from: string, images: number): number {
  const frozen = stageIndex(backbone, from);
  return frozen === 0 ? 0 : images * bytesOf(measureShape(backbone, frozen));
}

/** Says how much disk fine-tuning will take, before it does. */
export function describeActivations(backbone: OpenBackbone, from: string, images: number): string {
  const bytes = estimateActivations(backbone, from, images);
  const stage = backbone.staged.stages[stageIndex(backbone, from)]!.name;
  return bytes === 0
    ? "The whole network is trained: images are decoded anew in each epoch, and nothing is kept on disk."
    : `The activations of ${images} images below ${stage}, which is frozen, take ${sizeText(bytes)} in ${cacheFolder()}; \`npm run cache\` clears them.`;
}

/** Decoded images in place of activations. */
function imagesInstead(task: ActivationsTask): Activations {
  const { dataset, rows, backbone, transform } = task;
  const { inputSize, staged } = backbone;
  const length = inputSize * inputSize * 3;
  async function load(wanted: readonly number[]): Promise<tf.Tensor4D> {
    const pixels = new Int32Array(wanted.length * length);
    await pMap(
      wanted,
      async (row, i) => {
        const image = await decodeImage(imageFile(dataset, dataset.records[row]!), inputSize);
        pixels.set(transform?.apply(image) ?? image, i * length);
      },
      { concurrency: imageConcurrency },
    );
    return tf.tidy(() =>
      staged.prepare(tf.tensor4d(pixels, [wanted.length, inputSize, inputSize, 3], "int32")),
    );
  }
  const shape = tf.tidy(
    () => staged.prepare(tf.zeros<tf.Rank.R4>([1, inputSize, inputSize, 3], "int32")).shape,
  );
  const ready = { bytes: 0, computed: 0, fromCache: rows.length, complete: true };
  return { shape: [shape[1], shape[2], shape[3]], load, ...ready };
}

/** What goes into an entry's key beside the image. */
function computationOf({ backbone, transform }: ActivationsTask, frozen: number): unknown[] {
  const below = backbone.fineTuned?.base.sha256 ?? backbone.weights.sha256;
  const tunedBelow =
    backbone.fineTuned !== undefined && stageIndex(backbone, backbone.fineTuned.from) < frozen;
  return [
    activationsVersion,
    backbone.name,
    // Stages that lie below everything that was ever trained are still those of the original weights.
    tunedBelow ? backbone.weights.sha256 : below,
    backbone.inputSize,
    backbone.staged.stages[frozen]!.name,
    batchSize,
    transform?.id ?? null,
    arithmeticKey(),
  ];
}

/** The cached part: keys, and how entries are computed, written and read. */
class ActivationStore {
  readonly shape: Activations["shape"];
  /** Of one image's entry. */
  readonly bytes: number;
  private readonly computation: unknown[];

  constructor(
    private readonly task: ActivationsTask,
    private readonly frozen: number,
  ) {
    this.shape = measureShape(task.backbone, frozen);
    this.bytes = bytesOf(this.shape);
    this.computation = computationOf(task, frozen);
  }

  keyOf(row: number): string {
    return sha256(JSON.stringify([...this.computation, this.task.dataset.records[row]!.sha256]));
  }

  async isKept(row: number): Promise<boolean> {
    return (await measureEntry(cacheKind, this.keyOf(row))) === this.bytes;
  }

  async computeAndKeep(
    rows: readonly number[],
    signal: AbortSignal,
    onDone: (images: number) => void,
  ): Promise<number> {
    const { dataset, backbone, transform } = this.task;
    const images = rows.map((row) => imageFile(dataset, dataset.records[row]!));
    const decoding = transform ? { transform: transform.apply } : {};
    const batches = decodeBatches(images, backbone.inputSize, batchSize, decoding);
    let computed = 0;
    for await (const { pixels, start, count } of batches) {
      if (signal.aborted) break;
      const encoded = this.compute(pixels, count);
      for (let image = 0; image < count; image++) {
        const entry = encoded.subarray(image * this.bytes, (image + 1) * this.bytes);
        await writeEntry(cacheKind, this.keyOf(rows[start + image]!), entry);
      }
      computed += count;
      onDone(count);
      await breathe();
    }
    return computed;
  }

  async load(rows: readonly number[]): Promise<tf.Tensor4D> {
    const all = new Uint8Array(rows.length * this.bytes);
    const fill = async (row: number, i: number) => all.set(await this.read(row), i * this.bytes);
    await pMap(rows, fill, { concurrency: cacheReaders });
    return decodeFloat16(all, [rows.length, ...this.shape]) as tf.Tensor4D;
  }

  private async read(row: number): Promise<Uint8Array> {
    const { dataset, backbone, transform } = this.task;
    const kept = await readEntry(cacheKind, this.keyOf(row));
    if (kept?.length === this.bytes) return kept;
    const image = await decodeImage(imageFile(dataset, dataset.records[row]!), backbone.inputSize);
    return this.compute(transform?.apply(image) ?? image, 1).slice();
  }

  /** @param pixels - At most a batch of images. */
  private compute(pixels: Uint8Array, count: number): Uint8Array {
    const { name, inputSize, staged } = this.task.backbone;
    const padded = new Int32Array(batchSize * inputSize * inputSize * 3);
    padded.set(pixels);
    const activations = tf.tidy(() => {
      const images = tf.tensor4d(padded, [batchSize, inputSize, inputSize, 3], "int32");
      return runStages(staged.stages.slice(0, this.frozen), staged.prepare(images));
    });
    try {
      return encodeFloat16(activations).subarray(0, count * this.bytes);
    } catch (error) {
      throw refusal(
        `${name}'s activations below ${staged.stages[this.frozen]!.name} can't be kept: ${(error as Error).message} Are these the right weights?`,
      );
    } finally {
      activations.dispose();
    }
  }
}

/** @throws Error if the disk has no room for what is still to be computed. */
async function requireRoom(bytes: number, freeSpace: FreeSpace): Promise<void> {
  const folder = cacheFolder();
  await mkdir(folder, { recursive: true });
  const needed = bytes * overhead;
  const free = await freeSpace(folder);
  if (free >= needed) return;
  throw refusal(
    `Fine-tuning keeps ${sizeText(needed)} of activations in ${folder}, where ${sizeText(free)} are free: make room (\`npm run cache\` says what is kept), name a folder on another disk as BREAKHIS_CACHE, or train a higher stage, or everything, which keeps nothing.`,
  );
}

/** One row for each different image that is not in the cache yet. */
async function findMissing(
  rows: readonly number[],
  store: Pick<ActivationStore, "keyOf" | "isKept">,
): Promise<number[]> {
  const unique = [...new Map(rows.map((row) => [store.keyOf(row), row])).values()];
  const kept = await pMap(unique, (row) => store.isKept(row), { concurrency: cacheReaders });
  return unique.filter((_, i) => kept[i] === false);
}

/**
 * Computes what the frozen stages make of images, once, or finds it in the cache, by content as features are. On disk
 * each number is rounded to half precision: a relative error of at most 2⁻¹¹ (see `encodeFloat16`).
 *
 * With the first stage as `from` nothing is frozen: images are decoded whenever they are asked for.
 *
 * @throws RangeError if there is no such stage; Error if the disk has no room, before anything is computed, or an
 * image can't be read any more.
 */
export async function extractActivations(task: ActivationsTask): Promise<Activations> {
  const frozen = stageIndex(task.backbone, task.from);
  if (frozen === 0) return imagesInstead(task);
  const { rows, freeSpace = freeSpaceOf } = task;
  const store = new ActivationStore(task, frozen);
  const missing = await findMissing(rows, store);
  await requireRoom(missing.length * store.bytes, freeSpace);
  const progress = startProgress(`Computing the activations below ${task.from}`, missing.length, "images");
  try {
    const computed = await runCooperatively("computing activations", (signal) =>
      store.computeAndKeep(missing, signal, progress.advance),
    );
    return {
      shape: store.shape,
      load: (wanted) => store.load(wanted),
      bytes: rows.length * store.bytes,
      computed,
      fromCache: rows.length - missing.length,
      complete: computed === missing.length,
    };
  } finally {
    progress.finish();
  }
}
