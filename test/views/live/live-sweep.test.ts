import { describe, expect, it } from "vitest";
import type { Sweep, SweepTry } from "../../../src/experiments/sweep";
import { attempt } from "../../../src/runtime/attempt";
import { resolveSettings } from "../../../src/runtime/settings";
import type { Interval } from "../../../src/scores/intervals/bootstrap";
import { jupyterDisplay } from "../../../src/views/display/display";
import type { Figure } from "../../../src/views/display/figure";
import { describeSweep, sweep, sweepNote } from "../../../src/views/live/live-sweep";
import { plotSweep } from "../../../src/views/live/sweep-figure";
import { exampleCohort } from "../../support/runs/example-cohort";

function tryOf(values: SweepTry["values"], value: number | null): SweepTry {
  if (value === null) return { values, scores: null, problem: "Training diverged <b>" };
  const interval = { value, low: value - 0.1, high: value + 0.1, level: 0.95, patients: 18 } as Interval;
  const scores = { image: { scores: { auc: interval } } } as unknown as SweepTry["scores"];
  return { values, scores, problem: null };
}

const base = { score: "auc", folds: 3, images: 54, synthetic: true, complete: true } as const;
const two: Sweep = {
  ...base,
  grid: { learningRate: [0.001, 0.01], hiddenUnits: [[4], [8, 4]] },
  planned: 4,
  tries: [
    tryOf({ learningRate: 0.001, hiddenUnits: [4] }, 0.7),
    tryOf({ learningRate: 0.001, hiddenUnits: [8, 4] }, 0.85),
    tryOf({ learningRate: 0.01, hiddenUnits: [4] }, null),
  ],
  complete: false,
};
const htmlOf = (figure: Figure) => String(figure[jupyterDisplay]()["text/html"]);

describe("the figure of a sweep", () => {
  it("is a heat map of two settings, with what is not tried yet left empty", () => {
    const { data, layout } = plotSweep(two);
    expect(data[0]).toMatchObject({
      type: "heatmap",
      y: ["0.001", "0.01"],
      x: ["4", "8, 4"],
      z: [
        [0.7, 0.85],
        [null, null],
      ],
      text: [
        ["0.700<br>0.60 to 0.80", "<b>best</b><br>0.850<br>0.75 to 0.95"],
        ["diverged", ""],
      ],
    });
    expect(layout["title"]).toMatchObject({
      text: "Sweep: AUC by image, 3 folds by patient, 3 of 4 tried — synthetic data",
    });
  });

  it("is a table without scripts, the best marked and nothing unescaped", () => {
    const html = htmlOf(plotSweep(two));
    expect(html).toContain("3 of 4 tried");
    expect(html).toContain("Training diverged &lt;b&gt;");
    const marked = html.match(/<tr>.*?<\/tr>/g)!.filter((row) => row.includes("font-weight:700"));
    expect(marked).toHaveLength(1);
    expect(marked[0]).toContain("0.85");
  });

  it("shows one setting with its intervals", () => {
    const tries = [tryOf({ dropout: 0 }, 0.6), tryOf({ dropout: 0.5 }, null)];
    const { data } = plotSweep({ ...base, grid: { dropout: [0, 0.5] }, planned: 2, tries });
    expect(data[0]).toMatchObject({ type: "scatter", x: ["0"], y: [0.6] });
    expect((data[0]!["error_y"] as { array: number[] }).array[0]).toBeCloseTo(0.1);
  });

  it("shows three settings as parallel coordinates", () => {
    const values = { dropout: 0.5, l2: 0, hiddenUnits: [8] };
    const grid = { dropout: [0, 0.5], l2: [0], hiddenUnits: [[4], [8]] };
    const { data } = plotSweep({ ...base, grid, planned: 4, tries: [tryOf(values, 0.6)] });
    const dimensions = data[0]?.["dimensions"] as { label: string; values: number[] }[];
    expect(dimensions.map(({ label, values: at }) => [label, at])).toEqual([
      ["dropout", [1]],
      ["l2", [0]],
      ["hidden units", [1]],
      ["AUC", [0.6]],
    ]);
  });
});

describe("describeSweep", () => {
  it("says what did best, how many may be as good, and that it owes something to luck", () => {
    const sentence = describeSweep({
      ...two,
      tries: [...two.tries, tryOf({ learningRate: 0.01, hiddenUnits: [8, 4] }, 0.76)],
      complete: true,
    });
    expect(sentence).toContain(
      "Best of 4 combinations: learning rate 0.001, hidden units 8, 4, with AUC 0.850",
    );
    expect(sentence).toContain("95 % interval 0.750 to 0.950, 18 patients");
    expect(sentence).toContain("1 of the other 3");
    expect(sentence).toMatch(/luck/);
    expect(describeSweep(two)).toContain("Best of 3 of 4, since it was stopped,");
  });

  it("says so if there is nothing to compare", () => {
    expect(describeSweep({ ...two, tries: [two.tries[2]!] })).toContain("none has a score");
  });
});

describe("sweep", () => {
  it("leaves a sentence and no figure where patients are not known", async () => {
    const seen: string[] = [];
    const output = { update: () => void seen.push("figure"), clear: () => void seen.push("nothing") };
    const { dataset, features } = exampleCohort({ patients: 12, imagesPerPatient: 2, seed: 3 });
    const records = dataset.records.map((record) => ({ ...record, patient: null }));
    const rows = records.map((_, row) => row);
    const tried = await attempt(() =>
      sweep(
        { dropout: [0, 0.1] },
        {
          ...{ dataset: { ...dataset, records }, features, output },
          split: { train: rows.slice(0, 20), validation: rows.slice(20) },
          settings: resolveSettings(),
        },
      ),
    );
    expect(seen.at(-1)).toBe("nothing");
    expect(sweepNote(tried).html).toMatch(/needs to know every image&#39;s patient/);
    expect(sweepNote({ ok: true, value: two }).html).toContain("Best of 3 of 4");
  });

  it("draws in one place as scores come, at most twice a second, and ends with all of them", async () => {
    const drawn: Figure[] = [];
    let nowMs = 0;
    const output = { update: (value: unknown) => void drawn.push(value as Figure), clear: () => undefined };
    const { dataset, features } = exampleCohort({ patients: 12, imagesPerPatient: 2, seed: 3 });
    const rows = dataset.records.map((_, row) => row);
    const done = await sweep(
      { dropout: [0, 0.1, 0.2, 0.3] },
      {
        ...{ dataset, features, output, folds: 2, resamples: 20 },
        split: { train: rows.slice(0, 20), validation: rows.slice(20) },
        settings: resolveSettings({ hiddenUnits: [4], epochs: 2 }),
        now: () => nowMs++ * 300,
      },
    );
    expect(done.tries).toHaveLength(4);
    const counts = drawn.map(({ data }) => (data[0]!["x"] as string[]).length);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts[0]).toBe(0);
    expect(counts.at(-1)).toBe(4);
    expect(drawn.length).toBeLessThan(6);
  });
});
