import { z } from "zod";
import { arithmetics } from "./device/arithmetic";
import { refusal } from "./refusal";
import { explainMismatch } from "./schema-words";

// A setting stands here and nowhere else. Its docstring is for notebooks; `description`, in short, for the flags of
// `npm start`, which are made of what `node scripts/typescript.js settings-schema.ts` writes of this (see CONTRIBUTING).

const fineTuneSchema = z.strictObject({
  /**
   * The lowest stage that is trained, such as "conv5" of ResNet50 or "stage7" of EfficientNet-Lite0; those above it are
   * trained too. "last" is the last one of either, "all" the whole network.
   */
  from: z
    .string()
    .regex(/^[a-z]+[0-9]*$/)
    .default("last")
    .meta({
      flag: "fine-tune",
      placeholder: "STAGE",
      description: "train the backbone too, from this stage on: last, conv5, stage7 …, or all",
      withoutFlag: "none",
      takes: "last, all, or a stage of the backbone such as conv5 or stage7",
    }),
  /** At most this many passes over the training images, in [1, 1000]. */
  epochs: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .meta({ flag: "fine-tune-epochs", description: "at most this many for that" }),
  /** Images at once in memory, in [1, 1024]. */
  batchSize: z.number().int().min(1).max(1024).default(16),
  /** Batches whose gradients are added up before each step, in [1, 1024]. */
  accumulation: z.number().int().min(1).max(1024).default(2),
  /** Adam's step size in the highest stage, in (0, 1]. */
  learningRate: z.number().positive().max(1).default(3e-5),
  /** Adam's step size in the head, in (0, 1]. */
  headLearningRate: z.number().positive().max(1).default(3e-4),
  /** Each stage learns this times as fast as the one above it, in (0, 1]. */
  stageDecay: z.number().positive().max(1).default(0.5),
  /** Share of the steps over which the step sizes rise from near 0, in [0, 1). */
  warmUp: z.number().min(0).lt(1).default(0.1),
  /** Epochs without a better validation loss, by patient, before it stops, in [1, 1000]. */
  patience: z.number().int().min(1).max(1000).default(3),
});

/** How a backbone's stages are trained along, after the head. */
export interface FineTuneSettings extends z.output<typeof fineTuneSchema> {}

/** @internal Width and height that a backbone sees; what a saved classifier says is held to it, too. */
export const inputSizeSchema = z.number().int().min(32).max(1024);

const triple = (element: z.ZodNumber, takes: string) =>
  z.tuple([element, element, element]).optional().meta({ takes });

/** @internal What `backbone.json` beside a network may say; the setting `backboneDetails` goes before it. */
export const backboneDetailsSchema = z.strictObject({
  /** Width and height in pixels, in [32, 1024]. */
  inputSize: inputSizeSchema.optional(),
  /** The order of the colours. */
  channels: z.enum(["RGB", "BGR"]).optional(),
  /** What a pixel of 0..255 is multiplied by first: 1 or 0.00392156862745098 (1/255). */
  scale: z.number().positive().optional(),
  /** What is subtracted then, in the order of the channels; [0, 0, 0] for nothing. */
  mean: triple(z.number(), "three numbers"),
  /** What is divided by then; [1, 1, 1] for nothing. */
  deviation: triple(z.number().positive(), "three numbers above 0"),
  /** How images of another size are stretched, Pillow's of these names. */
  interpolation: z.enum(["bicubic", "bilinear"]).optional(),
  /** The order of the input's axes, where the file does not tell. */
  layout: z.enum(["NCHW", "NHWC"]).optional(),
  /** Name of the output that features are made of. */
  output: z.string().min(1).optional(),
  /** How it becomes one row: as it is, or of tokens or a grid of cells. */
  pooling: z
    .enum(["none", "mean", "class-token", "mean-of-patches", "class-token-and-mean-of-patches"])
    .optional(),
  /** Tokens before those of the patches: 1 with a class token alone, more with registers, in [0, 64]. */
  prefixTokens: z.number().int().min(0).max(64).optional(),
});

/** What has to be known of a network by somebody else; what is left out is told by a file beside it, or by itself. */
export interface BackboneDetails extends z.output<typeof backboneDetailsSchema> {}

