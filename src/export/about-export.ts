import type { StainReference } from "../data/images/stain-reference";
import type { Classifier, KeptTriage, Provenance } from "../model/classifier/classifier";
import type { FamiliarityDescription } from "../model/classifier/familiarity-file";
import { headMembers } from "../model/classifier/head-members";

/** Formats that a classifier can be exported to. */
export const exportFormats = ["keras", "savedmodel", "tfjs", "onnx"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** What each format's file or folder is called, relative to the export's folder. */
export const modelFiles: Record<ExportFormat, string> = {
  keras: "classifier.keras",
  savedmodel: "saved_model",
  tfjs: "model.json",
  onnx: "classifier.onnx",
};

/** The largest difference to the classifier itself, in probability, that an export may have. */
export const exportTolerance = 1e-4;

/** How images of any size become what the network takes: none of the formats does it by itself. */
export const resizingText =
  "The image is turned upright by its EXIF orientation, converted to sRGB by its colour profile, reduced to 8 bits (the upper ones of 16) and, where it is transparent, laid on white. Then the whole of it is stretched to a square with a cubic kernel (Catmull-Rom, a = -0.5), centres on centres, widened when shrinking so that all pixels count: Pillow's BICUBIC, or tf.image.resize with bicubic and antialias. libvips' and sharp's cubic does nearly the same where no edge becomes longer; an image that is enlarged lies half an output pixel off there.";

const exportFormatName = "breakhis-lab export 1";

/** What `export.json` holds: everything a program must know to use the model beside it. */
export interface AboutExport {
  format: typeof exportFormatName;
  model: string;
  modelFormat: ExportFormat;
  input: {
    shape: [null, number, number, 3];
    type: "float32";
    values: "RGB, 0 to 255; preprocessing is inside the model";
    resizing: string;
    /** To be done before the model sees an image; null where nothing is. */
    stainNormalisation: StainReference | null;
  };
  output: {
    shape: [null, number];
    values: "probabilities, after the temperature, in the order of the classes";
  };
  classes: string[];
  positiveClass: number | null;
  /** With two classes: the positive one is answered from this probability on. */
  threshold: number;
  /** The softmax's own probabilities; here for whoever reads exports of earlier versions too. */
  temperature: 1;
  /** The locked threshold for a second look; null where there is none. */
  triage: KeptTriage | null;
  backbone: { name: string; weights: Classifier["backbone"]["weights"]; pretrained: boolean };
  /** Of an ensemble: how many heads' probabilities are averaged. */
  heads?: number;
  check: { images: number; largestDifference: number; tolerance: number };
  provenance: Provenance;
}

/** What `viewer.json` holds: what `export.json` says, and what the page makes sure of before it answers. */
export interface ViewerAbout extends AboutExport {
  viewer: 1;
  /** Images in `check.bin`, uint8 [count, inputSize, inputSize, 3], and the probabilities that they must have. */
  checkImages: { count: number; probabilities: number[][] };
  /**
   * What the training images look like, with the file of examples, float32 [count, width]; null where the classifier does
   * not remember them.
   */
  familiarity: (FamiliarityDescription & { width: number; examples: string }) | null;
}

/** Describes an export for programs. */
export function describeExport(
  classifier: Classifier,
  modelFormat: ExportFormat,
  check: { images: number; largestDifference: number },
): AboutExport {
  const { backbone, classes, positiveClass, threshold, inputSize, stain } = classifier;
  const { triage = null } = classifier;
  const { name, weights, pretrained } = backbone;
  const heads = headMembers(classifier.head).length;
  return {
    format: exportFormatName,
    model: modelFiles[modelFormat],
    modelFormat,
    input: {
      shape: [null, inputSize, inputSize, 3],
      type: "float32",
      values: "RGB, 0 to 255; preprocessing is inside the model",
      resizing: resizingText,
      stainNormalisation: stain,
    },
    output: {
      shape: [null, classes.length],
      values: "probabilities, after the temperature, in the order of the classes",
    },
    classes,
    positiveClass,
    threshold,
    temperature: 1,
    triage,
    backbone: { name, weights, pretrained },
    ...(heads > 1 ? { heads } : {}),
    check: { ...check, tolerance: exportTolerance },
    // Where weights lay on this machine is nobody's business elsewhere.
    provenance: { ...classifier.provenance, weightsPath: null },
  };
}

/** A difference as people read it. */
export const differenceText = (difference: number): string =>
  difference === 0 ? "0" : difference.toExponential(1);

/** Whether JSON says that it belongs to an export. */
export const isExport = (json: unknown): boolean =>
  typeof json === "object" && json !== null && (json as AboutExport).format === exportFormatName;
