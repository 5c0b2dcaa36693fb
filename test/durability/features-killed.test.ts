import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDataset } from "../../src/data/dataset";
import { extractFeatures } from "../../src/model/features/features";
import { sha256 } from "../../src/runtime/content-hash";
import { projectRoot } from "../../src/runtime/paths";
import { createRandom } from "../../src/runtime/random";
import { drawImages } from "../support/data/drawn-images";
import { meanColourBackbone } from "../support/model/mean-colour-backbone";
import { temporaryFolder } from "../support/temporary-folder";

const kills = 100;
const imageCount = 64;
const size = 16;
const folder = temporaryFolder("features-killed");
const images = join(folder, "images");
const cache = join(folder, "cache");
let expected: string;

interface Outcome {
  digest: string;
  complete: boolean;
  fromCache: number;
}

/** A process that has loaded everything and waits to be told which cache to work with. */
class Worker {
  readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor() {
    const script = join(projectRoot(), "test", "support", "model", "feature-worker.ts");
    const options = { cwd: projectRoot(), stdio: ["pipe", "pipe", "ignore"] as ["pipe", "pipe", "ignore"] };
    this.process = spawn(process.execPath, ["-r", "tsx/cjs", script], options);
    this.lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  /** Waits until it works; what is done to it from now on happens in the middle of that. */
  async begin(): Promise<void> {
    expect((await this.lines.next()).value).toBe("ready");
    this.process.stdin!.write(`${cache}\n${images}\n`);
    expect((await this.lines.next()).value).toBe("working");
  }

  /** What it computed, or null if it was killed before. */
  async outcome(): Promise<Outcome | null> {
    const { value, done } = await this.lines.next();
    return done === true ? null : (JSON.parse(value as string) as Outcome);
  }

  /** Kills it at once, as `kill -9` does, and waits until it is gone. */
  async kill(): Promise<void> {
    const gone =
      this.process.exitCode !== null || this.process.signalCode !== null
        ? Promise.resolve()
        : new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await gone;
  }
}

/** Loads the next workers while the present one runs. */
const waiting: Worker[] = [];
function nextWorker(): Worker {
  while (waiting.length < 3) waiting.push(new Worker());
  return waiting.shift()!;
}

afterAll(() => Promise.all(waiting.map((worker) => worker.kill())));

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Goes on in this process with a copy of what the killed one left. */
async function restartHere(round: number): Promise<string> {
  const copy = join(folder, `copy-${round}`);
  cpSync(cache, copy, { recursive: true });
  process.env["BREAKHIS_CACHE"] = copy;
  try {
    const features = await extractFeatures(await openDataset(images), meanColourBackbone(size), {
      batchSize: 4,
    });
    expect(features.complete).toBe(true);
    return sha256(new Uint8Array(features.values.buffer));
  } finally {
    delete process.env["BREAKHIS_CACHE"];
    rmSync(copy, { recursive: true });
  }
}

const unfinishedFiles = () =>
  ["features", "images"].flatMap((kind) => {
    const found = readdirSync(join(cache, kind), { recursive: true }) as string[];
    return found.filter((name) => name.includes("unfinished/"));
  });

const entries = (kind: string) =>
  (readdirSync(join(cache, kind), { recursive: true }) as string[]).filter((name) =>
    /[0-9a-f]{64}$/.test(name),
  );

beforeAll(async () => {
  const pixels = drawImages(imageCount, size);
  for (let index = 0; index < imageCount; index++) {
    const target = join(images, index % 2 === 0 ? "benign" : "malignant");
    mkdirSync(target, { recursive: true });
    const raw = pixels.subarray(index * size * size * 3, (index + 1) * size * size * 3);
    await sharp(raw, { raw: { width: size, height: size, channels: 3 } })
      .png()
      .toFile(join(target, `${index}.png`));
  }
});

it(`gives the same features after each of ${kills} kills at random moments, and leaves nothing behind`, async () => {
  const random = createRandom(2016).fork("moments");
  const undisturbed = nextWorker();
  await undisturbed.begin();
  const startedAtMs = performance.now();
  const reference = (await undisturbed.outcome())!;
  const workMs = performance.now() - startedAtMs;
  expected = reference.digest;
  expect(reference).toMatchObject({ complete: true, fromCache: 0 });
  rmSync(cache, { recursive: true });
  mkdirSync(cache);

  let killed = 0;
  let killedWithPart = 0;
  while (killed < kills) {
    const worker = nextWorker();
    await worker.begin();
    const done = worker.outcome();
    await pause(random.next() * workMs);
    await worker.kill();
    const outcome = await done;
    if (outcome === null) {
      killed++;
      const kept = readdirSync(cache).includes("features") ? entries("features").length : 0;
      if (kept > 0 && kept < imageCount) killedWithPart++;
      expect(await restartHere(killed)).toBe(expected);
    } else {
      expect(outcome).toMatchObject({ digest: expected, complete: true });
      rmSync(cache, { recursive: true });
      mkdirSync(cache);
    }
  }
  // Kills in the middle of the writing are what this is about.
  expect(killedWithPart).toBeGreaterThan(kills / 4);

  const last = nextWorker();
  await last.begin();
  expect(await last.outcome()).toMatchObject({ digest: expected, complete: true });
  expect(entries("features").length).toBe(imageCount);
  // What is still there when nothing is left to write was left by the last kill alone.
  expect(unfinishedFiles().length).toBeLessThanOrEqual(2);
}, 240_000);

it("lets two processes fill one cache at once, also if one of them is killed", async () => {
  for (const killOne of [false, true]) {
    rmSync(cache, { recursive: true, force: true });
    mkdirSync(cache);
    const both = [nextWorker(), nextWorker()] as const;
    await Promise.all(both.map((worker) => worker.begin()));
    if (killOne) await Promise.all([pause(60).then(() => both[0].kill()), both[1].outcome()]);
    const third = nextWorker();
    await third.begin();
    const outcomes = killOne ? [await third.outcome()] : await Promise.all(both.map((one) => one.outcome()));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ digest: expected, complete: true });
    await third.kill();
    expect(entries("features").length).toBe(imageCount);
    expect(await restartHere(0)).toBe(expected);
  }
});
