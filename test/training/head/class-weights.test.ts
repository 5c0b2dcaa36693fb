import { describe, expect, it } from "vitest";
import * as classWeights from "../../../src/training/head/class-weights";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";

describe("class weights", () => {
  it.each(docstringExamples("src/training/head/class-weights.ts"))(
    "$code gives $expected",
    ({ code, expected }) => {
      expect(evaluateExample(code, { ...classWeights })).toEqual(evaluateExample(expected, {}));
    },
  );

  it("give every class the same share of the loss", () => {
    const labels = [0, 0, 0, 0, 1, 2, 2];
    const weights = classWeights.balancedClassWeights(labels, 3);
    const shares = classWeights.countClasses(labels, 3).map((count, i) => count * weights[i]!);
    for (const share of shares) expect(share).toBeCloseTo(7 / 3, 12);
  });

  it("refuse labels that are no class, and classes that don't occur", () => {
    expect(() => classWeights.countClasses([0, 2], 2)).toThrow(/from 0 to 1, found 2 at position 1/);
    expect(() => classWeights.countClasses([0, Number.NaN], 2)).toThrow(/found NaN/);
    expect(() => classWeights.balancedClassWeights([0, 0, 2], 3)).toThrow(/Class 1 has no sample/);
  });
});
