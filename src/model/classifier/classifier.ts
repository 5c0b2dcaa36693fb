import { join, resolve } from "node:path";
import pMap from "p-map";
import type { Dataset, SkippedImage } from "../../data/dataset";
import type { ImageTransform } from "../../data/images/image-transform";
import { asItIs, type ImageView, transformFor } from "../../data/images/image-views";
import { decodeImage, imageConcurrency, pathOf } from "../../data/images/images";
import type { StainReference } from "../../data/images/stain-reference";
import type { ImageFile } from "../../data/record";
import { sha256 } from "../../runtime/cache/content-hash";
import { writeFolderAtomically } from "../../runtime/files/atomic-folder";
import { writeWholeFile } from "../../runtime/files/write-file";
import { breathe } from "../../runtime/interruption";
import { pushAll } from "../../runtime/many";
import type { Settings } from "../../runtime/settings";
import { requireOpen } from "../backbones/architecture";
import { type Backbone, loadBackbone } from "../backbones/backbone";
import { decodeTunedWeights, encodeTunedWeights } from "../backbones/tuned-weights";
import { embedPixels, featureBatchSize } from "../features/features";
import type { Treatment } from "../features/treatment";
import { otherSettings } from "../other-backbones/load-other";
import {
  type ClassifierManifest,
  checkManifest,
  currentVersions,
  findWeightsPath,
  type KeptTriage,
  manifestFile,
  manifestFormat,
  type Provenance,
  readManifest,
  readPart,
  resizings,
} from "./classifier-manifest";
import { decideRows } from "./decision";
import type { Familiarity } from "./familiarity";
import { decodeFamiliarity, describeFamiliarity, encodeExamples } from "./familiarity-file";
import { type Head, headClassCount, predictHead } from "./head";
import { checkHeadFits, decodeHead, encodeHead, headShapes } from "./head-file";
import { headMembers } from "./head-members";
import { meanOverViews } from "./predict-rows";
import type { TrainedScale } from "./trained-scale";

export type { KeptTriage, Provenance } from "./classifier-manifest";

/** Everything from an image file to a decision. */
export interface Classifier {
  /** Preprocessing is part of it. Whoever loaded it disposes of it. */
  backbone: Backbone;
  head: Head;
  /** Names, by label. */
  classes: string[];
  /** Index of the class that must not be missed, or null. */
  positiveClass: number | null;
  /** With two classes: the positive one is answered from this probability on, in [0, 1]. */
  threshold: number;
  /** Width and height that images are stretched to, in pixels. */
  inputSize: number;
  /** What images' stains are normalised to before the backbone sees them; null where they are left as they are. */
  stain: StainReference | null;
  /** What the training images look like, to warn of images that don't; none where it was not kept. */
  familiarity?: Familiarity;
  /** At which scales the training images were, to cut larger ones alike; none where it was not kept. */
  scales?: readonly TrainedScale[];
  /** The threshold for a second look, once it is locked; `decide` does not use it. */
  triage?: KeptTriage;
  /** Views of an image whose mean answer is given; none, or only the image as it is, answers from that alone. */
  views?: readonly ImageView[];
  provenance: Provenance;
}

/**
 * What is done to each image between decoding and the backbone, in prediction as in training; null for nothing.
 *
 * @param view - One of the classifier's views; by default the image as it is.
 */
export function classifierTransform(
  { stain }: Pick<Classifier, "stain">,
  view: ImageView = asItIs,
): ImageTransform | null {
  return transformFor(stain, view);
}

/** The views that a classifier answers from, at least one. */
export function classifierViews({ views }: Pick<Classifier, "views">): readonly ImageView[] {
  return views === undefined || views.length === 0 ? [asItIs] : views;
}

/** What a classifier says about one image. */
export interface ImagePrediction {
  /** As it was given. */
  file: string;
  /** Shape [classCount]; sums to 1. */
  probabilities: number[];
  /** Index into the classifier's classes. */
  predicted: number;
}

const headFile = "head.safetensors";
const examplesFile = "familiarity.safetensors";
const tunedFile = "backbone.safetensors";

/** What a classifier is put together from after training. */
export interface ClassifierParts {
  backbone: Backbone;
  head: Head;
  dataset: Pick<Dataset, "name" | "synthetic" | "classes" | "positiveClass">;
  settings: Pick<Settings, "seed" | "weights"> & Partial<Pick<Settings, "averageViews">>;
  runId: string | null;
  /** What was done to the images when their features were computed; nothing if they were left as they are. */
  treatment?: Pick<Treatment, "stain" | "views">;
  /** From `fitFamiliarity`; null or nothing if images unlike the training images are not to be told. */
  familiarity?: Familiarity | null;
  /** From `describeScales`; nothing if larger images are not to be cut alike. */
  scales?: readonly TrainedScale[];
}

