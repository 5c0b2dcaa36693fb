import { largest } from "../../runtime/many";
import type { LabelsTable, TableRow } from "./labels-file";

/** What a labels file can say of an image. */
export const columnRoles = [
  "image",
  "label",
  "patient",
  "slide",
  "magnification",
  "split",
  "subtype",
] as const;
export type ColumnRole = (typeof columnRoles)[number];

/** The columns' names in a labels file, where they are not usual ones: role to name. */
export type ColumnNames = { [role in ColumnRole]?: string | undefined };

/** One row of a labels file: what it says, as written; empty where there is nothing. */
export interface LabelRow extends Record<ColumnRole, string> {
  /** Line in the file that the row ends in, from 1. */
  line: number;
}

/** Rows of a labels file, and which columns they have. */
export interface LabelRows {
  name: string;
  rows: LabelRow[];
  /** Roles that have a column. */
  present: ReadonlySet<ColumnRole>;
}

/** Usual names, without capitals and what is neither letter nor digit; the earlier ones before the later. */
const usualNames: Readonly<Record<ColumnRole, readonly string[]>> = {
  image: (
    "image imagepath imagefile filepath path imagename filename file imageid img imgpath imgname imgid patch patchid " +
    "tile tileid name id"
  ).split(" "),
  label:
    "label class classname labelname target diagnosis category tumorclass tumourclass groundtruth truth y".split(
      " ",
    ),
  patient: "patient patientid patientnumber case caseid subject subjectid pid".split(" "),
  slide: "slide slideid wsi wsiid".split(" "),
  magnification: "magnification mag zoom".split(" "),
  split: "split set subset part partition".split(" "),
  subtype: "subtype tumorsubtype tumoursubtype tumortype tumourtype histologicaltype".split(" "),
};

const squeeze = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

function isUsual(column: string, usual: string): boolean {
  const squeezed = squeeze(column);
  return squeezed === usual || squeezed === `${usual}s` || (usual === "class" && squeezed === "classes");
}

/** Positions of a role's usual columns, the most telling name first. */
function usualColumns(header: readonly string[], role: ColumnRole): number[] {
  return usualNames[role].flatMap((usual) =>
    header.flatMap((column, index) => (isUsual(column, usual) ? [index] : [])),
  );
}

const shown = (header: readonly string[]) =>
  header.length === 0
    ? "nothing"
    : header
        .map((name) => name || "(no name)")
        .join(", ")
        .slice(0, 200);

/** Where a column is that the settings name; spelled alike, or else alike but for capitals and signs. */
function namedColumn(header: readonly string[], wanted: string, role: ColumnRole, file: string): number {
  for (const alike of [
    (column: string) => column === wanted,
    (column: string) => squeeze(column) === squeeze(wanted),
  ]) {
    const matching = header.flatMap((column, index) => (alike(column) ? [index] : []));
    if (matching.length > 1) throw new Error(`${file} has the column ${wanted} more than once.`);
    if (matching.length === 1) return matching[0]!;
  }
  throw new Error(
    `${file} has no column ${wanted}, which columns names for ${role}; its first line has: ${shown(header)}.`,
  );
}

const isNumber = (text: string) => /^\d+(?:\.0*)?$/.test(text);

/** Of several columns that may be the label: the one called so, but words rather than the numbers that stand for them. */
function labelColumn(header: readonly string[], rows: readonly TableRow[], file: string): number | null {
  const candidates = usualColumns(header, "label");
  const [first, second] = candidates;
  if (first === undefined) return null;
  if (second === undefined) return first;
  if (header[first] !== undefined && squeeze(header[first]) === squeeze(header[second] ?? "")) {
    throw new Error(`${file} has the column ${header[first]} more than once in its first line.`);
  }
  const words = candidates.filter((column) => !rows.every(({ cells }) => isNumber(cells[column] ?? "")));
  if (words.length === 1) return words[0]!;
  if (isUsual(header[first]!, "label")) return first;
  throw new Error(
    `${file} has several columns that may be the label: ${candidates.map((column) => header[column]).join(", ")}. ` +
      "Say which with columns, for example label=NAME.",
  );
}

/** How many of the first rows name an image in a column. */
function countImages(rows: readonly TableRow[], column: number, isImage: (text: string) => boolean): number {
  return rows.slice(0, 500).filter(({ cells }) => isImage(cells[column] ?? "")).length;
}

