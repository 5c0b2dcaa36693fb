import { csvText } from "../src/data/csv";
import { parseBreakhisName } from "../src/data/layouts/breakhis";
import type { ViewerAbout } from "../src/export/about-export";
import { decide } from "../src/model/classifier/decision";
import { averageByPatient } from "../src/scores/patients";
import { kindName, listWork, type WorkKind } from "../src/scores/triage/triage";
import { tumourProbabilities } from "../src/scores/tumour-answer";

/** One image that was chosen. */
export interface WorkImage {
  id: number;
  file: File;
  path: string;
  /** From a name as BreaKHis has them; null where it tells none. */
  patient: string | null;
  /** Null until it was looked at. */
  probabilities: number[] | null;
  /** To the nearest training image; above 1 is unlike all of them. Null where that can't be told. */
  distance: number | null;
  /** In which ways it is unlike the training images. */
  unlike: readonly string[];
  /** Of the small picture; null until it was looked at. */
  thumbnail: string | null;
  /** Why it can't be used, as the rest of a sentence. */
  problem: string | null;
}

/** A row of the work list. */
export interface ListedImage {
  image: WorkImage;
  rank: number;
  /** Of the positive class; where none is looked for, of the answer. */
  probability: number;
  /** Of malignant, as it follows where the classes are subtypes; else null. */
  malignant: number | null;
  predicted: number;
  kind: WorkKind | null;
}

/** Rows that belong together. */
export interface WorkGroup {
  name: string;
  kind: WorkKind | null;
  /** What they have in common, in a sentence. */
  explained: string;
  rows: ListedImage[];
}

/** What tells whose an image is, as in `npm run predict`: a name as BreaKHis has them, or the folder it lies in. */
export type PatientFrom = "name" | "folder";

/** Whose an image is; null where its path does not tell it. */
export function patientOf(path: string, from: PatientFrom): string | null {
  const end = path.lastIndexOf("/");
  if (from === "name") return parseBreakhisName(path.slice(end + 1))?.patient ?? null;
  return end < 1 ? null : path.slice(0, end);
}

/** Describes an image before it is looked at. */
export function newImage(id: number, file: File, path: string, from: PatientFrom = "name"): WorkImage {
  const unknown = { probabilities: null, distance: null, unlike: [], thumbnail: null, problem: null };
  return { id, file, path, patient: patientOf(path, from), ...unknown };
}

/** Whether a threshold decides: with two classes, of which one is looked for. */
export const isTriage = ({ classes, positiveClass }: Pick<ViewerAbout, "classes" | "positiveClass">) =>
  classes.length === 2 && positiveClass !== null;

/** The threshold to begin with: the locked one, where it is one for images, else the classifier's own. */
export const startingThreshold = ({ triage, threshold }: Pick<ViewerAbout, "triage" | "threshold">) =>
  triage?.level === "image" ? triage.threshold : threshold;

const kindOrder: readonly WorkKind[] = ["positive", "doubtful", "unlike", "negative"];

function explainKind(kind: WorkKind, name: string, decidesAt: number, threshold: number): string {
  const texts: Record<WorkKind, string> = {
    positive: `Called ${name} (from ${decidesAt} on): never spared a second look, wherever the threshold lies.`,
    doubtful:
      threshold < decidesAt
        ? `Not called ${name}, but from the threshold on: a second look for safety.`
        : `Nothing that is not called ${name} reaches the threshold.`,
    unlike:
      "Below the threshold, but unlike the training images, as a picture of no tissue is: the answer is not to be relied on.",
    negative: "Below the threshold: no second look.",
  };
  return texts[kind];
}

