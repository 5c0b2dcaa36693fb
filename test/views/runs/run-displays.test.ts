import { describe, expect, it } from "vitest";
import { resolveSettings, type Settings } from "../../../src/runtime/settings";
import type { ListedRun, RunSummary } from "../../../src/training/runs/run-log";
import {
  type FigureOrNote,
  plotRunConfusion,
  plotRunProbabilities,
  plotRunRoc,
} from "../../../src/views/analysis/run-figures";
import { type Displayable, jupyterDisplay } from "../../../src/views/display/display";
import type { Figure } from "../../../src/views/display/figure";
import { summaryRows } from "../../../src/views/report/report-summary";
import { plotRunCurves } from "../../../src/views/runs/run-curves";
import { plotRunHistory } from "../../../src/views/runs/run-history";
import { runsDisplay } from "../../../src/views/runs/run-table";
import { describeTest, scoresTable } from "../../../src/views/runs/score-tables";
import { examplePredictions, exampleSummary } from "../../support/runs/example-summary";

const summary = exampleSummary();
const run = { summary, predictions: examplePredictions() };

function asFigure(view: FigureOrNote): Figure {
  if (!("data" in view)) throw new Error("expected a figure, found a note");
  return view;
}

function textOf(view: Displayable): string {
  return String(view[jupyterDisplay]()["text/plain"]);
}

