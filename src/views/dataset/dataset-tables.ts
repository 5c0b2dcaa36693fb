import type { DataFrame } from "danfojs-node";
import type { Dataset } from "../../data/dataset";
import type { Settings } from "../../runtime/settings";
import { type CountBy, countImages } from "../display/dataset-counts";
import { roundTo } from "../display/figure";
import { type PlainTable, plainTable } from "../display/plain-table";
import type { Cell } from "../display/table-html";
import { toDataFrame } from "../display/tables";

/** How much of a table is made. */
export interface TableOptions {
  /** At most this many rows, the first; by default all. */
  rows?: number;
}

/** The records as a table, one image a row, columns as people call them. */
export function recordsTable(dataset: Dataset, options: TableOptions = {}): DataFrame {
  const rows = dataset.records.map((record) => ({
    file: record.file,
    class: dataset.classes[record.label]!,
    subtype: record.subtype,
    slide: record.slide,
    patient: record.patient,
    magnification: record.magnification,
    year: record.year,
    width: record.width,
    height: record.height,
  }));
  return firstRows(dataset, rows, "The images' records", options);
}

/** How many images there are by one property, for each class and in all, as a table. */
export function countTable(dataset: Dataset, by: CountBy, options: TableOptions = {}): DataFrame {
  const rows = countImages(dataset, by).map((count): Record<string, Cell> => {
    const perClass = dataset.classes.map((name, label) => [name, count.perClass[label]!] as const);
    const share = roundTo((100 * count.total) / dataset.records.length, 1);
    return {
      [by]: count.value,
      ...(by === "class" ? {} : Object.fromEntries(perClass)),
      images: count.total,
      "share, %": share,
    };
  });
  return firstRows(dataset, rows, `Images by ${by}`, options);
}

function firstRows(
  dataset: Dataset,
  rows: readonly Record<string, Cell>[],
  caption: string,
  { rows: limit = rows.length }: TableOptions,
): DataFrame {
  const extent = limit < rows.length ? `, the first ${limit} of ${rows.length}` : "";
  return toDataFrame(rows.slice(0, limit), captionOf(dataset, `${caption}${extent}`));
}

/** The files that were left out, each with its reason. */
export function skippedTable(dataset: Dataset): PlainTable {
  const rows = dataset.skipped.map(({ file, reason }) => ({ file, reason }));
  return plainTable(rows, "Files that were left out", ["file", "reason"]);
}

/**
 * The settings that hold, after defaults and the flags of `npm start`.
 *
 * @param names - Which to show, by default all.
 */
export function settingsTable(
  settings: Settings,
  names: readonly (keyof Settings)[] = Object.keys(settings) as (keyof Settings)[],
): PlainTable {
  const rows = names.map((name) => ({ setting: name, value: settingText(settings[name]) }));
  return plainTable(rows, "The settings that hold");
}

function settingText(value: Settings[keyof Settings]): string {
  if (value === null) return "none";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** A table's caption, marked when the images are synthetic. */
export function captionOf(dataset: Pick<Dataset, "synthetic">, caption: string): string {
  return dataset.synthetic ? `${caption} — synthetic data` : caption;
}
