import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../src/runtime/files/write-file";
import { projectRoot } from "../src/runtime/paths";
import type { BenchmarkResult } from "./benchmark";
import { readResults, toCells } from "./results-file";

const begin = "<!-- npm run bench -- --readme -->";
const end = "<!-- end of the table -->";

const toLine = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** One table a machine, under a line that names it. */
function renderTables(results: readonly BenchmarkResult[]): string {
  const machines = [...new Set(results.map(({ machine }) => machine ?? "an unknown machine"))];
  return machines
    .map((machine) => {
      const measured = results.filter((result) => (result.machine ?? "an unknown machine") === machine);
      const [heading, ...rows] = toCells(measured);
      const lines = [toLine(heading!), toLine(heading!.map(() => "---")), ...rows.map(toLine)];
      return `Measured on ${machine}:\n\n${lines.join("\n")}`;
    })
    .join("\n\n");
}

/**
 * Puts the table of results where the README has room for it.
 *
 * @throws Error if the two lines that mark the place are not there.
 */
export function renderReadme(readme: string, results: readonly BenchmarkResult[]): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`README.md should have the lines ${begin} and ${end}, in this order.`);
  return `${readme.slice(0, from + begin.length)}\n\n${renderTables(results)}\n\n${readme.slice(to)}`;
}

/** Brings README.md up to what results.json holds. */
export async function updateReadme(): Promise<void> {
  const path = join(projectRoot(), "README.md");
  const readme = await readFile(path, "utf8");
  await writeFileAtomically(path, renderReadme(readme, await readResults()));
}
