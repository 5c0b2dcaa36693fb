import { encodeThumbnail } from "../../data/images/images";
import type { SkippedImage } from "../../data/record";
import { isOpen } from "../../model/backbones/architecture";
import type { Classifier } from "../../model/classifier/classifier";
import { gradCam } from "../../model/explanation/grad-cam";
import { breathe, runCooperatively } from "../../runtime/interruption";
import { startProgress } from "../../runtime/progress";
import { countOf, nameSome } from "../../runtime/words";
import type { JudgedImage, PatientJudgement } from "../../scores/triage/judged-images";
import { type PicturedWork, workListDisplay } from "../analysis/work-list";
import { notMedicalDevice, percent } from "../display/findings";
import { encodeHeatOverlay, heatLegend } from "../display/heat-overlay";
import { escapeHtml } from "../display/html";
import { tableHtml } from "../display/table-html";
import { plainPage } from "./plain-page";

/** What a page of predictions is made of; plain values besides the classifier. */
export interface PredictionPage {
  classifier: Pick<
    Classifier,
    "classes" | "positiveClass" | "threshold" | "triage" | "familiarity" | "provenance"
  >;
  /** All that was predicted. */
  images: readonly JudgedImage[];
  /** The first rows of the work list. */
  work: readonly PicturedWork[];
  skipped: readonly SkippedImage[];
}

/** Pixels of a picture in the work list: sharp at the size that it is shown in. */
const pictureWidth = 180;
/** Patients in the table; a page is to be read. */
const mostPatients = 500;

/**
 * Draws the first images of the work list: each with its picture, and where in it the classifier sees the positive class
 * (or, where no class is looked for, its answer).
 *
 * @param most - Images at most, but never fewer than need a second look.
 * @returns Those that were drawn before an interrupt.
 * @throws Error naming the file if an image can't be read any more.
 */
export async function pictureJudged(
  classifier: Classifier,
  images: readonly JudgedImage[],
  most: number,
): Promise<PicturedWork[]> {
  const first = firstOfWork(images, most, classifier.positiveClass);
  const progress = startProgress("Drawing the work list", first.length, "images");
  try {
    return await runCooperatively("drawing the work list", async (signal) => {
      const pictured: PicturedWork[] = [];
      for (const image of first) {
        if (signal.aborted) break;
        pictured.push(await pictureOne(classifier, image));
        progress.advance();
        await breathe();
      }
      return pictured;
    });
  } finally {
    progress.finish();
  }
}

/** A small picture with what speaks for a class over it; nothing where the backbone can't be looked into. */
async function overlayOf(classifier: Classifier, path: string): Promise<{ overlay?: string }> {
  if (!isOpen(classifier.backbone)) return {};
  const { positiveClass: classIndex } = classifier;
  const explained = await gradCam(classifier, path, { classIndex, width: pictureWidth });
  return { overlay: await encodeHeatOverlay(explained, { width: pictureWidth }) };
}

/** The first rows of the work list, never cut above the last one that needs a second look. */
export function firstOfWork(
  images: readonly JudgedImage[],
  most: number,
  positiveClass: number | null,
): JudgedImage[] {
  const sorted = [...images].sort((one, other) => one.rank - other.rank);
  // Where no threshold is locked, what the classifier calls positive is what needs a look.
  const looks = sorted.map(({ secondLook, predicted }) => secondLook ?? predicted === positiveClass);
  return sorted.slice(0, Math.max(most, looks.lastIndexOf(true) + 1));
}

async function pictureOne(classifier: Classifier, image: JudgedImage): Promise<PicturedWork> {
  const { positiveClass } = classifier;
  const { path, file, patient, rank, probabilities, predicted } = image;
  const probability = probabilities[positiveClass ?? predicted]!;
  return {
    rank,
    file,
    patient,
    probability,
    score: probability,
    kind: image.listedAs ?? (predicted === positiveClass ? "positive" : "negative"),
    needsLook: image.secondLook ?? predicted === positiveClass,
    picture: await encodeThumbnail(path, pictureWidth),
    ...(await overlayOf(classifier, path)),
    ...(image.distance === null && image.unlike.length === 0
      ? {}
      : { unlike: image.unlike.map(({ text }) => text) }),
  };
}

/** Says which threshold asks for a second look, and where it comes from. */
export function describeDecision({
  triage,
  threshold,
  positiveClass,
  classes,
}: Pick<Classifier, "triage" | "threshold" | "positiveClass" | "classes">): string {
  if (positiveClass === null) return "No class is looked for, so nothing is sorted for a second look.";
  const name = classes[positiveClass]!;
  if (triage === undefined) {
    return `No threshold is locked in this classifier: ${name} is answered from a probability of ${threshold} on. Notebook 04 locks one for triage.`;
  }
  const compared = triage.level === "image" ? "each image" : "the mean of each patient's images";
  return `A second look is asked for from a probability of ${name} of ${triage.threshold.toPrecision(4)} on, for ${compared}. ${triage.description}`;
}

