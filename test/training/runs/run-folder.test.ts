import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { resolveSettings } from "../../../src/runtime/settings";
import { pointLatestTo, startRun } from "../../../src/training/runs/run-folder";
import { listRuns, loadRun, saveHistory } from "../../../src/training/runs/run-log";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("runs");
const settings = resolveSettings({ epochs: 3 });
let runs = "";

beforeEach((context) => {
  runs = join(home, context.task.id);
  vi.stubEnv("BREAKHIS_RUNS", runs);
  vi.stubEnv("BREAKHIS_RUN", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("startRun", () => {
  it("makes a folder named by the time, with the settings in it", async () => {
    const run = await startRun(settings);
    expect(run.id).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d$/);
    expect(run.folder).toBe(join(runs, run.id));
    expect(JSON.parse(readFileSync(join(run.folder, "settings.json"), "utf8"))).toEqual(settings);
    expect(readdirSync(run.folder)).toEqual(["settings.json"]);
  });

  it("gives runs of one second, even simultaneous ones, different ids", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(2026, 0, 2, 3, 4, 5) });
    try {
      const started = await Promise.all(Array.from({ length: 8 }, () => startRun(settings)));
      const ids = started.map(({ id }) => id).sort();
      const time = "2026-01-02T03-04-05";
      expect(ids).toEqual([time, ...[2, 3, 4, 5, 6, 7, 8].map((number) => `${time}-${number}`)]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("takes the id it is given once, also in a folder that is there", async () => {
    vi.stubEnv("BREAKHIS_RUN", "mine");
    mkdirSync(join(runs, "mine"), { recursive: true });
    writeFileSync(join(runs, "mine", "01-explore-data.ipynb"), "{}");
    expect((await startRun(settings)).id).toBe("mine");
    expect((await startRun(settings)).id).not.toBe("mine");
    expect(existsSync(join(runs, "mine", "01-explore-data.ipynb"))).toBe(true);
  });

  it.each(["../elsewhere", "a/b", "latest", ".hidden"])("refuses the id %s", async (id) => {
    vi.stubEnv("BREAKHIS_RUN", id);
    await expect(startRun(settings)).rejects.toThrow(/A run's id/);
  });
});

describe("runs that have not finished", () => {
  it("are listed, the newest first, and are not loaded", async () => {
    const first = await startRun(settings);
    await new Promise((resolve) => setTimeout(resolve, 20));
    vi.stubEnv("BREAKHIS_RUN", "a-second");
    const second = await startRun({ ...settings, seed: 7 });
    mkdirSync(join(runs, "no-run"));
    expect((await listRuns()).map(({ id }) => id)).toEqual([second.id, first.id]);
    expect((await listRuns())[0]).toMatchObject({ summary: null, settings: { seed: 7 } });
    await expect(loadRun()).rejects.toThrow(/not finished in the run a-second.*notebook 03/);
    await expect(loadRun("latest")).rejects.toThrow(/no finished run .* run notebook 03/);
  });

  it("keep the epochs that they had", async () => {
    const run = await startRun(settings);
    const record = {
      epoch: 1,
      trainLoss: 0.7,
      trainAccuracy: 0.5,
      validationLoss: 0.69,
      validationAccuracy: 0.55,
      elapsedSeconds: 0.25,
    };
    await saveHistory(run, [record]);
    await saveHistory(run, [record, { ...record, epoch: 2 }]);
    const lines = readFileSync(join(run.folder, "history.jsonl"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).epoch)).toEqual([1, 2]);
    expect(readdirSync(run.folder).sort()).toEqual(["history.jsonl", "settings.json"]);
  });
});

describe("where there is no run", () => {
  it("the list is empty, and loading says which notebook to run", async () => {
    expect(await listRuns()).toEqual([]);
    await expect(loadRun()).rejects.toThrow(/no finished run .* run notebook 03 \(03-train-model\) first/);
    await expect(loadRun("2020-01-01T00-00-00")).rejects.toThrow(/There is no run 2020.*notebook 03/);
    await expect(loadRun("../x")).rejects.toThrow(/A run's id/);
  });
});

describe("runs/latest", () => {
  it("points to a run by its name alone, so that the folder of runs can be moved", async () => {
    const first = await startRun(settings);
    await pointLatestTo(first);
    vi.stubEnv("BREAKHIS_RUN", "next");
    const next = await startRun(settings);
    await pointLatestTo(next);
    expect(readlinkSync(join(runs, "latest"))).toBe("next");
    expect(readdirSync(runs).sort()).toEqual([first.id, "latest", "next"]);
  });
});
