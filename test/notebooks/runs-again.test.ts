import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { generateDemoDataset } from "../../src/data/demo/demo";
import { projectRoot } from "../../src/runtime/paths";
import { type KernelSession, startKernel } from "../support/kernel/kernel-session";
import { shareWeights } from "../support/model/shared-weights";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("runs-again");
const notebooks = join(projectRoot(), "notebooks");
const cells = JSON.parse(readFileSync(join(notebooks, "03-train-model.ipynb"), "utf8")).cells as {
  id: string;
  source: string[];
}[];
const sourceOf = (id: string) => cells.find((cell) => cell.id === id)!.source.join("");

/** The settings cell with another value in its line, as somebody types it. */
function typed(source: string, changes: Record<string, unknown>): string {
  return Object.entries(changes).reduce((text, [name, value]) => {
    const written = new RegExp(`\\b${name}: (?:\\[[^\\]]*\\]|\\{[^}]*\\}|[^,\\n]+)`);
    if (!written.test(text)) throw new Error(`The settings cell has no ${name}.`);
    return text.replace(written, `${name}: ${JSON.stringify(value)}`);
  }, source);
}

const quick = {
  data: join(home, "demo"),
  backbone: "efficientnet-lite0",
  inputSize: 32,
  hiddenUnits: [8],
  epochs: 2,
};

type Step = { change: Record<string, unknown> } | { cell: string };

/** Every setting that changes what is trained, with several values. */
const change = fc.oneof(
  fc.constantFrom("demo", "other").map((name) => ({ data: join(home, name) })),
  fc.constantFrom(32, 40).map((inputSize) => ({ inputSize })),
  fc.constantFrom("as-is", "normalised").map((stain) => ({ stain })),
  fc.constantFrom("none", "turns", "stains").map((augmentation) => ({ augmentation, averageViews: false })),
  fc.constant({ augmentation: "turns", averageViews: true }),
  fc.constantFrom("patient", "image").map((split) => ({ split })),
  fc.constantFrom([], [8], [4, 4]).map((hiddenUnits) => ({ hiddenUnits })),
  fc.constantFrom(0, 0.5).map((dropout) => ({ dropout })),
  fc.constantFrom(0, 1e-2).map((l2) => ({ l2 })),
  fc.constantFrom(1e-3, 1e-2).map((learningRate) => ({ learningRate })),
  fc.constantFrom(1, 3).map((epochs) => ({ epochs })),
  fc.constantFrom(4, 32).map((batchSize) => ({ batchSize })),
  fc.constantFrom("balanced", "patients", "none").map((classWeights) => ({ classWeights })),
  fc.constantFrom(null, { from: "last", epochs: 1 }).map((fineTune) => ({ fineTune })),
  fc.nat(3).map((seed) => ({ seed })),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: change.map((changes): Step => ({ change: changes })) },
  { weight: 3, arbitrary: fc.constant<Step>({ cell: "settings" }) },
  { weight: 3, arbitrary: fc.constant<Step>({ cell: "train" }) },
  { weight: 1, arbitrary: fc.constantFrom("features", "runs", "compare-two").map((cell) => ({ cell })) },
);

const open = (runs: string, cache: string) =>
  startKernel(notebooks, {
    BREAKHIS_CACHE: join(home, cache),
    BREAKHIS_RUNS: join(home, runs),
    BREAKHIS_RUN: "",
    BREAKHIS_SETTINGS: "",
  });

/** What a run has computed, to the byte; when, in how long and under which name is not part of it. */
function contentOf(runs: string, id: string) {
  const read = (...path: string[]) => readFileSync(join(home, runs, id, ...path), "utf8");
  const { id: _, created, timings, code, ...summary } = JSON.parse(read("summary.json"));
  return {
    summary,
    files: ["settings.json", "split.json", "predictions.csv"].map((name) => read(name)),
    weights: ["head.safetensors", "familiarity.safetensors"].map((name) => read("classifier", name)),
  };
}
const keptIn = (runs: string) => readdirSync(join(home, runs)).filter((name) => /^\d{4}-/.test(name));

let kernel: KernelSession;
beforeAll(async () => {
  const options = { patients: 16, imagesPerPatient: 2, width: 64, height: 48 };
  await generateDemoDataset(join(home, "demo"), options);
  await generateDemoDataset(join(home, "other"), { ...options, seed: 5 });
  for (const cache of ["cache", "other-cache"]) shareWeights(join(home, cache));
  kernel = await open("runs", "cache");
  await kernel.execute(sourceOf("imports"));
}, 600_000);
afterAll(() => kernel?.close());

it("every kept run says what was computed: made again from its id in a new kernel, it has the same bytes", async () => {
  const compared = new Set<string>();
  const sequence = fc.array(step, { minLength: 6, maxLength: 12 });
  const property = fc.asyncProperty(sequence, async (steps) => {
    let settings = typed(sourceOf("settings"), quick);
    const run = (id: string) => kernel.execute(id === "settings" ? settings : sourceOf(id));
    // In whatever order: a cell that can't run says so, and keeps nothing.
    for (const one of [{ cell: "settings" }, { cell: "train" }, ...steps, { cell: "train" }] as Step[]) {
      if ("change" in one) settings = typed(settings, one.change);
      else await run(one.cell);
    }
    const again = await open("again", "other-cache");
    try {
      await again.execute(sourceOf("imports"));
      await again.execute(`import { settingsOfRun } from "./src/training/runs/run-log";`);
      for (const id of keptIn("runs").filter((name) => !compared.has(name))) {
        const before = new Set(compared.size === 0 ? [] : keptIn("again"));
        const asked = await again.execute(
          [
            `process.env["BREAKHIS_RUNS"] = ${JSON.stringify(join(home, "runs"))};`,
            `const settings = await settingsOfRun(${JSON.stringify(id)});`,
            `process.env["BREAKHIS_RUNS"] = ${JSON.stringify(join(home, "again"))};`,
          ].join("\n"),
        );
        expect(asked.reply.evalue ?? asked.reply.status, id).toBe("ok");
        const { reply } = await again.execute(sourceOf("train"));
        expect(reply.evalue ?? reply.status, id).toBe("ok");
        const made = keptIn("again").find((name) => !before.has(name))!;
        expect(contentOf("again", made), `${id} with ${JSON.stringify(steps)}`).toEqual(
          contentOf("runs", id),
        );
        compared.add(id);
      }
    } finally {
      await again.close();
    }
  });
  await fc.assert(property, { numRuns: 2, endOnFailure: true });
  expect(compared.size).toBeGreaterThan(2);
}, 1_200_000);
