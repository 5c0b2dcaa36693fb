import { describe, expect, it } from "vitest";
import { drawNucleus, type Nucleus } from "../../../src/data/demo/demo-cells";
import { makeNoiseTiles, sampleNoise, smoothStep } from "../../../src/data/demo/demo-noise";
import { demoImageName, drawDemoImage, inventPatients } from "../../../src/data/demo/demo-patients";
import { crowd } from "../../../src/data/demo/demo-scene";
import { emptySection } from "../../../src/data/demo/demo-section";
import {
  distanceField,
  fieldGradient,
  inverted,
  sampleField,
  scatterOvals,
} from "../../../src/data/demo/demo-shapes";
import { drawLaboratory, type Laboratory, photograph } from "../../../src/data/demo/demo-stain";
import { createRandom } from "../../../src/runtime/random";

const noise = makeNoiseTiles(createRandom(1));

describe("noise", () => {
  it("has mean 0 and standard deviation 1", () => {
    for (const tile of [noise.cloud, noise.grain, noise.white]) {
      const mean = tile.reduce((sum, value) => sum + value, 0) / tile.length;
      const variance = tile.reduce((sum, value) => sum + (value - mean) ** 2, 0) / tile.length;
      expect(mean).toBeCloseTo(0, 1);
      expect(Math.sqrt(variance)).toBeCloseTo(1, 1);
    }
  });

  it("wraps around without a seam and interpolates in between", () => {
    expect(sampleNoise(noise.cloud, 3, 5)).toBe(sampleNoise(noise.cloud, 3 + 512, 5 - 512));
    const [left, right] = [sampleNoise(noise.cloud, 511, 7), sampleNoise(noise.cloud, 512, 7)];
    expect(sampleNoise(noise.cloud, 511.25, 7)).toBeCloseTo(0.75 * left + 0.25 * right, 6);
  });

  it("steps smoothly in both directions", () => {
    expect([0, 1, 2, 3, 4].map((value) => smoothStep(1, 3, value))).toEqual([0, 0, 0.5, 1, 1]);
    expect([0, 1, 2, 3, 4].map((value) => smoothStep(3, 1, value))).toEqual([1, 1, 0.5, 0, 0]);
  });
});

describe("distance fields", () => {
  const still = { tile: noise.cloud, amount: 0, grain: 1, x: 0, y: 0 };

  it("measure the distance to a circle's outline, positive inside", () => {
    const circle = { x: 300, y: 200, radiusX: 80, radiusY: 80, angle: 0.3 };
    const field = distanceField({ ovals: [circle] }, 460, still);
    expect(sampleField(field, 300 + 40, 200)).toBeCloseTo(40, 3);
    expect(sampleField(field, 300, 200 - 120)).toBeCloseTo(-40, 3);
    expect(sampleField(inverted(field), 300, 200 - 120)).toBeCloseTo(40, 3);
    const slope = fieldGradient(field, 300 + 40, 200);
    expect(slope.x).toBeCloseTo(-1, 2);
    expect(slope.y).toBeCloseTo(0, 2);
  });

  it("measure the distance to a band, also beyond its ends", () => {
    const points = [
      { x: 100, y: 100 },
      { x: 200, y: 100 },
    ];
    const field = distanceField({ bands: [{ points, radius: 20 }] }, 460, still);
    expect(sampleField(field, 152, 112)).toBeCloseTo(8, 3);
    expect(sampleField(field, 240, 100)).toBeCloseTo(-20, 3);
  });

  it("keep scattered circles apart", () => {
    const plan = { count: 30, radius: [30, 50] as [number, number], gap: 12, roundness: 1 };
    const ovals = scatterOvals(createRandom(5), 460, plan);
    expect(ovals.length).toBeGreaterThan(10);
    for (const [i, one] of ovals.entries()) {
      for (const other of ovals.slice(i + 1)) {
        const apart = Math.hypot(one.x - other.x, one.y - other.y);
        expect(apart).toBeGreaterThan(0.88 * (one.radiusX + other.radiusX));
      }
    }
  });
});

describe("crowd", () => {
  it("gives a place once and lets neighbours touch", () => {
    const taken = crowd();
    expect(taken.claim(100, 100, 10)).toBe(true);
    expect(taken.claim(119, 100, 10)).toBe(false);
    expect(taken.claim(120, 100, 10)).toBe(true);
    expect(taken.claim(63, 64, 8)).toBe(true);
    expect(taken.claim(66, 64, 8)).toBe(false); // in the next bucket
  });
});

