import { describe, expect, it } from "vitest";
import { crossValidate } from "../../src/experiments/cross-validation";
import { bestTry, type Sweep, type SweepTask, sweepSettings } from "../../src/experiments/sweep";
import { requestStop } from "../../src/runtime/interruption";
import { countNativeValues } from "../../src/runtime/native/native-backend";
import { onProgress, type ProgressState } from "../../src/runtime/progress";
import { resolveSettings } from "../../src/runtime/settings";
import { tf } from "../../src/runtime/tensorflow";
import { scoreWithIntervals } from "../../src/scores/intervals/score-intervals";
import { inMemory } from "../support/model/values-in-memory";
import { exampleCohort } from "../support/runs/example-cohort";

const { dataset, features } = exampleCohort({ patients: 24, imagesPerPatient: 3, seed: 8, identity: 0.3 });
const settings = resolveSettings({ hiddenUnits: [8], epochs: 4, batchSize: 16, seed: 5 });
/** The last six patients are the test part. */
const rows = dataset.records.map((_, row) => row);
const split = { train: rows.slice(0, 42), validation: rows.slice(42, 54) };
const test = rows.slice(54);
const task: SweepTask = { dataset, features, split, settings, folds: 3, resamples: 50 };
const grid = { learningRate: [1e-4, 1e-2], hiddenUnits: [[4], [8, 4]] };

describe("sweepSettings", () => {
  it("tries every combination, each as cross-validation of the two parts alone does", async () => {
    const [tensors, natives] = [tf.memory().numTensors, countNativeValues()];
    const sweep = await sweepSettings(grid, task);
    expect([tf.memory().numTensors, countNativeValues()]).toEqual([tensors, natives]);
    expect(sweep).toMatchObject({ planned: 4, complete: true, score: "auc", folds: 3, images: 54 });
    expect(sweep.tries.map(({ values }) => values)).toEqual([
      { learningRate: 1e-4, hiddenUnits: [4] },
      { learningRate: 1e-4, hiddenUnits: [8, 4] },
      { learningRate: 1e-2, hiddenUnits: [4] },
      { learningRate: 1e-2, hiddenUnits: [8, 4] },
    ]);
    const alone = await crossValidate({
      dataset: { ...dataset, records: dataset.records.slice(0, 54) },
      features: { ...features, values: inMemory(features.values).slice(0, 54 * features.width), count: 54 },
      settings: { ...settings, learningRate: 1e-2, hiddenUnits: [8, 4] },
      folds: 3,
    });
    const rule = { positiveClass: 1, threshold: 0.5 };
    expect(sweep.tries[3]!.scores).toEqual(scoreWithIntervals(alone.predictions, rule, { resamples: 50 }));
  });

  it("never looks at the test part: whatever it holds, nothing changes", async () => {
    const values = Float32Array.from(inMemory(features.values));
    const records = [...dataset.records];
    for (const row of test) {
      values.fill(Number.NaN, row * features.width, (row + 1) * features.width);
      records[row] = { ...records[row]!, label: 1 - records[row]!.label, patient: null };
    }
    const poisoned = { ...task, features: { ...features, values }, dataset: { ...dataset, records } };
    expect(await sweepSettings(grid, poisoned)).toEqual(await sweepSettings(grid, task));
  });

  it("does notice what the other parts hold", async () => {
    const values = Float32Array.from(inMemory(features.values));
    values[split.validation[0]! * features.width] = Number.NaN;
    await expect(sweepSettings(grid, { ...task, features: { ...features, values } })).rejects.toThrow(
      /not finite/,
    );
  });

  it("ends with what it has when it is interrupted, and can be run again", async () => {
    const seen: number[] = [];
    const stopAfterTwo = (sweep: Sweep) => {
      seen.push(sweep.tries.length);
      if (sweep.tries.length === 2) requestStop();
    };
    const stopped = await sweepSettings(grid, { ...task, onTry: stopAfterTwo });
    expect(seen).toEqual([0, 1, 2]);
    expect(stopped).toMatchObject({ complete: false, planned: 4 });
    const whole = await sweepSettings(grid, task);
    expect(whole.complete).toBe(true);
    expect(whole.tries.slice(0, 2)).toEqual(stopped.tries);
  });

  it("drops a combination that was interrupted between its folds", async () => {
    let folds = 0;
    const unsubscribe = onProgress(({ task: name, done, finished }: ProgressState) => {
      if (name !== "Trying settings" || finished) return;
      folds = done;
      if (done === 4) requestStop();
    });
    const stopped = await sweepSettings(grid, task).finally(unsubscribe);
    expect(folds).toBe(4);
    expect(stopped.tries).toHaveLength(1);
    expect(stopped.complete).toBe(false);
  });

  it("shows one progress, of all folds", async () => {
    const states: ProgressState[] = [];
    const unsubscribe = onProgress((state) => states.push(state));
    await sweepSettings({ dropout: [0, 0.5] }, task).finally(unsubscribe);
    expect(new Set(states.map((state) => state.task))).toEqual(new Set(["Trying settings"]));
    expect(states.at(-1)).toMatchObject({ done: 6, total: 6, finished: true });
  });

  it("goes on after a combination with which training diverges, and finds the best of the others", async () => {
    const huge = Float32Array.from(inMemory(features.values), (value) => value * 1e30);
    const sweep = await sweepSettings(
      { learningRate: [10, 1e-4] },
      { ...task, features: { ...features, values: huge } },
    );
    expect(sweep.tries[0]).toMatchObject({ scores: null, problem: expect.stringContaining("diverged") });
    expect(sweep.tries).toHaveLength(2);
    const tries = [{ values: { dropout: 0 }, scores: null, problem: "diverged" }];
    expect(bestTry({ tries, score: "auc" })).toBeNull();
  });

  it("refuses what it can't vary, and values out of range, before it starts", async () => {
    await expect(sweepSettings({}, task)).rejects.toThrow(/nothing to vary/);
    await expect(sweepSettings({ dropout: [] }, task)).rejects.toThrow(/no values for dropout/);
    await expect(sweepSettings({ inputSize: [64] } as object, task)).rejects.toThrow(/found inputSize/);
    await expect(sweepSettings({ dropout: [0.1, 2] }, task)).rejects.toThrow(/dropout/);
  });
});
