import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { estimateLamp } from "../../../src/data/images/lamp";
import { angleBetween, deconvolver, ruifrokVectors } from "../../../src/data/images/optical-density";
import { estimateStains, normaliseStains, type Stains } from "../../../src/data/images/stain";
import { jitterStains, strongJitter } from "../../../src/data/images/stain-jitter";
import { combineStains, fitStainReference } from "../../../src/data/images/stain-reference";
import { median, percentile, quantileOf } from "../../../src/runtime/percentile";
import { createRandom } from "../../../src/runtime/random";
import { laboratories, type Mixture, mixImage, unit } from "../../support/data/stained-images";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";
import { runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const pixelCount = 20_000;
const [first, second] = laboratories;

function stainsOf(pixels: Uint8Array): Stains {
  const estimate = estimateStains(pixels);
  if (estimate.found === false) throw new Error(estimate.reason);
  return estimate.stains;
}

const referenceOf = (mixture: Mixture, seed = 1) =>
  combineStains([stainsOf(mixImage(mixture, pixelCount, seed))]);

/** Mean absolute difference, in steps of 0..255. */
function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

describe("estimateLamp", () => {
  it("finds the colour of glass", () => {
    const { light, seen } = estimateLamp(mixImage(second, pixelCount, 3));
    expect(seen).toBe(true);
    light.forEach((value, channel) => {
      expect(value).toBeCloseTo(second.light[channel]!, 0);
    });
  });

  it("assumes white light where there is no glass, or nothing at all", () => {
    expect(estimateLamp(new Uint8Array(300).fill(120))).toEqual({ light: [255, 255, 255], seen: false });
    expect(estimateLamp(new Uint8Array(0)).seen).toBe(false);
  });
});

describe("estimateStains", () => {
  it.each(laboratories)("finds the colours and strengths that an image was mixed of (%#)", (mixture) => {
    const stains = stainsOf(mixImage(mixture, pixelCount, 5));
    expect(angleBetween(stains.haematoxylin, mixture.haematoxylin)).toBeLessThan(2);
    expect(angleBetween(stains.eosin, mixture.eosin)).toBeLessThan(2);
    // The amounts are uniform below their largest.
    expect(stains.strongest[0] / mixture.strength[0]).toBeCloseTo(0.98, 1);
    expect(stains.strongest[1] / mixture.strength[1]).toBeCloseTo(0.98, 1);
  });

  it("agrees with numpy's singular vectors and percentiles", () => {
    const pixels = mixImage(second, 2_000, 6);
    const program = `
import json, sys, numpy as np
pixels = np.array(json.load(sys.stdin), float).reshape(-1, 3)
least = pixels.min(1)
light = pixels[least >= np.sort(least)[-len(pixels) // 100]].mean(0)
density = np.log10(light / np.maximum(pixels, 1))
density = density[np.linalg.norm(density, axis=1) >= 0.15]
plane = np.linalg.svd(density, full_matrices=False)[2][:2].T
plane[:, 0] *= np.sign(plane[:, 0].sum())
angles = np.arctan2(*(density @ plane).T[::-1])
stains = np.stack([plane @ [np.cos(a), np.sin(a)] for a in np.percentile(angles, [1, 99])])
stains = stains[np.argsort(-stains[:, 0])]
amounts = np.linalg.lstsq(stains.T, density.T, rcond=None)[0]
print(json.dumps([*stains.tolist(), np.percentile(amounts, 99, axis=1).tolist()]))
`;
    const expected = JSON.parse(runPython(program, [], JSON.stringify(Array.from(pixels)))) as number[][];
    const { haematoxylin, eosin, strongest } = stainsOf(pixels);
    [haematoxylin, eosin, strongest].flat().forEach((value, i) => {
      expect(value).toBeCloseTo(expected.flat()[i]!, 9);
    });
  });

  it("says why where there is no tissue, or one stain only", () => {
    const white = new Uint8Array(3 * pixelCount).fill(255);
    expect(estimateStains(white)).toEqual({ found: false, reason: "hardly any of it is tissue" });
    expect(estimateStains(new Uint8Array(0)).found).toBe(false);
    for (const strength of [[0.8, 0] as const, [0, 0.5] as const]) {
      const pixels = mixImage({ ...first, strength: [...strength] }, pixelCount, 2);
      expect(estimateStains(pixels)).toEqual({
        found: false,
        reason: "there is one stain in it, not two",
      });
    }
    // Grey, as a photograph without colour.
    const grey = Uint8Array.from({ length: 3 * pixelCount }, (_, i) => 60 + (Math.floor(i / 3) % 190));
    expect(estimateStains(grey).found).toBe(false);
  });
});

describe("normaliseStains", () => {
  it("brings two stainings of the same tissue together", () => {
    const [one, two] = [mixImage(first, pixelCount, 9), mixImage(second, pixelCount, 9)];
    expect(meanDifference(one, two)).toBeGreaterThan(20);
    const reference = referenceOf(first);
    const [a, b] = [normaliseStains(one, reference), normaliseStains(two, reference)];
    expect([a.changed, b.changed, a.reason]).toEqual([true, true, null]);
    expect(meanDifference(a.pixels, b.pixels)).toBeLessThan(3);
    // And both near to the tissue as the reference's laboratory would have stained it, which is what `one` is.
    expect(meanDifference(b.pixels, one)).toBeLessThan(4);
  });

  it("leaves what it has normalised nearly as it is", () => {
    const reference = referenceOf(second);
    const once = normaliseStains(mixImage(first, pixelCount, 4), reference).pixels;
    expect(meanDifference(normaliseStains(once, reference).pixels, once)).toBeLessThan(1);
  });

  it("makes glass white and leaves the pixels that it was given alone", () => {
    const pixels = mixImage(second, pixelCount, 4);
    const copy = pixels.slice();
    const { pixels: normalised } = normaliseStains(pixels, referenceOf(first));
    expect(pixels).toEqual(copy);
    const glass = Array.from({ length: pixelCount }, (_, i) => i).filter((i) => pixels[3 * i] === 228);
    expect(glass.length).toBeGreaterThan(1000);
    for (const i of glass) expect([...normalised.subarray(3 * i, 3 * i + 3)]).toEqual([255, 255, 255]);
  });

  it("returns unchanged, and says so, what it can't normalise", () => {
    const white = new Uint8Array(300).fill(250);
    const result = normaliseStains(white, referenceOf(first));
    expect(result).toMatchObject({ changed: false, reason: "hardly any of it is tissue" });
    expect(result.pixels).toBe(white);
  });
});

describe("jitterStains", () => {
  const pixels = mixImage(second, pixelCount, 8);

  it("changes nothing at strength 0, and more the stronger it is", () => {
    expect(jitterStains(pixels, createRandom(1), 0)).toEqual(pixels.map((value) => Math.max(1, value)));
    const light = meanDifference(jitterStains(pixels, createRandom(1), 0.05), pixels);
    const strong = meanDifference(jitterStains(pixels, createRandom(1), strongJitter), pixels);
    expect(light).toBeGreaterThan(0.3);
    expect(strong).toBeGreaterThan(2 * light);
    expect(() => jitterStains(pixels, createRandom(1), 1)).toThrow(RangeError);
    expect(() => jitterStains(pixels, createRandom(1), Number.NaN)).toThrow(RangeError);
  });

  it("changes the amount of each dye by the factor and the offset drawn", () => {
    // Unmixed with the vectors that it works with, the changes must be straight lines of the drawn slopes.
    const mixture = { ...first, strength: [0.6, 0.5] as [number, number] };
    const before = mixImage(mixture, 4_000, 8);
    const after = jitterStains(before, createRandom(7), strongJitter);
    const draws = createRandom(7);
    const [hFactor, hOffset] = [draws.next(), draws.next()];
    const [eFactor, eOffset] = [draws.next(), draws.next()];
    const unmix = deconvolver(ruifrokVectors);
    const amounts = (values: Uint8Array, i: number) => {
      const density = (channel: number) => Math.log10(255 / Math.max(1, values[3 * i + channel]!));
      return unmix([density(0), density(1), density(2)]);
    };
    const changed = (amount: number, factor: number, offset: number) =>
      amount * (1 + strongJitter * (2 * factor - 1)) + (strongJitter * (2 * offset - 1)) / Math.LN10;
    let compared = 0;
    for (let i = 0; i < 4_000; i++) {
      const values = after.subarray(3 * i, 3 * i + 3);
      // Near black and white 8 bits are too coarse, and at white they are cut off.
      if (Math.min(...values) < 60 || Math.max(...values) > 250) continue;
      const [was, is] = [amounts(before, i), amounts(after, i)];
      expect(Math.abs(is[0] - changed(was[0], hFactor, hOffset))).toBeLessThan(0.01);
      expect(Math.abs(is[1] - changed(was[1], eFactor, eOffset))).toBeLessThan(0.01);
      compared++;
    }
    expect(compared).toBeGreaterThan(500);
  });
});

describe("fitStainReference", () => {
  const folder = temporaryFolder("stain");
  const size = 60;

  async function write(name: string, pixels: Uint8Array): Promise<string> {
    const path = join(folder, name);
    writeFileSync(
      path,
      await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
        .png()
        .toBuffer(),
    );
    return path;
  }

  it("takes the middle of the images' stains, and leaves out what shows none", async () => {
    const paths = [
      await write("1.png", mixImage(first, size * size, 1)),
      await write("2.png", mixImage(first, size * size, 2)),
      await write("3.png", mixImage(second, size * size, 3)),
      await write("white.png", new Uint8Array(size * size * 3).fill(255)),
    ];
    const reference = await fitStainReference(paths, size);
    expect(reference.images).toBe(3);
    expect(angleBetween(reference.haematoxylin, first.haematoxylin)).toBeLessThan(3);
    expect(angleBetween(reference.eosin, first.eosin)).toBeLessThan(3);
    expect(reference.strongest[0]).toBeCloseTo(0.98 * first.strength[0], 1);
    expect(Math.hypot(...reference.eosin)).toBeCloseTo(1, 12);
    await expect(fitStainReference(paths.slice(3), size)).rejects.toThrow(/None of 1 images shows/);
    await expect(fitStainReference([join(folder, "none.png")], size)).rejects.toThrow(/no such file/);
  });
});

describe("what stains are computed with", () => {
  it("takes percentiles as numpy does", () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6];
    const sorted = [...values].sort((a, b) => a - b);
    const percents = [0, 1, 37, 50, 99, 100];
    const program =
      "import json, sys, numpy as np; print(json.dumps(np.percentile(*json.load(sys.stdin)).tolist()))";
    const expected = JSON.parse(runPython(program, [], JSON.stringify([values, percents])));
    percents.forEach((percent, i) => {
      expect(percentile(sorted, percent)).toBeCloseTo(expected[i], 12);
    });
    expect(median(values)).toBe(3.5);
    expect(() => percentile([], 50)).toThrow(RangeError);
    for (const { code, expected: promised } of docstringExamples("src/runtime/percentile.ts")) {
      expect(evaluateExample(code, { percentile, quantileOf })).toBe(Number(promised));
    }
  });

  it("can't tell apart two dyes of one colour", () => {
    const red = unit([1, 0.2, 0.1]);
    expect(() => deconvolver({ haematoxylin: red, eosin: red })).toThrow(RangeError);
  });
});
