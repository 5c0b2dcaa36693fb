import { countOf, nameSome } from "../../runtime/words";
import { parseBreakhisName } from "./breakhis";
import { classKey, subtypeNamed } from "./class-names";
import type { FoundImage, FoundLayout } from "./found-layout";
import type { ColumnNames, LabelRow, LabelRows } from "./labels-columns";
import { columnRoles, readRows } from "./labels-columns";
import { readTable } from "./labels-file";
import { type ImageMatch, imageFinder } from "./labels-images";
import { partNamed } from "./part-names";

/** Images with what a labels file says of them, and what it says of others. */
export interface MatchedRows<T> {
  rowOf: Map<T, LabelRow>;
  skipped: { file: string; reason: string }[];
  warnings: string[];
}

const listed = 20;

/** What several rows say of one image, as one row; or, if they contradict each other, how. */
function mergeRows(rows: readonly LabelRow[]): LabelRow | string {
  const merged = { ...rows[0]! };
  for (const role of columnRoles) {
    if (role === "image") continue;
    const said = rows.filter((row) => row[role] !== "");
    if (new Set(said.map((row) => classKey(row[role]))).size > 1) {
      return `${role} ${said.map((row) => `${row[role]} (line ${row.line})`).join(", ")}`;
    }
    merged[role] = said[0]?.[role] ?? "";
    if (role === "label") merged.line = said[0]?.line ?? merged.line;
  }
  return merged;
}

type Placed = { row: LabelRow; onlyByName: boolean };

/** Rows that name an image outright count before rows whose path only ends like its. */
function settleRows(placed: readonly Placed[]): { kept: Placed[]; lost: Placed[] } {
  const sure = placed.filter(({ onlyByName }) => !onlyByName);
  if (sure.length > 0) return { kept: sure, lost: placed.filter(({ onlyByName }) => onlyByName) };
  const paths = new Set(placed.map(({ row }) => row.image));
  return paths.size === 1 ? { kept: [...placed], lost: [] } : { kept: [], lost: [...placed] };
}

/**
 * Gives each image its row. Rows without an image, rows that contradict each other about one, and images that are only
 * recognised by the end of their path are named with their line.
 */
export function matchRows<T extends { file: string }>(
  { name, rows }: LabelRows,
  find: (written: string) => ImageMatch<T>,
): MatchedRows<T> {
  const skipped: MatchedRows<T>["skipped"] = [];
  const skip = ({ image, line }: LabelRow, reason: string) =>
    skipped.push({ file: image, reason: `${name} line ${line} names it, but ${reason}` });
  const placed = new Map<T, Placed[]>();
  const imageless: string[] = [];
  for (const row of rows) {
    if (row.image === "") {
      imageless.push(String(row.line));
      continue;
    }
    const match = find(row.image);
    if (match.ok === false) skip(row, match.reason);
    else placed.set(match.image, [...(placed.get(match.image) ?? []), { row, onlyByName: match.onlyByName }]);
  }
  const rowOf = new Map<T, LabelRow>();
  const repeated: string[] = [];
  const byName: string[] = [];
  for (const [image, all] of placed) {
    const { kept, lost } = settleRows(all);
    for (const { row } of lost) skip(row, `there is no such image; ${image.file} is called alike`);
    if (kept.length === 0) continue;
    const merged = mergeRows(kept.map(({ row }) => row));
    const lines = kept.map(({ row }) => row.line).join(", ");
    if (typeof merged === "string") {
      skipped.push({ file: image.file, reason: `${name} contradicts itself about it: ${merged}` });
      continue;
    }
    rowOf.set(image, merged);
    if (kept.length > 1) repeated.push(`${image.file} (lines ${lines})`);
    if (kept[0]!.onlyByName) byName.push(`${kept[0]!.row.image} (line ${lines}) is ${image.file}`);
  }
  const warnings: string[] = [];
  const warn = (files: string[], sentence: string) => {
    if (files.length > 0) warnings.push(`${sentence}: ${nameSome(files, listed)}.`);
  };
  warn(repeated, `${name} names images more than once, alike`);
  warn(imageless, `${name} has lines that name no image`);
  warn(byName, `${name} names other folders than images lie in, which were found by their names`);
  return { rowOf, skipped, warnings };
}

