import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { parse } from "csv-parse/sync";
import type { FoundImage, FoundLayout } from "./found-layout";
import { countOf, nameSome } from "./words";

/** One row of a labels file. */
export interface LabelRow {
  /** As written, with forward slashes. */
  image: string;
  label: string;
  /** Line in the file, from 1. */
  line: number;
}

interface ParsedRow {
  record: Record<string, string | undefined>;
  info: { lines: number };
}

/**
 * Reads a CSV file with the columns `images` and `labels` (capitals, spaces and a missing s do not matter).
 *
 * @throws Error if it is no CSV file or a column is missing.
 */
export async function readLabels(path: string): Promise<LabelRow[]> {
  const text = await readFile(path, "utf8");
  let columns: string[] = [];
  const nameColumns = (header: string[]) => {
    columns = header.map((name) => name.trim().toLowerCase().replace(/s$/, ""));
    return columns;
  };
  let parsed: ParsedRow[];
  try {
    parsed = parse(text, {
      bom: true,
      columns: nameColumns,
      delimiter: [",", ";"], // spreadsheets in many countries write semicolons
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as ParsedRow[];
  } catch (error) {
    throw new Error(`${path} can't be read as CSV: ${(error as Error).message}`);
  }
  if (!columns.includes("image") || !columns.includes("label")) {
    const found = columns.length === 0 ? "nothing" : columns.join(", ");
    throw new Error(`${path} should have the columns images and labels in its first line, found ${found}.`);
  }
  return parsed.map(({ record, info }) => ({
    image: (record["image"] ?? "").replaceAll("\\", "/"),
    label: record["label"] ?? "",
    line: info.lines,
  }));
}

/**
 * Gives images the labels of a labels file; where it is silent, the class folder's name stays.
 *
 * Rows that name no image there is become skipped files with their line; images that no row names and labels that
 * contradict the folder become warnings.
 *
 * @param csvPath - In the layout's folder or the one above; its paths count from there or end in part/class/name.
 * @throws Error if the file is no CSV file or a column is missing.
 */
export async function applyLabels(found: FoundLayout, csvPath: string): Promise<FoundLayout> {
  const csvName = basename(csvPath);
  const rows = await readLabels(csvPath);
  const imageOf = imageFinder(found, csvPath);
  const rowOf = new Map<FoundImage, LabelRow>();
  const skipped = [...found.skipped];
  const repeated: string[] = [];
  for (const row of rows) {
    const image = imageOf(row.image);
    const name = `${csvName} line ${row.line}`;
    if (image === undefined) {
      skipped.push({ file: row.image, reason: `${name} names it, but there is no such image` });
    } else if (rowOf.has(image)) repeated.push(`${image.file} (line ${row.line})`);
    else rowOf.set(image, row);
  }
  const classOf = classFinder(found.images, rowOf);
  const images = found.images.map((image) => {
    const row = rowOf.get(image);
    return row === undefined || row.label === "" ? image : { ...image, className: classOf(row.label) };
  });
  const warnings = [...found.warnings];
  const warn = (files: string[], sentence: string) => {
    if (files.length > 0) warnings.push(`${sentence}: ${nameSome(files, 20)}.`);
  };
  const unnamed = found.images.filter((image) => !rowOf.get(image)?.label);
  const contradicted = found.images.flatMap((image, index) => {
    const { className } = images[index]!;
    if (className.toLowerCase() === image.className.toLowerCase()) return [];
    return [`${image.file} (line ${rowOf.get(image)!.line}: ${className})`];
  });
  warn(repeated, `${csvName} names images more than once; the first row counts`);
  warn(
    unnamed.map(({ file }) => file),
    `${csvName} gives no label for ${countOf(unnamed.length, "image")}; the folder's name counts`,
  );
  warn(contradicted, `${csvName} contradicts the class folder; ${csvName} counts`);
  return { ...found, images, skipped, warnings };
}

/** Finds a row's image: from the CSV file's folder, the one above, the layout's, or by its last three names. */
function imageFinder(found: FoundLayout, csvPath: string): (image: string) => FoundImage | undefined {
  const byPath = new Map(found.images.map((image) => [image.path, image]));
  const byFile = new Map(found.images.map((image) => [image.file, image]));
  const bases = [dirname(csvPath), dirname(dirname(csvPath)), found.folder];
  return (image) => {
    for (const base of bases) {
      const match = byPath.get(resolve(base, image));
      if (match !== undefined) return match;
    }
    return byFile.get(image.split("/").slice(-3).join("/"));
  };
}

/** Finds the class that a label means: its own name or, for labels such as 0 and 1, the folder most of them are in. */
function classFinder(
  images: readonly FoundImage[],
  rowOf: ReadonlyMap<FoundImage, LabelRow>,
): (label: string) => string {
  const classNames = new Set(images.map((image) => image.className));
  const byName = new Map([...classNames].map((name) => [name.toLowerCase(), name]));
  const counts = new Map<string, Map<string, number>>();
  for (const [image, { label }] of rowOf) {
    const folders = counts.get(label) ?? new Map<string, number>();
    counts.set(label, folders.set(image.className, (folders.get(image.className) ?? 0) + 1));
  }
  return (label) => {
    const named = byName.get(label.toLowerCase());
    if (named !== undefined) return named;
    // A word is a class of its own; a number only stands for one.
    if (!/^\d+$/.test(label)) return label;
    const folders = [...(counts.get(label) ?? [])].sort((one, other) => other[1] - one[1]);
    return folders[0]?.[0] ?? label;
  };
}
