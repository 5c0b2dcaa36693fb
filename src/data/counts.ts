import { classColumns } from "./layouts/class-columns";
import type { Dataset, ImageRecord } from "./record";

/** What images can be counted by. */
export type CountKey = "class" | "subtype" | "patient" | "slide" | "magnification" | "year" | "size" | "part";

/** How many images and patients have one value. */
export interface CountRow {
  /** As text; "unknown" where the records do not tell. */
  value: string;
  images: number;
  /** Known ones. */
  patients: number;
  /** Images of each class, in the order of the data set's classes. */
  perClass: number[];
}

const unknown = "unknown";

function valueFor(dataset: Dataset, record: ImageRecord, key: CountKey): string {
  switch (key) {
    case "class":
      return dataset.classes[record.label]!;
    case "size":
      return `${record.width} × ${record.height}`;
    case "part":
      return record.folderPart ?? unknown;
    default:
      return String(record[key] ?? unknown);
  }
}

/**
 * Counts a data set's images by class, subtype, patient, slide, magnification, year, size or folder part.
 *
 * @returns One row a value: classes in their order, other values ascending (numbers as numbers), "unknown" last.
 *
 * @example
 * countBy(dataset, "magnification").map(({ value, images }) => `${value}: ${images}`);
 */
export function countBy(dataset: Dataset, key: CountKey): CountRow[] {
  const groups = new Map<string, ImageRecord[]>();
  if (key === "class") for (const name of dataset.classes) groups.set(name, []);
  for (const record of dataset.records) {
    const value = valueFor(dataset, record, key);
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [record]);
    else group.push(record);
  }
  const rows = [...groups].map(([value, records]) => ({
    value,
    images: records.length,
    patients: new Set(records.flatMap(({ patient }) => patient ?? [])).size,
    perClass: dataset.classes.map((_, label) => records.filter((record) => record.label === label).length),
  }));
  return key === "class" ? rows : rows.sort((one, other) => compareValues(one.value, other.value));
}

function compareValues(one: string, other: string): number {
  if (one === unknown || other === unknown) return Number(one === unknown) - Number(other === unknown);
  return one.localeCompare(other, "en", { numeric: true });
}

/**
 * The same counts as flat rows for a table: a column named after the key, `images`, `patients`, one column a class.
 *
 * @example
 * countTable(dataset, "subtype"); // [{ subtype: "A", images: 22, patients: 2, benign: 22, malignant: 0 }, …]
 */
export function countTable(dataset: Dataset, key: CountKey): Record<string, string | number>[] {
  return countBy(dataset, key).map(({ value, images, patients, perClass }) => ({
    [key]: value,
    images,
    ...(key === "patient" ? {} : { patients }),
    ...(key === "class" ? {} : classColumns(dataset.classes, perClass)),
  }));
}
