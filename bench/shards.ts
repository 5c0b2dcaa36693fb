import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { cacheFolder, projectRoot } from "../src/runtime/paths";
import type { Benchmark, Sides } from "./benchmark";
import { linkPatches } from "./linked-patches";
import { useOwnCache } from "./own-cache";
import { copyPatches, listPatches } from "./scale";

const images = 100_000;
/** Entries that are there when one of the two is killed: it is in the middle of its computing then. */
const killedAfter = 500;
const inputSize = 64;
// Before a benchmark has a cache of its own.
const usersCache = cacheFolder();

function start(folder: string, cache: string, args: readonly string[]) {
  const program = join(projectRoot(), "scripts", "features.ts");
  const flags = ["--backbone", "efficientnet-lite0", "--input-size", String(inputSize), ...args];
  const child = spawn(process.execPath, ["-r", "tsx/cjs", program, folder, ...flags], {
    cwd: projectRoot(),
    env: { ...process.env, BREAKHIS_CACHE: cache, BREAKHIS_OFFLINE: "1" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return { child, ended: new Promise<number | null>((resolve) => child.once("exit", resolve)) };
}

async function finish(folder: string, cache: string, args: readonly string[]): Promise<void> {
  const code = await start(folder, cache, args).ended;
  if (code !== 0) throw new Error(`npm run features -- ${args.join(" ")} ended with ${code}.`);
}

function countEntries(cache: string): number {
  const features = join(cache, "features");
  if (!existsSync(features)) return 0;
  const names = readdirSync(features, { recursive: true }) as string[];
  return names.filter((name) => /[0-9a-f]{64}$/.test(name)).length;
}

async function killInItsMiddle(cache: string, child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  while (countEntries(cache) < killedAfter) {
    if (child.exitCode !== null) throw new Error(`A part ended before ${killedAfter} features were there.`);
    await wait(50);
  }
  child.kill("SIGKILL");
  await ended;
}

/** Two parts at once; the first is killed, and run again when the second is done; then both are put together. */
async function inParts(folder: string, cache: string, out: string): Promise<void> {
  const [doomed, other] = [1, 2].map((part) => start(folder, cache, ["--shard", `${part}/2`])) as [
    ReturnType<typeof start>,
    ReturnType<typeof start>,
  ];
  await killInItsMiddle(cache, doomed.child, doomed.ended);
  if ((await other.ended) !== 0) throw new Error("The part that was left alone failed.");
  await finish(folder, cache, ["--shard", "1/2"]);
  await finish(folder, cache, ["--out", out]);
}

async function prepare(): Promise<Sides> {
  const own = await useOwnCache();
  const files = await listPatches();
  const patches = join(own.folder, "patches");
  await copyPatches(files, files.length, patches);
  const folder = join(own.folder, "set");
  await linkPatches(files, patches, images, folder);
  let rounds = 0;
  const outputs: string[] = [];
  const timed = async (work: (cache: string, out: string) => Promise<void>): Promise<number> => {
    const place = join(own.folder, `round-${++rounds}`);
    await mkdir(place);
    const weights = join(usersCache, "weights");
    if (existsSync(weights)) await cp(weights, join(place, "cache", "weights"), { recursive: true });
    const startedAt = performance.now();
    await work(join(place, "cache"), join(place, "features"));
    outputs.push(join(place, "features"));
    return (performance.now() - startedAt) / 1000;
  };
  return {
    baselineName: "one process alone",
    ours: () => timed((cache, out) => inParts(folder, cache, out)),
    baseline: () => timed((cache, out) => finish(folder, cache, ["--out", out])),
    note() {
      for (const ending of ["npy", "csv"]) {
        for (const output of outputs.slice(1)) {
          execFileSync("cmp", [`${outputs[0]}.${ending}`, `${output}.${ending}`], { stdio: "inherit" });
        }
      }
      return `${images} images, ${files.length} of them different, on one machine: features and table are the same, byte for byte.`;
    },
    close: () => own.close(),
  };
}

/** What parts cost on one machine, where they gain little, and that a kill changes nothing. */
export const shardBenchmarks: Benchmark[] = [
  {
    name: "Scale: two parts of 100,000 images, one killed and run again",
    unit: "s",
    goal: 0.5,
    mostRounds: 1,
    prepare,
  },
];
