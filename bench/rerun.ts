import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../src/runtime/paths";
import { type CellResult, type KernelSession, startKernel } from "../test/support/kernel/kernel-session";
import type { BenchContext, Benchmark, Sides } from "./benchmark";
import { breakhis400Count, syntheticImages } from "./images";
import { useOwnCache } from "./own-cache";

/** What a changed setting may take to its next result. */
const goalSeconds = 3;
const epochs = 30;

/** The cells that are run again and again, and the one before them. */
interface TrainingCells {
  imports: string;
  settings: string;
  training: string;
}

async function readCells(): Promise<TrainingCells> {
  const notebook = join(projectRoot(), "notebooks", "03-train-model.ipynb");
  const { cells } = JSON.parse(await readFile(notebook, "utf8")) as {
    cells: { cell_type: string; source: string[] }[];
  };
  const code = cells.filter(({ cell_type }) => cell_type === "code").map(({ source }) => source.join(""));
  const find = (mark: string): string => {
    const cell = code.find((text) => text.includes(mark));
    if (cell === undefined) throw new Error(`Notebook 03 has no cell with "${mark}" any more.`);
    return cell;
  };
  return {
    imports: find("import { resolveSettings }"),
    settings: find("const settings = resolveSettings("),
    training: find("await trainLive("),
  };
}

async function runCell(kernel: KernelSession, code: string): Promise<CellResult> {
  const result = await kernel.execute(code);
  const { status, ename, evalue } = result.reply;
  if (status !== "ok") throw new Error(`A cell of notebook 03 failed: ${ename}: ${evalue}`);
  return result;
}

async function prepare(context: BenchContext): Promise<Sides> {
  const weights = await context.resnet50Weights();
  const cache = await useOwnCache();
  const data = await syntheticImages(breakhis400Count);
  const cells = await readCells();
  const kernel = await startKernel(join(projectRoot(), "notebooks"), {
    BREAKHIS_RUNS: join(cache.folder, "runs"),
    BREAKHIS_SETTINGS: JSON.stringify({ data, backbone: "resnet50", weights, epochs, patience: epochs }),
  });
  // The first time, features are computed too.
  for (const cell of [cells.imports, cells.settings, cells.training]) {
    await runCell(kernel, cell);
  }
  let seed = 1;
  return {
    baselineName: "the goal",
    async ours() {
      const startedAt = performance.now();
      await runCell(kernel, cells.settings.replace(/seed: \d+/, `seed: ${++seed}`));
      await runCell(kernel, cells.training);
      return (performance.now() - startedAt) / 1000;
    },
    baseline: async () => goalSeconds,
    note: () => `${epochs} epochs on ResNet50's features, with the live view, in one kernel.`,
    async close() {
      await kernel.close();
      await cache.close();
    },
  };
}

/** Notebook 03 on its kernel: a setting is changed, its cell and the training cell are run again. */
export const rerunBenchmarks: Benchmark[] = [
  {
    name: `Settings and training cell again, ${breakhis400Count} images`,
    unit: "s",
    goal: 1,
    prepare,
  },
];
