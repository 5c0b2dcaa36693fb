import type { DataFrame } from "danfojs-node";
import type { Dataset } from "../data/dataset";
import type { Settings } from "../runtime/settings";
import { type CountBy, countImages } from "./dataset-counts";
import { toDataFrame } from "./tables";

/** All records as a table, one image a row, columns as people call them. */
export function recordsTable(dataset: Dataset): DataFrame {
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
  return toDataFrame(rows, captionOf(dataset, "Every image's record"));
}

/** How many images there are by one property, for each class and in all, as a table. */
export function countTable(dataset: Dataset, by: CountBy): DataFrame {
  const rows = countImages(dataset, by).map((count) => {
    const perClass = dataset.classes.map((name, label) => [name, count.perClass[label]!] as const);
    const inAll = { images: count.total, "share, %": (100 * count.total) / dataset.records.length };
    return by === "class"
      ? { class: count.value, ...inAll }
      : { [by]: count.value, ...Object.fromEntries(perClass), ...inAll };
  });
  return toDataFrame(rows, captionOf(dataset, `Images by ${by}`));
}

/** The files that were left out, each with its reason. */
export function skippedTable(dataset: Dataset): DataFrame {
  const rows = dataset.skipped.map(({ file, reason }) => ({ file, reason }));
  return toDataFrame(rows, "Files that were left out", ["file", "reason"]);
}

/**
 * The settings that hold, after defaults and the flags of `npm start`.
 *
 * @param names - Which to show, by default all.
 */
export function settingsTable(
  settings: Settings,
  names: readonly (keyof Settings)[] = Object.keys(settings) as (keyof Settings)[],
): DataFrame {
  const rows = names.map((name) => ({ setting: name, value: settingText(settings[name]) }));
  return toDataFrame(rows, "The settings that hold");
}

function settingText(value: Settings[keyof Settings]): string {
  if (value === null) return "none";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** A table's caption, marked when the images are synthetic. */
export function captionOf(dataset: Pick<Dataset, "synthetic">, caption: string): string {
  return dataset.synthetic ? `${caption} — synthetic data` : caption;
}
