import { describe, expect, it } from "vitest";
import { errorsTable } from "../../../src/views/analysis/error-displays";
import { explanationGrid } from "../../../src/views/analysis/explanation-grid";
import { qualityLines } from "../../../src/views/analysis/explanations";
import { workListDisplay } from "../../../src/views/analysis/work-list";
import { exampleDataset, exampleRecord, hostileName } from "../../support/data/example-dataset";
import { manyPredictions } from "../../support/runs/example-analysis";
import { hostileAnalysis } from "../../support/runs/hostile-analysis";

const about = { classes: ["benign", "malignant"], positiveClass: 1, synthetic: false };
const quality = (focus: number) => ({
  focus,
  haematoxylin: 0.1,
  eosin: 0.1,
  background: 0.25,
  brightness: 200,
});

describe("explanationGrid", () => {
  it("groups pictures by kind of error and escapes every name", () => {
    const { explained } = hostileAnalysis();
    const { html } = explanationGrid(explained, about);
    expect(html).toContain("False alarms");
    expect(html).not.toContain("Missed");
    expect(html).toContain("truly benign, taken for malignant");
    expect(html).not.toContain("<img src=x");
    expect(html).not.toContain("<script>");
  });

  it("shows pictures alone, and says why, where the backbone can't be looked into", () => {
    const { explained } = hostileAnalysis();
    const mapped = explanationGrid(explained, about).html;
    const { html } = explanationGrid(
      explained.map((one) => ({ ...one, overlay: null })),
      about,
    );
    const pictures = (text: string) => text.match(/<img /g)!.length;
    expect(pictures(html)).toBe(pictures(mapped) / 2);
    expect(html).toContain("Of this backbone only the features are known");
    expect(html).not.toContain("where the evidence for the answer lies");
  });

  it("says so when there is no error", () => {
    expect(explanationGrid([], { ...about, synthetic: true }).html).toMatch(/synthetic data.*No test image/s);
  });
});

describe("qualityLines", () => {
  it("ranks an image among its like", () => {
    const lines = qualityLines(quality(2), [quality(1), quality(2), quality(3), quality(4)], 40);
    expect(lines[0]).toBe("of 4 test images at 40×: sharper than 37.5 % (focus 2),");
    expect(lines[2]).toBe("25.0 % glass");
    expect(qualityLines(quality(2), [quality(2)], null)).toEqual([
      "focus 2, the only test image of unknown magnification",
    ]);
  });
});

describe("workListDisplay", () => {
  it("shows what somebody would be handed, and what it truly is", () => {
    const { work } = hostileAnalysis();
    const { html } = workListDisplay(about, work.rows, work.total);
    expect(html).toContain("the first 3 of 40 test images");
    expect(html.match(/<tr>/g)).toHaveLength(4);
    expect(html).not.toContain(hostileName);
  });
});

describe("errorsTable", () => {
  it("counts errors of each patient, the most first", () => {
    const test = manyPredictions().filter(({ split }) => split === "test");
    const records = test.map(({ file, patient, label }) => exampleRecord({ file, patient, label }));
    const table = errorsTable(exampleDataset({ records }), test);
    const errors = table.values.map((row) => Number(row[3]));
    const wrong = test.filter(({ label, predicted }) => label !== predicted).length;
    expect(errors.reduce((sum, count) => sum + count, 0)).toBe(wrong);
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    for (const row of table.values) expect(row[4]).toBe(5);
  });
});
