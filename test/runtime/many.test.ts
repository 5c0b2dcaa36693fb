import { describe, expect, it } from "vitest";
import type { ImageRecord } from "../../src/data/dataset";
import { splitByImage, splitByPatient, splitParts } from "../../src/data/split/split";
import { fitFamiliarity } from "../../src/model/classifier/fit-familiarity";
import type { Features } from "../../src/model/features/features";
import { largest, pushAll, smallest } from "../../src/runtime/many";
import { plotMeanColours } from "../../src/views/dataset/dataset-figures";
import { figureTableHtml } from "../../src/views/display/figure-table";
import { exampleDataset, exampleRecord } from "../support/data/example-dataset";

describe("smallest, largest, pushAll", () => {
  it("answer as Math.min, Math.max and push do, also of nothing and of NaN", () => {
    for (const values of [[], [2], [3, -1, 2], [1, Number.NaN, 0], [-0, 0], [Number.NEGATIVE_INFINITY]]) {
      expect(smallest(values)).toBe(Math.min(...values));
      expect(largest(Float64Array.from(values))).toBe(Math.max(...values));
    }
    const list = [1, 2];
    pushAll(list, new Set([3, 4]));
    expect(list).toEqual([1, 2, 3, 4]);
  });
});

describe("300,000 images, more than a call can take as arguments", () => {
  const count = 300_000;
  const patients = 300;
  const records = Array.from(
    { length: count },
    (_, i): ImageRecord =>
      exampleRecord({
        file: `${String(i).padStart(6, "0")}.png`,
        label: (i % patients) % 2,
        patient: String(i % patients),
        sha256: String(i),
        meanColour: [200, 100 + (i % 50), 180],
      }),
  );
  const dataset = exampleDataset({ records });
  const split = splitByPatient(dataset, 1);

  it("are split, each into one part", () => {
    for (const { train, validation, test } of [split, splitByImage(dataset, 1)]) {
      const rows = new Set([...train, ...validation, ...test]);
      expect(rows.size).toBe(count);
      expect(train.length + validation.length + test.length).toBe(count);
      expect(train.length).toBeGreaterThan(125_000);
    }
    const partOf = new Map(splitParts.flatMap((part) => split[part].map((row) => [row, part] as const)));
    expect(records.filter((_, row) => partOf.get(row) !== partOf.get(row % patients))).toEqual([]);
  });

  it("are remembered as what a classifier is used to", () => {
    const features: Features = {
      backbone: "resnet50",
      width: 2,
      values: Float32Array.from({ length: 2 * count }, (_, i) => 1 + (i % 7)),
      count,
      complete: true,
      computed: count,
      fromCache: 0,
      seconds: 0,
    };
    const [train, validation] = [[...records.keys()].slice(100), [...records.keys()].slice(0, 100)];
    const { size } = fitFamiliarity(dataset, { train, validation }, features);
    const { width, height } = records[0]!;
    expect(size.shorterSide).toEqual({
      least: Math.min(width, height) / 2,
      most: 2 * Math.min(width, height),
    });
  });

  it("are drawn, with a table for readers without scripts", () => {
    const figure = plotMeanColours(dataset, "class");
    // Far fewer points are drawn, and the title says of how many.
    expect(JSON.stringify(figure).length).toBeLessThan(10_000_000);
    expect(JSON.stringify(figure.layout)).toContain("300,000");
    expect(figureTableHtml(figure)).toMatch(/and [\d,]+ more values/);
  });
});
