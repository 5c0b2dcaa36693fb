import { z } from "zod";

const settingsSchema = z
  .object({
    data: z.string().nullable().default(null),
    magnification: z.number().int().positive().nullable().default(null),
    split: z.enum(["patient", "image", "folder"]).default("patient"),
    backbone: z.enum(["auto", "resnet50", "efficientnet-lite0"]).default("auto"),
    weights: z.string().nullable().default(null),
    inputSize: z.number().int().min(32).max(1024).default(224),
    hiddenUnits: z.array(z.number().int().min(1).max(8192)).max(8).default([128, 64]),
    dropout: z.number().min(0).lt(1).default(0.2),
    l2: z.number().min(0).default(1e-4),
    learningRate: z.number().positive().max(10).default(1e-3),
    epochs: z.number().int().min(1).max(10_000).default(30),
    batchSize: z.number().int().min(1).max(8192).default(32),
    classWeights: z.enum(["balanced", "none"]).default("balanced"),
    allowDuplicatesAcrossParts: z.boolean().default(false),
    patience: z.number().int().min(1).default(8),
    seed: z.number().int().min(0).max(0xffff_ffff).default(42),
  })
  .strict();

/** Everything that a run depends on besides the images and the weights. */
export interface Settings {
  /** Folder of images; null takes the synthetic demo set. */
  data: string | null;
  /** Only images of this magnification (40, 100, 200, 400 in BreaKHis); null takes all. */
  magnification: number | null;
  /** What is kept together: patients (honest), nothing (leaks), or the folder's own train and test. */
  split: "patient" | "image" | "folder";
  backbone: "auto" | "resnet50" | "efficientnet-lite0";
  /** Path of a Keras HDF5 file with ResNet50's weights; null looks in the cache, then downloads. */
  weights: string | null;
  /** Width and height in pixels that the backbone sees, in [32, 1024]. */
  inputSize: number;
  /** Units of the head's hidden layers, first to last. */
  hiddenUnits: number[];
  /** Share of hidden units dropped at each training step, in [0, 1). */
  dropout: number;
  /** Weight of the squared kernels in the loss, at least 0. */
  l2: number;
  /** Adam's step size, above 0. */
  learningRate: number;
  /** At most this many passes over the training images. */
  epochs: number;
  batchSize: number;
  /** "balanced" weighs classes by the inverse of their frequency, as scikit-learn does. */
  classWeights: "balanced" | "none";
  /** Trains even if identical images are in several parts of the split; results on them say nothing. */
  allowDuplicatesAcrossParts: boolean;
  /** Epochs without a better validation loss before training stops. */
  patience: number;
  /** Decides the split, the first weights, the order of images and the dropout. */
  seed: number;
}

/** Name of the environment variable through which the flags of `npm start` reach the notebooks, as JSON. */
export const settingsVariable = "BREAKHIS_SETTINGS";

function settingsFromEnvironment(): Record<string, unknown> {
  const json = process.env[settingsVariable];
  if (!json) return {};
  try {
    return JSON.parse(json) as Record<string, unknown>;
  } catch {
    throw new Error(`${settingsVariable} should hold settings as JSON, found: ${json.slice(0, 80)}`);
  }
}

/**
 * Completes and checks settings: defaults, then what the notebook's cell says, then the flags of `npm start`.
 *
 * @throws Error naming each setting that is unknown or out of range, and what was expected.
 *
 * @example
 * resolveSettings({ epochs: 10 }).learningRate; // 0.001
 */
export function resolveSettings(fromCell: Partial<Settings> = {}): Settings {
  return completeSettings({ ...fromCell, ...settingsFromEnvironment() });
}

/**
 * Completes and checks settings by defaults alone, whatever the flags of `npm start`.
 *
 * @throws Error naming each setting that is unknown or out of range, and what was expected.
 */
export function completeSettings(given: Record<string, unknown> | Partial<Settings>): Settings {
  const result = settingsSchema.safeParse(given);
  if (result.success === false) {
    const complaints = result.error.issues.map(
      (issue) => `${issue.path.join(".") || "settings"}: ${issue.message}`,
    );
    throw new Error(`These settings can't be used. ${complaints.join("; ")}.`);
  }
  return result.data;
}
