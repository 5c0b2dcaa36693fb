import { describe, expect, it } from "vitest";
import type { LearningCurves, LearningPoint } from "../../../src/experiments/learning-curves";
import type { Interval } from "../../../src/scores/intervals/bootstrap";
import type { ScoreIntervals } from "../../../src/scores/intervals/score-intervals";
import { plainTableHtml } from "../../../src/views/display/plain-table";
import {
  describeLearningCurves,
  learningCurvesTable,
  plotLearningCurves,
} from "../../../src/views/live/live-learning-curves";
import { hostileName } from "../../support/data/example-dataset";

const interval = (value: number | null, low: number, high: number): Interval => ({
  value,
  low,
  high,
  level: 0.95,
  patients: 12,
  resamples: 100,
  undefinedResamples: 0,
});

function point(arm: string, share: number, balanced: Interval): LearningPoint {
  const scores = { balancedAccuracy: balanced, auc: interval(null, 0, 0) };
  return {
    arm,
    share,
    patients: 40 * share,
    images: 400 * share,
    scores: { image: { scores } } as unknown as ScoreIntervals,
  };
}

const curvesOf = (points: LearningPoint[], complete = true): LearningCurves => ({
  points,
  testPatients: 12,
  testImages: 120,
  seeds: [1, 2, 3],
  complete,
  seconds: 1,
});

const curves = curvesOf([
  point("ImageNet", 0.1, interval(0.6, 0.5, 0.7)),
  point(hostileName, 0.1, interval(0.8, 0.75, 0.9)),
  point("ImageNet", 1, interval(0.85, 0.8, 0.9)),
  point(hostileName, 1, interval(0.86, 0.8, 0.9)),
]);

describe("learning curves", () => {
  it("are drawn one line a way of learning, over the patients, with intervals and chance", () => {
    const { data, layout } = plotLearningCurves(curves.points, { classCount: 4, synthetic: true });
    expect(data.map(({ name }) => name)).toEqual([
      "ImageNet",
      expect.stringContaining("&lt;img"),
      "guessing: 25 %",
    ]);
    expect(data[0]).toMatchObject({ x: [4, 40], y: [60, 85] });
    expect(data[0]!["error_y"]).toMatchObject({ array: [10, 5], arrayminus: [10, 5] });
    expect(layout["title"]).toMatchObject({ text: "How many patients does it take? — synthetic data" });
    expect(layout["xaxis"]).toMatchObject({ type: "log" });
  });

  it("are told in a table", () => {
    const html = plainTableHtml(learningCurvesTable(curves));
    expect(html).toContain("60.0 % (50.0 to 70.0)");
    expect(html).not.toContain("<img");
  });

  it("are summed up no further than the intervals allow", () => {
    const text = describeLearningCurves(curves);
    expect(text).toMatch(
      /^With 4 patients, .* did best: balanced accuracy 80\.0 % \(75\.0 to 90\.0\), clearly ahead\./,
    );
    expect(text).toMatch(/With 40 patients, .*; the others are not clearly worse\. Judged on 12 patients/);
    expect(describeLearningCurves(curvesOf([], false))).toMatch(/stopped before a point/);
    expect(describeLearningCurves(curvesOf(curves.points.slice(0, 1), false))).toMatch(
      /^With 4 patients, ImageNet did best: [^;,]+\. Judged .* It was stopped/,
    );
  });
});
