import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../src/runtime/paths";
import type { Benchmark, Sides } from "./benchmark";
import { linkPatches } from "./linked-patches";
import { useOwnCache } from "./own-cache";
import { copyPatches, listPatches } from "./scale";

const [few, many] = [30_000, 300_000] as const;
const epochs = 2;
/** What a machine of 4 GB has to spare. */
const mostTrainingMb = 3000;

interface Whole {
  images: number;
  steps: Record<string, number>;
  peakMb: number;
  featuresMb: number;
  largestFigureMb: number;
}

interface Training {
  imagesPerSecond: number;
  processorSeconds: number;
  peakMb: number;
  trainLoss: number;
  validationLoss: number;
}

async function runWorker<T>(
  name: string,
  args: readonly (string | number)[],
  variables: Record<string, string> = {},
): Promise<T> {
  const worker = join(projectRoot(), "bench", `${name}.ts`);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["-r", "tsx/cjs", worker, ...args.map(String)],
    { cwd: projectRoot(), env: { ...process.env, BREAKHIS_OFFLINE: "1", ...variables } },
  );
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as T;
}

async function measureWhole(): Promise<Whole[]> {
  const cache = await useOwnCache();
  try {
    const files = await listPatches();
    const patches = join(cache.folder, "patches");
    await copyPatches(files, files.length, patches);
    // From here on every content's features are known: what is measured is what all those images cost beside them.
    await runWorker<Whole>("scale-whole-worker", [patches, 1]);
    const measurements: Whole[] = [];
    for (const size of [few, many]) {
      const folder = join(cache.folder, String(size));
      await linkPatches(files, patches, size, folder);
      measurements.push(await runWorker<Whole>("scale-whole-worker", [folder, epochs]));
    }
    return measurements;
  } finally {
    await cache.close();
  }
}

const totalOf = ({ steps }: Whole): number => Object.values(steps).reduce((sum, seconds) => sum + seconds, 0);

function describeWhole({ images, steps, peakMb, featuresMb, largestFigureMb }: Whole): string {
  const times = Object.entries(steps).map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`);
  return `${images} images: ${times.join(", ")} s; ${peakMb.toFixed(0)} MB, features ${featuresMb.toFixed(0)} MB, largest figure ${largestFigureMb.toFixed(2)} MB`;
}

let whole: Promise<Whole[]> | null = null;

async function prepareWhole(
  baselineName: string,
  values: (few: Whole, many: Whole) => { ours: number; baseline: number },
): Promise<Sides> {
  whole ??= measureWhole();
  const measured = await whole;
  const { ours, baseline } = values(measured[0]!, measured[1]!);
  return {
    baselineName,
    ours: async () => ours,
    baseline: async () => baseline,
    note: () => measured.map(describeWhole).join(". "),
    close: async () => undefined,
  };
}

/** Both sides train in processes of their own, one after the other. */
async function prepareTraining(of: (training: Training) => number, fixed?: number): Promise<Sides> {
  const cache = await useOwnCache();
  const notes: string[] = [];
  const train = async (side: "file" | "memory") => {
    const limit = { BREAKHIS_FEATURES_IN_MEMORY: side === "file" ? "0" : "10000" };
    const measured = await runWorker<Training>("scale-train-worker", [many, epochs], limit);
    const { processorSeconds, peakMb, trainLoss, validationLoss } = measured;
    notes.push(
      `${side}: ${processorSeconds.toFixed(0)} s of processor, ${peakMb.toFixed(0)} MB, losses ${trainLoss}, ${validationLoss}`,
    );
    return of(measured);
  };
  return {
    baselineName: fixed === undefined ? "all in memory" : `${fixed} MB`,
    ours: () => train("file"),
    baseline: async () => fixed ?? train("memory"),
    note: () => notes.join(". "),
    close: () => cache.close(),
  };
}

/** From a folder to figures, and training alone, with as many images as all of IDC has. */
export const largeScaleBenchmarks: Benchmark[] = [
  {
    name: "Scale: images a second at 300,000 images, from the folder to figures",
    unit: "images/s",
    goal: 0.9,
    mostRounds: 1,
    prepare: () =>
      prepareWhole("30,000 images", (fewer, more) => ({
        ours: more.images / totalOf(more),
        baseline: fewer.images / totalOf(fewer),
      })),
  },
  {
    name: "Scale: peak memory at 300,000 images, from the folder to figures",
    unit: "MB",
    goal: 1,
    mostRounds: 1,
    prepare: () =>
      prepareWhole("twice the features' size", (_, { peakMb, featuresMb }) => ({
        ours: peakMb,
        baseline: 2 * featuresMb,
      })),
  },
  {
    name: "Scale: train on 300,000 × 2,048 features in a file",
    unit: "images/s",
    goal: 0.7,
    mostRounds: 3,
    prepare: () => prepareTraining(({ imagesPerSecond }) => imagesPerSecond),
  },
  {
    name: "Scale: peak memory of that",
    unit: "MB",
    goal: 1,
    mostRounds: 1,
    prepare: () => prepareTraining(({ peakMb }) => peakMb, mostTrainingMb),
  },
];
