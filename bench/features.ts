import { join } from "node:path";
import { type Dataset, imagePath, openDataset } from "../src/data/dataset";
import { decodeBatches } from "../src/data/images/decode-batches";
import { type Backbone, loadBackbone } from "../src/model/backbones/backbone";
import { efficientnetLite0File, findKeptWeights } from "../src/model/backbones/weights-location";
import { embedPixels, extractFeatures, featureBatchSize } from "../src/model/features/features";
import { type Arithmetic, useArithmetic } from "../src/runtime/device/arithmetic";
import type { BenchContext, Benchmark, Sides } from "./benchmark";
import { syntheticImages } from "./images";
import { type KerasProcess, startKeras } from "./keras-process";
import { type OwnCache, useOwnCache } from "./own-cache";

const inputSize = 224;
const imageCount = 4 * featureBatchSize;
const probeCount = 2 * featureBatchSize;

/** Both sides' means, on the same files and with the same weights. */
interface Setting {
  backbone: Backbone;
  weights: string;
  dataset: Dataset;
  files: string[];
  cache: OwnCache;
}

async function weightsOf(name: Backbone["name"], context: BenchContext): Promise<string> {
  if (name === "resnet50") return context.resnet50Weights();
  const path = findKeptWeights(efficientnetLite0File);
  if (path === null) throw new Error("EfficientNet-Lite0's weights are missing: run npm run setup first.");
  return path;
}

async function prepareSetting(name: Backbone["name"], context: BenchContext): Promise<Setting> {
  const weights = await weightsOf(name, context);
  const folder = await syntheticImages(imageCount);
  const cache = await useOwnCache();
  const dataset = await openDataset(folder);
  const { backbone } = await loadBackbone({ backbone: name, weights, inputSize });
  const files = dataset.records.map((record) => imagePath(dataset, record));
  return { backbone, weights, dataset, files, cache };
}

/** Images a second from files to features in an empty cache. */
async function measureExtraction({ dataset, backbone, cache }: Setting): Promise<number> {
  cache.clear();
  const { computed, seconds } = await extractFeatures(dataset, backbone);
  if (computed !== imageCount) throw new Error(`Only ${computed} of ${imageCount} images were computed.`);
  return computed / seconds;
}

async function decodeAll(files: readonly string[]): Promise<Uint8Array[]> {
  const batches: Uint8Array[] = [];
  for await (const { pixels } of decodeBatches(files, inputSize, featureBatchSize)) batches.push(pixels);
  return batches;
}

/** Images a second from pixels in memory to features in memory. */
async function measureForward({ backbone }: Setting, batches: readonly Uint8Array[]): Promise<number> {
  const startedAt = performance.now();
  for (const pixels of batches) await embedPixels(backbone, pixels, featureBatchSize);
  return (1000 * imageCount) / (performance.now() - startedAt);
}

/** Keras in the quickest of the ways whose names begin as given. */
async function prepareKeras(
  setting: Setting,
  context: BenchContext,
  { prefix, inMemory }: { prefix: string; inMemory: boolean },
) {
  const keras: KerasProcess = startKeras("features.py");
  const { backbone, weights, files, cache } = setting;
  const request = {
    backbone: backbone.name,
    weights,
    files,
    size: inputSize,
    batch: featureBatchSize,
    out: join(cache.folder, "features.npy"),
    inMemory,
  };
  const measure = async (way: string, paths = files) =>
    (await keras.ask<{ value: number }>({ ...request, way, files: paths })).value;
  const { ways } = await keras.ask<{ ways: string[] }>({});
  let best = { way: "", speed: 0 };
  for (const way of ways.filter((name) => name.startsWith(prefix))) {
    await context.waitUntilIdle();
    const speed = await measure(way, files.slice(0, probeCount));
    if (speed > best.speed) best = { way, speed };
  }
  return { way: best.way, run: () => measure(best.way), close: keras.close };
}

async function prepareAgainstKeras(
  name: Backbone["name"],
  context: BenchContext,
  how: { prefix: string; inMemory: boolean; arithmetic: Arithmetic },
): Promise<Sides> {
  useArithmetic(how.arithmetic);
  const setting = await prepareSetting(name, context);
  const keras = await prepareKeras(setting, context, how);
  const batches = how.inMemory ? await decodeAll(setting.files) : [];
  const ours = async () =>
    how.inMemory ? await measureForward(setting, batches) : await measureExtraction(setting);
  await ours();
  return {
    baselineName: `Keras, ${keras.way}`,
    ours,
    baseline: keras.run,
    note: () => `Weights: ${setting.backbone.weights.name}.`,
    async close() {
      await keras.close();
      useArithmetic("exact");
      setting.backbone.dispose();
      await setting.cache.close();
    },
  };
}

async function prepareAgainstForward(name: Backbone["name"], context: BenchContext): Promise<Sides> {
  const setting = await prepareSetting(name, context);
  const batches = await decodeAll(setting.files);
  await measureExtraction(setting);
  let decoding = 0;
  return {
    baselineName: "the forward pass alone",
    ours: () => measureExtraction(setting),
    async baseline() {
      const speed = await measureForward(setting, batches);
      const startedAt = performance.now();
      await decodeAll(setting.files);
      decoding = (1000 * imageCount) / (performance.now() - startedAt);
      return speed;
    },
    note: () => `Decoding alone, on all cores: ${decoding.toFixed(0)} images/s.`,
    async close() {
      setting.backbone.dispose();
      await setting.cache.close();
    },
  };
}

function against(
  name: string,
  backbone: Backbone["name"],
  how: { prefix: string; inMemory?: boolean; arithmetic?: Arithmetic },
  goal: number,
): Benchmark {
  const prepare = (context: BenchContext) =>
    prepareAgainstKeras(backbone, context, { inMemory: false, arithmetic: "exact", ...how });
  return { name, unit: "images/s", goal, prepare };
}

/**
 * From PNG files of 700 × 460 pixels to pooled features that are kept; Keras reads, decodes and resizes with
 * `tf.data` on all cores and ahead, and by the cheaper bilinear filter. "in memory" leaves files and decoding out.
 */
export const featureBenchmarks: Benchmark[] = [
  against("ResNet50 features, against tf.function", "resnet50", { prefix: "tf.function" }, 1.15),
  against(
    "ResNet50 features in bfloat16, against tf.function in float32",
    "resnet50",
    { prefix: "tf.function", arithmetic: "bfloat16" },
    1.5,
  ),
  against(
    "ResNet50 features in bfloat16, against tf.function in bfloat16",
    "resnet50",
    { prefix: "bfloat16", arithmetic: "bfloat16" },
    1,
  ),
  against("ResNet50 features, against model.predict", "resnet50", { prefix: "predict" }, 2),
  {
    name: "ResNet50 features, against the forward pass in memory",
    unit: "images/s",
    goal: 0.85,
    prepare: (context) => prepareAgainstForward("resnet50", context),
  },
  against(
    "ResNet50 in memory, against tf.function",
    "resnet50",
    { prefix: "tf.function", inMemory: true },
    1,
  ),
  against(
    "EfficientNet-Lite0 features, against tf.function",
    "efficientnet-lite0",
    { prefix: "tf.function" },
    1,
  ),
  against(
    "EfficientNet-Lite0 in memory, against tf.function",
    "efficientnet-lite0",
    { prefix: "tf.function", inMemory: true },
    1,
  ),
];
