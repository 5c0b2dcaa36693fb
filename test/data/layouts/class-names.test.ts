import { describe, expect, it } from "vitest";
import {
  chooseClasses,
  labelAmong,
  subtypeNamed,
  tumourClassesOf,
} from "../../../src/data/layouts/class-names";

function chosen(names: string[], positiveClass?: string) {
  const {
    classes,
    positiveClass: positive,
    labelOf,
    warnings,
  } = chooseClasses(names, positiveClass ? { positiveClass } : {});
  return { classes, positive, labels: names.map(labelOf), warnings };
}

describe("chooseClasses", () => {
  it("takes spellings of one name for one class, under the most frequent of them, and says so", () => {
    expect(chosen(["Tumor", "tumor", "tumor", "Normal", " normal"])).toEqual({
      classes: ["normal", "tumor"],
      positive: null,
      labels: [1, 1, 1, 0, 0],
      warnings: [
        "tumor and Tumor are taken for one class, tumor.",
        " normal and Normal are taken for one class, normal.",
      ],
    });
  });

  it("takes composed and decomposed letters for one", () => {
    expect(chosen(["Gebärmutter", "Gebärmutter".normalize("NFD")]).classes).toEqual(["Gebärmutter"]);
  });

  it("reads BreaKHis' classes by letter, in any case, and one of them alone", () => {
    for (const names of [
      ["B", "M"],
      ["b", "Malignant"],
      ["BENIGN", "m"],
    ]) {
      expect(chosen(names)).toEqual({
        classes: ["benign", "malignant"],
        positive: 1,
        labels: [0, 1],
        warnings: [],
      });
    }
    expect(chosen(["Malignant"])).toMatchObject({ classes: ["benign", "malignant"], labels: [1] });
    expect(chosen(["B", "M", "X"]).classes).toEqual(["B", "M", "X"]);
  });

  it("looks for the class that is named, whatever its case, and refuses one that isn't there", () => {
    expect(chosen(["Tumor", "Normal"], "tumor").positive).toBe(1);
    expect(chosen(["benign", "malignant"], "benign").positive).toBe(0);
    expect(() => chosen(["Tumor", "Normal"], "Tumour")).toThrow(
      "positiveClass is Tumour, but the classes are Normal, Tumor.",
    );
  });
});

describe("subtypeNamed", () => {
  it.each([
    ["DC", "DC"],
    ["dc", "DC"],
    ["ductal_carcinoma", "DC"],
    ["Ductal Carcinoma", "DC"],
    ["phyllodes_tumor", "PT"],
    ["phyllodes tumour", "PT"],
    ["tubular-adenoma", "TA"],
    ["A", "A"],
    ["f", null],
    ["malignant", null],
    ["", null],
  ])("%s is %s", (name, code) => {
    expect(subtypeNamed(name)).toBe(code);
  });
});

describe("tumourClassesOf", () => {
  it("says of subtypes, by name or code, which are malignant, and nothing of other classes", () => {
    expect(tumourClassesOf(["adenosis", "ductal carcinoma", "phyllodes_tumor"])).toEqual([0, 1, 0]);
    expect(tumourClassesOf(["F", "LC"])).toEqual([0, 1]);
    expect(tumourClassesOf(["benign", "malignant"])).toBeNull();
    expect(tumourClassesOf(["adenosis", "Normal"])).toBeNull();
  });
});

describe("labelAmong", () => {
  it.each<[string[], string, number | null]>([
    [["benign", "malignant"], "Malignant", 1],
    [["benign", "malignant"], "B", 0],
    [["benign", "malignant"], "lobular_carcinoma", 1],
    [["benign", "malignant"], "1", null],
    [["malignant", "benign"], "m", null],
    [["not IDC", "IDC"], "idc", 1],
    [["adenosis", "ductal carcinoma"], "DC", 1],
    [["adenosis", "ductal carcinoma"], "malignant", null],
    [["0", "1"], "1", 1],
  ])("among %j, %s is %s", (classes, name, label) => {
    expect(labelAmong(classes, name)).toBe(label);
  });
});