const column = z.string().min(1).optional();
const columnsSchema = z.strictObject({
  image: column,
  label: column,
  patient: column,
  slide: column,
  magnification: column,
  split: column,
  subtype: column,
});

/** @internal What settings may be, for the flags of `npm start` and for tests. */
export const settingsSchema = z
  .strictObject({
    /** Folder of images, or a labels file (CSV) that names them; null takes the synthetic demo set. */
    data: z
      .string()
      .nullable()
      .default(null)
      .meta({ placeholder: "FOLDER", description: "your images; without it a synthetic demo set is drawn" }),
    /** A labels file (CSV) that says what the folder's images are; path from the working directory or the folder. */
    labels: z
      .string()
      .nullable()
      .default(null)
      .meta({ placeholder: "CSV", description: "a labels file that says what the folder's images are" }),
    /** Names of the labels file's columns, by what they hold; null finds them by their usual names. */
    columns: columnsSchema
      .nullable()
      .default(null)
      .meta({ placeholder: "PAIRS", description: "its columns, as in image=path,label=class" }),
    /** The classes: those of the folders or labels, or BreaKHis' subtypes, from which benign and malignant follow. */
    classes: z
      .enum(["labels", "subtype"])
      .default("labels")
      .meta({ description: "subtype: BreaKHis' subtypes, and what follows from them" }),
    /** Name of the class that is looked for; null takes malignant or IDC where there is one. */
    positiveClass: z.string().nullable().default(null).meta({
      placeholder: "NAME",
      description: "the class that is looked for",
      withoutFlag: "malignant, IDC",
    }),
    /** Only images of this magnification (40, 100, 200, 400 in BreaKHis), in [1, 10000]; null takes all. */
    magnification: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .nullable()
      .default(null)
      .meta({ description: "only images of this magnification" }),
    /** What is kept together: patients (honest), nothing (leaks), or the folder's own train and test. */
    split: z
      .enum(["patient", "image", "folder"])
      .default("patient")
      .meta({ description: "what stays together" }),
    /**
     * The network whose features the head learns from: "resnet50", "efficientnet-lite0", the best of them whose weights
     * can be had ("auto"), or the path of another one's file or folder, or a name of `keras.applications` with its weights (docs/other-backbones.md).
     */
    backbone: z.string().min(1).default("auto").meta({
      placeholder: "NETWORK",
      description: "network for features: auto, resnet50, efficientnet-lite0, or another one's file",
      takes: "auto, resnet50, efficientnet-lite0, or the path of another network's file or folder",
    }),
    /** What another network's files do not tell of it: size, colours, mean and deviation, output, pooling. */
    backboneDetails: backboneDetailsSchema.nullable().default(null).meta({
      placeholder: "JSON",
      description: "a file that says of another one's what nothing beside it does",
    }),
    /** Path of a Keras HDF5 file with the weights of ResNet50 or of a name of `keras.applications`; null looks in the cache, then downloads. */
    weights: z
      .string()
      .nullable()
      .default(null)
      .meta({ placeholder: "FILE", description: "ResNet50's weights, a Keras HDF5 file" }),
    /** "normalised" gives all images the stains of the training part; "as-is" leaves them as they are. */
    stain: z
      .enum(["as-is", "normalised"])
      .default("as-is")
      .meta({ description: "normalised: give all images the training part's stains" }),
    /** Views of the training images that the head learns from too: turned and mirrored, or in other stains. */
    augmentation: z
      .enum(["none", "turns", "stains", "turns-and-stains"])
      .default("none")
      .meta({ description: "views to learn from too; features take 8, 4 or 11 times as long" }),
    /** Answers with the mean over the views of an image, instead of what is said of the image as it is. */
    averageViews: z.boolean().default(false).meta({ description: "answer with the mean over those views" }),
    /** Width and height in pixels that the backbone sees, in [32, 1024]; null takes what it was made for, ours for 224. */
    inputSize: inputSizeSchema
      .nullable()
      .default(null)
      .meta({ description: "pixels the network sees", withoutFlag: "what it was made for; ours: 224" }),
    /** Units of the head's hidden layers, first to last: at most 8, each in [1, 8192]. */
    hiddenUnits: z
      .array(z.number().int().min(1).max(8192))
      .max(8)
      .default([128, 64])
      .meta({ description: "the head's hidden layers, or none" }),
    /** Share of hidden units dropped at each training step, in [0, 1). */
    dropout: z.number().min(0).lt(1).default(0.2).meta({ description: "share of units dropped" }),
    /** Weight of the squared kernels in the loss, at least 0. */
    l2: z.number().min(0).default(1e-4).meta({ description: "weight of squared kernels in the loss" }),
    /** Adam's step size, in (0, 10]. */
    learningRate: z.number().positive().max(10).default(1e-3).meta({ description: "Adam's step size" }),
    /** At most this many passes over the training images, in [1, 10000]. */
    epochs: z.number().int().min(1).max(10_000).default(30).meta({ description: "at most this many" }),
    /** Images a step, in [1, 8192]. */
    batchSize: z.number().int().min(1).max(8192).default(32).meta({ description: "images a step" }),
    /**
     * "balanced" weighs classes by the inverse of their frequency, as scikit-learn does; "patients" also each patient as
     * much as any other of the same class, however many images there are of one.
     */
    classWeights: z
      .enum(["balanced", "patients", "none"])
      .default("balanced")
      .meta({ description: "rare classes count more; patients: each patient as much as the next" }),
    /** Trains even if identical images are in several parts of the split; results on them say nothing. */
    allowDuplicatesAcrossParts: z
      .boolean()
      .default(false)
      .meta({ description: "train although the same image is also tested on" }),
    /** Epochs without a better validation loss before training stops, in [1, 10000]. */
    patience: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(8)
      .meta({ description: "epochs without progress before the end" }),
    /** Which stages of the backbone are trained along, and how; null trains the head alone. */
    fineTune: fineTuneSchema.nullable().default(null),
    /**
     * "exact": in float32 and repeatably. "fast": on a GPU, in TF32. "bfloat16": features in 16 bits, on processors with
     * AVX512-BF16 or AMX: about twice as fast, and 1 % (ResNet50) to 6 % (EfficientNet-Lite0) off.
     */
    arithmetic: z.enum(arithmetics).default("exact").meta({
      description: "float32; or a GPU's faster TF32; or features in bfloat16, where a processor can",
    }),
    /** Decides the split, the first weights, the order of images and the dropout. */
    seed: z
      .number()
      .int()
      .min(0)
      .max(0xffff_ffff)
      .default(42)
      .meta({ description: "decides split, first weights, order" }),
  })
  .refine(({ averageViews, augmentation }) => !averageViews || augmentation !== "none", {
    path: ["averageViews"],
    message: 'true needs views to average over: set augmentation to "turns", "stains" or "turns-and-stains"',
  });

