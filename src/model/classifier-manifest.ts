import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { StainReference } from "../data/stain-reference";
import { describeDevice } from "../runtime/device";
import { projectRoot } from "../runtime/paths";

const plainFormat = "breakhis-lab classifier 1";
/** A format of its own, so that a program that knows nothing of stains refuses it rather than predicts wrongly. */
const stainedFormat = "breakhis-lab classifier 2";

/** The format's name; raised when the folder changes in a way that older programs can't read. */
export const manifestFormat = (stain: StainReference | null) =>
  stain === null ? plainFormat : stainedFormat;

const positiveInteger = z.number().int().positive();
const checksum = z.string().regex(/^[0-9a-f]{64}$/);

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

const manifestSchema = z
  .object({
    format: z.enum([plainFormat, stainedFormat]),
    classes: z.array(z.string()).min(2),
    positiveClass: z.number().int().min(0).nullable(),
    threshold: z.number().min(0).max(1),
    temperature: z.number().positive().finite().optional(),
    preprocessing: z.object({
      inputSize: positiveInteger,
      colours: z.literal("RGB, 0 to 255"),
      resizing: z.literal("stretched to a square, cubic"),
      stain: stainSchema.optional(),
    }),
    backbone: z.object({
      name: z.enum(["resnet50", "efficientnet-lite0"]),
      weights: z.object({ name: z.string(), sha256: checksum, source: z.string() }),
      featureWidth: positiveInteger,
    }),
    head: z.object({
      // A plain file name: a saved classifier never reads outside its folder.
      file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
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
    }),
    provenance: provenanceSchema,
  })
  .refine(({ positiveClass, classes }) => positiveClass === null || positiveClass < classes.length, {
    message: "positiveClass must be the index of a class",
  })
  .refine(({ format, preprocessing }) => (format === stainedFormat) === (preprocessing.stain !== undefined), {
    message: `only "${stainedFormat}" has a stain reference, and it must have one`,
  });

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
export type ClassifierManifest = Omit<z.infer<typeof manifestSchema>, "provenance" | "preprocessing"> & {
  preprocessing: {
    inputSize: number;
    colours: "RGB, 0 to 255";
    resizing: "stretched to a square, cubic";
    /** What images' stains are normalised to, where they are. */
    stain?: StainReference;
  };
  // Named, because zod's types call what may be null optional where TypeScript isn't strict, as in the kernel.
  provenance: Provenance;
};

/**
 * Checks what was read from, or is about to be written to, `classifier.json`.
 *
 * @throws Error naming the file and everything that is wrong in it.
 */
export function checkManifest(json: unknown, path: string): ClassifierManifest {
  const result = manifestSchema.safeParse(json);
  if (result.success === true) return result.data as ClassifierManifest;
  const complaints = result.error.issues.map(
    (issue) => `${issue.path.join(".") || "file"}: ${issue.message}`,
  );
  throw new Error(`${path} doesn't describe a classifier: ${complaints.join("; ")}.`);
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
  if (process.env["BREAKHIS_WEIGHTS"]) return null;
  const { name, sha256 } = backbone.weights;
  throw new Error(
    `This classifier needs the weights file ${name} (SHA-256 ${sha256}), which is no longer at ${weightsPath}. Give its path as \`weights\`.`,
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
    sharp: installed("sharp"),
  };
}
