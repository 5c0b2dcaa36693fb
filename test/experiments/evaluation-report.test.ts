import { describe, expect, it } from "vitest";
import { evaluateDataset, evaluateHoldOut } from "../../src/experiments/evaluation-report";
import { describeEvaluation } from "../../src/experiments/evaluation-text";
import { requestStop } from "../../src/runtime/interruption";
import { onProgress } from "../../src/runtime/progress";
import { resolveSettings } from "../../src/runtime/settings";
import { exampleCohort } from "../support/runs/example-cohort";

const settings = resolveSettings({ hiddenUnits: [8], dropout: 0, epochs: 10, learningRate: 0.02, seed: 4 });
const cohort = exampleCohort({ patients: 24, imagesPerPatient: 4, seed: 3 });
const task = { ...cohort, settings, targets: [0.9] };

describe("evaluateDataset", () => {
  it("gives scores, triage and audit, as JSON and as tables", async () => {
    const found = await evaluateDataset({ ...task, folds: 3, repeats: 2, auditSeeds: 1 });
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    expect(found).toMatchObject({ method: "cross-validation", seed: 4, complete: true, temperature: null });
    expect(found.folds).toHaveLength(6);
    expect(found.audit?.seeds.map(({ seed }) => seed)).toEqual([4]);
    expect(found.triage.map(({ level, thresholds }) => [level, thresholds.length])).toEqual([
      ["image", 6],
      ["patient", 6],
    ]);
    const text = describeEvaluation(found);
    expect(text).toMatch(/96 images +24 patients\naccuracy +\d\.\d\d \(\d\.\d\d–\d\.\d\d\)/);
    expect(text).toMatch(/majority class +0\.67 +0\.67/);
    expect(text).toMatch(/0\.9 +by image .* of 64 .* of 16 \(\d\.\d\d \(/);
    expect(text).toMatch(/Leakage: (No gap|Splitting by image).*1 seed, 15 patients/);
    expect(text).not.toMatch(/synthetic|NaN|undefined/);
  });

  it("says that images are synthetic, and leaves triage out where no class is positive", async () => {
    const dataset = { ...cohort.dataset, synthetic: true, positiveClass: null };
    const found = await evaluateDataset({ ...task, dataset, folds: 3, repeats: 1, auditSeeds: 0 });
    expect(found).toMatchObject({ triage: [], audit: null, complete: true });
    expect(describeEvaluation(found)).toMatch(/^The images are synthetic/);
    expect(describeEvaluation(found)).toMatch(/\nAUC +– +–\n/);
  });

  it("gives what was finished when it is interrupted", async () => {
    let steps = 0;
    const unsubscribe = onProgress(() => {
      if (++steps === 3) requestStop();
    });
    const found = await evaluateDataset({ ...task, folds: 3, repeats: 1, auditSeeds: 2 });
    unsubscribe();
    expect(found).toMatchObject({ complete: false, audit: null, triage: [] });
    expect(found.scores!.image.count).toBeLessThan(96);
    expect(describeEvaluation({ ...found, scores: null })).toMatch(/No fold was finished/);
  });
});

describe("evaluateHoldOut", () => {
  it("chooses temperature and thresholds on validation, and reports on test patients only", async () => {
    const found = await evaluateHoldOut(task);
    expect(found).toMatchObject({ method: "hold-out", complete: true, audit: null, folds: [] });
    const [first] = found.triage;
    expect(first!.thresholds).toHaveLength(1);
    expect(first!.thresholds[0]).toMatchObject({ chosenOn: "validation", target: 0.9 });
    expect(found.scores!.image.count).toBe(first!.report.images);
    expect(found.scores!.image.count).toBeLessThan(40);
    expect(found.temperature!.lossAfter).toBeLessThanOrEqual(found.temperature!.lossBefore);
    expect(describeEvaluation(found)).toMatch(/^Test patients of one split by patient/);
  });
});
