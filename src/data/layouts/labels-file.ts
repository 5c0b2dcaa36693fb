import { readFile } from "node:fs/promises";
import { parse } from "csv-parse/sync";

/** One row of a labels file. */
export interface LabelRow {
  /** As written, with forward slashes. */
  image: string;
  /** As written; empty where there is none. */
  label: string;
  /** Line in the file that the row ends in, from 1. */
  line: number;
}

interface ParsedRow {
  record: string[];
  info: { lines: number };
}

/** What spreadsheets and programs put between columns; in doubt the earlier one. */
const separators = [",", ";", "\t", "|"] as const;

/** The separator that the first line has most often outside of quotes. */
function separatorOf(text: string): string {
  const end = text.search(/[\r\n]/);
  const firstLine = (end < 0 ? text : text.slice(0, end)).replace(/"(?:[^"]|"")*"/g, "");
  const counts = separators.map((separator) => firstLine.split(separator).length);
  return separators[counts.indexOf(Math.max(...counts))]!;
}

/** Text of a file as spreadsheets save it: UTF-8 or, with the mark that announces it, UTF-16. */
function decodeText(bytes: Buffer): string {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return (utf16 ? bytes.toString("utf16le") : bytes.toString("utf8")).replace(/^\uFEFF/, "");
}

function parseRows(text: string, path: string): ParsedRow[] {
  try {
    return parse(text, {
      delimiter: separatorOf(text),
      info: true,
      record_delimiter: ["\r\n", "\n", "\r"], // told, because a guess from the first line fails on mixed ones
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as ParsedRow[];
  } catch (error) {
    throw new Error(`${path} can't be read as CSV: ${(error as Error).message}`);
  }
}

/** Where a column is, by its name in the plural or not, whatever its case; -1 if it isn't there. */
function columnOf(header: readonly string[], name: string, path: string): number {
  const matching = header.flatMap((column, index) =>
    column === name || column === `${name}s` ? [index] : [],
  );
  if (matching.length > 1)
    throw new Error(`${path} has the column ${name}s more than once in its first line.`);
  return matching[0] ?? -1;
}

/**
 * Reads a CSV file with the columns `images` and `labels` (capitals, spaces and a missing s do not matter).
 *
 * Comma, semicolon, tab and bar separate columns; other columns, a byte order mark, any line ends and quoted fields are
 * fine. Rows that are cut short have an empty label, or image.
 *
 * @throws Error if it is no CSV file or a column is missing.
 */
export async function readLabels(path: string): Promise<LabelRow[]> {
  return parseLabels(decodeText(await readFile(path)), path);
}

/**
 * The same from text.
 *
 * @param path - Named in errors.
 */
export function parseLabels(text: string, path: string): LabelRow[] {
  const [first, ...rows] = parseRows(text, path);
  const header = (first?.record ?? []).map((name) => name.toLowerCase());
  const imageColumn = columnOf(header, "image", path);
  const labelColumn = columnOf(header, "label", path);
  if (imageColumn < 0 || labelColumn < 0) {
    const found = header.length === 0 ? "nothing" : header.join(", ").slice(0, 200);
    throw new Error(`${path} should have the columns images and labels in its first line, found ${found}.`);
  }
  return rows.map(({ record, info }) => ({
    image: (record[imageColumn] ?? "").replaceAll("\\", "/"),
    label: record[labelColumn] ?? "",
    line: info.lines,
  }));
}