/** The weights of a backbone's file, also where some stages were trained further. */
const baseWeights = ({ fineTuned, weights }: Backbone) => fineTuned?.base ?? weights;

/** Where the user's own network or file of weights lies; null for weights that are found without being told. */
function weightsPathOf(backbone: Backbone, weights: string | null): string | null {
  if (backbone.location !== undefined) return backbone.location;
  const given = weights ?? (process.env["BREAKHIS_WEIGHTS"] || null);
  return given !== null && baseWeights(backbone).source === "user's file" ? resolve(given) : null;
}

/** Puts a trained head together with its backbone; the positive class is answered from probability 0.5 on. */
export function buildClassifier(parts: ClassifierParts): Classifier {
  const { backbone, head, dataset, settings, runId, treatment, familiarity = null } = parts;
  const { classes, positiveClass } = dataset;
  checkHeadFits(head, backbone.featureWidth, classes.length);
  return {
    backbone,
    head,
    classes,
    positiveClass,
    threshold: 0.5,
    inputSize: backbone.inputSize,
    stain: treatment?.stain ?? null,
    ...averagedViews({ views: settings.averageViews === true ? treatment?.views : undefined }),
    ...(familiarity === null ? {} : { familiarity }),
    ...scalesOf(parts),
    provenance: {
      runId,
      dataset: dataset.name,
      synthetic: dataset.synthetic,
      created: new Date().toISOString(),
      seed: settings.seed,
      weightsPath: weightsPathOf(backbone, settings.weights),
      versions: currentVersions(),
    },
  };
}

/** The field where several views are averaged: a classifier without keeps the folder and the value that it has always had. */
function averagedViews({ views }: { views?: readonly ImageView[] | undefined }): {
  views?: readonly ImageView[];
} {
  return views === undefined || views.length < 2 ? {} : { views };
}

function scalesOf({ scales }: { scales?: readonly TrainedScale[] | undefined }): {
  scales?: readonly TrainedScale[];
} {
  return scales === undefined ? {} : { scales };
}

function triageOf({ triage }: { triage?: KeptTriage | undefined }): { triage?: KeptTriage } {
  return triage === undefined ? {} : { triage };
}

/** What is written beside the manifest: a classifier's files by their names. */
function encodeParts({ backbone, head, familiarity }: Classifier): Record<string, Buffer> {
  const examples = familiarity === undefined ? {} : { [examplesFile]: encodeExamples(familiarity) };
  const trained =
    backbone.fineTuned === undefined
      ? {}
      : { [tunedFile]: encodeTunedWeights(requireOpen(backbone, "Fine-tuning")) };
  return { [headFile]: encodeHead(head), ...examples, ...trained };
}

function describe(classifier: Classifier, parts: Record<string, Buffer>): ClassifierManifest {
  const { backbone, head, classes, positiveClass, threshold, stain, familiarity, provenance } = classifier;
  const part = (file: string) => ({ file, sha256: sha256(parts[file]!) });
  const heads = headMembers(head).length;
  return {
    format: manifestFormat({ ...classifier, fineTuned: backbone.fineTuned, recipe: backbone.recipe, heads }),
    classes,
    positiveClass,
    threshold,
    preprocessing: {
      inputSize: classifier.inputSize,
      colours: "RGB, 0 to 255",
      resizing: resizings[backbone.interpolation ?? "bicubic"],
      ...(stain === null ? {} : { stain }),
      ...averagedViews(classifier),
    },
    backbone: {
      name: backbone.name,
      weights: baseWeights(backbone),
      featureWidth: backbone.featureWidth,
      ...(backbone.recipe === undefined ? {} : { recipe: backbone.recipe }),
      ...(backbone.fineTuned === undefined
        ? {}
        : { fineTuned: { from: backbone.fineTuned.from, ...part(tunedFile) } }),
    },
    head: { ...part(headFile), layers: headShapes(head), ...(heads > 1 ? { heads } : {}) },
    ...(familiarity === undefined
      ? {}
      : { familiarity: { ...part(examplesFile), ...describeFamiliarity(familiarity) } }),
    ...scalesOf(classifier),
    ...triageOf(classifier),
    provenance,
  };
}

/**
 * Saves a classifier to one folder, whole or not at all; a classifier that is there is replaced.
 *
 * The backbone's weights are not copied, only named by their checksum: they are large, and not ours to give away. Stages
 * that were trained here are kept beside the head.
 *
 * @throws Error if head, backbone and classes don't fit together.
 */
