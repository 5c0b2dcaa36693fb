import { countOf, nameSome } from "../../runtime/words";
import { classColumns } from "../layouts/class-columns";
import type { Dataset } from "../record";
import { patientsInSeveralParts } from "./split-check";
import { type Split, splitParts } from "./split-value";

/** One part of a split as a table's row; besides the columns below, the number of images of each class by name. */
export interface SplitRow {
  part: string;
  images: number;
  /** Known ones. */
  patients: number;
  [className: string]: string | number;
}

/** A split for people. */
export interface SplitDescription {
  rows: SplitRow[];
  /** How it was split and whether it leaks. */
  sentence: string;
  /** Number of patients with images in more than one part; what makes a test look better than it is. */
  patientsInSeveralParts: number;
}

/** Describes a split: a table's rows, and in words how it was made and whether patients are in several parts. */
export function describeSplit(dataset: Dataset, split: Split): SplitDescription {
  const shared = patientsInSeveralParts(dataset, split).length;
  const used = splitParts.reduce((sum, part) => sum + split[part].length, 0);
  const unused = dataset.records.length - used;
  const sentences = [
    `Split by ${split.by}, seed ${split.seed}: ${splitParts.map((part) => `${split[part].length} ${part}`).join(", ")}.`,
    ...(split.by === "folder" ? [describeValidation(dataset, split)] : []),
    describeLeaks(dataset, split, shared),
    ...(split.by === "patient" ? describeRareClasses(dataset, split) : []),
    ...(unused > 0 ? [`${countOf(unused, "image is", "images are")} in no part.`] : []),
  ];
  return {
    rows: splitParts.map((part) => toRow(dataset, part, split[part])),
    sentence: sentences.join(" "),
    patientsInSeveralParts: shared,
  };
}

function toRow(dataset: Dataset, part: string, rows: readonly number[]): SplitRow {
  const records = rows.map((row) => dataset.records[row]!);
  const patients = new Set(records.flatMap(({ patient }) => patient ?? []));
  const perClass = dataset.classes.map((_, label) => records.filter((one) => one.label === label).length);
  return {
    part,
    images: records.length,
    patients: patients.size,
    ...classColumns(dataset.classes, perClass),
  };
}

function patientsKnown(dataset: Dataset, rows: readonly number[]): boolean {
  return rows.every((row) => dataset.records[row]!.patient !== null);
}

function describeValidation(dataset: Dataset, split: Split): string {
  if (split.validation.some((row) => dataset.records[row]!.folderPart === "validation"))
    return "Validation is the folder's own.";
  const rows = [...split.train, ...split.validation];
  const shared = patientsInSeveralParts(dataset, { ...split, test: [] }).length;
  const byPatient = patientsKnown(dataset, rows) && shared === 0;
  return `Validation is taken from the folder's train, by ${byPatient ? "patient" : "image"}.`;
}

/** Names classes of which a part has one patient: what is said of them there is about that person. */
function describeRareClasses({ records, classes }: Dataset, split: Split): string[] {
  const rare = classes.filter((_, label) =>
    splitParts.some((part) => {
      const own = split[part].map((row) => records[row]!).filter((record) => record.label === label);
      return new Set(own.map(({ patient }) => patient)).size === 1;
    }),
  );
  if (rare.length === 0) return [];
  return [
    `Of ${nameSome(rare)} a part has one patient only: what is said of it there is about one person's tissue.`,
  ];
}

function describeLeaks(dataset: Dataset, split: Split, shared: number): string {
  const rows = splitParts.flatMap((part) => split[part]);
  const patients = new Set(rows.flatMap((row) => dataset.records[row]!.patient ?? [])).size;
  if (shared > 0) {
    return (
      `${shared} of ${countOf(patients, "patient")} have images in several parts: the split leaks, and results on ` +
      "it look better than they would for a new patient."
    );
  }
  if (!patientsKnown(dataset, rows))
    return "Patients are not all known, so whether it leaks is not known either.";
  return "No patient is in two parts.";
}
