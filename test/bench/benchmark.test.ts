import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requireBefore } from "../../bench/before";
import { runBenchmark, summarizeRounds } from "../../bench/benchmark";
import { startKeras } from "../../bench/keras-process";
import { renderReadme } from "../../bench/readme-table";
import { formatResults, readResults, saveResults } from "../../bench/results-file";
import { projectRoot } from "../../src/runtime/paths";
import { hasKeras } from "../support/python";
import { temporaryFolder } from "../support/temporary-folder";

const context = {
  resnet50Weights: () => Promise.reject(new Error("not asked for")),
  waitUntilIdle: async () => undefined,
  before: () => requireBefore(undefined),
};
const inSeconds = { name: "a", unit: "s", goal: 2 } as const;

describe("what is measured against the project as it was", () => {
  it("says how to set it up beside, where none was given or nothing is set up", () => {
    expect(() => context.before()).toThrow(/git worktree add .* 93302ec .*--before/);
    expect(() => requireBefore(temporaryFolder("not-set-up"))).toThrow(/is not set up: git worktree add/);
    expect(requireBefore(projectRoot()).folder).toBe(projectRoot());
  });
});

describe("summarizeRounds", () => {
  it("takes ratios round by round, so that a slow round says nothing about either side", () => {
    const rounds = [
      { ours: 1, baseline: 2 },
      { ours: 10, baseline: 20 },
      { ours: 1, baseline: 3 },
    ];
    const result = summarizeRounds(inSeconds, "other", rounds);
    expect(result).toMatchObject({ ours: 1, baseline: 3, ratio: 2, ratioMin: 2, ratioMax: 3, rounds: 3 });
  });

  it("is above 1 when we are better: fewer seconds, more images", () => {
    const rounds = [{ ours: 30, baseline: 10 }];
    expect(summarizeRounds(inSeconds, "other", rounds).ratio).toBeCloseTo(1 / 3);
    expect(summarizeRounds({ ...inSeconds, unit: "images/s" }, "other", rounds).ratio).toBe(3);
  });
});

describe("runBenchmark", () => {
  it("alternates, begins with the other side every second round, and closes even after a failure", async () => {
    const calls: string[] = [];
    const note = (name: string, value: number) => async () => {
      calls.push(name);
      return value;
    };
    const sides = { baselineName: "other", ours: note("ours", 1), baseline: note("baseline", 4) };
    const prepare = async () => ({ ...sides, close: async () => void calls.push("close") });
    const result = await runBenchmark({ ...inSeconds, prepare }, 3, context);
    expect(calls.join(" ")).toBe("ours baseline baseline ours ours baseline close");
    expect(result.ratio).toBe(4);

    const fewer = await runBenchmark({ ...inSeconds, mostRounds: 1, prepare }, 3, context);
    expect(fewer.rounds).toBe(1);

    const failing = async () => ({ ...(await prepare()), ours: () => Promise.reject(new Error("broken")) });
    await expect(runBenchmark({ ...inSeconds, prepare: failing }, 3, context)).rejects.toThrow("broken");
    expect(calls[calls.length - 1]).toBe("close");
  });
});

describe("results.json", () => {
  it("keeps other benchmarks' results, and puts what was measured again in its place", async () => {
    const path = join(temporaryFolder("bench"), "results.json");
    const result = (name: string, ours: number) =>
      summarizeRounds({ ...inSeconds, name }, "other", [{ ours, baseline: 6 }]);
    await saveResults([result("a", 1), result("b", 2)], path);
    await saveResults([result("a", 3)], path);
    const saved = JSON.parse(readFileSync(path, "utf8")) as { name: string; ratio: number }[];
    expect(saved.map(({ name, ratio }) => [name, ratio])).toEqual([
      ["a", 2],
      ["b", 3],
    ]);
    writeFileSync(path, "{");
    await expect(saveResults([result("a", 3)], path)).rejects.toThrow(/results\.json can't be read/);
  });

  it("is shown with whether goals are reached", () => {
    const reached = summarizeRounds(inSeconds, "Keras", [{ ours: 1, baseline: 2 }]);
    const missed = summarizeRounds(inSeconds, "Keras", [{ ours: 1.23456, baseline: 2 }]);
    const lines = formatResults([reached, missed]).split("\n");
    expect(lines[1]).toMatch(/a +1 s +2 s \(Keras\) +2 \(2–2\) +2 reached/);
    expect(lines[2]).toMatch(/1\.23 s .* 1\.62 \(1\.62–1\.62\) +2 missed/);
  });
});

describe("the README's table", () => {
  const readme = readFileSync(join(projectRoot(), "README.md"), "utf8");

  it("is what results.json holds", async () => {
    const results = await readResults();
    expect(results.length).toBeGreaterThan(0);
    expect(renderReadme(readme, results)).toBe(readme);
  });

  it("shows each machine's results under its name, and needs its place to be marked", () => {
    const one = { ...summarizeRounds(inSeconds, "Keras", [{ ours: 1, baseline: 2 }]), machine: "Machine A" };
    const rendered = renderReadme(readme, [one, { ...one, name: "b", machine: "Machine B" }]);
    expect(rendered).toMatch(/Measured on Machine A:\n\n\| {2}\| ours[\s\S]*\| a \| 1 s \|[\s\S]*Machine B/);
    expect(() => renderReadme("no place", [one])).toThrow(/should have the lines/);
  });
});

describe.skipIf(!hasKeras)("the Keras side", () => {
  it("says why it ended when a program fails", async () => {
    const missing = startKeras("missing.py");
    await expect(missing.ask({})).rejects.toThrow(/exit code 2[\s\S]*missing\.py/);
  });
});