/** @throws Error if a labels file names no image that is there. */
export function refuseEmpty(labels: LabelRows, rowOf: ReadonlyMap<unknown, unknown>, folder: string): void {
  if (rowOf.size > 0) return;
  const [first] = labels.rows.filter(({ image }) => image !== "");
  const example = first === undefined ? "" : `, for example ${first.image} (line ${first.line})`;
  throw new Error(
    `${labels.name} names ${countOf(labels.rows.length, "image")}${example}, and none of them was found in ${folder}. ` +
      "Paths count from the labels file's folder; pass the images' folder as data, and the file as labels.",
  );
}

/** "1", also as a program with floating-point numbers writes it. */
const writtenNumber = /^(\d+)(?:\.0*)?$/;

/** A number that stands for something, as one writes it; a word as it is. */
export function plainText(text: string): string {
  return writtenNumber.exec(text)?.[1] ?? text;
}

export function isWrittenNumber(text: string): boolean {
  return writtenNumber.test(text);
}

function readMagnification(text: string): number | null {
  const match = /^[x×]?\s*(\d+(?:\.\d+)?)\s*[x×]?$/i.exec(text);
  return match === null || Number(match[1]) === 0 ? null : Number(match[1]);
}

/** A patient's number in a BreaKHis slide's name, such as SOB_M_DC-14-22549AB. */
function patientOfSlide(slide: string): string | undefined {
  return parseBreakhisName(`${slide.replace(/.*[\\/]/, "")}-0.png`)?.patient;
}

/** Adds what the rows say beside the label, and warns of what can't be read or contradicts names and folders. */
export function withColumns<T extends FoundImage>(
  images: readonly T[],
  rowOf: ReadonlyMap<T, LabelRow>,
  { name, present }: LabelRows,
): { images: T[]; warnings: string[] } {
  const namesSubtypes = [...rowOf.values()].every(
    ({ label }) => label === "" || subtypeNamed(label) !== null,
  );
  const odd: Record<string, string[]> = { split: [], magnification: [], patient: [], part: [] };
  const completed = images.map((image) => {
    const row = rowOf.get(image);
    if (row === undefined) return image;
    const { line, slide, subtype, label } = row;
    const magnification = readMagnification(row.magnification);
    if (row.magnification !== "" && magnification === null)
      odd["magnification"]!.push(`${row.magnification} (line ${line})`);
    const part = partNamed(row.split);
    if (row.split !== "" && part === null) odd["split"]!.push(`${row.split} (line ${line})`);
    if (part !== null && image.folderPart !== null && part !== image.folderPart)
      odd["part"]!.push(`${image.file} (line ${line}: ${part})`);
    const patient = plainText(row.patient) || patientOfSlide(slide) || image.patient;
    const named = parseBreakhisName(image.file)?.patient ?? image.patient;
    if (patient !== undefined && named !== undefined && patient !== named)
      odd["patient"]!.push(`${image.file} (line ${line}: ${patient}, not ${named})`);
    const code = subtypeNamed(subtype) ?? (namesSubtypes ? subtypeNamed(label) : null);
    return {
      ...image,
      folderPart: present.has("split") ? part : image.folderPart,
      ...(patient === undefined ? {} : { patient }),
      ...(slide === "" ? {} : { slide: plainText(slide) }),
      ...(magnification === null ? {} : { magnification }),
      ...(code === null ? {} : { subtype: code }),
    };
  });
  const warnings: string[] = [];
  const warn = (files: string[], sentence: string) => {
    if (files.length > 0) warnings.push(`${sentence}: ${nameSome(files, listed)}.`);
  };
  warn(odd["split"]!, `${name} has parts that are none of train, validation and test, and are not used`);
  warn(odd["part"]!, `${name} contradicts the folder's part; ${name} counts`);
  warn(odd["magnification"]!, `${name} has magnifications that are no numbers, and are not used`);
  warn(odd["patient"]!, `${name} contradicts the patient that names or folders say; ${name} counts`);
  return { images: completed, warnings };
}

/**
 * Gives the images of a layout the labels of a labels file, and what else its columns say; where it is silent, the class
 * folder's name stays.
 *
 * Rows that name no image there become skipped files with their line; images that no row names and labels that
 * contradict the folder become warnings.
 *
 * @param csvPath - Its paths count from its folder, the one above or the layout's, or end as the images' do.
 * @throws Error if the file is no CSV file or no column names images.
 */
