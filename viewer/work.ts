import { csvText } from "../src/data/csv";
import { parseBreakhisName } from "../src/data/layouts/breakhis";
import type { ViewerAbout } from "../src/export/about-export";
import { decide } from "../src/model/classifier/decision";
import { listWork, type WorkKind } from "../src/scores/triage/triage";

/** One image that was chosen. */
export interface WorkImage {
  id: number;
  file: File;
  path: string;
  /** From a name as BreaKHis has them; null where it tells none. */
  patient: string | null;
  /** Null until it was looked at. */
  probabilities: number[] | null;
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

/** Describes an image before it is looked at. */
export function newImage(id: number, file: File, path: string): WorkImage {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const patient = parseBreakhisName(name)?.patient ?? null;
  return { id, file, path, patient, probabilities: null, thumbnail: null, problem: null };
}

/** Whether a threshold decides: with two classes, of which one is looked for. */
export const isTriage = ({ classes, positiveClass }: Pick<ViewerAbout, "classes" | "positiveClass">) =>
  classes.length === 2 && positiveClass !== null;

/** The threshold to begin with: the locked one, where it is one for images, else the classifier's own. */
export const startingThreshold = ({ triage, threshold }: Pick<ViewerAbout, "triage" | "threshold">) =>
  triage?.level === "image" ? triage.threshold : threshold;

const kindOrder: readonly WorkKind[] = ["positive", "doubtful", "negative"];

function explainKind(kind: WorkKind, name: string, decidesAt: number, threshold: number): string {
  const texts: Record<WorkKind, string> = {
    positive: `Called ${name} (from ${decidesAt} on): never spared a second look, wherever the threshold lies.`,
    doubtful:
      threshold < decidesAt
        ? `Not called ${name}, but from the threshold on: a second look for safety.`
        : `Nothing that is not called ${name} reaches the threshold.`,
    negative: "Below the threshold: no second look.",
  };
  return texts[kind];
}

function triageGroups(images: readonly WorkImage[], about: ViewerAbout, threshold: number): WorkGroup[] {
  const positiveClass = about.positiveClass!;
  const byName = new Map(images.map((image) => [String(image.id), image]));
  const predictions = images.map(({ id, patient, probabilities }) => ({
    file: String(id),
    patient,
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
    return { image, rank, probability, kind, predicted: decide(image.probabilities!, about) };
  });
  return kindOrder.map((kind) => ({
    name: kind,
    kind,
    explained: explainKind(kind, about.classes[positiveClass]!, about.threshold, threshold),
    rows: listed.filter((row) => row.kind === kind),
  }));
}

function answerGroups(images: readonly WorkImage[], about: ViewerAbout): WorkGroup[] {
  const listed = images
    .map((image) => {
      const predicted = decide(image.probabilities!, about);
      return { image, predicted, probability: image.probabilities![predicted]!, kind: null };
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
    ...classes.map((name) => `probability of ${name}`),
  ];
  const rows = groups
    .flatMap((group) => group.rows)
    .sort((one, other) => one.rank - other.rank)
    .map(({ image, rank, predicted, kind }) => {
      const positive = positiveClass === null ? null : image.probabilities![positiveClass]!;
      const secondLook = !triage ? "" : kind === "negative" ? "no" : "yes";
      return [
        csvText(image.path),
        csvText(image.patient ?? ""),
        positive ?? "",
        predicted,
        csvText(classes[predicted]!),
        secondLook,
        kind ?? "",
        rank,
        triage ? threshold : "",
        ...image.probabilities!,
      ];
    });
  return [header.map(csvText), ...rows].map((cells) => `${cells.join(",")}\n`).join("");
}
