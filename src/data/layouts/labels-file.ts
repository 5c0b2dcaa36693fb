import { parse } from "csv-parse/sync";
import { readRegularFile } from "../../runtime/files/regular-file";
import { largest } from "../../runtime/many";

/** One line of a table, its cells without the blanks around them. */
export interface TableRow {
  cells: string[];
  /** Line in the file that the row ends in, from 1. */
  line: number;
}

/** A labels file, before anybody knows what its columns mean. */
export interface LabelsTable {
  /** For messages: the file's name. */
  name: string;
  /** The first row may be the columns' names, or an image already. */
  rows: TableRow[];
}

interface ParsedRow {
  record: string[];
  info: { lines: number };
}

/** Whether a file is called as tables are. */
export function isLabelsFile(path: string): boolean {
  return /\.(?:csv|tsv|txt)$/i.test(path);
}

/** What spreadsheets and programs put between columns; in doubt the earlier one. */
const separators = [",", ";", "\t", "|"] as const;

/** The first line with which Excel is told the separator. */
const announcedSeparator = /^sep=(.)[ \t]*(?=\r\n|[\r\n])/i;

/** The separator that the first line announces, or has most often outside of quotes. */
function separatorOf(text: string): string {
  const announced = announcedSeparator.exec(text)?.[1];
  if (announced !== undefined) return announced;
  const end = text.search(/[\r\n]/);
  const firstLine = (end < 0 ? text : text.slice(0, end)).replace(/"(?:[^"]|"")*"/g, "");
  const counts = separators.map((separator) => firstLine.split(separator).length);
  return separators[counts.indexOf(largest(counts))]!;
}

/** Text of a file as spreadsheets save it: UTF-8, UTF-16 with the mark that announces it, or else Windows' Western one. */
function decodeText(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/**
 * Reads a table of comma-, semicolon-, tab- or bar-separated values.
 *
 * A byte order mark, any line ends and quoted fields are fine; empty lines are passed over.
 *
 * @throws Error if the file can't be read or is no CSV file.
 */
export async function readTable(path: string, name: string): Promise<LabelsTable> {
  const bytes = await readRegularFile(path).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "ENOENT" ? "there is no such file" : error.message;
    throw new Error(`The labels file ${path} can't be read: ${reason}.`);
  });
  return parseTable(decodeText(bytes), name);
}

/**
 * The same from text.
 *
 * @param name - Named in errors.
 */
export function parseTable(text: string, name: string): LabelsTable {
  const content = text.replace(/^\uFEFF/, "");
  try {
    const rows = parse(content, {
      delimiter: separatorOf(content),
      from_line: announcedSeparator.test(content) ? 2 : 1,
      info: true,
      record_delimiter: ["\r\n", "\n", "\r"], // told, because a guess from the first line fails on mixed ones
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as ParsedRow[];
    return { name, rows: rows.map(({ record, info }) => ({ cells: record, line: info.lines })) };
  } catch (error) {
    throw new Error(`${name} can't be read as CSV: ${(error as Error).message}`);
  }
}
