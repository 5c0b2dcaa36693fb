import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import type { ViewerAbout } from "../src/export/about-export";
import type { Familiarity } from "../src/model/classifier/familiarity";
import type { Head, HeadLayer } from "../src/model/classifier/head";
import { type ActivationMap, weighActivations } from "../src/model/explanation/weigh-activations";
import { groupBy } from "../src/runtime/group-by";

/** What the network makes of one image. */
export interface Predicted {
  /** Shape [classCount]. */
  probabilities: number[];
  /** Shape [width]. */
  features: Float32Array;
}

/** The exported classifier, on a backend that was seen to answer as it should. */
export interface Network {
  about: ViewerAbout;
  backend: string;
  /** The largest difference in probability on the check images. */
  difference: number;
  /** What it remembers of its training images; null where nothing. */
  familiarity: Familiarity | null;
  /** From RGB pixels of shape [inputSize, inputSize, 3]. */
  predict(pixels: Uint8Array): Promise<Predicted>;
  /** Grad-CAM of one class on the network's own grid. */
  explain(pixels: Uint8Array, classIndex: number): Promise<ActivationMap>;
}

/** A graphics card, and the processor with vector instructions. */
const backends = ["webgl", "wasm"];

async function fetchOwn(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} is missing here (${response.status}): build the page again`);
  return response;
}

/** Dense layers of one head as the closed form of Grad-CAM takes them. */
async function readLayers(dense: readonly tf.layers.Layer[]): Promise<HeadLayer[]> {
  return Promise.all(
    dense.map(async (layer, i) => {
      const [kernel, bias] = layer.getWeights() as [tf.Tensor2D, tf.Tensor1D];
      const [inputs, units] = kernel.shape;
      const activation = i === dense.length - 1 ? ("softmax" as const) : ("relu" as const);
      return {
        kernel: (await kernel.data<"float32">()).slice(),
        bias: (await bias.data<"float32">()).slice(),
        inputs,
        units,
        activation,
      };
    }),
  );
}

/** The head, or an ensemble's heads, whose layers' names begin with theirs; "probabilities" only takes the mean. */
async function readHead(model: tf.LayersModel): Promise<Head> {
  const dense = model.layers.filter(
    (layer) => layer.getClassName() === "Dense" && layer.name !== "probabilities",
  );
  const heads = groupBy(dense, ({ name }) => /^head_\d+_/.exec(name)?.[0] ?? "");
  const members = await Promise.all(
    [...heads.values()].map(async (layers) => ({ layers: await readLayers(layers) })),
  );
  const [first, ...others] = members;
  return others.length === 0 ? first! : { ...first!, others };
}

/** What a model makes of one image, output by output; its tensors are disposed of. */
async function run(model: tf.LayersModel, pixels: Uint8Array, size: number) {
  const outputs = tf.tidy(() => {
    const images = tf.tensor4d(Float32Array.from(pixels), [1, size, size, 3]);
    return [model.predict(images)].flat();
  });
  const made = outputs.map(async (output) => {
    const values = (await output.data()) as Float32Array;
    output.dispose();
    return { values, shape: output.shape };
  });
  return Promise.all(made);
}

/** The answer and, from within the same pass, the features behind it. */
function predictorOf(model: tf.LayersModel, size: number): Network["predict"] {
  const features = model.getLayer("features").output as tf.SymbolicTensor;
  const both = tf.model({ inputs: model.inputs, outputs: [...model.outputs, features] });
  return async (pixels) => {
    const [answer, found] = await run(both, pixels, size);
    return { probabilities: Array.from(answer!.values), features: found!.values };
  };
}

interface Loaded extends Network {
  /** For one image, once everything is compiled. */
  elapsedMs: number;
  dispose(): void;
}

/** Grad-CAM of a network whose head follows on its layer "features". */
async function explainerOf(model: tf.LayersModel, size: number): Promise<Network["explain"]> {
  const activations = tf.model({
    inputs: model.inputs,
    outputs: model.getLayer("features").input as tf.SymbolicTensor,
  });
  const head = await readHead(model);
  return async (pixels, classIndex) => {
    const [found] = await run(activations, pixels, size);
    const { values, shape } = found!;
    const [, rows = 0, columns = 0, channels = 0] = shape;
    return weighActivations({ values, rows, columns, channels }, head, () => classIndex);
  };
}

/** Predicts the check images: how far off the answers are at most, and how long the last one took. */
async function checkAnswers(predict: Network["predict"], about: ViewerAbout, images: Uint8Array) {
  const { count, probabilities } = about.checkImages;
  const bytes = about.input.shape[1] ** 2 * 3;
  let difference = 0;
  let startedAtMs = 0;
  for (let i = 0; i < count; i++) {
    // The first image also waits for programs to be compiled; the last one takes as long as the next ones will.
    startedAtMs = performance.now();
    const found = await predict(images.subarray(i * bytes, (i + 1) * bytes));
    for (const [j, value] of found.probabilities.entries()) {
      const off = Math.abs(value - probabilities[i]![j]!);
      difference = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(difference, off);
    }
  }
  return { difference, elapsedMs: performance.now() - startedAtMs };
}

/** Everything beside the page that the network is made of. */
interface Parts {
  about: ViewerAbout;
  artifacts: tf.io.ModelArtifacts;
  check: Uint8Array;
  familiarity: Familiarity | null;
}

async function loadOn(backend: string, { about, artifacts, check, familiarity }: Parts): Promise<Loaded> {
  if (!(await tf.setBackend(backend))) throw new Error(`${backend} is not to be had`);
  await tf.ready();
  const model = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
  const size = about.input.shape[1];
  const explain = await explainerOf(model, size);
  const predict = predictorOf(model, size);
  const { difference, elapsedMs } = await checkAnswers(predict, about, check);
  if (!(difference <= about.check.tolerance)) {
    model.dispose();
    throw new Error(`${backend} computes other probabilities here, by up to ${difference.toPrecision(2)}`);
  }
  const dispose = () => model.dispose();
  return { about, backend, difference, familiarity, predict, explain, elapsedMs, dispose };
}

async function fetchParts(onProgress: (share: number) => void): Promise<Parts> {
  const bytesOf = async (path: string) => (await fetchOwn(path)).arrayBuffer();
  const about = (await (await fetchOwn("viewer.json")).json()) as ViewerAbout;
  const check = new Uint8Array(await bytesOf("check.bin"));
  const known = about.familiarity;
  const familiarity =
    known === null ? null : { ...known, examples: new Float32Array(await bytesOf(known.examples)) };
  await fetchOwn("model.json");
  const artifacts = await tf.io.http("model.json", { onProgress }).load!();
  return { about, artifacts, check, familiarity };
}

/**
 * Fetches the classifier from beside the page, and takes the fastest backend that answers as the classifier did where
 * it was made: graphics cards that compute with half the digits don't.
 *
 * @param wanted - The only backend to try, null for the best.
 * @param onProgress - Hears of the share that is fetched, 0 to 1.
 * @throws Error with what each backend lacks, if none will do.
 */
export async function loadNetwork(
  wanted: string | null,
  onProgress: (share: number) => void,
): Promise<Network> {
  const parts = await fetchParts(onProgress);
  setWasmPaths("wasm/");
  // More threads would need headers that a plain server doesn't send.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  const reasons: string[] = [];
  let best: Loaded | null = null;
  for (const backend of wanted === null ? backends : [wanted]) {
    try {
      const found = await loadOn(backend, parts);
      const isFaster = best === null || found.elapsedMs < best.elapsedMs;
      const other: Loaded | null = isFaster ? best : found;
      // Weights are freed by the backend that they lie on.
      if (other !== null) {
        await tf.setBackend(other.backend);
        other.dispose();
      }
      if (isFaster) best = found;
    } catch (error) {
      reasons.push(`${backend}: ${(error as Error).message}`);
    }
  }
  if (best !== null) {
    await tf.setBackend(best.backend);
    return best;
  }
  throw new Error(`Nothing in this browser computes the classifier as it should (${reasons.join("; ")}).`);
}
