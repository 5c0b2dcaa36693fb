import { describe, expect, it } from "vitest";
import { countBy, countTable } from "../../src/data/counts";
import { openDataset } from "../../src/data/dataset";
import { eachAnImage, useTemporaryFolders, writeTree } from "../support/data/image-files";
import { breakhisSample, hasSharedData } from "../support/data/shared-data";

const temporary = useTemporaryFolders();

async function dataset() {
  await writeTree(
    temporary.folder(),
    eachAnImage([
      "benign/SOB_B_A-14-22549AB-40-001.png",
      "benign/SOB_B_A-14-22549CD-100-001.png",
      "benign/unnamed.png",
      "malignant/SOB_M_DC-15-2980-40-001.png",
    ]),
  );
  return openDataset(temporary.folder());
}

describe("countBy", () => {
  it("counts images, patients and classes by each key, unknown last", async () => {
    const set = await dataset();
    expect(countBy(set, "magnification")).toEqual([
      { value: "40", images: 2, patients: 2, perClass: [1, 1] },
      { value: "100", images: 1, patients: 1, perClass: [1, 0] },
      { value: "unknown", images: 1, patients: 0, perClass: [1, 0] },
    ]);
    expect(countBy(set, "subtype").map(({ value, images }) => [value, images])).toEqual([
      ["A", 2],
      ["DC", 1],
      ["unknown", 1],
    ]);
    expect(countBy(set, "patient").map(({ value, images }) => [value, images])).toEqual([
      ["2980", 1],
      ["22549", 2],
      ["unknown", 1],
    ]);
    expect(countBy(set, "slide").map(({ value }) => value)).toEqual([
      "2980",
      "22549AB",
      "22549CD",
      "unknown",
    ]);
    expect(countBy(set, "year").map(({ value }) => value)).toEqual(["2014", "2015", "unknown"]);
    expect(countBy(set, "size")).toEqual([{ value: "12 × 8", images: 4, patients: 2, perClass: [3, 1] }]);
    expect(countBy(set, "part")).toEqual([{ value: "unknown", images: 4, patients: 2, perClass: [3, 1] }]);
  });

  it("shows a class without images too", async () => {
    const set = await dataset();
    const benignOnly = { ...set, records: set.records.filter(({ label }) => label === 0) };
    expect(countBy(benignOnly, "class")).toEqual([
      { value: "benign", images: 3, patients: 1, perClass: [3, 0] },
      { value: "malignant", images: 0, patients: 0, perClass: [0, 0] },
    ]);
  });
});

describe("countTable", () => {
  it("is flat, without columns that would say the same twice", async () => {
    const set = await dataset();
    expect(countTable(set, "subtype")[0]).toEqual({
      subtype: "A",
      images: 2,
      patients: 1,
      benign: 2,
      malignant: 0,
    });
    expect(countTable(set, "class")).toEqual([
      { class: "benign", images: 3, patients: 1 },
      { class: "malignant", images: 1, patients: 1 },
    ]);
    expect(countTable(set, "patient")[0]).toEqual({ patient: "2980", images: 1, benign: 0, malignant: 1 });
  });

  it.skipIf(!hasSharedData)("counts the real sample", async () => {
    const set = await openDataset(breakhisSample);
    expect(countTable(set, "class")).toEqual([
      { class: "benign", images: 44, patients: 8 },
      { class: "malignant", images: 46, patients: 17 },
    ]);
    expect(countBy(set, "magnification").map(({ value, images }) => `${value}: ${images}`)).toEqual([
      "40: 17",
      "100: 37",
      "200: 20",
      "400: 12",
      "unknown: 4",
    ]);
    expect(countBy(set, "subtype").reduce((sum, { images }) => sum + images, 0)).toBe(90);
    expect(countBy(set, "patient")).toHaveLength(25);
    expect(Math.max(...countBy(set, "patient").map(({ images }) => images))).toBeLessThanOrEqual(14);
  });
});