function triageGroups(images: readonly WorkImage[], about: ViewerAbout, threshold: number): WorkGroup[] {
  const positiveClass = about.positiveClass!;
  const byName = new Map(images.map((image) => [String(image.id), image]));
  const predictions = images.map(({ id, patient, probabilities, unlike }) => ({
    file: String(id),
    patient,
    unlike,
    probabilities: probabilities!,
  }));
  const rows = listWork(predictions, {
    threshold,
    level: "image",
    positiveClass,
    decidesAt: about.threshold,
  });
  const listed = rows.map(({ file, rank, probability, kind }): ListedImage => {
    const image = byName.get(file)!;
    const predicted = decide(image.probabilities!, about);
    return { image, rank, probability, malignant: null, kind, predicted };
  });
  return kindOrder.map((kind) => ({
    name: kindName(kind, about.classes[positiveClass]!),
    kind,
    explained: explainKind(kind, about.classes[positiveClass]!, about.threshold, threshold),
    rows: listed.filter((row) => row.kind === kind),
  }));
}

function answerGroups(images: readonly WorkImage[], about: ViewerAbout): WorkGroup[] {
  const listed = images
    .map((image) => {
      const predicted = decide(image.probabilities!, about);
      const malignant = tumourProbabilities(image.probabilities!, about.classes)?.[1] ?? null;
      return { image, predicted, probability: image.probabilities![predicted]!, malignant, kind: null };
    })
    .sort((one, other) => one.probability - other.probability)
    .map((row, i) => ({ ...row, rank: i + 1 }));
  return about.classes.map((name, label) => ({
    name: `answered ${name}`,
    kind: null,
    explained: "The least sure first.",
    rows: listed.filter(({ predicted }) => predicted === label),
  }));
}

/** Lists the images that were looked at in groups, the most suspicious first. */
export function groupWork(images: readonly WorkImage[], about: ViewerAbout, threshold: number): WorkGroup[] {
  const done = images.filter(({ probabilities }) => probabilities !== null);
  return isTriage(about) ? triageGroups(done, about, threshold) : answerGroups(done, about);
}

/** What a patient's images say together. */
export interface PatientRow {
  patient: string;
  /** Number of images. */
  images: number;
  /** Mean over the images: of the positive class; where none is looked for, of the answer. */
  probability: number;
  predicted: number;
  /** Whether one of the images needs a second look; null where no threshold decides. */
  needsLook: boolean | null;
}

/** The patients whose images were looked at, the most suspicious first; none where no patient is known. */
export function groupPatients(groups: readonly WorkGroup[], about: ViewerAbout): PatientRow[] {
  const rows = groups
    .flatMap((group) => group.rows)
    .map(({ image, kind }) => ({ patient: image.patient, probabilities: image.probabilities!, kind }));
  return averageByPatient(rows)
    .map(({ patient, images, probabilities }) => {
      const predicted = decide(probabilities, about);
      const probability = probabilities[about.positiveClass ?? predicted]!;
      const needsLook = isTriage(about) ? images.some(({ kind }) => kind !== "negative") : null;
      return { patient, images: images.length, probability, predicted, needsLook };
    })
    .sort((one, other) => other.probability - one.probability);
}

/** The work list as CSV, with the columns of `npm run predict` that are known here, and the threshold. */
export function encodeWork(groups: readonly WorkGroup[], about: ViewerAbout, threshold: number): string {
  const { classes, positiveClass } = about;
  const triage = isTriage(about);
  const header = [
    "file",
    "patient",
    "probabilityMalignant",
    "predicted",
    "predictedClass",
    "secondLook",
    "listedAs",
    "rank",
    "threshold",
    "distance",
    "warnings",
    ...classes.map((name) => `probability of ${name}`),
  ];
  const rows = groups
    .flatMap((group) => group.rows)
    .sort((one, other) => one.rank - other.rank)
    .map(({ image, rank, malignant, predicted, kind }) => {
      const positive = positiveClass === null ? malignant : image.probabilities![positiveClass]!;
      const secondLook = !triage ? "" : kind === "negative" ? "no" : "yes";
      return [
        csvText(image.path),
        csvText(image.patient ?? ""),
        positive ?? "",
        predicted,
        csvText(classes[predicted]!),
        secondLook,
        kind === null ? "" : csvText(kindName(kind, classes[positiveClass!]!)),
        rank,
        triage ? threshold : "",
        image.distance ?? "",
        csvText(image.unlike.join("; ")),
        ...image.probabilities!,
      ];
    });
  return [header.map(csvText), ...rows].map((cells) => `${cells.join(",")}\n`).join("");
}