function imageColumn(
  header: readonly string[],
  rows: readonly TableRow[],
  file: string,
  isImage: (text: string) => boolean,
): number {
  const usual = usualColumns(header, "image");
  const candidates = usual.length > 0 ? usual : usualColumns(header, "slide");
  const [first, second] = candidates;
  if (first === undefined) {
    throw new Error(
      `${file} should have a column for the images in its first line, called image, file, path or id for example; ` +
        `found ${shown(header)}. Say which it is with columns, for example image=NAME,label=NAME.`,
    );
  }
  if (
    second !== undefined &&
    squeeze(header[first]!).replace(/s$/, "") === squeeze(header[second]!).replace(/s$/, "")
  ) {
    throw new Error(`${file} has the column ${header[first]} more than once in its first line.`);
  }
  // Where an id and a path are both there, the images themselves tell which of them names them.
  const counts = candidates.map((column) => countImages(rows, column, isImage));
  return candidates[counts.indexOf(largest(counts))]!;
}

/** A table that begins with an image at once: its columns can be told where there are just two. */
function columnsWithoutHeader(
  { name, rows }: LabelsTable,
  isImage: (text: string) => boolean,
): Map<ColumnRole, number> {
  const width = rows.reduce((most, { cells }) => Math.max(most, cells.length), 0);
  const columns = Array.from({ length: width }, (_, index) => index);
  const counts = columns.map((column) => countImages(rows, column, isImage));
  const image = counts.indexOf(largest(counts));
  // A column that counts the rows, as pandas writes it, says nothing.
  const isIndex = (column: number) => {
    const first = Number(rows[0]!.cells[column]);
    return rows.length > 2 && rows.every(({ cells }, row) => Number(cells[column]) === first + row);
  };
  const others = columns.filter((column) => column !== image && !isIndex(column));
  if (others.length !== 1) {
    throw new Error(
      `${name} has no first line with the columns' names, and ${others.length} columns beside the images: which is ` +
        "the label can't be told. Add a first line, for example image,label.",
    );
  }
  return new Map<ColumnRole, number>([
    ["image", image],
    ["label", others[0]!],
  ]);
}

/**
 * Finds out which column is what, by the settings or by its usual name, and reads the rows by it.
 *
 * @param given - Names of columns that are not called as usual.
 * @param isImage - Whether a cell names an image that is there: tells an id from a path, and a header from a row.
 * @throws Error if no column names images, a named column is not there, or several may be the label.
 */
export function readRows(
  table: LabelsTable,
  given: ColumnNames,
  isImage: (text: string) => boolean,
): LabelRows {
  const { name, rows } = table;
  const header = rows[0]?.cells ?? [];
  const named = Object.entries(given).filter(([, column]) => column !== undefined);
  const isHeaderless =
    named.length === 0 &&
    usualColumns(header, "image").length === 0 &&
    header.some((cell) => isImage(cell) || /\.(?:png|jpe?g|tiff?|webp)$/i.test(cell));
  const content = isHeaderless ? rows : rows.slice(1);
  let columns: Map<ColumnRole, number>;
  if (isHeaderless) columns = columnsWithoutHeader(table, isImage);
  else {
    columns = new Map(
      named.map(([role, column]) => [
        role as ColumnRole,
        namedColumn(header, column!, role as ColumnRole, name),
      ]),
    );
    const taken = new Set(columns.values());
    const free = header.map((column, index) => (taken.has(index) ? "" : column));
    if (!columns.has("image")) columns.set("image", imageColumn(free, content, name, isImage));
    if (!columns.has("label")) {
      const label = labelColumn(free, content, name);
      if (label !== null) columns.set("label", label);
    }
    for (const role of columnRoles) {
      if (columns.has(role)) continue;
      const [column] = usualColumns(free, role).filter((index) => index !== columns.get("image"));
      if (column !== undefined) columns.set(role, column);
    }
  }
  return { name, rows: content.map((row) => toLabelRow(row, columns)), present: new Set(columns.keys()) };
}

function toLabelRow({ cells, line }: TableRow, columns: ReadonlyMap<ColumnRole, number>): LabelRow {
  const cellOf = (role: ColumnRole) => {
    const column = columns.get(role);
    return column === undefined ? "" : (cells[column] ?? "");
  };
  const row = { line } as LabelRow;
  for (const role of columnRoles) row[role] = cellOf(role);
  row.image = row.image.replaceAll("\\", "/");
  return row;
}
