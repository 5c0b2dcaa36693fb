import { stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import pMap from "p-map";
import { countOf, nameSome } from "../../runtime/words";
import { parseBreakhisName } from "./breakhis";
import { chooseClasses, classKey, tumourClasses } from "./class-names";
import { findImages, hasImageExtension, listFolder } from "./folder-walk";
import type { FoundImage, FoundLayout } from "./found-layout";
import { idcClasses, parseIdcName } from "./idc";
import { isWrittenNumber, matchRows, numberMeanings, plainText, refuseEmpty, withColumns } from "./labels";
import type { ColumnNames, LabelRow } from "./labels-columns";
import { readRows } from "./labels-columns";
import { type LabelsTable, readTable } from "./labels-file";
import { imageFinder } from "./labels-images";
import { partNamed } from "./part-names";

/** A labels file that says what a data set's images are. */
export interface LabelsRequest {
  /** Absolute path of the CSV file. */
  csv: string;
  /** Absolute; images are looked for in it and the folders in it. */
  folder: string;
  /** Whether all of the folder is the data set, so that images which no row names are worth a word. */
  wholeFolder: boolean;
  columns: ColumnNames;
}

const listed = 20;
/** Asking the file system is waiting more than computing. */
const fileConcurrency = 32;
/** Of images whose name or folder tells what a number may stand for, so many have to agree. */
const neededAgreement = 0.9;

const toFile = (folder: string, path: string) => relative(folder, path).split(sep).join("/");

function placed(folder: string, path: string): FoundImage {
  const file = toFile(folder, path);
  const part = file
    .split("/")
    .slice(0, -1)
    .map(partNamed)
    .find((found) => found !== null);
  const patient = parseIdcName(file)?.patient;
  return {
    path,
    file,
    className: "",
    folderPart: part ?? null,
    ...(patient === undefined ? {} : { patient }),
  };
}

/** Files that cells of a table name outright, from one of some folders or by their whole path. */
async function filesNamed(table: LabelsTable, bases: readonly string[], isKnown: (cell: string) => boolean) {
  const cells = new Set(
    table.rows.flatMap((row) =>
      row.cells.map((cell) => cell.replaceAll("\\", "/")).filter(hasImageExtension),
    ),
  );
  const unknown = [...cells].filter((cell) => !isKnown(cell));
  const found = await pMap(
    unknown,
    async (cell) => {
      for (const base of isAbsolute(cell) ? [""] : bases) {
        const path = resolve(base, cell);
        if ((await stat(path).catch(() => null))?.isFile()) return path;
      }
      return null;
    },
    { concurrency: fileConcurrency },
  );
  return { paths: [...new Set(found.filter((path) => path !== null))], complete: !found.includes(null) };
}

/** The images that a labels file may mean: those it names outright, and those in the folder. */
async function gatherImages({ csv, folder, wholeFolder }: LabelsRequest, table: LabelsTable) {
  const bases = [dirname(csv), dirname(dirname(csv)), folder];
  let skipped: FoundLayout["skipped"] = [];
  let images: FoundImage[] = [];
  async function walk(): Promise<void> {
    const found = await findImages(folder);
    images = found.images.map((path) => placed(folder, path));
    if (wholeFolder)
      skipped = found.unusable.map(({ path, reason }) => ({ file: toFile(folder, path), reason }));
  }
  // A file that names all its images by their path may lie anywhere: then nobody looks through its folder.
  if (wholeFolder) await walk();
  const find = imageFinder(images, bases);
  const named = await filesNamed(table, bases, (cell) => find(cell).ok);
  const namesPaths = table.rows.slice(1).every(({ cells }) => cells.some(hasImageExtension));
  if (!wholeFolder && !(named.complete && namesPaths)) await walk();
  const there = new Set(images.map(({ path }) => path));
  const elsewhere = named.paths.filter((path) => !there.has(path)).map((path) => placed(folder, path));
  return { images: [...images, ...elsewhere], skipped, bases };
}

/** What an image's name or folders say of its class, where they say something that is known here. */
function announcedClass({ file }: FoundImage): string | null {
  const breakhis = parseBreakhisName(file);
  if (breakhis !== null) return breakhis.tumourClass;
  const idc = parseIdcName(file);
  if (idc !== null) return idcClasses[idc.isIdc ? 1 : 0];
  const folders = file.split("/").slice(0, -1).map(classKey);
  return tumourClasses.find((name) => folders.includes(name)) ?? null;
}

/** The class of each labelled image, and what its folders say against it. */
function classify(rowOf: ReadonlyMap<FoundImage, LabelRow>, name: string) {
  const said = [...rowOf].map(([image, { label }]) => ({ label, className: announcedClass(image) }));
  const allNumbers = said.every(({ label }) => isWrittenNumber(label));
  const meanings = allNumbers ? numberMeanings(said, neededAgreement) : null;
  const meaningOf = (label: string) => meanings?.get(plainText(label)) ?? plainText(label);
  const { classes, labelOf } = chooseClasses(said.map(({ label }) => meaningOf(label)));
  const classOf = (label: string) => classes[labelOf(meaningOf(label))]!;
  const keys = new Map(classes.map((className) => [classKey(className), className]));
  const contradicted = [...rowOf].flatMap(([{ file }, { label, line }]) => {
    const folders = file.split("/").slice(0, -1).reverse();
    const folder = folders.map((segment) => keys.get(classKey(segment))).find((found) => found !== undefined);
    return folder === undefined || folder === classOf(label)
      ? []
      : [`${file} (line ${line}: ${classOf(label)})`];
  });
  const warnings: string[] = [];
  if (meanings !== null && meanings.size > 0) {
    const list = [...meanings].sort().map(([number, className]) => `${number} for ${className}`);
    warnings.push(`In ${name} a label stands, as names and folders say: ${list.join(", ")}.`);
  }
  if (contradicted.length > 0)
    warnings.push(`${name} contradicts the class folder; ${name} counts: ${nameSome(contradicted, listed)}.`);
  return { classOf, warnings };
}

/** The nearest folder that all paths lie in. */
export function commonFolder(folder: string, paths: readonly string[]): string {
  let common = folder;
  for (const path of paths)
    while (!path.startsWith(common.endsWith(sep) ? common : common + sep)) common = dirname(common);
  return common;
}

/** Images with the classes and the other columns that a labels file gives them. */
interface Labelled {
  images: FoundImage[];
  /** Images that no row is about. */
  unnamed: FoundImage[];
  skipped: FoundLayout["skipped"];
  warnings: string[];
}

/** @returns Null if the table has no column for labels. */
function labelImages(
  table: LabelsTable,
  { images, bases }: { images: readonly FoundImage[]; bases: readonly string[] },
  { columns, folder }: Pick<LabelsRequest, "columns" | "folder">,
): Labelled | null {
  const { name } = table;
  const find = imageFinder(images, bases);
  const labels = readRows(table, columns, (text) => find(text.replaceAll("\\", "/")).ok);
  if (!labels.present.has("label")) return null;
  const { rowOf: matched, skipped, warnings: oddities } = matchRows(labels, find);
  refuseEmpty(labels, matched, folder);
  const rowOf = new Map([...matched].filter(([, { label }]) => label !== ""));
  for (const [{ file }, { label, line }] of matched)
    if (label === "") skipped.push({ file, reason: `${name} line ${line} gives it no label` });
  const { classOf, warnings } = classify(rowOf, name);
  const known = new Map(
    [...rowOf].map(([image, row]) => [{ ...image, className: classOf(row.label) }, row] as const),
  );
  const completed = withColumns([...known.keys()], known, labels);
  const disputed = new Set(skipped.map(({ file }) => file));
  return {
    images: completed.images,
    unnamed: images.filter((image) => !matched.has(image) && !disputed.has(image.file)),
    skipped,
    warnings: [...oddities, ...warnings, ...completed.warnings],
  };
}

/**
 * A data set whose classes stand in a labels file, wherever its images lie.
 *
 * @returns Null if the file has no column for labels.
 * @throws Error if it can't be read, no column names images, or none of them is there.
 */
export async function readLabelledImages(request: LabelsRequest): Promise<FoundLayout | null> {
  const name = basename(request.csv);
  const table = await readTable(request.csv, name);
  const { skipped, ...gathered } = await gatherImages(request, table);
  const labelled = labelImages(table, gathered, request);
  if (labelled === null) return null;
  const { images, unnamed, warnings } = labelled;
  if (request.wholeFolder && unnamed.length > 0) {
    const files = nameSome(unnamed.map(({ file }) => file));
    warnings.push(`${name} does not name ${countOf(unnamed.length, "image")}, left out: ${files}.`);
  }
  const folder = commonFolder(
    request.folder,
    images.map(({ path }) => path),
  );
  return {
    layout: "labels",
    folder,
    images: images.map((image) => ({ ...image, file: toFile(folder, image.path) })),
    skipped: [...skipped, ...labelled.skipped],
    warnings,
    labelsFile: name,
  };
}

/**
 * What a labels file says of some images, of which it may name more than there are.
 *
 * @param csv - Absolute.
 * @param paths - Absolute paths of the images.
 * @param folder - Absolute; a folder above them.
 * @returns The images that it gives a class, and warnings.
 * @throws Error if it can't be read, has no column for labels, or names none of the images.
 */
export async function readTruth(
  csv: string,
  paths: readonly string[],
  folder: string,
  columns: ColumnNames,
): Promise<Pick<Labelled, "images" | "warnings">> {
  const table = await readTable(csv, basename(csv));
  const bases = [dirname(csv), dirname(dirname(csv)), folder];
  const images = paths.map((path) => placed(folder, path));
  const labelled = labelImages(table, { images, bases }, { columns, folder });
  if (labelled === null) {
    throw new Error(
      `${csv} has no column for labels (label, class, target or diagnosis for example): say which it is, for example label=NAME.`,
    );
  }
  const others = labelled.skipped.length;
  const more = countOf(others, "row");
  if (others > 0)
    labelled.warnings.push(
      `${more} of ${basename(csv)} could not be used, being about other images or contradicting each other.`,
    );
  return labelled;
}

/** What competitions hand out as an example of an answer: its labels are made up. */
const exampleAnswers = /sample.?submission/i;

/** A folder in which a labels file lies that names images in it; found by itself where there is just one. */
export async function recogniseLabels(
  folder: string,
  columns: ColumnNames = {},
): Promise<FoundLayout | null> {
  const { entries } = await listFolder(folder);
  const tables = entries.filter(
    ({ kind, name }) => kind === "file" && /\.(?:csv|tsv)$/i.test(name) && !exampleAnswers.test(name),
  );
  const found: FoundLayout[] = [];
  for (const { name } of tables) {
    // Of a file that nobody named it is not known that it is meant: one that can't be used is passed over.
    const request = { csv: join(folder, name), folder, wholeFolder: true, columns };
    const layout = await readLabelledImages(request).catch(() => null);
    if (layout !== null) found.push(layout);
  }
  if (found.length > 1) {
    const names = found.map(({ labelsFile }) => labelsFile).join(", ");
    throw new Error(
      `Several labels files name images in ${folder}: ${names}. Say which counts with the setting labels.`,
    );
  }
  return found[0] ?? null;
}
