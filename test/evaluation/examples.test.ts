import { describe, expect, it } from "vitest";
import * as bootstrap from "../../src/evaluation/bootstrap";
import * as confusionMatrix from "../../src/evaluation/confusion-matrix";
import * as curves from "../../src/evaluation/curves";
import * as metrics from "../../src/evaluation/metrics";
import * as normalDistribution from "../../src/evaluation/normal-distribution";
import * as probabilityScores from "../../src/evaluation/probability-scores";
import * as temperature from "../../src/model/temperature";
import { docstringExamples, evaluateExample } from "../support/docstring-examples";

const modules: [string, Record<string, unknown>, number][] = [
  ["src/evaluation/confusion-matrix.ts", confusionMatrix, 2],
  ["src/evaluation/metrics.ts", metrics, 12],
  ["src/evaluation/curves.ts", curves, 4],
  ["src/evaluation/probability-scores.ts", probabilityScores, 2],
  ["src/evaluation/normal-distribution.ts", normalDistribution, 1],
  ["src/evaluation/bootstrap.ts", bootstrap, 2],
  ["src/model/temperature.ts", temperature, 1],
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
