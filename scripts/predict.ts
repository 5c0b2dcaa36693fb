// What a trained classifier says about new images: npm run predict -- runs/latest/classifier images --out answers.csv
import { Command, InvalidArgumentError, Option } from "commander";
import type { SkippedImage } from "../src/data/dataset";
import { describeNotes } from "../src/data/images/images";
import { findSources, type PatientFrom } from "../src/data/layouts/image-sources";
import { scoresTable } from "../src/experiments/evaluation-text";
import { type Classifier, loadClassifier } from "../src/model/classifier/classifier";
import { predictSources } from "../src/model/classifier/predict-sources";
import { requireWritable, writeFileAtomically } from "../src/runtime/files/write-file";
import { printable } from "../src/runtime/printable";
import { countOf, nameSome } from "../src/runtime/words";
import { type JudgedImage, judgeImages } from "../src/scores/triage/judged-images";
import { compareWithTruth } from "../src/scores/triage/judged-truth";
import { notMedicalDevice } from "../src/views/display/findings";
import {
  describeDecision,
  describeFamiliarity,
  describeJudged,
  firstOfWork,
  pictureJudged,
  predictionPageHtml,
} from "../src/views/report/prediction-page";
import { encodeJudgedCsv, encodeJudgedJsonLines } from "../src/views/report/prediction-table";
import { endWithReason, interruptedExitCode, stopOnInterrupt } from "./ending";
import { addLabelsFlags, type LabelsFlags } from "./flags/labels-flags";
import { addPictureFlags, checkPictureFlags, type PictureFlags, predictPicture } from "./predict-picture";
import { showProgressBars } from "./progress-bars";
import { complain } from "./say";

interface Flags extends LabelsFlags, PictureFlags {
  out?: string;
  format?: "csv" | "jsonl";
  html?: string;
  htmlRows: number;
  weights?: string;
  patientFrom: PatientFrom;
}

/** The exit code where some files could not be answered; the others were. */
const badFilesExitCode = 2;

function positiveNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("Expected a whole number above 0.");
  return Number(text);
}

function readCommandLine(): { classifier: string; given: string[]; flags: Flags } {
  const program = addPictureFlags(addLabelsFlags(new Command("predict")))
    .description(
      "Says what a saved classifier answers about images: CSV or JSON lines, and a work list as HTML.",
    )
    .argument("<classifier>", "folder of a saved classifier, for example runs/latest/classifier")
    .argument("<images...>", "image files, folders that are searched for images, and labels files (CSV)")
    .option("--out <file>", "writes the answers here; without this and --html, they go to stdout")
    .addOption(
      new Option("--format <name>", "of the answers; by default from the ending of --out, else CSV").choices([
        "csv",
        "jsonl",
      ]),
    )
    .option("--html <file>", "writes the work list as one page, with pictures and Grad-CAM")
    .option(
      "--html-rows <number>",
      "images in the work list at most; all that need a second look are in it all the same",
      positiveNumber,
      100,
    )
    .option("--weights <file>", "the backbone's weights, where they are not where they were in training")
    .addOption(
      new Option("--patient-from <what>", "what tells the patient: BreaKHis' and IDC's names, or the folder")
        .choices(["name", "folder"])
        .default("name"),
    )
    .addHelpText(
      "after",
      "\nWith a labels file the answers are scored against it, too.\nExit code: 0; 2 if some files could not be read, which are listed at the end; 1 if nothing could be done.\nFor a pipe, keep npm quiet: npm run --silent predict -- runs/latest/classifier images | head",
    )
    .parse();
  const [classifier, ...given] = program.args;
  return { classifier: classifier!, given, flags: program.opts<Flags>() };
}

function encode(images: readonly JudgedImage[], classifier: Classifier, { format, out }: Flags): string {
  const asLines = format === undefined ? /\.(?:jsonl|ndjson)$/i.test(out ?? "") : format === "jsonl";
  return asLines ? encodeJudgedJsonLines(images, classifier) : encodeJudgedCsv(images, classifier);
}

async function load(folder: string, weights: string | null): Promise<Classifier> {
  try {
    return await loadClassifier(folder, { weights });
  } catch (error) {
    throw new Error((error as Error).message.replace(/as `weights`/, "with --weights"));
  }
}

function listSkipped(skipped: readonly SkippedImage[]): void {
  for (const { file, reason } of skipped) complain(`Not read: ${file}: ${reason}.`);
}

