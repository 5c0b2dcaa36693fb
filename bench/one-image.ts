import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../src/runtime/paths";
import { startKernel } from "../test/support/kernel/kernel-session";
import type { BenchContext, Benchmark, Sides } from "./benchmark";
import { trainSmallClassifier } from "./small-classifier";

/** What an image of one's own may take in a kernel that works already. */
const goalSeconds = 1.5;

async function prepare(context: BenchContext): Promise<Sides> {
  const weights = await context.resnet50Weights();
  const scratch = await mkdtemp(join(tmpdir(), "breakhis-lab-bench-"));
  const { folder, images } = await trainSmallClassifier(weights, join(scratch, "classifier"));
  const kernel = await startKernel(join(projectRoot(), "notebooks"), { BREAKHIS_WEIGHTS: weights });
  const run = async (code: string): Promise<void> => {
    const { status, ename, evalue } = (await kernel.execute(code)).reply;
    if (status !== "ok") throw new Error(`A cell failed: ${ename}: ${evalue}`);
  };
  await run(`import { loadClassifier, predictImages } from "./src/model/classifier/classifier";
import { answerGrid } from "./src/views/dataset/image-grid";
const loaded = await loadClassifier(${JSON.stringify(folder)});`);
  let asked = 0;
  return {
    baselineName: "the goal",
    async ours() {
      const path = JSON.stringify(images[asked++ % images.length]);
      const startedAt = performance.now();
      await run(`const { predictions } = await predictImages(loaded, [${path}]);
await answerGrid(loaded.classes, loaded.positiveClass, predictions)`);
      return (performance.now() - startedAt) / 1000;
    },
    baseline: async () => goalSeconds,
    note: () => "ResNet50; the first of the rounds also compiles its graph.",
    async close() {
      await kernel.close();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** Notebook 04's cell for an image of one's own. */
export const oneImageBenchmarks: Benchmark[] = [
  { name: "One image, cell of notebook 04", unit: "s", goal: 1, prepare },
];
