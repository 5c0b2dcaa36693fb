import { describe, expect, it } from "vitest";
import * as temperature from "../../src/model/classifier/temperature";
import * as confusionMatrix from "../../src/scores/confusion-matrix";
import * as curves from "../../src/scores/curves";
import * as bootstrap from "../../src/scores/intervals/bootstrap";
import * as normalDistribution from "../../src/scores/intervals/normal-distribution";
import * as metrics from "../../src/scores/metrics";
import * as probabilityScores from "../../src/scores/probability-scores";
import { docstringExamples, evaluateExample } from "../support/docstring-examples";

const modules: [string, Record<string, unknown>, number][] = [
  ["src/scores/confusion-matrix.ts", confusionMatrix, 2],
  ["src/scores/metrics.ts", metrics, 11],
  ["src/scores/curves.ts", curves, 4],
  ["src/scores/probability-scores.ts", probabilityScores, 2],
  ["src/scores/intervals/normal-distribution.ts", normalDistribution, 1],
  ["src/scores/intervals/bootstrap.ts", bootstrap, 1],
  ["src/model/classifier/temperature.ts", temperature, 1],
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