/** Everything that a run depends on besides the images and the weights. */
export interface Settings extends z.output<typeof settingsSchema> {}

/** Settings as they are written down: what is left out takes its default. */
export interface GivenSettings extends z.input<typeof settingsSchema> {}

/** Name of the environment variable through which the flags of `npm start` reach the notebooks, as JSON. */
export const settingsVariable = "BREAKHIS_SETTINGS";

function settingsFromEnvironment(): Record<string, unknown> {
  const json = process.env[settingsVariable];
  if (!json) return {};
  try {
    return JSON.parse(json) as Record<string, unknown>;
  } catch {
    throw refusal(`${settingsVariable} should hold settings as JSON, found: ${json.slice(0, 80)}`);
  }
}

/**
 * Completes and checks settings: defaults, then what the notebook's cell says, then the flags of `npm start`.
 *
 * @throws Error as `completeSettings` does.
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

/** The settings of fine-tuning among the fields of something that holds more. */
export function pickFineTuning(from: Partial<FineTuneSettings>): Partial<FineTuneSettings> {
  const names = Object.keys(fineTuneSchema.shape) as (keyof FineTuneSettings)[];
  return Object.fromEntries(names.flatMap((name) => (name in from ? [[name, from[name]]] : [])));
}

/**
 * Completes and checks settings by defaults alone, whatever the flags of `npm start`.
 *
 * @throws Error naming each setting that is unknown or out of range, what it takes, and what was given.
 */
export function completeSettings(given: Record<string, unknown> | GivenSettings): Settings {
  const result = settingsSchema.safeParse(given);
  if (result.success === true) return result.data;
  const complaints = explainMismatch(settingsSchema, result.error, given, "settings");
  throw refusal(`These settings can't be used. ${complaints}.`);
}
