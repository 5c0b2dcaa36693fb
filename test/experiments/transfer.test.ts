import { describe, expect, it } from "vitest";
import { describeTransfer, sameTask } from "../../src/experiments/transfer";

const breakhis = { classes: ["benign", "malignant"], positiveClass: 1 };
const idc = { classes: ["not IDC", "IDC"], positiveClass: 1 };

describe("what is asked of a base and of other images", () => {
  it("is the same only with the same classes in the same order", () => {
    expect(sameTask(breakhis, { ...breakhis })).toBe(true);
    expect(sameTask(breakhis, idc)).toBe(false);
    expect(sameTask(breakhis, { classes: ["malignant", "benign"], positiveClass: 0 })).toBe(false);
    expect(sameTask(breakhis, { ...breakhis, positiveClass: null })).toBe(false);
    expect(sameTask(breakhis, { classes: ["benign", "malignant", "in situ"], positiveClass: 1 })).toBe(false);
  });

  it("is said", () => {
    expect(describeTransfer(breakhis, breakhis)).toBe("Both sets ask the same: benign, malignant.");
    expect(describeTransfer(breakhis, idc)).toMatch(
      /^The base tells benign, malignant apart, the other set not IDC, IDC/,
    );
  });
});
