import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import { type KernelSession, startKernelOnDemo, streamText } from "../support/kernel/kernel-session";
import { temporaryFolder } from "../support/temporary-folder";

const reruns = 50;
/** Until then, caches of the compiler and of TensorFlow fill up. */
const warmUp = 10;
const megabyte = 2 ** 20;

const folder = temporaryFolder("reruns");
const cells = JSON.parse(readFileSync(join(projectRoot(), "notebooks", "03-train-model.ipynb"), "utf8"))
  .cells as { id: string; source: string[] }[];
let kernel: KernelSession;

/** What the kernel's process holds after a garbage collection. */
interface Held {
  tensors: number;
  nativeValues: number;
  heap: number;
  arrayBuffers: number;
  resident: number;
}

async function runCell(id: string): Promise<void> {
  const { reply } = await kernel.execute(cells.find((cell) => cell.id === id)!.source.join(""));
  expect(reply).toMatchObject({ status: "ok" });
}

async function measure(): Promise<Held> {
  const cell = await kernel.execute(
    [
      `import { tf } from "./src/runtime/tensorflow";`,
      `import { countNativeValues } from "./src/runtime/native/native-backend";`,
      // What the first collection finds unused outside the heap is freed with the second.
      `gc(); await new Promise(setImmediate); gc();`,
      `const [tensors, nativeValues] = [tf.memory().numTensors, countNativeValues()];`,
      `const { heapUsed: heap, arrayBuffers, rss: resident } = process.memoryUsage();`,
      `console.log(JSON.stringify({ tensors, nativeValues, heap, arrayBuffers, resident }));`,
    ].join("\n"),
  );
  return JSON.parse(streamText(cell, "stdout")) as Held;
}

beforeAll(async () => {
  kernel = await startKernelOnDemo(folder, { imagesPerPatient: 2, epochs: 5 });
  await kernel.execute(
    `import { setFlagsFromString } from "node:v8"; import { runInNewContext } from "node:vm";\n` +
      `setFlagsFromString("--expose-gc"); const gc: () => void = runInNewContext("gc");`,
  );
  for (const id of ["imports", "settings", "train"]) await runCell(id);
});
afterAll(() => kernel?.close());

it("re-running the settings and the training cell leaves nothing behind in the kernel", async () => {
  const held: Held[] = [];
  for (let rerun = 1; rerun <= reruns; rerun++) {
    for (const id of ["settings", "train"]) await runCell(id);
    if (rerun % warmUp === 0) held.push(await measure());
  }
  const [first, last] = [held[0]!, held.at(-1)!];
  const growth = (of: keyof Held) => (last[of] - first[of]) / megabyte;
  const seen = JSON.stringify(held);
  expect(last.tensors, seen).toBe(first.tensors);
  expect(last.nativeValues, seen).toBe(first.nativeValues);
  // One copy of the features, of the head or of the pictures shown would weigh more, 40 times over.
  expect(growth("arrayBuffers"), seen).toBeLessThan(1);
  expect(growth("heap"), seen).toBeLessThan(8);
  // The head's weights and Adam's two moments weigh 2 MB outside the heap.
  expect(growth("resident"), seen).toBeLessThan(60);
  if (process.env["BREAKHIS_SHOW_MEMORY"]) console.log(seen);
});
