import { execFileSync } from "node:child_process";
import { appendFile, cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../src/runtime/paths";
import { type KernelSession, startKernel } from "../test/support/kernel/kernel-session";
import { beforeCommit as before } from "./before";
import type { Benchmark, Sides } from "./benchmark";

/** A copy of the project in which files may be edited; packages are the project's. */
interface Copy {
  folder: string;
  /** A file that the imports of notebook 03 reach over two others, relative to the copy. */
  deepFile: string;
}

async function linkPackages(folder: string): Promise<void> {
  await symlink(join(projectRoot(), "node_modules"), join(folder, "node_modules"));
}

async function copyPresent(folder: string): Promise<Copy> {
  for (const part of ["package.json", "tsconfig.json", "src", "jupyter", "notebooks"]) {
    await cp(join(projectRoot(), part), join(folder, part), { recursive: true });
  }
  await linkPackages(folder);
  return { folder, deepFile: "src/scores/metrics.ts" };
}

/** @throws Error if the commit is not in the clone's history. */
async function copyPast(folder: string): Promise<Copy> {
  const archive = execFileSync("git", ["archive", before, "package.json", "src", "jupyter", "notebooks"], {
    cwd: projectRoot(),
    maxBuffer: 2 ** 28,
  });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  await linkPackages(folder);
  return { folder, deepFile: "src/evaluation/metrics.ts" };
}

async function importCellOf({ folder }: Copy): Promise<string> {
  const notebook = await readFile(join(folder, "notebooks", "03-train-model.ipynb"), "utf8");
  const { cells } = JSON.parse(notebook) as { cells: { cell_type: string; source: string[] }[] };
  return cells.find(({ cell_type }) => cell_type === "code")!.source.join("");
}

async function secondsOfCell(kernel: KernelSession, code: string): Promise<number> {
  const startedAt = performance.now();
  const { status, ename, evalue } = (await kernel.execute(code)).reply;
  if (status !== "ok") throw new Error(`The import cell of notebook 03 failed: ${ename}: ${evalue}`);
  return (performance.now() - startedAt) / 1000;
}

const startIn = ({ folder }: Copy) =>
  startKernel(join(folder, "notebooks"), { BREAKHIS_CACHE: join(folder, ".cache") }, folder);

async function inNewKernel(copy: Copy): Promise<number> {
  const kernel = await startIn(copy);
  try {
    return await secondsOfCell(kernel, await importCellOf(copy));
  } finally {
    await kernel.close();
  }
}

async function afterEdit(copy: Copy): Promise<number> {
  const kernel = await startIn(copy);
  try {
    const cell = await importCellOf(copy);
    await secondsOfCell(kernel, cell);
    await appendFile(join(copy.folder, copy.deepFile), `export const edited${Date.now()} = true;\n`);
    return await secondsOfCell(kernel, cell);
  } finally {
    await kernel.close();
  }
}

async function prepare(measure: (copy: Copy) => Promise<number>): Promise<Sides> {
  const folders = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), "breakhis-lab-bench-imports-"))));
  const [present, past] = [await copyPresent(folders[0]!), await copyPast(folders[1]!)];
  // What is kept is there from the first kernel on, as after set-up and one notebook.
  await inNewKernel(present);
  return {
    baselineName: `this project at commit ${before}`,
    ours: () => measure(present),
    baseline: () => measure(past),
    note: () => "Notebook 03's first code cell, in a kernel that has just started.",
    async close() {
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a kernel takes until the project's code can be used. */
export const importBenchmarks: Benchmark[] = [
  { name: "Import cell in a new kernel", unit: "s", goal: 5, prepare: () => prepare(inNewKernel) },
  {
    name: "Import cell after an edit two levels down",
    unit: "s",
    goal: 4,
    prepare: () => prepare(afterEdit),
  },
];
