import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { openDataset } from "../../../src/data/dataset";
import { decodeBatches } from "../../../src/data/images/decode-batches";
import { forgetStretched, takeStretched } from "../../../src/data/images/stretched-images";
import { imageFile } from "../../../src/data/record";
import { drawImages } from "../../support/data/drawn-images";
import { temporaryFolder } from "../../support/temporary-folder";

const root = temporaryFolder("stretched-images");
const folder = join(root, "set");
const size = 40;

beforeAll(async () => {
  const pixels = drawImages(6, 64);
  for (let i = 0; i < 6; i++) {
    const place = join(folder, i % 2 === 0 ? "benign" : "malignant");
    mkdirSync(place, { recursive: true });
    const one = pixels.subarray(i * 64 * 64 * 3, (i + 1) * 64 * 64 * 3);
    await sharp(one, { raw: { width: 64, height: 64, channels: 3 } }).toFile(join(place, `p${i}-1.png`));
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  forgetStretched();
});

let caches = 0;
const open = (stretchTo?: number) => {
  vi.stubEnv("BREAKHIS_CACHE", join(root, `cache-${caches++}`));
  return openDataset(folder, stretchTo === undefined ? {} : { stretchTo });
};

async function decode(dataset: Awaited<ReturnType<typeof open>>): Promise<Buffer> {
  const files = dataset.records.map((record) => imageFile(dataset, record));
  const batches: Uint8Array[] = [];
  for await (const { pixels } of decodeBatches(files, size, 4)) batches.push(pixels);
  return Buffer.concat(batches);
}

describe("images that were looked into for features", () => {
  it("are decoded once, to the bytes that decoding them again gives", async () => {
    const expected = await decode(await open());
    const dataset = await open(size);
    // Without their files, they can only come from what was kept.
    renameSync(folder, `${folder}-aside`);
    try {
      expect((await decode(dataset)).equals(expected)).toBe(true);
    } finally {
      renameSync(`${folder}-aside`, folder);
    }
    expect(dataset.records.map(({ sha256 }) => takeStretched(sha256, size))).toEqual(
      dataset.records.map(() => null),
    );
  });

  it("are kept in the size that was asked for alone, and only where it was", async () => {
    const [first] = (await open(size)).records;
    expect(takeStretched(first!.sha256, size + 1)).toBeNull();
    expect(takeStretched(first!.sha256, size)).toHaveLength(size * size * 3);
    forgetStretched();
    const [again] = (await open()).records;
    expect(takeStretched(again!.sha256, size)).toBeNull();
  });
});
