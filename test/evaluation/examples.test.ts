import { describe, expect, it } from "vitest";
import * as confusionMatrix from "../../src/evaluation/confusion-matrix";
import * as curves from "../../src/evaluation/curves";
import * as metrics from "../../src/evaluation/metrics";
import { docstringExamples, evaluateExample } from "../support/docstring-examples";

const modules: [string, Record<string, unknown>, number][] = [
  ["src/evaluation/confusion-matrix.ts", confusionMatrix, 2],
  ["src/evaluation/metrics.ts", metrics, 10],
  ["src/evaluation/curves.ts", curves, 2],
];

describe.each(modules)("docstring examples of %s", (file, exports, count) => {
  const examples = docstringExamples(file);

  it("are all found", () => {
    expect(examples).toHaveLength(count);
  });

  it.each(examples)("$code gives $expected", ({ code, expected }) => {
    expect(evaluateExample(code, exports)).toEqual(evaluateExample(expected, exports));
  });
});