/** Says what images can be called unlike the training images by. */
export function describeFamiliarity({ familiarity }: Pick<Classifier, "familiarity">): string {
  if (familiarity === undefined) {
    return "This classifier does not remember its training images, so it can't be told which images are unlike them: train it again (notebook 03) to have that checked.";
  }
  const { images, falseAlarmRate } = familiarity.validation;
  return `Images unlike the training images are marked, and none of them is spared a second look: their answers are not to be relied on. The distance that counts as unlike was chosen on ${images} validation images; of images like those, up to ${percent(falseAlarmRate)} are marked as well.`;
}

/** Counts, in a sentence. */
export function describeJudged(images: readonly JudgedImage[], skipped: readonly SkippedImage[]): string {
  const patients = new Set(images.map(({ patient }) => patient).filter((patient) => patient !== null));
  const unknown = images.filter(({ patient }) => patient === null).length;
  const looks = images.filter(({ secondLook }) => secondLook === true).length;
  const sorted = images.some(({ secondLook }) => secondLook !== null);
  const unlike = images.filter(({ unlike: ways }) => ways.some(({ about }) => about !== "heads")).length;
  const divided = images.filter(({ unlike: ways }) => ways.some(({ about }) => about === "heads")).length;
  const parts = [
    `${countOf(images.length, "image")} of ${countOf(patients.size, "known patient")}`,
    ...(unknown > 0 ? [`${unknown} of unknown patients among them`] : []),
    ...(sorted ? [`${looks} for a second look`] : []),
    ...(images.some(({ distance }) => distance !== null) ? [`${unlike} unlike the training images`] : []),
    ...(divided > 0 ? [`of ${divided} the heads disagree`] : []),
    ...(skipped.length > 0 ? [`${countOf(skipped.length, "file")} could not be read`] : []),
  ];
  return `${parts.join("; ")}.`;
}

const paragraph = (text: string) => `<p>${escapeHtml(text)}</p>`;

function patientsHtml({ images, classifier }: PredictionPage): string {
  const { positiveClass, classes } = classifier;
  const patients = new Map<string, PatientJudgement>();
  for (const { ofPatient } of images) if (ofPatient !== null) patients.set(ofPatient.patient, ofPatient);
  if (patients.size === 0) return paragraph("No image's patient is known from its name.");
  const score = ({ probabilities, predicted }: PatientJudgement) =>
    probabilities[positiveClass ?? predicted]!;
  const sorted = [...patients.values()].sort((one, other) => score(other) - score(one));
  const rows = sorted
    .slice(0, mostPatients)
    .map((one) => [
      one.patient,
      one.images,
      percent(score(one)),
      classes[one.predicted]!,
      one.secondLook === null ? null : one.secondLook ? "yes" : "no",
    ]);
  const of = positiveClass === null ? "the answer" : classes[positiveClass]!;
  const caption = `The first ${rows.length} of ${sorted.length} patients; a patient's probability is the mean over the images`;
  const columns = ["patient", "images", `mean probability of ${of}`, "answer", "second look"];
  return tableHtml(columns, rows, caption);
}

function skippedHtml(skipped: readonly SkippedImage[]): string {
  if (skipped.length === 0) return "";
  const items = skipped.map(({ file, reason }) => `<li>${escapeHtml(file)}: ${escapeHtml(reason)}.</li>`);
  return `<h2>Files that could not be read</h2><ul>${items.join("")}</ul>`;
}

/** Says what the classifier was trained on, as a paragraph. */
export function originHtml({ provenance }: PredictionPage["classifier"]): string {
  const { dataset, synthetic, runId, created } = provenance;
  const run = runId === null ? "" : `, run ${runId}`;
  const trained = `Classifier trained on ${dataset}${run}, ${created.slice(0, 10)}.`;
  const warning = synthetic
    ? "It was trained on synthetic images: what it answers says nothing about tissue."
    : "What it answers about tissue from another laboratory, stained and photographed differently, is untested.";
  return paragraph(`${trained} ${warning}`);
}

function legendHtml(): string {
  return (
    `<p>${escapeHtml(heatLegend.least)} <span aria-hidden="true" style="display:inline-block;width:120px;height:10px;` +
    `border-radius:3px;background:${escapeHtml(heatLegend.gradient)};print-color-adjust:exact"></span> ${escapeHtml(heatLegend.most)}</p>`
  );
}

/** Puts the work list of new images together as one HTML page that needs no other file, no network and no program. */
export async function predictionPageHtml(page: PredictionPage): Promise<string> {
  const { classifier, images, work, skipped } = page;
  const about = { ...classifier, synthetic: false };
  const list = workListDisplay(about, work, { total: images.length, things: "images", whole: true }).html;
  const unread =
    skipped.length === 0
      ? ""
      : `Not read: ${nameSome(
          skipped.map(({ file }) => file),
          3,
        )}.`;
  const header = `<h1>Work list</h1>
<p class="notice">${escapeHtml(notMedicalDevice)}</p>
${originHtml(classifier)}
${paragraph(`${describeJudged(images, skipped)} ${unread}`)}
${paragraph(describeDecision(classifier))}
${paragraph(describeFamiliarity(classifier))}`;
  const main = `<h2>Images, the most suspicious first</h2>
${work.some(({ overlay }) => overlay !== undefined) ? legendHtml() : ""}
${list}
<h2>Patients</h2>
${patientsHtml(page)}
${skippedHtml(skipped)}`;
  return plainPage({ title: "Work list", header, main });
}
