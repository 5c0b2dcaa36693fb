import pMap from "p-map";
import { decodeBatches } from "../../data/images/decode-batches";
import type { ImageTransform } from "../../data/images/image-transform";
import type { ImageView } from "../../data/images/image-views";
import { forgetStretched } from "../../data/images/stretched-images";
import { type ImageFiles, imageFile } from "../../data/record";
import { readEntry, writeEntry } from "../../runtime/cache/content-cache";
import { sha256 } from "../../runtime/cache/content-hash";
import { arithmeticKey } from "../../runtime/device/device";
import { groupBy } from "../../runtime/group-by";
import { breathe, runCooperatively } from "../../runtime/interruption";
import { type ProgressReporter, startProgress } from "../../runtime/progress";
import { rangeRefusal } from "../../runtime/refusal";
import { tf } from "../../runtime/tensorflow";
import type { Backbone, PixelBatch } from "../backbones/architecture";
import { type FeatureValues, gatherRows, pickRows, requireRow } from "./feature-rows";
import { type FeaturesOrigin, featuresVersion, networkChecksum, originOf } from "./features-origin";
import { makeRoomForRows, type RowsToFill } from "./row-file";
import { learnSmallBatches, recallSmallBatches, smallestBatch } from "./small-batches";

/** Backbone outputs of a data set, one row an image. */
export interface Features {
  /** The backbone's name. */
  backbone: string;
  /** Values a row. */
  width: number;
  /**
   * Shape [count, width]; row i belongs to `records[i]`. Rows not computed are NaN. More than 1 GiB of them lie in a file,
   * from which `selectRows` reads.
   */
  values: FeatureValues;
  /** Rows: the data set's records. */
  count: number;
  /** The image of each row: training compares them, so that no copy is learned from and tested on. */
  images?: readonly { file: string; sha256: string }[];
  /** What they were made of. */
  origin?: FeaturesOrigin;
  /** Further views of the same images, where there are any. */
  views?: readonly ViewFeatures[];
  /** Records whose stains all images were normalised to: who learns from others, or tests on these, would cheat. */
  fittedOn?: readonly number[];
  /** False if it was interrupted, and some rows are NaN; another call goes on from there. */
  complete: boolean;
  /** Rows computed now. */
  computed: number;
  /** Rows that were computed before. */
  fromCache: number;
  seconds: number;
}

/** Backbone outputs of one view of each image. */
export interface ViewFeatures {
  view: ImageView;
  /** Shape [count, width], as in `Features`. */
  values: FeatureValues;
}

/**
 * Images a batch. Every batch is filled up to this size, or to a smaller one that was seen to give the same bits
 * (small-batches.ts), because the last bits of a result may depend on the size, and on nothing else: one image alone gets
 * the same features as among a thousand.
 */
export const featureBatchSize = 32;

const cacheKind = "features";
const cacheReaders = 16;
const cacheWriters = 8;

/**
 * Embeds at most one batch of images, filled up with black ones.
 *
 * @param pixels - RGB, 0..255, shape [count, inputSize, inputSize, 3].
 * @param count - At most `batchSize`.
 * @returns Shape [count, featureWidth].
 * @throws RangeError if there are more images than the batch holds, or pixels are missing.
 */
export async function embedPixels(
  backbone: Backbone,
  pixels: Uint8Array,
  count: number,
  batchSize: number = featureBatchSize,
): Promise<Float32Array> {
  const { inputSize, featureWidth } = backbone;
  const imageLength = inputSize * inputSize * 3;
  if (count > batchSize || pixels.length !== count * imageLength) {
    throw rangeRefusal(
      `Expected at most ${batchSize} images of ${imageLength} values, found ${pixels.length} values for ${count} images.`,
    );
  }
  await recallSmallBatches(backbone, batchSize);
  const size = smallestBatch(backbone, count, batchSize);
  const features = await embedBatch(backbone, {
    pixels: fillUp(pixels, size * imageLength),
    shape: [size, inputSize, inputSize, 3],
    count,
  });
  const all = features.dataSync<"float32">();
  features.dispose();
  const values = count === size ? all : all.slice(0, count * featureWidth);
  await learnSmallBatches(backbone, { pixels, count, values }, batchSize);
  return values;
}