export async function saveClassifier(folder: string, classifier: Classifier): Promise<void> {
  checkHeadFits(classifier.head, classifier.backbone.featureWidth, classifier.classes.length);
  const parts = encodeParts(classifier);
  const manifest = checkManifest(describe(classifier, parts), manifestFile);
  await writeFolderAtomically(folder, async (temporary) => {
    for (const [file, bytes] of Object.entries(parts)) await writeWholeFile(join(temporary, file), bytes);
    await writeWholeFile(join(temporary, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
  });
}

/** @throws Error if the backbone is not the very one that the head was trained on. */
function checkBackbone(backbone: Backbone, manifest: ClassifierManifest): void {
  const needed = manifest.backbone;
  const { inputSize } = manifest.preprocessing;
  // Somebody else's network is known by its checksum, whatever its file is called here.
  const isNamed = needed.recipe !== undefined || backbone.name === needed.name;
  if (!isNamed || backbone.inputSize !== inputSize) {
    throw new Error(
      `This classifier needs the backbone ${needed.name} at ${inputSize} pixels, found ${backbone.name} at ${backbone.inputSize}.`,
    );
  }
  if (backbone.weights.sha256 !== needed.weights.sha256) {
    throw new Error(
      `This classifier was trained with the weights file ${needed.weights.name} (SHA-256 ${needed.weights.sha256}), found ${backbone.weights.name} (SHA-256 ${backbone.weights.sha256}). Give the path of the right file as \`weights\`.`,
    );
  }
}

async function loadNeededBackbone(manifest: ClassifierManifest, weights: string | null): Promise<Backbone> {
  const { name, recipe } = manifest.backbone;
  const path = weights ?? findWeightsPath(manifest);
  const { inputSize } = manifest.preprocessing;
  const chosen =
    recipe === undefined
      ? { backbone: name, weights: path }
      : otherSettings({ name, location: path ?? name });
  const { backbone } = await loadBackbone({ ...chosen, inputSize, recipe });
  try {
    checkBackbone(backbone, manifest);
  } catch (error) {
    backbone.dispose();
    throw error;
  }
  return backbone;
}

/** Reads a part and makes sure that it is the one that was saved. */
async function readCheckedPart(folder: string, part: { file: string; sha256: string }): Promise<Buffer> {
  const bytes = await readPart(folder, part.file);
  if (sha256(bytes) !== part.sha256) {
    throw new Error(
      `${join(folder, part.file)} is damaged: its checksum is not the one in ${manifestFile}. Train again.`,
    );
  }
  return bytes;
}

/** Puts the stages that were trained into the backbone that they were trained in; nothing to do without any. */
async function withTrainedStages(
  folder: string,
  base: Backbone,
  manifest: ClassifierManifest,
): Promise<Backbone> {
  const { fineTuned } = manifest.backbone;
  if (fineTuned === undefined) return base;
  const bytes = await readCheckedPart(folder, fineTuned);
  return decodeTunedWeights(
    requireOpen(base, "Fine-tuning"),
    fineTuned.from,
    bytes,
    join(folder, fineTuned.file),
  );
}

/** A backbone that is loaded for this classifier alone, and freed whole. */
async function loadOwnBackbone(
  folder: string,
  manifest: ClassifierManifest,
  weights: string | null,
): Promise<Backbone> {
  const base = await loadNeededBackbone(manifest, weights);
  try {
    const tuned = await withTrainedStages(folder, base, manifest);
    if (tuned === base) return base;
    return {
      ...tuned,
      dispose() {
        tuned.dispose();
        base.dispose();
      },
    };
  } catch (error) {
    base.dispose();
    throw error;
  }
}

async function loadFamiliarity(
  folder: string,
  { familiarity, backbone }: ClassifierManifest,
): Promise<{ familiarity?: Familiarity }> {
  if (familiarity === undefined) return {};
  const bytes = await readCheckedPart(folder, familiarity);
  const path = join(folder, familiarity.file);
  return { familiarity: decodeFamiliarity(bytes, familiarity, backbone.featureWidth, path) };
}

/**
 * Loads what `saveClassifier` wrote, and makes sure that it will predict what it predicted then.
 *
 * @param options.weights - Path of the backbone's weights; by default where they were when the classifier was
 * made, else where weights are kept.
 * @param options.backbone - One that is loaded already, used if it is the right one: for a fine-tuned classifier the one
 * that it was trained from, which must be disposed of after the classifier's.
 * @returns The caller disposes of its backbone.
 * @throws Error if a file is missing or damaged, or the backbone's weights are other ones than in training.
 */
export async function loadClassifier(
  folder: string,
  options: { weights?: string | null; backbone?: Backbone } = {},
): Promise<Classifier> {
  const manifest = await readManifest(folder);
  const headBytes = await readCheckedPart(folder, manifest.head);
  const head = decodeHead(
    headBytes,
    manifest.head.layers,
    join(folder, manifest.head.file),
    manifest.head.heads,
  );
  checkHeadFits(head, manifest.backbone.featureWidth, manifest.classes.length);
  const familiarity = await loadFamiliarity(folder, manifest);
  if (options.backbone) checkBackbone(options.backbone, manifest);
  const { classes, positiveClass, threshold, provenance } = manifest;
  return {
    backbone: options.backbone
      ? await withTrainedStages(folder, options.backbone, manifest)
      : await loadOwnBackbone(folder, manifest, options.weights ?? null),
    head,
    classes,
    positiveClass,
    threshold,
    inputSize: manifest.preprocessing.inputSize,
    stain: manifest.preprocessing.stain ?? null,
    ...familiarity,
    ...scalesOf(manifest),
    ...triageOf(manifest),
    ...averagedViews(manifest.preprocessing),
    provenance,
  };
}

type Decoded = { file: string; pixels: Uint8Array } | { file: string; reason: string };

async function tryDecoding(image: string | ImageFile, { backbone }: Classifier): Promise<Decoded> {
  const file = pathOf(image);
  try {
    return { file, pixels: await decodeImage(image, backbone.inputSize, backbone.interpolation) };
  } catch (error) {
    return { file, reason: (error as Error).message };
  }
}

/** Features of every view of each image, view by view; the views of few images fill a batch together. */
export async function embedViews(
  { backbone, stain, inputSize }: Classifier,
  images: readonly { pixels: Uint8Array }[],
  views: readonly ImageView[],
): Promise<Float32Array> {
  const imageLength = inputSize * inputSize * 3;
  const seen = views.flatMap((view) => {
    const transform = classifierTransform({ stain }, view);
    return images.map(({ pixels }) => (transform === null ? pixels : transform.apply(pixels)));
  });
  const features = new Float32Array(seen.length * backbone.featureWidth);
  for (let first = 0; first < seen.length; first += featureBatchSize) {
    const batch = seen.slice(first, first + featureBatchSize);
    const pixels = new Uint8Array(batch.length * imageLength);
    batch.forEach((image, i) => {
      pixels.set(image, i * imageLength);
    });
    features.set(await embedPixels(backbone, pixels, batch.length), first * backbone.featureWidth);
  }
  return features;
}

/** Predicts images that are decoded already, at most a batch of them. */
async function predictBatch(
  classifier: Classifier,
  images: { file: string; pixels: Uint8Array }[],
): Promise<ImagePrediction[]> {
  const { head, backbone } = classifier;
  const views = classifierViews(classifier);
  const all = predictHead(head, await embedViews(classifier, images, views), backbone.featureWidth);
  const classCount = headClassCount(head);
  const length = images.length * classCount;
  const values = meanOverViews(views.map((_, i) => all.subarray(i * length, (i + 1) * length)));
  const decisions = decideRows(values, classCount, classifier, (i) => images[i]!.file);
  return images.map(({ file }, i) => ({ file, ...decisions[i]! }));
}

/**
 * Predicts the classes of image files, in padded batches of one size: the result for an image is the same bit
 * for bit whether it is asked for alone or with a thousand others.
 *
 * @param files - Paths, or with the checksums that the files must have; of any format and size.
 * @returns Predictions in the order of the files, and the files that could not be read with their reasons.
 */
export async function predictImages(
  classifier: Classifier,
  files: readonly (string | ImageFile)[],
): Promise<{ predictions: ImagePrediction[]; skipped: SkippedImage[] }> {
  const predictions: ImagePrediction[] = [];
  const skipped: SkippedImage[] = [];
  for (let first = 0; first < files.length; first += featureBatchSize) {
    const batch = await pMap(
      files.slice(first, first + featureBatchSize),
      (file) => tryDecoding(file, classifier),
      { concurrency: imageConcurrency },
    );
    const images = batch.flatMap((image) => ("pixels" in image ? [image] : []));
    pushAll(
      skipped,
      batch.flatMap((image) => ("reason" in image ? [image] : [])),
    );
    if (images.length > 0) pushAll(predictions, await predictBatch(classifier, images));
    await breathe();
  }
  return { predictions, skipped };
}
