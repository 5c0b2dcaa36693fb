import type { Dataset } from "../../data/dataset";
import type { Split } from "../../data/split/split";
import { describeSplit } from "../../data/split/split";
import { type Count, countImages } from "../display/dataset-counts";
import type { Cell } from "../display/table-html";

/** What a data set consists of, in numbers that a report keeps. */
export interface DataCard {
  name: string;
  layout: string;
  synthetic: boolean;
  images: number;
  /** Known ones. */
  patients: number;
  imagesWithoutPatient: number;
  classes: { name: string; images: number; patients: number }[];
  subtypes: Count[];
  magnifications: Count[];
  years: Count[];
  sizes: Count[];
  skipped: number;
  warnings: string[];
  split: { sentence: string; columns: string[]; rows: Cell[][] };
}

/** Describes a data set and how it was split. */
export function describeData(dataset: Dataset, split: Split): DataCard {
  const { records } = dataset;
  const patientsOf = (rows: readonly (typeof records)[number][]) =>
    new Set(rows.flatMap(({ patient }) => patient ?? [])).size;
  const { rows, sentence } = describeSplit(dataset, split);
  const columns = Object.keys(rows[0] ?? {});
  return {
    name: dataset.name,
    layout: dataset.layout,
    synthetic: dataset.synthetic,
    images: records.length,
    patients: patientsOf(records),
    imagesWithoutPatient: records.filter(({ patient }) => patient === null).length,
    classes: dataset.classes.map((name, label) => {
      const own = records.filter((record) => record.label === label);
      return { name, images: own.length, patients: patientsOf(own) };
    }),
    subtypes: countImages(dataset, "subtype"),
    magnifications: countImages(dataset, "magnification"),
    years: countImages(dataset, "year"),
    sizes: countImages(dataset, "size"),
    skipped: dataset.skipped.length,
    warnings: dataset.warnings,
    split: { sentence, columns, rows: rows.map((row) => columns.map((column) => row[column] ?? null)) },
  };
}
