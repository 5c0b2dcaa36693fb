import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { textTable } from "../../../src/experiments/evaluation-text";
import {
  byPatientFolder,
  compareWithArticle,
  readArticleComparison,
} from "../../../src/experiments/published/article";
import type { RunSummary } from "../../../src/training/runs/run-summary";
import { exampleSummary } from "../../support/runs/example-summary";
import { temporaryFolder } from "../../support/temporary-folder";

function run(accuracy: number, changes: Partial<RunSummary> = {}): RunSummary {
  const { validation, test } = exampleSummary();
  return exampleSummary({
    trainAccuracy: 0.99,
    validation: { ...validation!, accuracy },
    test: { ...test!, accuracy },
    timings: { training: 3, activations: 0, fineTuning: 20.4, features: 100 },
    ...changes,
  });
}

const whole = {
  train: { images: 1185, patients: 57 },
  validation: { images: 254, patients: 12 },
  test: { images: 254, patients: 13 },
};

describe("compareWithArticle", () => {
  it("puts the article's figures beside those of two runs", () => {
    const { columns, rows } = compareWithArticle(run(0.9), run(0.7));
    const text = textTable([columns, ...rows]);
    expect(text).toMatch(/^ +article +split by image +split by patient$/m);
    expect(text).toMatch(/^accuracy, training +100\.0 % +99\.0 % +99\.0 %$/m);
    expect(text).toMatch(/^accuracy, validation +85\.5 % +90\.0 % +70\.0 %$/m);
    expect(text).toMatch(/^accuracy, test +– +90\.0 % +70\.0 %$/m);
    expect(text).toMatch(/^test, whole patients +– +75\.0 % +75\.0 %$/m);
    expect(text).toMatch(/^training time +256 s +23 s +23 s$/m);
  });

  it("shows a dash for what a run doesn't have", () => {
    const bare = run(0.9, { validation: null, test: null, trainAccuracy: null });
    const { rows } = compareWithArticle(bare, bare);
    expect(rows.map((row) => row[2])).toEqual(["–", "–", "–", "–", "–", "23 s"]);
  });

  it("says why the numbers can't be compared, or what the split does to them", () => {
    const drawn = run(0.9, { synthetic: true, backbone: "efficientnet-lite0" });
    expect(compareWithArticle(drawn, drawn).comparability).toBe(
      "The article's numbers can't be compared with these: these images are synthetic, and the backbone is " +
        "efficientnet-lite0, not ResNet50, and there are 18 images, and the article's set has some 1,700.",
    );
    const real = run(0.9, { counts: whole });
    expect(compareWithArticle(real, real).comparability).toMatch(/^Split by image, the same patients/);
  });
});

describe("readArticleComparison", () => {
  const folder = temporaryFolder("article");
  const runFolder = join(folder, "one");
  const put = (place: string, summary: unknown) => {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "summary.json"), JSON.stringify(summary));
  };

  it("finds the run beside, also by the link to the latest one; other runs have none", async () => {
    put(runFolder, run(0.9));
    expect(await readArticleComparison(runFolder)).toBeNull();
    put(byPatientFolder(runFolder), run(0.7));
    const latest = join(folder, "latest");
    symlinkSync("one", latest);
    expect(await readArticleComparison(latest)).toEqual(compareWithArticle(run(0.9), run(0.7)));
  });

  it("names a file that is damaged", async () => {
    writeFileSync(join(byPatientFolder(runFolder), "summary.json"), "{");
    await expect(readArticleComparison(runFolder)).rejects.toThrow(/one-by-patient\/summary\.json/);
  });
});
