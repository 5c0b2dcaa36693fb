import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { removeLeftovers, unfinishedFolder } from "../../../src/runtime/cache/cache-leftovers";
import { readEntry, writeEntry } from "../../../src/runtime/cache/content-cache";
import { sha256 } from "../../../src/runtime/cache/content-hash";
import { unfinishedName } from "../../../src/runtime/files/leftovers";
import { temporaryFolder } from "../../support/temporary-folder";

const root = temporaryFolder("leftovers");
let count = 0;
let cache: string;
let unfinished: string;

beforeEach(() => {
  cache = join(root, String(count++));
  unfinished = join(cache, "features", unfinishedFolder);
  mkdirSync(unfinished, { recursive: true });
  vi.stubEnv("BREAKHIS_CACHE", cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** The number of a process that has ended. */
function endedProcess(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

const dead = () => `${hostname()}~${endedProcess()}~x`;

describe("half-written files", () => {
  it("of a process that has ended are removed by the next one that writes", async () => {
    writeFileSync(join(unfinished, dead()), "half");
    const key = sha256("a");
    await writeEntry("features", key, Buffer.from("whole"));
    expect(readdirSync(unfinished)).toEqual([]);
    expect((await readEntry("features", key))?.toString()).toBe("whole");
  });

  it("of living processes and of other machines stay for a day", async () => {
    const mine = join(unfinished, unfinishedName());
    const foreign = join(unfinished, `elsewhere~${endedProcess()}~x`);
    const strange = join(unfinished, "nobody knows");
    for (const path of [mine, foreign, strange]) writeFileSync(path, "half");
    expect(await removeLeftovers(join(cache, "features"))).toBe(0);
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
    utimesSync(foreign, twoDaysAgo, twoDaysAgo);
    expect(await removeLeftovers(join(cache, "features"))).toBe(1);
    expect([existsSync(mine), existsSync(foreign), existsSync(strange)]).toEqual([true, false, true]);
  });

  it("are not left by a write that fails", async () => {
    const key = sha256("b");
    writeFileSync(join(cache, "features", key.slice(0, 2)), "a file where a folder should be");
    await expect(writeEntry("features", key, Buffer.from("whole"))).rejects.toThrow();
    expect(readdirSync(unfinished)).toEqual([]);
  });
});
