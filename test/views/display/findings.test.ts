import { describe, expect, it } from "vitest";
import { describeAccuracy, describeBalance, describeGap, percent } from "../../../src/views/display/findings";

const record = { trainLoss: 1, validationLoss: 1, elapsedSeconds: 1 };

describe("describeBalance", () => {
  it("names the most frequent class and what always answering it reaches", () => {
    expect(describeBalance(["benign", "malignant"], [30, 70])).toBe(
      "malignant is the most frequent class: always answering it would be right for 70 of 100 images (70.0 %).",
    );
  });

  it("does not call one of equals the most frequent", () => {
    expect(describeBalance(["a", "b"], [5, 5])).toContain("All classes are equally frequent");
    expect(describeBalance(["a", "b"], [5, 5])).toContain("50.0 %");
  });
});

describe("describeGap", () => {
  it.each([
    { train: 0.9, validation: 0.8, expected: "10.0 percentage points lower on validation" },
    { train: 0.8, validation: 0.9, expected: "10.0 percentage points higher on validation" },
    { train: 0.8, validation: 0.8, expected: "the same on both" },
  ])("compares $train with $validation", ({ train, validation, expected }) => {
    const epoch = { ...record, epoch: 1, trainAccuracy: train, validationAccuracy: validation };
    expect(describeGap([epoch], 1)).toContain(expected);
  });

  it("says so when no epoch ended", () => {
    expect(describeGap([], 0)).toContain("before its first epoch");
  });
});

describe("describeAccuracy", () => {
  it("sets an accuracy beside that of the majority class", () => {
    expect(describeAccuracy("patient", 0.8, 0.7)).toBe(
      "By patient, 80.0 % of the test part is recognised, 10.0 percentage points above always answering the majority class (70.0 %).",
    );
    expect(describeAccuracy("image", 0.5, 0.7)).toContain("20.0 percentage points below");
    expect(describeAccuracy("image", 0.7, 0.7)).toContain("no better than");
  });
});

describe("percent", () => {
  it("shows an undefined share as a dash", () => {
    expect(percent(Number.NaN)).toBe("–");
  });
});
