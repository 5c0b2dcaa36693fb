import { basename, dirname, resolve } from "node:path";
import { countOf, nameSome } from "../../runtime/words";
import type { FoundImage, FoundLayout } from "./found-layout";
import { type LabelRow, readLabels } from "./labels-file";

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
  const imageless: string[] = [];
  for (const row of rows) {
    const name = `${csvName} line ${row.line}`;
    if (row.image === "") {
      imageless.push(String(row.line));
      continue;
    }
    const image = imageOf(row.image);
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
  const unnamed = found.images.filter((image) => !rowOf.has(image));
  const unlabelled = [...rowOf].flatMap(([{ file }, row]) =>
    row.label === "" ? [`${file} (line ${row.line})`] : [],
  );
  const contradicted = found.images.flatMap((image, index) => {
    const { className } = images[index]!;
    if (className.toLowerCase() === image.className.toLowerCase()) return [];
    return [`${image.file} (line ${rowOf.get(image)!.line}: ${className})`];
  });
  warn(repeated, `${csvName} names images more than once; the first row counts`);
  warn(imageless, `${csvName} has lines that name no image`);
  warn(
    unnamed.map(({ file }) => file),
    `${csvName} lacks ${countOf(unnamed.length, "image")}; the folder's name counts`,
  );
  warn(unlabelled, `${csvName} gives no label for some images; the folder's name counts`);
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

/** "1", also as a program with floating-point numbers writes it. */
const writtenNumber = /^\d+(?:\.0*)?$/;

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
    const spelling = label.toLowerCase();
    const named = byName.get(spelling);
    if (named !== undefined) return named;
    if (!writtenNumber.test(label)) {
      // A word is a class of its own, however it is spelled later; a number only stands for one.
      byName.set(spelling, label);
      return label;
    }
    const folders = [...(counts.get(label) ?? [])].sort((one, other) => other[1] - one[1]);
    return folders[0]?.[0] ?? label;
  };
}
