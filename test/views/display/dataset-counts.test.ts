import { describe, expect, it } from "vitest";
import { countImages, subtypeName } from "../../../src/views/display/dataset-counts";
import { exampleDataset } from "../../support/data/example-dataset";

describe("countImages", () => {
  const dataset = exampleDataset();

  it("counts classes in their own order", () => {
    expect(countImages(dataset, "class")).toEqual([
      { value: "benign", perClass: [3, 0], total: 3 },
      { value: "malignant", perClass: [0, 5], total: 5 },
    ]);
  });

  it("keeps a class without images", () => {
    const empty = exampleDataset({ classes: ["benign", "malignant", "normal"], positiveClass: null });
    expect(countImages(empty, "class").at(-1)).toEqual({ value: "normal", perClass: [0, 0, 0], total: 0 });
  });

  it("orders patients by their number of images and names the unknown", () => {
    expect(countImages(dataset, "patient").map(({ value, total }) => [value, total])).toEqual([
      ["7", 2],
      ["8", 2],
      ["22549", 2],
      ["100", 1],
      ["unknown", 1],
    ]);
  });

  it("orders magnifications by size", () => {
    expect(countImages(dataset, "magnification").map((count) => count.value)).toEqual([
      "40×",
      "100×",
      "400×",
      "unknown",
    ]);
  });

  it.each(["class", "subtype", "patient", "magnification", "size", "year"] as const)(
    "loses no image when counting by %s",
    (by) => {
      const totals = countImages(dataset, by).map((count) => count.total);
      expect(totals.reduce((sum, total) => sum + total, 0)).toBe(dataset.records.length);
    },
  );
});

describe("subtypeName", () => {
  it("spells BreaKHis codes out and leaves others as they are", () => {
    expect(subtypeName("LC")).toBe("lobular carcinoma (LC)");
    expect(subtypeName("XY")).toBe("XY");
    expect(subtypeName(null)).toBe("unknown");
  });
});
