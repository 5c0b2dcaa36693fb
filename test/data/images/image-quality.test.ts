import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { type Dataset, openDataset } from "../../../src/data/dataset";
import {
  measureImages,
  measureQuality,
  qualityWidth,
  rankAmong,
  varianceOfLaplacian,
} from "../../../src/data/images/image-quality";
import { decodePicture } from "../../../src/data/images/images";
import { ruifrokVectors } from "../../../src/data/images/optical-density";
import { createRandom } from "../../../src/runtime/random";
import { drawImages } from "../../support/data/drawn-images";
import { type Mixture, mixImage } from "../../support/data/stained-images";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";
import { runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("quality");
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));

const plain = (width: number, height: number, colour: [number, number, number]) => ({
  pixels: Uint8Array.from({ length: 3 * width * height }, (_, i) => colour[i % 3]!),
  width,
  height,
});

describe("focus", () => {
  it("is what numpy computes", () => {
    const random = createRandom(3);
    const [width, height] = [23, 17];
    const greys = Float64Array.from({ length: width * height }, () => random.integer(256));
    const program = `
import json, sys, numpy as np
g = np.array(json.load(sys.stdin)).reshape(17, 23)
print((g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]).var())
`;
    const expected = Number(runPython(program, [], JSON.stringify(Array.from(greys))));
    expect(varianceOfLaplacian(greys, width, height)).toBeCloseTo(expected, 6);
  });

  it("falls the more an image is blurred", async () => {
    const size = 200;
    const sharpest = drawImages(1, size);
    const image = sharp(sharpest, { raw: { width: size, height: size, channels: 3 } });
    const focuses = [measureQuality({ pixels: sharpest, width: size, height: size }).focus];
    for (const sigma of [0.8, 1.5, 3]) {
      const pixels = new Uint8Array(await image.clone().blur(sigma).raw().toBuffer());
      focuses.push(measureQuality({ pixels, width: size, height: size }).focus);
    }
    for (let i = 1; i < focuses.length; i++) expect(focuses[i]).toBeLessThan(focuses[i - 1]!);
    expect(focuses[focuses.length - 1]).toBeLessThan(0.5 * focuses[0]!);
  });

  it("is 0 where there is nothing to see, or no inside", () => {
    expect(measureQuality(plain(20, 10, [180, 120, 160])).focus).toBeCloseTo(0, 9);
    expect(varianceOfLaplacian(Float64Array.of(1, 2, 3, 4), 2, 2)).toBe(0);
  });
});

describe("stain intensity, glass and brightness", () => {
  const width = 100;
  const mixture = (strength: [number, number], light: [number, number, number]): Mixture => ({
    ...ruifrokVectors,
    strength,
    light,
  });
  const measure = (mixed: Mixture) =>
    measureQuality({ pixels: mixImage(mixed, width * width, 4), width, height: width });

  it("are those of the mixture", () => {
    const light: [number, number, number] = [250, 250, 250];
    const found = measure(mixture([0.8, 0.4], light));
    // A tenth is glass. Of the rest 65 % and 65 % hold a dye, evenly from a quarter to all of its strength.
    expect(found.background).toBeCloseTo(0.1, 1);
    expect(found.haematoxylin).toBeCloseTo((0.8 * 0.625 * 0.65) / 0.9, 1);
    expect(found.eosin).toBeCloseTo((0.4 * 0.625 * 0.65) / 0.9, 1);
    const stronger = measure(mixture([1.2, 0.4], light));
    expect(stronger.haematoxylin / found.haematoxylin).toBeCloseTo(1.5, 1);
    expect(stronger.eosin).toBeCloseTo(found.eosin, 1);
    expect(stronger.brightness).toBeLessThan(found.brightness);
  });

  it("don't depend on the lamp, except brightness", () => {
    const bright = measure(mixture([0.8, 0.4], [255, 255, 255]));
    const dim = measure(mixture([0.8, 0.4], [205, 215, 205]));
    expect(dim.haematoxylin).toBeCloseTo(bright.haematoxylin, 2);
    expect(dim.eosin).toBeCloseTo(bright.eosin, 2);
    expect(dim.background).toBe(bright.background);
    expect(dim.brightness).toBeLessThan(bright.brightness);
  });

  it("are 0 and all on empty glass, and plain greys have their brightness", () => {
    const glass = measureQuality(plain(10, 10, [250, 250, 250]));
    expect(glass).toEqual({
      focus: 0,
      haematoxylin: 0,
      eosin: 0,
      background: 1,
      brightness: expect.closeTo(250),
    });
    // No glass in sight: compared with white light.
    expect(measureQuality(plain(10, 10, [60, 60, 60])).background).toBe(0);
  });
});

describe("measureImages", () => {
  let dataset: Dataset;
  const folder = join(home, "images");

  beforeAll(async () => {
    for (const [index, name] of ["benign", "malignant"].entries()) {
      mkdirSync(join(folder, name), { recursive: true });
      const pixels = drawImages(2, 60).subarray(index * 10_800, (index + 1) * 10_800);
      const png = sharp(pixels, { raw: { width: 60, height: 60, channels: 3 } })
        .resize(600, 400)
        .png();
      writeFileSync(join(folder, name, "a.png"), await png.toBuffer());
    }
    dataset = await openDataset(folder);
  });

  it("measures at the stated width and remembers by content", async () => {
    const [one, other] = dataset.records;
    const found = await measureImages(dataset, [other!, one!]);
    const picture = await decodePicture(join(folder, other!.file), qualityWidth);
    expect([picture.width, picture.height]).toEqual([448, 299]);
    expect(found[0]).toEqual(measureQuality(picture));
    expect(found[1]).not.toEqual(found[0]);
    rmSync(join(folder, other!.file));
    expect(await measureImages(dataset, [other!, one!])).toEqual(found);
    const changed = { ...other!, sha256: "ab".repeat(32) };
    await expect(measureImages(dataset, [changed])).rejects.toThrow(/no such file/);
    expect(await measureImages(dataset, [])).toEqual([]);
  });
});

describe("rankAmong", () => {
  it("holds in its example, and at the ends", () => {
    const [example] = docstringExamples("src/data/images/image-quality.ts");
    expect(evaluateExample(example!.code, { rankAmong })).toBe(Number(example!.expected));
    expect(rankAmong(0, [1, 2])).toBe(0);
    expect(rankAmong(3, [1, 2])).toBe(1);
    expect(rankAmong(3, [])).toBeNaN();
  });
});