function stopped(kept = "What was computed is kept; the same command goes on from there."): void {
  complain(`Stopped. ${kept}`);
  process.exitCode = interruptedExitCode;
}

async function writeAnswers(
  images: readonly JudgedImage[],
  classifier: Classifier,
  flags: Flags,
): Promise<void> {
  const { out, html } = flags;
  if (out !== undefined) await writeFileAtomically(out, encode(images, classifier, flags));
  else if (html === undefined) {
    const answers = encode(images, classifier, flags);
    process.stdout.write(process.stdout.isTTY ? printable(answers) : answers);
  }
}

/** How the answers compare with what a labels file says. */
function describeTruth(images: readonly JudgedImage[], classifier: Classifier): string {
  const { scores, tumour, unknown } = compareWithTruth(images, classifier);
  const names = unknown.map(({ className, images: count }) => `${className} (${countOf(count, "image")})`);
  return [
    names.length === 0
      ? ""
      : `The classifier does not know the labels ${nameSome(names)}; its classes are ${classifier.classes.join(", ")}.`,
    scores === null ? "" : `Against the labels; 95 % intervals resample patients.\n${scoresTable(scores)}`,
    tumour === null ? "" : `Benign or malignant, as it follows from the subtypes:\n${scoresTable(tumour)}`,
    "Images that it learned from say nothing of others.",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** One image of any size, tile by tile. */
async function answerPicture(folder: string, path: string, flags: Flags): Promise<void> {
  for (const target of [flags.out, flags.html, flags.geojson]) {
    if (target !== undefined) await requireWritable(target);
  }
  const classifier = await load(folder, flags.weights ?? null);
  complain(notMedicalDevice);
  try {
    if (!(await predictPicture(classifier, path, flags))) stopped("Nothing was written.");
  } finally {
    classifier.backbone.dispose();
  }
}

async function main(): Promise<void> {
  const { classifier: folder, given, flags } = readCommandLine();
  stopOnInterrupt();
  // Whoever reads may stop reading, as head does.
  process.stdout.on("error", () => process.exit(0));
  // Computing features is a part of predicting.
  showProgressBars({ except: ["Computing features"] });
  checkPictureFlags(flags, given);
  if (flags.tiles === true) return answerPicture(folder, given[0]!, flags);
  for (const target of [flags.out, flags.html]) if (target !== undefined) await requireWritable(target);
  const { patientFrom, labels = null, columns = {} } = flags;
  const found = await findSources(given, { patientFrom, labels, columns });
  for (const warning of found.warnings) complain(`Note: ${warning}`);
  if (found.groups.every(({ sources }) => sources.length === 0)) {
    listSkipped(found.skipped);
    throw new Error(`There is no image in ${given.join(", ")}: give image files, or folders that hold some.`);
  }
  const classifier = await load(folder, flags.weights ?? null);
  complain(notMedicalDevice);
  const { predictions, complete, ...unread } = await predictSources(classifier, found.groups);
  const skipped = [...found.skipped, ...unread.skipped];
  if (!complete) return stopped();
  if (predictions.length === 0) {
    listSkipped(skipped);
    throw new Error(`None of ${skipped.length} files could be read, so there is nothing to answer.`);
  }
  const images = judgeImages(predictions, classifier);
  await writeAnswers(images, classifier, flags);
  if (flags.html !== undefined) {
    const work = await pictureJudged(classifier, images, flags.htmlRows);
    if (work.length < firstOfWork(images, flags.htmlRows, classifier.positiveClass).length) return stopped();
    await writeFileAtomically(flags.html, await predictionPageHtml({ classifier, images, work, skipped }));
  }
  classifier.backbone.dispose();
  for (const sentence of [describeJudged(images, skipped), describeDecision(classifier)]) complain(sentence);
  complain(describeFamiliarity(classifier));
  const odd = images.flatMap(({ file, unlike }) =>
    unlike.filter(({ about }) => about === "numbers").map(({ text }) => `${file} (${text})`),
  );
  for (const note of describeNotes(odd)) complain(`Note: ${note}`);
  if (images.some(({ truth }) => truth !== undefined)) complain(describeTruth(images, classifier));
  listSkipped(skipped);
  if (skipped.length > 0) process.exitCode = badFilesExitCode;
}

main().catch(endWithReason);