export async function applyLabels(
  found: FoundLayout,
  csvPath: string,
  bases: readonly string[],
  columns: ColumnNames = {},
): Promise<FoundLayout> {
  const csvName = csvPath.slice(csvPath.lastIndexOf("/") + 1);
  const find = imageFinder(found.images, [...bases, found.folder]);
  const labels = readRows(await readTable(csvPath, csvName), columns, (text) => find(text).ok);
  const { rowOf, ...matched } = matchRows(labels, find);
  if (labels.rows.length > 0) refuseEmpty(labels, rowOf, found.folder);
  const disputed = new Set(matched.skipped.map(({ file }) => file));
  const kept = found.images.filter((image) => rowOf.has(image) || !disputed.has(image.file));
  const { images: completed, warnings: oddities } = withColumns(kept, rowOf, labels);
  const classOf = classFinder(kept, rowOf);
  const images = completed.map((image, index) => {
    const label = rowOf.get(kept[index]!)?.label ?? "";
    return label === "" ? image : { ...image, className: classOf(label) };
  });
  const warnings = [...found.warnings, ...matched.warnings];
  const warn = (files: string[], sentence: string) => {
    if (files.length > 0) warnings.push(`${sentence}: ${nameSome(files, listed)}.`);
  };
  const unnamed = kept.filter((image) => !rowOf.has(image)).map(({ file }) => file);
  warn(unnamed, `${csvName} lacks ${countOf(unnamed.length, "image")}; the folder's name counts`);
  if (labels.present.has("label")) {
    const unlabelled = [...rowOf].flatMap(([{ file }, { label, line }]) =>
      label === "" ? [`${file} (line ${line})`] : [],
    );
    warn(unlabelled, `${csvName} gives no label for some images; the folder's name counts`);
  }
  const contradicted = kept.flatMap((image, index) => {
    const { className } = images[index]!;
    if (classKey(className) === classKey(image.className)) return [];
    return [`${image.file} (line ${rowOf.get(image)!.line}: ${className})`];
  });
  warn(contradicted, `${csvName} contradicts the class folder; ${csvName} counts`);
  return {
    ...found,
    images,
    skipped: [...found.skipped, ...matched.skipped],
    warnings: [...warnings, ...oddities],
    labelsFile: csvName,
  };
}

/**
 * The classes that numbers stand for, as most images with each number say by other means.
 *
 * @param said - Each image's number, and what its name or folder says, null where that says nothing.
 * @param agreement - Share of images, in [0, 1], that have to agree.
 * @returns Null if two numbers would be one class or the images don't agree.
 */
export function numberMeanings(
  said: readonly { label: string; className: string | null }[],
  agreement: number,
): Map<string, string> | null {
  const counts = new Map<string, Map<string, number>>();
  for (const { label, className } of said) {
    if (!isWrittenNumber(label)) continue;
    const number = plainText(label);
    const classes = counts.get(number) ?? new Map<string, number>();
    counts.set(number, classes);
    if (className !== null) classes.set(className, (classes.get(className) ?? 0) + 1);
  }
  const meanings = new Map<string, string>();
  for (const [number, classes] of counts) {
    const [first] = [...classes].sort((one, other) => other[1] - one[1]);
    const total = [...classes.values()].reduce((sum, count) => sum + count, 0);
    if (first === undefined || first[1] < agreement * total) return null;
    meanings.set(number, first[0]);
  }
  return new Set(meanings.values()).size === meanings.size ? meanings : null;
}

/** Finds the class that a label means: its own name or, for labels such as 0 and 1, the folder most of them are in. */
function classFinder(
  images: readonly FoundImage[],
  rowOf: ReadonlyMap<FoundImage, LabelRow>,
): (label: string) => string {
  const byName = new Map(images.map(({ className }) => [classKey(className), className]));
  const meanings = numberMeanings(
    [...rowOf].map(([{ className }, { label }]) => ({ label, className })),
    0,
  );
  return (label) => byName.get(classKey(label)) ?? meanings?.get(plainText(label)) ?? plainText(label);
}
