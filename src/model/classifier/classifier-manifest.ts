import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { ImageView } from "../../data/images/image-views";
import type { StainReference } from "../../data/images/stain-reference";
import { describeDevice } from "../../runtime/device/device";
import { readRegularFile } from "../../runtime/files/regular-file";
import { projectRoot } from "../../runtime/paths";
import { explainMismatch } from "../../runtime/schema-words";
import { backboneDetailsSchema, inputSizeSchema } from "../../runtime/settings";
import type { BackboneRecipe } from "../backbones/recipe";
import type { FamiliarityDescription } from "./familiarity-file";
import type { TrainedScale } from "./trained-scale";

const plainFormat = "breakhis-lab classifier 1";
/** A format of its own, so that a program that knows nothing of stains refuses it rather than predicts wrongly. */
const stainedFormat = "breakhis-lab classifier 2";
/** Likewise for one that knows nothing of trained stages. */
const fineTunedFormat = "breakhis-lab classifier 3";
/** And of views whose answers are averaged. */
const viewedFormat = "breakhis-lab classifier 4";

/** And of a network that is none of ours. */
const otherFormat = "breakhis-lab classifier 5";
/** And of several heads whose probabilities are averaged. */
const ensembleFormat = "breakhis-lab classifier 6";

type ManifestFormat =
  | typeof plainFormat
  | typeof stainedFormat
  | typeof fineTunedFormat
  | typeof viewedFormat
  | typeof otherFormat
  | typeof ensembleFormat;

/** How images were stretched, in words. */
export const resizings: Readonly<
  Record<"bicubic" | "bilinear", ClassifierManifest["preprocessing"]["resizing"]>
> = {
  bicubic: "stretched to a square, cubic",
  bilinear: "stretched to a square, linear",
};

/** The format's name; raised when the folder changes in a way that older programs can't read. */
export function manifestFormat(parts: {
  stain?: unknown;
  fineTuned?: unknown;
  views?: readonly unknown[] | undefined;
  recipe?: unknown;
  heads?: number | undefined;
}): ManifestFormat {
  const { stain = null, fineTuned, views = [], recipe, heads = 1 } = parts;
  if (heads > 1) return ensembleFormat;
  if (recipe !== undefined) return otherFormat;
  if (views.length > 1) return viewedFormat;
  if (fineTuned !== undefined) return fineTunedFormat;
  return stain === null ? plainFormat : stainedFormat;
}

const positiveInteger = z.number().int().positive();
const checksum = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ takes: "a SHA-256 checksum, 64 hexadecimal digits" });
// A saved classifier never reads outside its folder.
const plainName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
  .meta({ takes: "the name of a file in the same folder" });

const provenanceSchema = z.object({
  runId: z.string().nullable(),
  dataset: z.string(),
  synthetic: z.boolean(),
  created: z.string(),
  seed: z.number(),
  weightsPath: z.string().nullable(),
  versions: z.record(z.string(), z.string()),
});

const densityVector = z.tuple([z.number(), z.number(), z.number()]);
const stainSchema = z.object({
  haematoxylin: densityVector,
  eosin: densityVector,
  strongest: z.tuple([z.number().positive(), z.number().positive()]),
  images: positiveInteger,
});

const rangeSchema = z
  .object({ least: z.number(), most: z.number() })
  .refine(({ least, most }) => least <= most, { message: "least must not be above most" });
const wholeNumber = z.number().int().min(0);
const share = z.number().min(0).max(1);

/** Only adds to what a classifier says, so that programs that don't know it predict the same without it. */
const familiaritySchema = z.object({
  format: z.literal(1),
  file: plainName,
  sha256: checksum,
  count: positiveInteger,
  limit: z.number().min(0).max(2),
  validation: z.object({ images: positiveInteger, beyond: wholeNumber, falseAlarmRate: share }),
  stain: z.object({ haematoxylin: rangeSchema, eosin: rangeSchema, other: rangeSchema }),
  size: z.object({ shorterSide: rangeSchema, aspect: rangeSchema }),
});

/** As familiarity: nothing that is predicted depends on it. */
const scaleSchema = z.object({
  magnification: z.number().positive().finite().nullable(),
  images: positiveInteger,
  width: positiveInteger,
  height: positiveInteger,
  microns: z.number().positive().finite().nullable(),
});

const triageSchema = z.object({
  threshold: share,
  level: z.enum(["image", "patient"]),
  target: share,
  chosenOn: z.string(),
  description: z.string(),
  temperature: z.number().positive().finite().nullable(),
});

const viewSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("turned"),
    quarterTurns: z.number().int().min(0).max(3),
    mirrored: z.boolean(),
  }),
  z.object({
    kind: z.literal("stained"),
    seed: z.number().int().min(0),
    number: z.number().int().min(0),
    strength: z.number().min(0).lt(1),
  }),
]);

const recipeSchema = backboneDetailsSchema
  .required()
  .extend({ format: z.enum(["onnx", "savedmodel", "keras"]) });

const softened =
  "this classifier softens its probabilities before it decides, which this version doesn't do: train again, or take the line out for the head's own probabilities";

const manifestSchema = z
  .object({
    format: z.enum([plainFormat, stainedFormat, fineTunedFormat, viewedFormat, otherFormat, ensembleFormat]),
    classes: z.array(z.string()).min(2),
    positiveClass: z.number().int().min(0).nullable(),
    threshold: z.number().min(0).max(1),
    // Once softened probabilities before the threshold; to leave it out of account would predict something else.
    temperature: z
      .number()
      .refine((value) => value === 1, softened)
      .optional(),
    preprocessing: z.object({
      inputSize: inputSizeSchema,
      colours: z.literal("RGB, 0 to 255"),
      resizing: z.enum(["stretched to a square, cubic", "stretched to a square, linear"]),
      stain: stainSchema.optional(),
      views: z.array(viewSchema).min(2).max(64).optional(),
    }),
    backbone: z.object({
      name: z.string().min(1),
      weights: z.object({ name: z.string(), sha256: checksum, source: z.string() }),
      featureWidth: positiveInteger,
      recipe: recipeSchema.optional(),
      fineTuned: z.object({ from: z.string(), file: plainName, sha256: checksum }).optional(),
    }),
    head: z.object({
      file: plainName,
      sha256: checksum,
      layers: z
        .array(
          z.object({
            inputs: positiveInteger,
            units: positiveInteger,
            activation: z.enum(["relu", "softmax"]),
          }),
        )
        .min(1),
      /** Of an ensemble, all of one shape. */
      heads: z.number().int().min(2).max(1000).optional(),
    }),
    familiarity: familiaritySchema.optional(),
    scales: z.array(scaleSchema).optional(),
    triage: triageSchema.optional(),
    provenance: provenanceSchema,
  })
  .refine(({ positiveClass, classes }) => positiveClass === null || positiveClass < classes.length, {
    message: "positiveClass must be the index of a class",
  })
  .refine(
    ({ format, preprocessing: { stain, views }, backbone: { fineTuned, recipe }, head: { heads } }) =>
      format === manifestFormat({ stain, fineTuned, views, recipe, heads }),
    {
      message:
        `"${plainFormat}" has nothing of what follows, "${stainedFormat}" has a stain reference, ` +
        `"${fineTunedFormat}" has trained stages and may have one, "${viewedFormat}" has views and may have both, ` +
        `"${otherFormat}" has another's network, with its recipe, and may have a stain reference and views, ` +
        `"${ensembleFormat}" has several heads, and may have any of these`,
    },
  )
  .refine(
    ({ backbone: { name, recipe } }) =>
      recipe !== undefined || ["resnet50", "efficientnet-lite0"].includes(name),
    {
      message: "backbone needs a recipe unless it is resnet50 or efficientnet-lite0",
    },
  )
  .refine(
    ({ backbone: { recipe }, preprocessing: { inputSize } }) =>
      (recipe?.inputSize ?? inputSize) === inputSize,
    {
      message: "preprocessing and the backbone's recipe must have the same inputSize",
    },
  )
  .refine(({ triage, positiveClass }) => triage === undefined || positiveClass !== null, {
    message: "triage needs a positiveClass: a class that is looked for",
  });

/** What a threshold is applied to: each image, or the mean probability of a patient's images. */
export type TriageLevel = "image" | "patient";

/** A threshold that was chosen on one set of predictions, to be used on others as it is: from it on, somebody looks again. */
export interface LockedThreshold {
  /** Compared with the classifier's own probability of the positive class; in [0, 1]. */
  threshold: number;
  level: TriageLevel;
  /** The sensitivity that was asked for, in (0, 1]. */
  target: number;
  /** For example "validation". */
  chosenOn: string;
  /** How it was chosen, and how coarsely, in a sentence or two. */
  description: string;
}

/** What a classifier keeps for triage. */
export interface KeptTriage extends LockedThreshold {
  /** Makes probabilities that can be taken at their word; null where none was fitted. Not used by the threshold. */
  temperature: number | null;
}