/** The pixels as they are, or followed by black ones. */
function fillUp(pixels: Uint8Array, length: number): Uint8Array {
  if (pixels.length === length) return pixels;
  const filled = new Uint8Array(length);
  filled.set(pixels);
  return filled;
}

async function embedBatch(backbone: Backbone, batch: PixelBatch): Promise<tf.Tensor2D> {
  if (backbone.embedPixels !== undefined) return backbone.embedPixels(batch);
  const images = tf.tensor4d(Int32Array.from(batch.pixels), batch.shape, "int32");
  try {
    return await backbone.embed(images);
  } finally {
    images.dispose();
  }
}

/** Everything that a row depends on. GPUs round differently (TF32), so device and arithmetic are part of it. */
function cacheKeys(
  records: ImageFiles["records"],
  backbone: Backbone,
  batchSize: number,
  transform: ImageTransform | null,
): string[] {
  const computation = [
    featuresVersion,
    backbone.name,
    networkChecksum(backbone),
    backbone.inputSize,
    batchSize,
  ];
  const common = transform === null ? computation : [...computation, transform.id];
  const device = arithmeticKey();
  return records.map((record) => sha256(JSON.stringify([...common, device, record.sha256])));
}

const asBytes = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Fills the rows that were computed before; returns the indices of those that were not. */
async function fillFromCache(
  { fill }: RowsToFill,
  width: number,
  keys: readonly string[],
): Promise<number[]> {
  const missing: number[] = [];
  await pMap(
    keys,
    async (key, row) => {
      const entry = await readEntry(cacheKind, key);
      if (entry?.length === width * Float32Array.BYTES_PER_ELEMENT) fill(row, entry);
      else missing.push(row);
    },
    { concurrency: cacheReaders },
  );
  return missing.sort((one, other) => one - other);
}

interface Extraction {
  images: ImageFiles;
  backbone: Backbone;
  batchSize: number;
  transform: ImageTransform | null;
  /** A key a row. */
  keys: string[];
  /** Of `featureWidth` values each, filled here. */
  filling: RowsToFill;
  progress: ProgressReporter;
  signal: AbortSignal;
}

/** Keeps rows under their keys; rows of one batch are written at the same time. */
async function keepRows(keys: readonly string[], batch: Float32Array, width: number): Promise<void> {
  const keep = (key: string, row: number) =>
    writeEntry(cacheKind, key, asBytes(batch.subarray(row * width, (row + 1) * width)));
  await pMap(keys, keep, { concurrency: cacheWriters });
}

/**
 * Computes rows and keeps them, until it is asked to stop; returns how many it computed.
 *
 * While a batch is computed, the next one is decoded and the one before is written.
 */
async function computeRows(missing: readonly number[], extraction: Extraction): Promise<number> {
  const { images, backbone, batchSize, transform, keys, filling, progress, signal } = extraction;
  const width = backbone.featureWidth;
  const groups = [...groupBy(missing, (row) => keys[row]!)];
  const files = groups.map(([, rows]) => imageFile(images, images.records[rows[0]!]!));
  let computed = 0;
  let writing: Promise<void> = Promise.resolve();
  const { interpolation } = backbone;
  const decoding = {
    ...(transform === null ? {} : { transform: transform.apply }),
    ...(interpolation === undefined ? {} : { interpolation }),
  };
  const batches = decodeBatches(files, backbone.inputSize, batchSize, decoding);
  try {
    for await (const { pixels, start, count } of batches) {
      if (signal.aborted) break;
      const batch = await embedPixels(backbone, pixels, count, batchSize);
      const done = groups.slice(start, start + count);
      await writing;
      writing = keepRows(
        done.map(([key]) => key),
        batch,
        width,
      );
      // Its failure is noticed where it is awaited.
      writing.catch(() => undefined);
      for (const [image, [, rows]] of done.entries()) {
        const row = batch.subarray(image * width, (image + 1) * width);
        for (const index of rows) filling.fill(index, asBytes(row));
        computed += rows.length;
        progress.advance(rows.length);
      }
      await breathe();
    }
  } finally {
    await writing;
  }
  return computed;
}

