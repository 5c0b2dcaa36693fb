import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureDemoDataset, generateDemoDataset } from "../../../src/data/demo/demo";
import { parseBreakhisName } from "../../../src/data/layouts/breakhis";
import { requestStop } from "../../../src/runtime/interruption";
import { onProgress, type ProgressState } from "../../../src/runtime/progress";

const small = { patients: 8, imagesPerPatient: 2, width: 70, height: 46 };

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "demo-"));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

async function imagesIn(folder: string): Promise<string[]> {
  const files = await Promise.all(
    ["benign", "malignant"].map(async (part) =>
      (await readdir(join(folder, part))).map((name) => `${part}/${name}`),
    ),
  );
  return files.flat().sort();
}

async function pixelHashes(folder: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const file of await imagesIn(folder)) {
    const pixels = await sharp(join(folder, file)).raw().toBuffer();
    hashes.set(file, createHash("sha256").update(pixels).digest("hex"));
  }
  return hashes;
}

describe("generateDemoDataset", () => {
  it("names every image so that BreaKHis' parser reads class, subtype, patient and magnification", async () => {
    const folder = join(parent, "set");
    await generateDemoDataset(folder, small);
    const files = await imagesIn(folder);
    expect(files).toHaveLength(16);
    const parsed = files.map((file) => {
      const [part, name] = file.split("/");
      const fields = parseBreakhisName(name ?? "");
      expect(fields?.tumourClass).toBe(part);
      return fields;
    });
    expect(new Set(parsed.map((fields) => fields?.patient)).size).toBe(8);
    expect(new Set(parsed.map((fields) => fields?.slide)).size).toBe(16);
    expect(new Set(parsed.map((fields) => fields?.magnification))).toEqual(new Set([400]));
    expect(new Set(parsed.map((fields) => fields?.subtype))).toEqual(
      new Set(["A", "F", "PT", "TA", "DC", "LC", "MC", "PC"]),
    );
  });

  it("writes RGB images of the size asked for and no two alike", async () => {
    const folder = join(parent, "set");
    await generateDemoDataset(folder, small);
    for (const file of await imagesIn(folder)) {
      const { width, height, channels, format } = await sharp(join(folder, file)).metadata();
      expect({ width, height, channels, format }).toEqual({
        width: 70,
        height: 46,
        channels: 3,
        format: "png",
      });
    }
    expect(new Set((await pixelHashes(folder)).values()).size).toBe(16);
  });

  it("gives the same pixels for the same seed and others for another", async () => {
    await generateDemoDataset(join(parent, "one"), small);
    await generateDemoDataset(join(parent, "two"), small);
    await generateDemoDataset(join(parent, "three"), { ...small, seed: 7 });
    const first = await pixelHashes(join(parent, "one"));
    expect(await pixelHashes(join(parent, "two"))).toEqual(first);
    const other = await pixelHashes(join(parent, "three"));
    for (const [file, hash] of other) expect(hash).not.toBe(first.get(file));
  });

  it("keeps a patient's images when more patients are added", async () => {
    await generateDemoDataset(join(parent, "few"), { ...small, patients: 2 });
    await generateDemoDataset(join(parent, "many"), { ...small, patients: 4 });
    const many = await pixelHashes(join(parent, "many"));
    for (const [file, hash] of await pixelHashes(join(parent, "few"))) expect(many.get(file)).toBe(hash);
  });

  it("marks the folder as synthetic", async () => {
    const folder = join(parent, "set");
    await generateDemoDataset(folder, { ...small, seed: 7 });
    const text = await readFile(join(folder, "SYNTHETIC.md"), "utf8");
    expect(text).toContain("The 16 images in this folder (8 invented patients");
    expect(text).toContain("seed 7");
    expect(text).toContain("no medical conclusion");
  });

  it("leaves nothing behind when it is stopped, and keeps an earlier set", async () => {
    const folder = join(parent, "set");
    await generateDemoDataset(folder, small);
    const before = await pixelHashes(folder);
    const unsubscribe = onProgress(({ done }) => {
      if (done === 3) requestStop();
    });
    await expect(generateDemoDataset(folder, { ...small, seed: 7 })).rejects.toThrow(/stopped before/);
    unsubscribe();
    expect(await readdir(parent)).toEqual(["set"]);
    expect(await pixelHashes(folder)).toEqual(before);
  });

  it("does not replace a folder that is no demo set", async () => {
    await writeFile(join(parent, "precious.txt"), "mine");
    await expect(generateDemoDataset(parent, small)).rejects.toThrow(/is no demo set/);
    expect(await readFile(join(parent, "precious.txt"), "utf8")).toBe("mine");
  });

  it("reports its progress", async () => {
    const states: ProgressState[] = [];
    const unsubscribe = onProgress((state) => states.push(state));
    await generateDemoDataset(join(parent, "set"), small);
    unsubscribe();
    expect(states[0]).toMatchObject({ done: 0, total: 16, unit: "images", finished: false });
    expect(states[states.length - 1]).toMatchObject({ done: 16, finished: true });
  });

  it.each([
    [{ patients: 1 }, /"patients" must be an integer of at least 2, but it is 1/],
    [{ imagesPerPatient: 0.5 }, /"imagesPerPatient" must be an integer of at least 1, but it is 0.5/],
    [{ width: Number.NaN }, /"width" must be an integer of at least 32, but it is NaN/],
  ])("refuses %o", async (options, message) => {
    await expect(generateDemoDataset(join(parent, "set"), options)).rejects.toThrow(message);
    expect(await readdir(parent)).toEqual([]);
  });
});

describe("ensureDemoDataset", () => {
  it("draws a set once", async () => {
    const folder = join(parent, "set");
    expect(await ensureDemoDataset(folder, small)).toBe(folder);
    const marker = join(folder, "SYNTHETIC.md");
    const drawnAt = (await stat(marker)).mtimeMs;
    await ensureDemoDataset(folder, small);
    expect((await stat(marker)).mtimeMs).toBe(drawnAt);
  });

  it("draws it again when an image is missing or the options differ", async () => {
    const folder = join(parent, "set");
    await ensureDemoDataset(folder, small);
    const complete = await pixelHashes(folder);
    await rm(join(folder, (await imagesIn(folder))[5] ?? ""));
    await ensureDemoDataset(folder, small);
    expect(await pixelHashes(folder)).toEqual(complete);
    await ensureDemoDataset(folder, { ...small, imagesPerPatient: 3 });
    expect(await imagesIn(folder)).toHaveLength(24);
  });
});