/** Where a classifier comes from. */
export interface Provenance {
  /** The run that trained it, or null. */
  runId: string | null;
  /** Name of the data set it was trained on. */
  dataset: string;
  /** Whether that data set was drawn by the demo's generator. */
  synthetic: boolean;
  /** ISO 8601. */
  created: string;
  seed: number;
  /** Where the backbone's weights lay, if they were the user's own file; looked at first when it is loaded. */
  weightsPath: string | null;
  /** Of this project and of what it computes with. */
  versions: Record<string, string>;
}

/** What `classifier.json` holds. */
export interface ClassifierManifest {
  format: ManifestFormat;
  /** In the order of labels. */
  classes: string[];
  /** The label that is looked for, or null. */
  positiveClass: number | null;
  /** From this probability of the positive class on, the answer is positive; in [0, 1]. */
  threshold: number;
  preprocessing: {
    inputSize: number;
    colours: "RGB, 0 to 255";
    resizing: "stretched to a square, cubic" | "stretched to a square, linear";
    /** What images' stains are normalised to, where they are. */
    stain?: StainReference;
    /** The views whose mean answer is given, where they are several. */
    views?: readonly ImageView[];
  };
  backbone: {
    name: string;
    weights: { name: string; sha256: string; source: string };
    featureWidth: number;
    /** What is done around a network that is none of ours. */
    recipe?: BackboneRecipe;
    /** Trained stages: from which on, and their file. */
    fineTuned?: { from: string; file: string; sha256: string };
  };
  head: {
    file: string;
    sha256: string;
    layers: { inputs: number; units: number; activation: "relu" | "softmax" }[];
    /** Of an ensemble. */
    heads?: number;
  };
  familiarity?: FamiliarityDescription & { file: string; sha256: string };
  scales?: readonly TrainedScale[];
  triage?: KeptTriage;
  provenance: Provenance;
}

/** Name of the file that describes a classifier, in its folder. */
export const manifestFile = "classifier.json";

/**
 * Checks what was read from, or is about to be written to, `classifier.json`.
 *
 * @throws Error naming the file and everything that is wrong in it.
 */
export function checkManifest(json: unknown, path: string, remedy = ""): ClassifierManifest {
  const result = manifestSchema.safeParse(json);
  if (result.success === true) return result.data as unknown as ClassifierManifest;
  const complaints = explainMismatch(manifestSchema, result.error, json, "the file");
  throw new Error(`${path} doesn't describe a classifier: ${complaints}.${remedy}`);
}

/**
 * Reads a file of a saved classifier.
 *
 * @throws Error that says that there is none in this folder.
 */
export async function readPart(folder: string, file: string): Promise<Buffer> {
  try {
    return await readRegularFile(join(folder, file));
  } catch (error) {
    throw new Error(
      `There is no saved classifier in ${resolve(folder)}: ${file} could not be read (${(error as Error).message}).`,
    );
  }
}

/**
 * Reads and checks the description of a saved classifier.
 *
 * @throws Error naming what is missing, damaged or wrong.
 */
export async function readManifest(folder: string): Promise<ClassifierManifest> {
  const bytes = await readPart(folder, manifestFile);
  const path = join(folder, manifestFile);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Error(`${path} is damaged: it is not JSON. Save the classifier again.`);
  }
  return checkManifest(json, path, " Save the classifier again.");
}

/**
 * Where to look for the backbone's weights: the path they had in training; null where they are found without
 * being told, or `$BREAKHIS_WEIGHTS` names them.
 *
 * @throws Error naming the file that is needed if it was the user's own and is no longer there.
 */
export function findWeightsPath({ provenance, backbone }: ClassifierManifest): string | null {
  const { weightsPath } = provenance;
  if (weightsPath === null || existsSync(weightsPath)) return weightsPath;
  if (process.env["BREAKHIS_WEIGHTS"] && backbone.recipe === undefined) return null;
  const { name, sha256 } = backbone.weights;
  throw new Error(
    `This classifier needs ${backbone.recipe === undefined ? "the weights file" : "the network"} ${name} (SHA-256 ${sha256}), which is no longer at ${weightsPath}. Give its path as \`weights\`.`,
  );
}

function packageVersion(folder: string): string {
  const json = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return json.version;
}

/** Versions of this project and of what decides its numbers. */
export function currentVersions(): Record<string, string> {
  const installed = (name: string) => packageVersion(join(projectRoot(), "node_modules", name));
  return {
    "breakhis-lab": packageVersion(projectRoot()),
    node: process.versions.node,
    tensorflow: describeDevice().tensorflowVersion,
    "@tensorflow/tfjs-node-gpu": installed("@tensorflow/tfjs-node-gpu"),
    "onnxruntime-node": installed("onnxruntime-node"),
    sharp: installed("sharp"),
  };
}
