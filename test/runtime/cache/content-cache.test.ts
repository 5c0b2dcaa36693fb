import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readEntry, writeEntry } from "../../../src/runtime/cache/content-cache";
import { sha256 } from "../../../src/runtime/cache/content-hash";

const key = sha256("what the content depends on");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "breakhis-cache-"));
  vi.stubEnv("BREAKHIS_CACHE", folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe("content cache", () => {
  it("gives back what was written, and null for what was not", async () => {
    expect(await readEntry("features", key)).toBeNull();
    await writeEntry("features", key, Buffer.from("content"));
    expect((await readEntry("features", key))?.toString()).toBe("content");
  });

  it.each([
    ["a changed byte", (file: Buffer) => Buffer.concat([file.subarray(0, -1), Buffer.from("X")])],
    ["a cut end", (file: Buffer) => file.subarray(0, -1)],
    ["a cut checksum", (file: Buffer) => file.subarray(0, 5)],
    ["nothing at all", () => Buffer.alloc(0)],
  ])("treats an entry with %s as absent and removes it", async (_, damage) => {
    await writeEntry("features", key, Buffer.from("content"));
    const path = join(folder, "features", key.slice(0, 2), key);
    writeFileSync(path, damage(readFileSync(path)));
    expect(await readEntry("features", key)).toBeNull();
    expect(readdirSync(join(folder, "features", key.slice(0, 2)))).toEqual([]);
  });

  it("lets many writers of one entry finish with a whole one", async () => {
    const content = Buffer.alloc(100_000, 7);
    await Promise.all(Array.from({ length: 20 }, () => writeEntry("features", key, content)));
    expect((await readEntry("features", key))?.equals(content)).toBe(true);
    expect(readdirSync(join(folder, "features", key.slice(0, 2)))).toEqual([key]);
  });

  it.each([
    ["../../etc", key] as const,
    ["features", "../passwd"] as const,
    ["features", "A".repeat(64)] as const,
  ])("refuses the kind %s with the key %s", async (kind, badKey) => {
    await expect(readEntry(kind, badKey)).rejects.toThrow(RangeError);
    await expect(writeEntry(kind, badKey, Buffer.alloc(1))).rejects.toThrow(RangeError);
  });
});

describe("sha256", () => {
  it("gives the published value for the empty input", () => {
    const ofNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(sha256("")).toBe(ofNothing);
  });
});
