import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseBreakhisName } from "../../../src/data/layouts/breakhis";
import {
  evaluateFoldFiles,
  meanScores,
  publishedScores,
} from "../../../src/experiments/published/fold-files";
import { loadOfficialFolds } from "../../../src/experiments/published/official-folds";
import { describeFoldFiles } from "../../../src/experiments/published/published-text";
import { completeSettings } from "../../../src/runtime/settings";
import { exampleDataset, exampleRecord } from "../../support/data/example-dataset";
import { sharedDataFolder } from "../../support/data/shared-data";
import { exampleCohort } from "../../support/runs/example-cohort";
import { examplePrediction } from "../../support/runs/example-run";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("fold-files");
const { dataset, features } = exampleCohort({ patients: 15, imagesPerPatient: 4, seed: 3, disease: 2 });
const settings = completeSettings({ hiddenUnits: [4], epochs: 3 });

/** Two divisions; in the second one patient p14 lies on both sides. */
const testedPatients = [
  [0, 1, 2, 3],
  [3, 4, 5],
];
for (const [i, patients] of testedPatients.entries()) {
  const lines = dataset.records.map(({ file, patient }, row) => {
    const tested = patients.includes(Number(patient!.slice(1))) || (i === 1 && row === 14 * 4);
    return `${file}|40|${i + 1}|${tested ? "test" : "train"}`;
  });
  writeFileSync(join(folder, `dsfold${i + 1}.txt`), [...lines, "elsewhere.png|40|1|train"].join("\n"));
}

describe("evaluateFoldFiles", () => {
  it("scores each division by itself, with and without patients on both sides", async () => {
    const folds = await loadOfficialFolds(folder, dataset);
    const found = await evaluateFoldFiles({ dataset, features, settings, folds });
    expect(found.complete).toBe(true);
    expect(found.folds.map(({ file, named, here, learned }) => [file, named, here, learned])).toEqual([
      ["dsfold1.txt", 61, 60, 44],
      ["dsfold2.txt", 61, 60, 47],
    ]);
    expect(found.folds.map(({ shared }) => shared)).toEqual([[], [{ patient: "p14", slides: ["p14"] }]]);
    expect(found.folds[0]!.unshared).toEqual(found.folds[0]!.all);
    expect(found.folds[1]!.all).toMatchObject({ images: 13, patients: 4 });
    expect(found.folds[1]!.unshared).toMatchObject({ images: 12, patients: 3 });
    expect(found.intervals!.groups).toBe(2);
    const again = await evaluateFoldFiles({ dataset, features, settings, folds });
    expect(again).toEqual(found);

    const text = describeFoldFiles(found);
    expect(text).toContain("60 of the 61 images that dsfold1.txt names are here");
    expect(text).toContain("dsfold2.txt: 1 patient lies on both sides: p14 (even the slide p14).");
  });

  it("says what a folder without fold files should hold", async () => {
    await expect(loadOfficialFolds(temporaryFolder("no-folds"), dataset)).rejects.toThrow(/dsfold1\.txt/);
  });
});

describe("publishedScores and their means", () => {
  it("are the image's and the patient's recognition rates of Spanhol et al., equations 1 to 3", () => {
    const answers = [
      ["a", 1, 1],
      ["a", 1, 1],
      ["a", 1, 0],
      ["a", 1, 1],
      ["b", 0, 0],
      ["b", 0, 1],
    ] as const;
    const predictions = answers.map(([patient, label, predicted]) =>
      examplePrediction(patient, label, predicted, { predicted }),
    );
    expect(publishedScores(predictions, 1)).toEqual({
      images: 6,
      patients: 2,
      imageRecognitionRate: 4 / 6,
      patientRecognitionRate: (3 / 4 + 1 / 2) / 2,
      // Of eight pairs of a malignant and a benign image three are in order and four are ties, which count half.
      auc: (3 + 4 / 2) / 8,
    });
    expect(publishedScores([], 1)).toBeNull();
    expect(publishedScores(predictions.slice(0, 4), 1)!.auc).toBeNull();
  });

  it("have the sample's standard deviation, and none where a fold has no score", () => {
    const scores = [0.7, 0.8, 0.9].map((auc) => ({
      images: 1,
      patients: 1,
      imageRecognitionRate: auc,
      patientRecognitionRate: null,
      auc,
    }));
    const found = meanScores(scores);
    expect(found.auc!.mean).toBeCloseTo(0.8, 12);
    expect(found.auc!.deviation).toBeCloseTo(0.1, 12);
    expect(found.patientRecognitionRate).toBeNull();
    expect(meanScores([scores[0]!, null]).auc).toBeNull();
    expect(meanScores([scores[0]!]).auc).toBeNull();
  });
});

const published = join(sharedDataFolder, "folds");

describe.skipIf(!existsSync(published))("the five published files", () => {
  it("have six to eight patients on both sides each, and slide 13412 in three of them", async () => {
    const lines = readFileSync(join(published, "dsfold1.txt"), "utf8").split("\n");
    const names = lines.flatMap((line) => line.split("|")[0] || []);
    // Of the images only the names are needed here.
    const whole = exampleDataset({
      records: names.map((file) =>
        exampleRecord({
          file,
          sha256: file,
          label: file.includes("_B_") ? 0 : 1,
          patient: parseBreakhisName(file)!.patient,
        }),
      ),
    });
    const folds = await loadOfficialFolds(published, whole);
    expect(folds.map(({ named, missing }) => [named, missing.length])).toEqual(Array(5).fill([7909, 0]));
    expect(folds.map(({ shared }) => shared.map(({ patient }) => patient))).toEqual([
      ["13412", "15570", "16184", "18842", "19979", "21998", "22549", "29960"],
      ["14134", "15570", "16184", "18842", "22549", "29960"],
      ["13412", "14134", "15570", "18842", "19979", "22549", "29960"],
      ["15570", "16184", "18842", "21998", "22549", "23060", "29960"],
      ["13412", "16184", "19979", "21998", "22549", "23060"],
    ]);
    const slides = folds.map(({ shared }) => shared.flatMap((one) => one.slides));
    expect(slides).toEqual([["13412"], [], ["13412"], [], ["13412"]]);
  });
});