/**
 * Computes every image's features, or takes them from the cache, where they are kept by content: renamed, moved
 * or copied images are found again, and so is what an interrupted extraction had finished.
 *
 * One cache entry an image, so that several notebooks can read and write at the same time and a killed one loses
 * no more than the batch it was at and the one before.
 *
 * @param options.batchSize - Images a batch, by default `featureBatchSize`; part of the cache's key.
 * @param options.transform - What is done to each image first, such as `stainNormalisation(reference)`; part of
 * the cache's key. By default nothing.
 * @param options.task - What progress is reported as, by default "Computing features".
 * @param options.tables - How many features of as many images are used together, by default these alone.
 * @throws Error naming the file if an image can't be read any more, or is another one than when the data set was opened.
 */
export async function extractFeatures(
  images: ImageFiles,
  backbone: Backbone,
  options: { batchSize?: number; transform?: ImageTransform | null; task?: string; tables?: number } = {},
): Promise<Features> {
  const startedAtMs = performance.now();
  const { records } = images;
  const width = backbone.featureWidth;
  const batchSize = options.batchSize ?? featureBatchSize;
  const transform = options.transform ?? null;
  const keys = cacheKeys(records, backbone, batchSize, transform);
  const filling = await makeRoomForRows(records.length, width, { tables: options.tables ?? 1 });
  const progress = startProgress(options.task ?? "Computing features", records.length, "images");
  try {
    const missing = await fillFromCache(filling, width, keys);
    const fromCache = records.length - missing.length;
    progress.advance(fromCache);
    const computed = await runCooperatively("feature extraction", (signal) =>
      computeRows(missing, { images, backbone, batchSize, transform, keys, filling, progress, signal }),
    );
    return {
      backbone: backbone.name,
      width,
      values: filling.values,
      count: records.length,
      images: records.map(({ file, sha256: content }) => ({ file, sha256: content })),
      origin: originOf(images, backbone, [transform?.id ?? null]),
      complete: computed === missing.length,
      computed,
      fromCache,
      seconds: (performance.now() - startedAtMs) / 1000,
    };
  } finally {
    forgetStretched();
    progress.finish();
  }
}

/**
 * Copies rows of features.
 *
 * @param rows - Indices of rows, in the order wanted.
 * @returns Shape [rows.length, width].
 * @throws RangeError if there is no such row.
 */
export function selectRows(
  features: Pick<Features, "width" | "values" | "count">,
  rows: readonly number[],
): Float32Array {
  const { width, values, count } = features;
  for (const row of rows) requireRow(row, count);
  return gatherRows(values, width, rows);
}

/**
 * Some records' features, with all their views, as those of a data set of its own.
 *
 * @param rows - Indices of records, in the order wanted.
 * @throws RangeError if there is no such row.
 */
export function selectFeatures(features: Features, rows: readonly number[]): Features {
  const { images, views, fittedOn, width, count } = features;
  const places = new Map(rows.map((row, place) => [row, place]));
  for (const row of rows) requireRow(row, count);
  return {
    ...features,
    values: pickRows(features.values, width, rows),
    count: rows.length,
    ...(images === undefined ? {} : { images: rows.map((row) => images[row]!) }),
    ...(views === undefined
      ? {}
      : {
          views: views.map(({ view, values }) => ({
            view,
            values: pickRows(values, width, rows),
          })),
        }),
    // A record that was fitted on and is left out has no place any more; it stays one that nobody learns from.
    ...(fittedOn === undefined ? {} : { fittedOn: fittedOn.map((row) => places.get(row) ?? -1) }),
  };
}
