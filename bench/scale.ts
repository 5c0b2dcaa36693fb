import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, copyFile, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { mean } from "../src/runtime/many";
import { projectRoot } from "../src/runtime/paths";
import type { Benchmark, Sides } from "./benchmark";
import { useOwnCache } from "./own-cache";

const sizes = [1_000, 4_000, 10_000] as const;
const patches = join(projectRoot(), "..", "shared", "data", "idc-sample");

interface Measurement {
  computed: number;
  seconds: number;
  peakMb: number;
}

export async function listPatches(): Promise<string[]> {
  if (!existsSync(patches)) throw new Error(`The benchmark of scale needs real patches in ${patches}.`);
  const files = await readdir(patches, { recursive: true });
  return files.filter((file) => file.endsWith(".png")).sort();
}

/** So many patches, from the first on again if need be; each repetition with other bytes after its end. */
export async function copyPatches(files: readonly string[], count: number, target: string): Promise<void> {
  for (let index = 0; index < count; index++) {
    const file = files[index % files.length]!;
    const repetition = Math.floor(index / files.length);
    const patient = file.slice(0, file.indexOf("/"));
    const copy = join(target, repetition === 0 ? file : file.replaceAll(patient, `${repetition}${patient}`));
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(join(patches, file), copy);
    if (repetition > 0) await appendFile(copy, String(repetition));
  }
}

async function measure(folder: string, cache: string): Promise<Measurement> {
  const worker = join(projectRoot(), "bench", "scale-worker.ts");
  const loader = join(projectRoot(), "scripts", "load-typescript.js");
  const { stdout } = await promisify(execFile)(process.execPath, ["-r", loader, worker, folder], {
    cwd: projectRoot(),
    env: { ...process.env, BREAKHIS_CACHE: cache, BREAKHIS_OFFLINE: "1" },
  });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Measurement;
}

/** Slope of the straight line with the least squared distance to the points. */
function slopeOf(xs: readonly number[], ys: readonly number[]): number {
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const products = xs.map((x, i) => (x - meanX) * (ys[i]! - meanY));
  const squares = xs.map((x) => (x - meanX) ** 2);
  return mean(products) / mean(squares);
}

async function measureAll(): Promise<Measurement[]> {
  const cache = await useOwnCache();
  try {
    const files = await listPatches();
    const measurements: Measurement[] = [];
    for (const size of sizes) {
      const folder = join(cache.folder, String(size));
      await copyPatches(files, size, folder);
      const measurement = await measure(folder, join(cache.folder, `cache-${size}`));
      if (measurement.computed !== size) throw new Error(`${measurement.computed} of ${size} were computed.`);
      measurements.push(measurement);
    }
    return measurements;
  } finally {
    await cache.close();
  }
}

const inOrder = (numbers: readonly number[], unit: string, digits: number): string =>
  `${numbers.map((number) => number.toFixed(digits)).join(", ")} ${unit}`;

function describe(measurements: readonly Measurement[]): string {
  const seconds = measurements.map((one) => one.seconds);
  const peaks = measurements.map((one) => one.peakMb);
  const perImage = 1000 * slopeOf(sizes, seconds);
  const perThousand = 1000 * slopeOf(sizes, peaks);
  return `${sizes.join(", ")} images: ${inOrder(seconds, "s", 1)}, ${inOrder(peaks, "MB", 0)}; ${perImage.toFixed(2)} ms an image more, ${perThousand.toFixed(1)} MB a thousand images more.`;
}

// Both benchmarks tell of the same processes.
let measured: Promise<Measurement[]> | null = null;

async function prepare(value: (one: Measurement, size: number) => number): Promise<Sides> {
  measured ??= measureAll();
  const measurements = await measured;
  const of = (index: number) => value(measurements[index]!, sizes[index]!);
  return {
    baselineName: "1,000 images",
    ours: async () => of(sizes.length - 1),
    baseline: async () => of(0),
    note: () => describe(measurements),
    close: async () => undefined,
  };
}

/** Opening a folder and computing features, each size in a process of its own. */
export const scaleBenchmarks: Benchmark[] = [
  {
    name: "Scale: images a second at 10,000 images",
    unit: "images/s",
    goal: 0.9,
    mostRounds: 1,
    prepare: () => prepare(({ seconds }, size) => size / seconds),
  },
  {
    name: "Scale: peak memory at 10,000 images",
    unit: "MB",
    goal: 0.8,
    mostRounds: 1,
    prepare: () => prepare(({ peakMb }) => peakMb),
  },
];