describe("figures of a run's test part", () => {
  it("count images and patients", () => {
    expect(asFigure(plotRunConfusion(summary, "images")).data[0]?.["text"]).toEqual([
      ["2<br>100.0 %", "0<br>0.0 %"],
      ["1<br>50.0 %", "1<br>50.0 %"],
    ]);
    expect(textOf(plotRunConfusion(summary, "patients"))).toContain("patients");
  });

  it("draw one curve for images, one for patients, and leave other parts out", () => {
    const { data } = asFigure(plotRunRoc(run));
    expect(data.map((trace) => trace["name"])).toEqual([
      "images: AUC 0.875",
      "images: decided at 0.50",
      "patients: AUC undefined, one class only",
      "patients: decided at 0.50",
      "chance: AUC 0.5",
    ]);
    expect(data[1]).toMatchObject({ x: [0], y: [50] });
    const bars = asFigure(plotRunProbabilities(run)).data.flatMap((trace) => trace["y"] as number[]);
    expect(bars.reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  it("say why there is nothing to draw", () => {
    const withoutPatients = exampleSummary({ test: { ...summary.test!, byPatient: null } });
    expect(textOf(plotRunConfusion(withoutPatients, "patients"))).toContain(
      "No test image's patient is known",
    );
    const withoutTest = exampleSummary({ test: null });
    expect(textOf(plotRunConfusion(withoutTest, "images"))).toContain("test part is empty");
    expect(textOf(plotRunRoc({ ...run, summary: withoutTest }))).toContain("test part is empty");
    const manyClasses = exampleSummary({ positiveClass: null });
    expect(textOf(plotRunRoc({ ...run, summary: manyClasses }))).toContain("no such curve");
  });

  it("are marked when the images are synthetic", () => {
    const synthetic = { ...run, summary: exampleSummary({ synthetic: true }) };
    for (const view of [
      plotRunConfusion(synthetic.summary, "images"),
      plotRunRoc(synthetic),
      plotRunProbabilities(synthetic),
    ]) {
      expect(textOf(view)).toContain("synthetic data");
    }
  });
});

describe("scores in a table and in words", () => {
  it("stand beside those of the majority class", () => {
    const table = scoresTable(summary);
    expect(table.columns).toEqual([
      "score",
      "validation, by image",
      "validation, by patient",
      "test, by image",
      "test, by patient",
    ]);
    const lines = Object.fromEntries((table.values as string[][]).map(([name, ...cells]) => [name, cells]));
    expect(lines["accuracy"]).toEqual(["75.0 %", null, "75.0 %", "75.0 %"]);
    expect(lines["always the majority class"]).toEqual(["50.0 %", null, "50.0 %", "50.0 %"]);
    expect(lines["AUC"]).toEqual(["0.875", null, "0.875", "–"]);
  });

  it("leave patients out where none is known", () => {
    expect(describeTest(summary)).toContain("4 images of 2 patients");
    expect(describeTest(exampleSummary({ test: { ...summary.test!, byPatient: null } }))).not.toContain(
      "patient",
    );
    expect(describeTest(exampleSummary({ test: null }))).toBe("The test part is empty.");
  });

  it("open a report with what was computed with and how good it is", () => {
    const rows = new Map(summaryRows(summary).map(([name, value]) => [name, value]));
    expect(rows.get("images")).toBe(
      "train 10 of 5 patients, validation 4 of 2 patients, test 4 of 2 patients",
    );
    expect(rows.get("test accuracy, by image")).toBe("75.0 % (always the majority class: 50.0 %)");
    expect(rows.get("AUC, by patient")).toBeNull();
  });
});

describe("the history of runs", () => {
  const settings = resolveSettings({ learningRate: 0.01 });
  const runs: ListedRun[] = [
    { id: "new", folder: "/runs/new", settings, summary: exampleSummary({ synthetic: true }) },
    { id: "stopped", folder: "/runs/stopped", settings, summary: null },
    { id: "old", folder: "/runs/old", settings, summary },
  ];

  it("draws finished runs, the oldest first, beside the majority class", () => {
    const { data } = plotRunHistory(runs);
    expect(data[0]?.["x"]).toEqual(["old", "new, synthetic"]);
    expect(data.map((trace) => trace["y"])).toEqual([
      [75, 75],
      [75, 75],
      [50, 50],
    ]);
  });

  it("is empty, and no failure, before the first run", () => {
    expect(plotRunHistory([]).data[0]?.["x"]).toEqual([]);
    expect(textOf(runsDisplay([]))).toBe("There are no runs yet.");
  });
});

describe("the table of runs", () => {
  const code = (commit: string) => ({ version: "1.0.0", commit: commit.repeat(40), changed: commit === "b" });
  const made = (id: string, changes: Partial<Settings>, summary: Partial<RunSummary> | null): ListedRun => ({
    id,
    folder: `/runs/${id}`,
    settings: resolveSettings(changes),
    summary: summary === null ? null : exampleSummary({ id, ...summary }),
  });
  const part = (accuracy: number) => ({ ...summary.test!, accuracy });
  const runs = [
    made("third", { learningRate: 0.01, data: "<b>" }, { validation: part(0.6), code: code("b") }),
    made("second", { learningRate: 0.01 }, null),
    made("first", {}, { validation: part(0.9), code: code("a"), timings: { training: 1.26 } }),
  ];
  const rowsOf = (html: string) =>
    [...html.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
      [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => cell!),
    );

  it("begins with what one looks for, and names the settings in which runs differ, and no others", () => {
    const [header, third] = rowsOf(runsDisplay(runs).html);
    expect(header!.slice(0, 5)).toEqual([
      "run",
      "changed since the run before",
      "ended",
      "validation accuracy, %",
      "test accuracy, %",
    ]);
    const settings = third![header!.indexOf("settings")];
    expect(settings).toBe("data &lt;b&gt;; learning rate 0.01; code bbbbbbb+");
    expect(settings).not.toContain("dropout");
  });

  it("says what changed since the run before, with paths by their ends", () => {
    const { html } = runsDisplay(runs);
    const rows = rowsOf(html);
    expect(rows.slice(1).map((row) => row[1])).toEqual([
      "data – → &lt;b&gt;",
      "learning rate 0.001 → 0.01",
      "the first run",
    ]);
    expect(html).not.toContain("<b>");
    expect(rows[3]!.at(-1)).toContain("code aaaaaaa");
    const same = runs.map((one) => ({ ...one, summary: one.summary && { ...one.summary, code: code("a") } }));
    expect(runsDisplay(same).html).not.toContain("aaaaaaa");
    const far = [
      made("b", { data: "/home/me/images/two" }, {}),
      made("a", { data: "/home/me/images/one" }, {}),
    ];
    expect(rowsOf(runsDisplay(far).html)[1]![1]).toBe("data …/images/one → …/images/two");
  });

  it("says how each run ended, or how it stands without results", () => {
    const unfinished = (state: ListedRun["unfinished"]): ListedRun => ({
      ...made("unfinished", {}, null),
      ...(state === undefined ? {} : { unfinished: state }),
    });
    const tuned = { from: "conv5", trainedWeights: { backbone: 1, head: 1 }, epochs: 2, bestEpoch: 1 };
    const listed = [
      made("a", {}, { ended: "completed" }),
      made("b", {}, { ended: "early-stopping", timings: { training: 1.26 } }),
      made("c", {}, { ended: "interrupted" }),
      made("d", {}, { ended: "early-stopping", fineTuning: { ...tuned, ended: "interrupted" } }),
      unfinished({ state: "running" }),
      unfinished({ state: "crashed" }),
      unfinished({ state: "failed", reason: "<i>Training diverged.</i>" }),
      unfinished({ state: "unknown" }),
      unfinished(undefined),
    ];
    expect(rowsOf(runsDisplay(listed).html).map((row) => row[2])).toEqual([
      "ended",
      "all epochs done, best epoch 3",
      "stopped early, best epoch 3, 1.3 s",
      "stopped by hand, best epoch 3",
      "stopped by hand, best epoch 1",
      "running",
      "crashed",
      "failed: &lt;i&gt;Training diverged.&lt;/i&gt;",
      "not finished",
      "not finished",
    ]);
  });

  it("notices other code and other images behind equal settings", () => {
    const again = made("again", {}, { code: code("b"), dataFingerprint: "2" });
    const before = made("before", {}, { code: code("a"), dataFingerprint: "1" });
    expect(rowsOf(runsDisplay([again, before]).html)[1]?.[1]).toBe("other images; other code");
  });

  it("is sorted by any column or setting, what is unknown last", () => {
    const ids = (options: Parameters<typeof runsDisplay>[1]) =>
      rowsOf(runsDisplay(runs, options).html)
        .slice(1)
        .map((row) => row[0]);
    const sortBy = "validation accuracy, %";
    expect(ids({})).toEqual(["third", "second", "first"]);
    expect(ids({ sortBy })).toEqual(["first", "third", "second"]);
    expect(ids({ sortBy, ascending: true })).toEqual(["third", "first", "second"]);
    expect(() => runsDisplay(runs, { sortBy: "luck" })).toThrow(/"validation accuracy, %".*found "luck"/);
    expect(ids({ sortBy: "learning rate", ascending: true })).toEqual(["first", "third", "second"]);
    expect(ids({ sortBy: "training, s" })[0]).toBe("first");
  });

  it("draws chosen runs over each other, named by what differs", () => {
    const history = [1, 2].map((epoch) => ({
      epoch,
      trainLoss: 1 / epoch,
      trainAccuracy: 0.5,
      validationLoss: 2 / epoch,
      validationAccuracy: 0.25,
      elapsedSeconds: epoch,
    }));
    const { data } = plotRunCurves([
      { ...runs[1]!, history },
      { ...runs[2]!, history: [] },
    ]);
    expect(data.filter((trace) => trace["showlegend"] === true).map((trace) => trace["name"])).toEqual([
      "second, learning rate 0.01",
      "first, learning rate 0.001",
    ]);
    expect(data[0]).toMatchObject({ x: [1, 2], y: [2, 1] });
    expect(data[1]).toMatchObject({ y: [25, 25], xaxis: "x2" });
    expect(data[2]).toMatchObject({ y: [1, 0.5], line: { dash: "dot" } });
  });
});