describe("photograph", () => {
  const exact: Laboratory = {
    haematoxylinVector: [0.65, 0.7, 0.29],
    eosinVector: [0.1, 0.95, 0.3],
    haematoxylinStrength: 1,
    eosinStrength: 0.5,
    lamp: [240, 250, 230],
    vignette: 0,
    blur: 1,
    cameraNoise: 0,
  };

  it("absorbs light as Beer and Lambert say", () => {
    const section = emptySection(70, 46);
    section.haematoxylin.fill(0.5);
    section.eosin.fill(0.4);
    const pixels = photograph(section, exact, noise, 0);
    expect(pixels).toHaveLength(70 * 46 * 3);
    const expected = [
      240 * 10 ** -(0.5 * 0.65 + 0.4 * 0.5 * 0.1),
      250 * 10 ** -(0.5 * 0.7 + 0.4 * 0.5 * 0.95),
      230 * 10 ** -(0.5 * 0.29 + 0.4 * 0.5 * 0.3),
    ];
    for (const at of [0, 70 * 23 + 35, 70 * 46 - 1]) {
      for (const channel of [0, 1, 2]) {
        expect(Math.abs(pixels[3 * at + channel]! - expected[channel]!)).toBeLessThan(1.2);
      }
    }
  });

  it.each([0.6, 2.5])("blurs a point to a Gaussian of deviation %d without losing dye", (blur) => {
    const section = emptySection(700, 41);
    section.haematoxylin[20 * 700 + 350] = 1;
    photograph(section, { ...exact, blur }, noise, 0);
    let [sum, variance] = [0, 0];
    for (const [i, dye] of section.haematoxylin.entries()) {
      sum += dye;
      variance += dye * ((i % 700) - 350) ** 2;
    }
    expect(sum).toBeCloseTo(1, 4);
    // Five taps cut a wide bell's tails off, so its deviation comes out up to a tenth too small.
    expect(Math.sqrt(variance) / blur).toBeGreaterThan(0.88);
    expect(Math.sqrt(variance) / blur).toBeLessThan(1.02);
  });

  it("makes patients' sections unlike each other", () => {
    const lamps = [1, 2, 3].map((seed) => drawLaboratory(createRandom(seed)).lamp.join());
    expect(new Set(lamps).size).toBe(3);
  });
});

describe("drawNucleus", () => {
  it("dyes an oval of the given size and nothing else", () => {
    const section = emptySection(700, 460);
    const nucleus: Nucleus = {
      x: 350,
      y: 230,
      long: 40,
      short: 20,
      angle: 0,
      irregularity: 0,
      stain: 0.9,
      vesicular: 0,
      clumping: 0,
      nucleoli: [],
      taper: 0,
      bend: 0,
    };
    drawNucleus(section, nucleus, noise, createRandom(2));
    const at = (x: number, y: number) => section.haematoxylin[y * 700 + x]!;
    expect(at(350, 230)).toBeCloseTo(0.9, 5);
    expect(at(385, 230)).toBeCloseTo(0.9, 5);
    expect(at(395, 230)).toBe(0);
    expect(at(350, 245)).toBeCloseTo(0.9, 5);
    expect(at(350, 255)).toBe(0);
    const area = section.haematoxylin.reduce((sum, dye) => sum + dye / 0.9, 0);
    expect(area / (Math.PI * 40 * 20)).toBeCloseTo(1, 1);
  });
});

describe("drawDemoImage", () => {
  const size = { width: 70, height: 46 };
  const patients = inventPatients(16, createRandom(3));

  it("does not depend on the order in which images are drawn", () => {
    const [first, second] = [patients[0]!, patients[1]!];
    const forwards = [drawDemoImage(first, 0, size, noise), drawDemoImage(second, 3, size, noise)];
    const backwards = [drawDemoImage(second, 3, size, noise), drawDemoImage(first, 0, size, noise)].reverse();
    expect(backwards).toEqual(forwards);
  });

  it("gives malignant patients more atypia, with an overlap", () => {
    const many = inventPatients(200, createRandom(3));
    const atypia = (tumourClass: string) =>
      many.filter((patient) => patient.tumourClass === tumourClass).map((patient) => patient.atypia);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(atypia("malignant")) - mean(atypia("benign"))).toBeGreaterThan(0.3);
    expect(Math.max(...atypia("benign"))).toBeGreaterThan(Math.min(...atypia("malignant")));
  });

  it("spreads a patient's images over two slides", () => {
    const names = [0, 1, 2].map((image) => demoImageName(patients[1]!, image, 3));
    expect(names).toEqual([
      "SOB_M_DC-26-90002AB-400-001.png",
      "SOB_M_DC-26-90002AB-400-002.png",
      "SOB_M_DC-26-90002CD-400-003.png",
    ]);
  });
});
