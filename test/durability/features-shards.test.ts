import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, it } from "vitest";
import { openDataset } from "../../src/data/dataset";
import { cacheFolder, projectRoot } from "../../src/runtime/paths";
import { drawImages } from "../support/data/drawn-images";
import { type Halt, haltAt, withoutHalt } from "../support/halt";
import { temporaryFolder } from "../support/temporary-folder";

const imageCount = 480;
const parts = 3;
const size = 48;
const folder = temporaryFolder("features-shards");
const images = join(folder, "images");
const program = ["-r", "tsx/cjs", join(projectRoot(), "scripts", "features.ts")];
const choice = [images, "--backbone", "efficientnet-lite0", "--input-size", String(size)];

/** A cache that has the backbone's weights and nothing else. */
function emptyCache(name: string): string {
  cpSync(join(cacheFolder(), "weights"), join(folder, name, "weights"), { recursive: true });
  return join(folder, name);
}

function start(
  cache: string,
  args: string[],
  halt: Pick<Halt, "args" | "env"> = withoutHalt,
): { child: ChildProcess; ended: Promise<number | null> } {
  const env = { ...process.env, BREAKHIS_CACHE: cache, ...halt.env };
  const child = spawn(process.execPath, [...halt.args, ...program, ...choice, ...args], {
    env,
    stdio: "ignore",
  });
  return { child, ended: new Promise((resolve) => child.once("exit", resolve)) };
}

function runToEnd(cache: string, args: string[]) {
  const env = { ...process.env, BREAKHIS_CACHE: cache };
  return spawnSync(process.execPath, [...program, ...choice, ...args], { encoding: "utf8", env });
}

function entries(cache: string): number {
  const features = join(cache, "features");
  if (!existsSync(features)) return 0;
  const names = readdirSync(features, { recursive: true }) as string[];
  return names.filter((name) => /[0-9a-f]{64}$/.test(name)).length;
}

beforeAll(async () => {
  const pixels = drawImages(imageCount, size);
  const length = size * size * 3;
  for (const name of ["benign", "malignant"]) mkdirSync(join(images, name), { recursive: true });
  for (let i = 0; i < imageCount; i++) {
    const raw = { width: size, height: size, channels: 3 as const };
    const file = join(images, i % 2 === 0 ? "benign" : "malignant", `${i}.png`);
    await sharp(pixels.subarray(i * length, (i + 1) * length), { raw })
      .png()
      .toFile(file);
  }
});

it("parts hold each image once, and may be empty", async () => {
  const datasets = await Promise.all(
    [1, 2, 3].map((number) => openDataset(images, { shard: { number, count: parts } })),
  );
  const files = datasets.flatMap(({ records }) => records.map(({ file }) => file));
  const whole = await openDataset(images);
  expect(files.sort()).toEqual(whole.records.map(({ file }) => file));
  expect(datasets.map(({ records }) => records.length)).toEqual([160, 160, 160]);
  for (const { classes } of datasets) expect(classes).toEqual(whole.classes);
  const beyond = await openDataset(images, { shard: { number: 500, count: 500 } });
  expect(beyond.records).toEqual([]);
  await expect(openDataset(images, { shard: { number: 4, count: 3 } })).rejects.toThrow(/found 4 of 3/);
});

it("parts computed by several processes, one of them killed and run again, are one process's features", async () => {
  const shared = emptyCache("shared");
  const halt = haltAt(250, join(shared, "features"));
  const doomed = start(shared, ["--shard", `1/${parts}`], halt);
  await halt.reached();
  doomed.child.kill("SIGKILL");
  await doomed.ended;
  const kept = entries(shared);
  expect(kept).toBeGreaterThanOrEqual(32);
  expect(kept).toBeLessThan(imageCount / parts);

  const running = [1, 2, 3].map((number) => start(shared, ["--shard", `${number}/${parts}`]));
  expect(await Promise.all(running.map(({ ended }) => ended))).toEqual([0, 0, 0]);
  expect(entries(shared)).toBe(imageCount);

  const merged = runToEnd(shared, ["--out", join(folder, "merged")]);
  expect(merged.status, merged.stderr).toBe(0);
  expect(merged.stdout).toMatch(/^0 images computed; 480 were known\.$/m);
  const alone = runToEnd(emptyCache("single"), ["--out", join(folder, "alone")]);
  expect(alone.stdout).toMatch(/^480 images computed/m);
  for (const ending of ["npy", "csv"]) {
    const [one, other] = ["merged", "alone"].map((name) => readFileSync(join(folder, `${name}.${ending}`)));
    expect(one!.equals(other!)).toBe(true);
  }
});

it("a part has no files of its own, and a wrong one is refused in one sentence", () => {
  const cache = join(folder, "never");
  for (const [args, sentence] of [
    [["--shard", "4/3"], /for example 3\/16/],
    [["--shard", "x"], /for example 3\/16/],
    [["--shard", "1/2", "--out", "x"], /give either --out <name>, or --shard/],
    [[], /give either --out <name>, or --shard/],
  ] as const) {
    const result = runToEnd(cache, [...args]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  }
});
