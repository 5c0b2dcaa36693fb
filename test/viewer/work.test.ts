import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import type { ViewerAbout } from "../../src/export/about-export";
import { encodeWork, groupWork, newImage, startingThreshold, type WorkImage } from "../../viewer/work";
import { hostileName } from "../support/data/example-dataset";

const about = {
  classes: ["benign", "malignant"],
  positiveClass: 1,
  threshold: 0.3,
  triage: null,
} as ViewerAbout;
const none = {} as File;

function looked(path: string, ...probabilities: number[]): WorkImage {
  return { ...newImage(path.length, none, path), probabilities };
}

const images = [
  looked("a", 0.9, 0.1),
  looked("bb", 0.6, 0.4),
  looked("ccc", 0.2, 0.8),
  looked("dddd", 0.1, 0.9),
  newImage(9, none, "waiting"),
];

describe("groupWork", () => {
  it("lists positives and doubtful ones first, each the most suspicious first", () => {
    const groups = groupWork(images, about, 0.3);
    const listed = groups.map(({ name, rows }) => [name, rows.map(({ image }) => image.path)]);
    expect(listed).toEqual([
      ["malignant", ["dddd", "ccc", "bb"]],
      ["doubtful", []],
      ["unlike training", []],
      ["not malignant", ["a"]],
    ]);
    expect(groups.flatMap(({ rows }) => rows.map(({ rank }) => rank))).toEqual([1, 2, 3, 4]);
  });

  it("follows the threshold", () => {
    const sizes = (threshold: number) => groupWork(images, about, threshold).map(({ rows }) => rows.length);
    expect(sizes(0)).toEqual([3, 1, 0, 0]);
    expect(sizes(0.2)).toEqual([3, 0, 0, 1]);
    // What is called malignant is never spared, however far up the threshold is moved.
    expect(sizes(0.85)).toEqual([3, 0, 0, 1]);
  });

  it("calls nothing negative that is unlike the training images", () => {
    const strange = { ...images[0]!, distance: 1.4, unlike: ["less eosin than in training"] };
    const groups = groupWork([strange, ...images.slice(1)], about, 0.3);
    expect(groups.map(({ rows }) => rows.length)).toEqual([3, 0, 1, 0]);
    const [, ...rows] = parse(encodeWork(groups, about, 0.3)) as string[][];
    expect(rows[3]).toEqual(
      expect.arrayContaining(["yes", "unlike training", "1.4", "less eosin than in training"]),
    );
  });

  it("groups by answer where no class is looked for, the least sure first", () => {
    const plain = { ...about, classes: ["a", "b", "c"], positiveClass: null };
    const three = [looked("x", 0.2, 0.5, 0.3), looked("yy", 0.1, 0.9, 0), looked("zzz", 0.8, 0.1, 0.1)];
    const groups = groupWork(three, plain, 0.5);
    expect(groups.map(({ name, rows }) => [name, rows.map(({ image }) => image.path)])).toEqual([
      ["answered a", ["zzz"]],
      ["answered b", ["x", "yy"]],
      ["answered c", []],
    ]);
  });

  it("begins at the locked threshold, where that is one for images", () => {
    const triage = { threshold: 0.12, target: 1, chosenOn: "validation", description: "", temperature: null };
    expect(startingThreshold(about)).toBe(0.3);
    expect(startingThreshold({ ...about, triage: { ...triage, level: "image" } })).toBe(0.12);
    expect(startingThreshold({ ...about, triage: { ...triage, level: "patient" } })).toBe(0.3);
  });
});

describe("encodeWork", () => {
  it("writes a table that comes back as it was, with no formula in it", () => {
    const hostile = [
      looked(`=1+1,"${hostileName}"`, 0.25, 0.75),
      looked("SOB_M_DC-14-2980-40-001.png", 0.9, 0.1),
    ];
    const rows: string[][] = parse(encodeWork(groupWork(hostile, about, 0.3), about, 0.3));
    expect(rows[0]!.slice(0, 3)).toEqual(["file", "patient", "probabilityMalignant"]);
    expect(rows[1]).toEqual([
      `'=1+1,"${hostileName}"`,
      "",
      "0.75",
      "1",
      "malignant",
      "yes",
      "malignant",
      "1",
      "0.3",
      "",
      "",
      "0.25",
      "0.75",
    ]);
    expect(rows[2]!.slice(0, 3)).toEqual(["SOB_M_DC-14-2980-40-001.png", "2980", "0.1"]);
  });
});
