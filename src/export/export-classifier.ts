import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { requireOpen } from "../model/backbones/architecture";
import { type Classifier, classifierViews } from "../model/classifier/classifier";
import { kerasSourceOf } from "../model/other-backbones/locate-network";
import { writeFolderAtomically } from "../runtime/files/atomic-folder";
import { withTemporaryFolder } from "../runtime/files/temporary-folder";
import { writeWholeFile } from "../runtime/files/write-file";
import { kerasProblem } from "../runtime/python";
import { refusal } from "../runtime/refusal";
import { type AboutExport, describeExport, type ExportFormat, isExport, modelFiles } from "./about-export";
import { writeForBrowsers } from "./browser-export";
import { askAboutCheckImages, type CheckImages, requireAgreement } from "./check-images";
import { describeClassifier, describeHead } from "./classifier-graph";
import { refuseForeignFolder } from "./foreign-folder";
import { type KerasTask, writeWithKeras } from "./keras-export";
import { modelCard } from "./model-card";
import type { RunResults } from "./run-results";

/** What is exported, how, and where to. */
export interface ExportTask {
  /** Its backbone stays the caller's. */
  classifier: Classifier;
  format: ExportFormat;
  /** Folder to be written; an earlier export in it is replaced, anything else is refused. */
  out: string;
  /** For the model card. */
  results: RunResults;
  /** Images to check it with, besides drawn ones. */
  images?: readonly string[];
  /** Whether a stain reference may be written beside the model, where the caller of the model must apply it. */
  stainBeside?: boolean;
}

const aboutFile = "export.json";
const cardFile = "MODEL-CARD.md";

function refuseStains({ classifier, stainBeside }: ExportTask): void {
  if (classifier.stain === null || stainBeside === true) return;
  throw new Error(
    "This classifier normalises every image's stains first, which no exported model can do: it depends on the whole image. Export it with --stain-beside if whoever calls the model will do that, by the reference that is then written beside it.",
  );
}

/** @throws Error if a classifier looks at each image several times, which an exported model does not. */
export function refuseViews(classifier: Classifier): void {
  const views = classifierViews(classifier).length;
  if (views === 1) return;
  throw new Error(
    `This classifier answers with the mean over ${views} views of each image, and an exported model looks at an image once. Train with averageViews: false, which keeps what was learned from the views, and export that run.`,
  );
}

/**
 * @param problem - What set-up says of Keras in Python.
 * @throws Error if a format is written by Keras and there is none.
 */
export function refuseWithoutKeras(format: ExportFormat, problem: string | null): void {
  if (format === "tfjs" || problem === null) return;
  throw new Error(`The format "${format}" is written by Keras in Python, and it isn't here. ${problem}`);
}

/** A Keras model under a classifier, which Keras can put its head on; null where the backbone is another. */
function kerasNetworkOf({ backbone }: Classifier): KerasTask["network"] {
  const { recipe } = backbone;
  return recipe?.format === "keras" ? { ...kerasSourceOf(backbone, recipe), recipe } : null;
}

/** @throws Error if the backbone is somebody else's and this format can't hold it. */
function refuseClosed(classifier: Classifier, format: ExportFormat): void {
  const network = format === "tfjs" ? null : kerasNetworkOf(classifier);
  if (network === null) requireOpen(classifier.backbone, "An export for other programs");
  else if (network.recipe.interpolation !== "bicubic") {
    throw refusal(
      "This classifier's images are stretched bilinearly, and an export tells its users to stretch them with a cubic kernel: train with interpolation bicubic for an export.",
    );
  }
}

/** Writes the model while it is found out what it should answer. */
async function writeModel(
  task: ExportTask,
  folder: string,
  workshop: string,
  asked: Promise<CheckImages>,
): Promise<Float32Array> {
  const { classifier, format } = task;
  const { inputSize } = classifier;
  if (format === "tfjs")
    return writeForBrowsers(describeClassifier(classifier), inputSize, folder, await asked);
  const network = kerasNetworkOf(classifier);
  const graph = () => (network === null ? describeClassifier(classifier) : describeHead(classifier.head));
  const known = asked.then((check) => ({ graph: graph(), network, inputSize, check }));
  return writeWithKeras(known, format, join(folder, modelFiles[format]), workshop);
}

/**
 * Makes sure before any work that an export can be written to a folder.
 *
 * @throws Error that says why it can't, or that the folder holds something else.
 */
export async function requireExportFolder(folder: string): Promise<void> {
  await refuseForeignFolder(folder, { file: aboutFile, isOurs: isExport, name: "an export" });
}

/**
 * Exports a classifier to another program's format, with a description for programs (`export.json`) and a model card,
 * whole or not at all.
 *
 * What was written is read back and asked about drawn images and the caller's: it must answer what `predictImages`
 * does, within `exportTolerance`.
 *
 * @returns What `export.json` says.
 * @throws Error if it can't carry something, answers otherwise, or the folder holds something else.
 *
 * @example
 * const about = await exportClassifier({ classifier, format: "keras", out: "exported", results });
 */
export async function exportClassifier(task: ExportTask): Promise<AboutExport> {
  const { classifier, format, out, results, images = [] } = task;
  refuseClosed(classifier, format);
  refuseStains(task);
  refuseViews(classifier);
  refuseWithoutKeras(format, kerasProblem());
  await requireExportFolder(out);
  return withTemporaryFolder(async (workshop) => {
    const drawn = join(workshop, "images");
    await mkdir(drawn);
    const asked = askAboutCheckImages(classifier, drawn, images);
    let about: AboutExport | null = null;
    await writeFolderAtomically(out, async (folder) => {
      const found = await writeModel(task, folder, workshop, asked);
      const check = await asked;
      const difference = requireAgreement(found, check);
      about = describeExport(classifier, format, { images: check.count, largestDifference: difference });
      await writeWholeFile(join(folder, aboutFile), `${JSON.stringify(about, null, 2)}\n`);
      await writeWholeFile(join(folder, cardFile), modelCard(about, results));
    });
    return about!;
  });
}
