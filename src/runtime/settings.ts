import { z } from "zod";

const fineTuneSchema = z
  .object({
    from: z
      .string()
      .regex(/^[a-z]+[0-9]*$/, 'expected "last", "all" or a stage such as "conv5"')
      .default("last"),
    epochs: z.number().int().min(1).max(1000).default(5),
    batchSize: z.number().int().min(1).max(1024).default(16),
    accumulation: z.number().int().min(1).max(1024).default(2),
    learningRate: z.number().positive().max(1).default(3e-5),
    headLearningRate: z.number().positive().max(1).default(3e-4),
    stageDecay: z.number().positive().max(1).default(0.5),
    warmUp: z.number().min(0).lt(1).default(0.1),
    patience: z.number().int().min(1).max(1000).default(3),
  })
  .strict();

/** How a backbone's stages are trained along, after the head. */
export interface FineTuneSettings {
  /**
   * The lowest stage that is trained, such as "conv5" of ResNet50 or "stage7" of EfficientNet-Lite0; those above it are
   * trained too. "last" is the last one of either, "all" the whole network.
   */
  from: string;
  /** At most this many passes over the training images, in [1, 1000]. */
  epochs: number;
  /** Images at once in memory, in [1, 1024]. */
  batchSize: number;
  /** Batches whose gradients are added up before each step, in [1, 1024]. */
  accumulation: number;
  /** Adam's step size in the highest stage, above 0. */
  learningRate: number;
  /** Adam's step size in the head, above 0. */
  headLearningRate: number;
  /** Each stage learns this times as fast as the one above it, in (0, 1]. */
  stageDecay: number;
  /** Share of the steps over which the step sizes rise from near 0, in [0, 1). */
  warmUp: number;
  /** Epochs without a better validation loss, by patient, before it stops. */
  patience: number;
}

const settingsSchema = z
  .object({
    data: z.string().nullable().default(null),
    magnification: z.number().int().positive().nullable().default(null),
    split: z.enum(["patient", "image", "folder"]).default("patient"),
    backbone: z.enum(["auto", "resnet50", "efficientnet-lite0"]).default("auto"),
    weights: z.string().nullable().default(null),
    stain: z.enum(["as-is", "normalised"]).default("as-is"),
    augmentation: z.enum(["none", "turns", "stains", "turns-and-stains"]).default("none"),
    averageViews: z.boolean().default(false),
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
    fineTune: fineTuneSchema.nullable().default(null),
    seed: z.number().int().min(0).max(0xffff_ffff).default(42),
  })
  .strict()
  .refine(({ averageViews, augmentation }) => !averageViews || augmentation !== "none", {
    path: ["averageViews"],
    message: 'true needs views to average over: set augmentation to "turns", "stains" or "turns-and-stains"',
  });

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
  /** "normalised" gives all images the stains of the training part; "as-is" leaves them as they are. */
  stain: "as-is" | "normalised";
  /** Views of the training images that the head learns from too: turned and mirrored, or in other stains. */
  augmentation: "none" | "turns" | "stains" | "turns-and-stains";
  /** Answers with the mean over the views of an image, instead of what is said of the image as it is. */
  averageViews: boolean;
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
  /** Which stages of the backbone are trained along, and how; null trains the head alone. */
  fineTune: FineTuneSettings | null;
  /** Decides the split, the first weights, the order of images and the dropout. */
  seed: number;
}

/** Settings as they are written down: what is left out takes its default. */
export type GivenSettings = Partial<Omit<Settings, "fineTune">> & {
  fineTune?: Partial<FineTuneSettings> | null;
};

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
export function resolveSettings(fromCell: GivenSettings = {}): Settings {
  const flags = settingsFromEnvironment();
  const both = { ...fromCell, ...flags };
  // A flag changes its own setting of the group, not the others.
  const flagged = flags["fineTune"] as Partial<FineTuneSettings> | null | undefined;
  if (fromCell.fineTune && flagged) {
    return completeSettings({ ...both, fineTune: { ...fromCell.fineTune, ...flagged } });
  }
  return completeSettings(both);
}

/**
 * Completes and checks the settings of fine-tuning alone.
 *
 * @throws Error as `completeSettings` does.
 */
export function completeFineTuning(given: Partial<FineTuneSettings>): FineTuneSettings {
  return completeSettings({ fineTune: given }).fineTune!;
}

/**
 * Completes and checks settings by defaults alone, whatever the flags of `npm start`.
 *
 * @throws Error naming each setting that is unknown or out of range, and what was expected.
 */
export function completeSettings(given: Record<string, unknown> | GivenSettings): Settings {
  const result = settingsSchema.safeParse(given);
  if (result.success === false) {
    const complaints = result.error.issues.map(
      (issue) => `${issue.path.join(".") || "settings"}: ${issue.message}`,
    );
    throw new Error(`These settings can't be used. ${complaints.join("; ")}.`);
  }
  return result.data;
}
