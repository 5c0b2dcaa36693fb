import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDataset } from "../../src/data/dataset";
import { extractFeatures } from "../../src/model/features/features";
import { sha256 } from "../../src/runtime/cache/content-hash";
import { projectRoot } from "../../src/runtime/paths";
import { createRandom } from "../../src/runtime/random";
import { drawImages } from "../support/data/drawn-images";
import { haltAt } from "../support/halt";
import { meanColourBackbone } from "../support/model/mean-colour-backbone";
import { inMemory } from "../support/model/values-in-memory";
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
  private readonly halt = haltAt(0, cache);

  constructor() {
    const script = join(projectRoot(), "test", "support", "model", "feature-worker.ts");
    this.process = spawn(process.execPath, [...this.halt.args, "-r", "tsx/cjs", script], {
      cwd: projectRoot(),
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, ...this.halt.env },
    });
    this.lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * Waits until it works.
   *
   * @param haltAt - The change of the cache, from 1 on, at which it stands still; 0 lets it work to its end.
   */
  async begin(haltAt = 0): Promise<void> {
    expect((await this.lines.next()).value).toBe("ready");
    this.process.stdin!.write(`${cache}\n${images}\n${haltAt}\n`);
    expect((await this.lines.next()).value).toBe("working");
  }

  /** What it computed, or null if it was killed before. */
  async outcome(): Promise<Outcome | null> {
    const { value, done } = await this.lines.next();
    return done === true ? null : (JSON.parse(value as string) as Outcome);
  }

  /** Waits until it stands still at its moment. */
  halted(): Promise<void> {
    return this.halt.reached();
  }

  /** How often it changed the cache, once it has ended. */
  changes(): Promise<number> {
    return this.halt.changes();
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
    return sha256(new Uint8Array(inMemory(features.values).buffer));
  } finally {
    delete process.env["BREAKHIS_CACHE"];
    rmSync(copy, { recursive: true });
  }
}

function emptyCache(): void {
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache);
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

it(`gives the same features after each of ${kills} kills in the middle of its writing, and leaves nothing behind`, async () => {
  const random = createRandom(2016).fork("moments");
  const undisturbed = nextWorker();
  await undisturbed.begin();
  const reference = (await undisturbed.outcome())!;
  expected = reference.digest;
  expect(reference).toMatchObject({ complete: true, fromCache: 0 });
  const changes = await undisturbed.changes();
  // Each image is looked at and computed: a temporary file and a rename each.
  expect(changes).toBeGreaterThan(4 * imageCount);

  let killedWithPart = 0;
  for (let killed = 0; killed < kills; killed++) {
    // A third of them go on with what the one before left, and may have less to do than up to their moment.
    if (killed % 3 !== 2) emptyCache();
    const moments = killed % 3 === 2 ? 20 : changes;
    const moment = 1 + Math.floor(random.next() * (moments - 1));
    const worker = nextWorker();
    await worker.begin(moment);
    await worker.halted();
    await worker.kill();
    expect(await worker.outcome()).toBeNull();
    const kept = readdirSync(cache).includes("features") ? entries("features").length : 0;
    if (kept > 0 && kept < imageCount) killedWithPart++;
    expect(await restartHere(killed)).toBe(expected);
  }
  // Kills in the middle of the writing are what this is about.
  expect(killedWithPart).toBeGreaterThan(kills / 4);

  const last = nextWorker();
  await last.begin();
  expect(await last.outcome()).toMatchObject({ digest: expected, complete: true });
  expect(entries("features").length).toBe(imageCount);
  // What is still there when nothing is left to write was left by the last kill alone.
  expect(unfinishedFiles().length).toBeLessThanOrEqual(2);
}, 1_200_000);

it("lets two processes fill one cache at once, also if one of them is killed", async () => {
  for (const killOne of [false, true]) {
    emptyCache();
    const both = [nextWorker(), nextWorker()] as const;
    await Promise.all([both[0].begin(killOne ? imageCount : 0), both[1].begin()]);
    if (killOne) await Promise.all([both[0].halted().then(() => both[0].kill()), both[1].outcome()]);
    const third = nextWorker();
    await third.begin();
    const outcomes = killOne ? [await third.outcome()] : await Promise.all(both.map((one) => one.outcome()));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ digest: expected, complete: true });
    await third.kill();
    expect(entries("features").length).toBe(imageCount);
    expect(await restartHere(0)).toBe(expected);
  }
});
