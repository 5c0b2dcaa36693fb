import type { Dataset, ImageRecord } from "../../data/dataset";
import { subtypeNames } from "../../data/layouts/breakhis";

/** A property of images that can be counted. */
export type CountBy = "class" | "subtype" | "patient" | "magnification" | "size" | "year";

/** How many images of each class share one value of a property. */
export interface Count {
  value: string;
  /** Images of each class, in the order of the data set's classes. */
  perClass: number[];
  total: number;
}

/**
 * Counts images by one of their properties, and by class within it.
 *
 * @returns Classes and magnifications in their natural order, everything else by falling count; what a file's
 *   name does not tell is counted as "unknown".
 */
export function countImages(dataset: Dataset, by: CountBy): Count[] {
  const counts = new Map<string, Count>();
  if (by === "class") {
    for (const name of dataset.classes) counts.set(name, emptyCount(name, dataset.classes.length));
  }
  for (const record of dataset.records) {
    const value = propertyOf(dataset, record, by);
    const count = counts.get(value) ?? emptyCount(value, dataset.classes.length);
    count.perClass[record.label]! += 1;
    count.total += 1;
    counts.set(value, count);
  }
  const list = [...counts.values()];
  if (by === "class") return list;
  if (by === "magnification" || by === "year") return list.sort((a, b) => compareNatural(a.value, b.value));
  return list.sort((a, b) => b.total - a.total || compareNatural(a.value, b.value));
}

/** A BreaKHis subtype in words: `DC` is "ductal carcinoma (DC)"; a code it does not know stays as it is. */
export function subtypeName(code: string | null): string {
  if (code === null) return "unknown";
  const name = subtypeNames[code];
  return name === undefined ? code : `${name} (${code})`;
}

function propertyOf(dataset: Dataset, record: ImageRecord, by: CountBy): string {
  if (by === "class") return dataset.classes[record.label]!;
  if (by === "subtype") return subtypeName(record.subtype);
  if (by === "size") return `${record.width} × ${record.height}`;
  if (by === "magnification") return record.magnification === null ? "unknown" : `${record.magnification}×`;
  const value = by === "patient" ? record.patient : record.year;
  return value === null ? "unknown" : String(value);
}

function emptyCount(value: string, classCount: number): Count {
  return { value, perClass: new Array<number>(classCount).fill(0), total: 0 };
}

function compareNatural(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
