import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type KernelSession,
  messagesOf,
  startKernelOnDemo,
  streamText,
} from "../support/kernel/kernel-session";
import { temporaryFolder } from "../support/temporary-folder";

/** What takes long in the notebooks, each with more work than anybody waits for, and what it has when it is stopped. */
const long = {
  "Cross-validating": `const stopped = await evaluation.crossValidate({ ...task, folds: 3, repeats: 1000 });
    console.log(stopped.complete, stopped.folds.length > 0);`,
  "Trying settings": `const rates = Array.from({ length: 100_000 }, (_, i) => (i + 1) / 1e6);
    const stopped = await sweepSettings({ learningRate: rates }, { ...task, split, folds: 2 });
    console.log(stopped.complete, stopped.tries.length > 0);`,
  "Auditing leakage": `const seeds = Array.from({ length: 100_000 }, (_, i) => i);
    const stopped = await evaluation.auditLeakage({ ...task, seeds, bootstrap });
    console.log(stopped.complete, stopped.seeds.length > 0);`,
  "Resampling patients": `const stopped = await evaluation.auditLeakage({
      ...task, seeds: [1, 2, 3], bootstrap: { resamples: 20_000_000 },
    });
    console.log(stopped.complete === false, stopped.scores!.accuracyGap.resamples > 0);`,
  "Comparing stains": `const seeds = Array.from({ length: 100_000 }, (_, i) => i);
    const stopped = await evaluation.compareStains({ ...task, split, backbone, seeds, views: 1, bootstrap });
    console.log(stopped.complete, stopped.seeds.length > 0);`,
};

describe("the stop button", () => {
  const folder = temporaryFolder("stopping");
  let kernel: KernelSession;

  /** Runs a cell and stops it when a step has come this far. */
  const stopAt = (task: string, done: number, code: string) =>
    kernel.execute(`stopWhen(${JSON.stringify(task)}, ${done});\n${code}`, { interruptOn: ["stop now"] });

  beforeAll(async () => {
    kernel = await startKernelOnDemo(folder, { imagesPerPatient: 3, epochs: 3 });
    const prepared = await kernel.execute(`
      import { openDataset } from "./src/data/dataset";
      import { makeSplit } from "./src/data/split/split";
      import { loadBackbone } from "./src/model/backbones/backbone";
      import { extractFeatures } from "./src/model/features/features";
      import { resolveSettings } from "./src/runtime/settings";
      import { trainHead } from "./src/training/head/train";
      import * as evaluation from "./src/experiments/evaluation-door";
      import { sweepSettings } from "./src/experiments/sweep";
      import { onProgress } from "./src/runtime/progress";
      const settings = resolveSettings({});
      const dataset = await openDataset(settings.data!);
      const { backbone } = await loadBackbone(settings);
      const split = makeSplit(dataset, { by: settings.split, seed: settings.seed });
      const bootstrap = { resamples: 100 };
      // Says when a step has come far enough to be stopped, once.
      function stopWhen(task: string, done: number): void {
        const unsubscribe = onProgress((state) => {
          if (state.task !== task || state.done < done || state.finished) return;
          unsubscribe();
          console.log("stop now");
        });
      }`);
    expect(prepared.reply).toMatchObject({ status: "ok" });
  });
  afterAll(() => kernel?.close());

  it("ends feature extraction, and what was computed is not computed again", async () => {
    const cell = await stopAt(
      "Computing features",
      1,
      `const part = await extractFeatures(dataset, backbone, { batchSize: 4 });\nconsole.log(part.complete, part.computed);`,
    );
    expect(messagesOf(cell, "error")).toEqual([]);
    const [, complete, computed] = /(true|false) (\d+)/.exec(streamText(cell, "stdout")) ?? [];
    expect(complete).toBe("false");
    const again = await kernel.execute(
      `const features = await extractFeatures(dataset, backbone, { batchSize: 4 });\nconst task = { dataset, features, settings };\n` +
        `console.log(features.complete, features.fromCache, features.fromCache + features.computed === features.count);`,
    );
    expect(streamText(again, "stdout")).toBe(`true ${computed} true\n`);
  });

  it.each(Object.entries(long))(
    "ends it while it is %s; the cell ends normally with what it has",
    async (task, code) => {
      const cell = await stopAt(task, 1, code);
      expect(cell.reply).toMatchObject({ status: "ok" });
      expect(messagesOf(cell, "error")).toEqual([]);
      const lines = streamText(cell, "stdout").trim().split("\n");
      expect(lines[0]).toBe("stop now");
      expect(lines[1]).toMatch(/^false /);
    },
  );

  it("leaves the kernel well: training works after all that", async () => {
    const cell = await kernel.execute(`
      const labels = dataset.records.map(({ label }) => label);
      const trained = await trainHead({ features, labels, split, settings, classCount: 2 });
      console.log(trained.ended, trained.history.length);`);
    expect(streamText(cell, "stdout")).toBe("completed 3\n");
  });
});
