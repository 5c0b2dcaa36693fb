import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAnswerTable } from "../../../src/experiments/published/answer-table";
import { describeAnswerScores, scoreAnswers } from "../../../src/experiments/published/published-text";
import { exampleDataset, exampleRecord } from "../../support/data/example-dataset";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("answer-table");
let tables = 0;
function table(...lines: string[]): string {
  const path = join(folder, `${++tables}.csv`);
  writeFileSync(path, lines.join("\n"));
  return path;
}

const [first, second, third] = [
  "SOB_B_A-14-22549AB-100-001.png",
  "SOB_B_A-14-22549CD-200-002.png",
  "SOB_M_DC-14-2523-200-003.png",
];

describe("readAnswerTable", () => {
  it.each([
    ["votes of classes", ["image,benign,malignant", `${first},3,1`, `${second},2,2`, `${third},0,5`]],
    [
      "letters, and semicolons",
      ["Image Name;votes_B;votes_M", `x\\${first};3;1`, `${second};1;1`, `${third};0;2`],
    ],
    ["one probability", ["file,probability", `${first},0.25`, `${second},0.5`, `${third},1`]],
    [
      "a run's own predictions",
      [
        "file,split,patient,label,probabilityMalignant,predicted,probability of benign,probability of malignant",
        `benign/${first},test,22549,0,0.25,0,0.75,0.25`,
        `${second},test,22549,0,0.5,1,0.5,0.5`,
        `${third},test,2523,1,1,1,0,1`,
      ],
    ],
  ])("reads %s, and knows from the names what is true", async (_what, lines) => {
    const read = await readAnswerTable(table(...lines), null);
    const seen = read.predictions.map(({ patient, magnification, label, probabilities, predicted }) => [
      patient,
      magnification,
      label,
      probabilities,
      predicted,
    ]);
    expect(seen).toEqual([
      ["22549", 100, 0, [0.75, 0.25], 0],
      ["22549", 200, 0, [0.5, 0.5], 1],
      ["2523", 200, 1, [0, 1], 1],
    ]);
    const scores = scoreAnswers(read);
    // Patient scores 1/2 and 1 (Spanhol et al., equations 1 and 2), two of three images.
    expect(scores.all).toMatchObject({ imageRecognitionRate: 2 / 3, patientRecognitionRate: 0.75, auc: 1 });
    expect(scores.rows.map(({ magnification, scores: { images } }) => [magnification, images])).toEqual([
      [100, 1],
      [200, 2],
    ]);
    expect(describeAnswerScores(read, scores)).toMatch(/22549 {2,}benign {2,}2 {2,}1 {2,}0\.500/);
  });

  it("takes the truth from a data set, of any number of classes, and says what is not answered", async () => {
    const dataset = exampleDataset({
      classes: ["a", "b", "c"],
      positiveClass: null,
      records: ["one/x.png", "two/x.png", "two/y.png"].map((file, label) =>
        exampleRecord({ file, sha256: file, label, patient: file[0]! }),
      ),
    });
    const read = await readAnswerTable(table("path,a,b,c", "one/x.png,1,2,1", "two/y.png,0,0,1"), dataset);
    expect(read.predictions.map(({ label, predicted }) => [label, predicted])).toEqual([
      [0, 1],
      [2, 2],
    ]);
    // Told apart by their folders only: that one is answered can't be said of the other by its name.
    expect(read.unanswered).toEqual([]);
    await expect(readAnswerTable(table("path,a,b,c", "x.png,1,2,1"), dataset)).rejects.toThrow(
      /line 2: "x\.png" is not one image of/,
    );
  });

  it.each([
    ["no name column", ["benign,malignant", "1,2"], /line 1: expected a column with the image's name/],
    ["no class column", ["file,other", `${first},2`], /line 1: expected .* found "file", "other"/],
    ["a word", ["file,benign,malignant", `${first},yes,no`], /line 2, SOB_B.*found "yes", "no"/],
    ["nothing", ["file,benign,malignant", `${first},1`], /line 2, SOB_B.*found "1", ""/],
    ["NaN", ["file,benign,malignant", `${first},NaN,0.5`], /line 2, SOB_B.*found "NaN"/],
    ["no votes", ["file,benign,malignant", `${first},0,0`], /line 2, SOB_B.*not all 0/],
    ["a negative count", ["file,benign,malignant", `${first},-1,2`], /line 2, SOB_B/],
    ["more than 1", ["file,probability", `${first},1.5`], /line 2.*from 0 to 1, found 1\.5/],
    [
      "an image twice",
      ["file,probability", `${first},1`, `${first},0`],
      /line 3: SOB_B.* is answered in line 2 already/,
    ],
    [
      "an unknown image",
      ["file,probability", "tile.png,1"],
      /line 2: "tile\.png" is not a BreaKHis name; say with --data/,
    ],
    ["no row", ["file,probability"], /holds no answers/],
  ])("refuses %s, naming the line", async (_what, lines, message) => {
    await expect(readAnswerTable(table(...lines), null)).rejects.toThrow(message);
  });
});
