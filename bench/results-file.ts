import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../src/runtime/files/write-file";
import { largest } from "../src/runtime/many";
import { projectRoot } from "../src/runtime/paths";
import type { BenchmarkResult } from "./benchmark";

export const resultsPath = join(projectRoot(), "bench", "results.json");

/** Reads what was measured before; nothing if nothing was. */
export async function readResults(path = resultsPath): Promise<BenchmarkResult[]> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as BenchmarkResult[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new Error(`${path} can't be read (${(error as Error).message}). Remove it, and run again.`);
  }
}

/** Keeps results: one that was measured again takes the place of the older one, the others stay. */
export async function saveResults(results: readonly BenchmarkResult[], path = resultsPath): Promise<void> {
  const kept = new Map((await readResults(path)).map((result) => [result.name, result]));
  for (const result of results) kept.set(result.name, result);
  await writeFileAtomically(path, `${JSON.stringify([...kept.values()], null, 2)}\n`);
}

/** Rounds to three digits that count. */
const short = (number: number): string => String(Number(number.toPrecision(3)));

function toRow(result: BenchmarkResult): string[] {
  return [
    result.name,
    `${short(result.ours)} ${result.unit}`,
    `${short(result.baseline)} ${result.unit} (${result.baselineName})`,
    `${short(result.ratio)} (${short(result.ratioMin)}–${short(result.ratioMax)})`,
    `${result.goal} ${result.ratio >= result.goal ? "reached" : "missed"}`,
  ];
}

const heading = ["", "ours", "baseline", "ratio (range)", "goal"];

/** A table's cells, the heading first. */
export const toCells = (results: readonly BenchmarkResult[]): string[][] => [heading, ...results.map(toRow)];

/** Results as lines of a table, with whether each goal was reached, and what else is to be known. */
export function formatResults(results: readonly BenchmarkResult[]): string {
  const table = toCells(results);
  const widths = table[0]!.map((_, column) => largest(table.map((row) => row[column]!.length)));
  const toLine = (row: string[]) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ");
  const lines = table.map((row) => toLine(row).trimEnd());
  const notes = results.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`]));
  return [...lines, ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
}
