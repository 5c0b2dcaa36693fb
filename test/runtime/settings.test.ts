import { afterEach, describe, expect, it, vi } from "vitest";
import {
  completeFineTuning,
  completeSettings,
  pickFineTuning,
  resolveSettings,
  settingsVariable,
} from "../../src/runtime/settings";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("resolveSettings", () => {
  it("takes the defaults, then the cell, then the flags", () => {
    vi.stubEnv(settingsVariable, JSON.stringify({ epochs: 3 }));
    const settings = resolveSettings({ epochs: 10, learningRate: 0.01 });
    expect(settings).toMatchObject({
      epochs: 3,
      learningRate: 0.01,
      hiddenUnits: [128, 64],
      split: "patient",
    });
  });

  it("runs the example of its documentation", () => {
    expect(resolveSettings({ epochs: 10 }).learningRate).toBe(0.001);
  });

  it("completes the group of fine-tuning, and lets a flag change one of its settings", () => {
    expect(resolveSettings().fineTune).toBeNull();
    expect(resolveSettings({ fineTune: { epochs: 2 } }).fineTune).toMatchObject({ from: "last", epochs: 2 });
    vi.stubEnv(settingsVariable, JSON.stringify({ fineTune: { from: "conv4" } }));
    const { fineTune } = resolveSettings({ fineTune: { epochs: 2, from: "conv5" } });
    expect(fineTune).toMatchObject({ from: "conv4", epochs: 2, accumulation: 2 });
    expect(resolveSettings({ fineTune: null }).fineTune).toMatchObject({ from: "conv4", epochs: 5 });
  });

  it.each([
    [
      { fineTune: { from: "conv 5" } },
      'fineTune.from takes last, all, or a stage of the backbone such as conv5 or stage7, and "conv 5" was given',
    ],
    [{ fineTune: { warmUp: 1 } }, "fineTune.warmUp takes a number from 0 to below 1, and 1 was given"],
    [
      { fineTune: { speed: 1 } as object },
      '"speed" is no setting of fineTune, which are from, epochs, batchSize',
    ],
    [{ fineTune: 3 as unknown as null }, "fineTune takes a group of from, epochs, batchSize"],
    [{ epochs: 0 }, "epochs takes a whole number from 1 to 10000, and 0 was given"],
    [{ epochs: 1.5 }, "epochs takes a whole number from 1 to 10000, and 1.5 was given"],
    [{ patience: 10_001 }, "patience takes a whole number from 1 to 10000, and 10001 was given"],
    [{ dropout: 1 }, "dropout takes a number from 0 to below 1, and 1 was given"],
    [{ learningRate: Number.NaN }, "learningRate takes a number above 0 and at most 10, and NaN was given"],
    [{ l2: -1 }, "l2 takes a number of at least 0, and -1 was given"],
    [
      { hiddenUnits: [64, 0] },
      "hiddenUnits takes a list of up to 8 whole numbers from 1 to 8192, and [64,0] was given",
    ],
    [
      { magnification: "40" as unknown as number },
      'magnification takes a whole number from 1 to 10000, or null, and "40" was given',
    ],
    [{ split: "patients" as "patient" }, 'split takes patient, image or folder, and "patients" was given'],
    [{ averageViews: "yes" as unknown as boolean }, 'averageViews takes true or false, and "yes" was given'],
    [{ averageViews: true }, "averageViews: true needs views to average over"],
    [{ lerningRate: 0.1 } as object, '"lerningRate" is no setting, which are data, labels, columns, classes'],
    [{ dropout: 1, epochs: 0 }, "and 1 was given; epochs takes"],
  ])(
    "names the setting that can't be used in %o, what it takes and what was given",
    (settings, complaint) => {
      expect(() => resolveSettings(settings)).toThrow(complaint);
    },
  );

  it("finds fine-tuning's settings among other fields", () => {
    const task = { epochs: 2, from: "conv5", dataset: {}, onEpoch: () => undefined };
    expect(completeFineTuning(pickFineTuning(task))).toMatchObject({ epochs: 2, from: "conv5", patience: 3 });
    expect(pickFineTuning(task)).toEqual({ epochs: 2, from: "conv5" });
  });

  it("leaves the flags of npm start out where it is not asked for them", () => {
    vi.stubEnv(settingsVariable, JSON.stringify({ epochs: 3, seed: 9 }));
    expect(completeSettings({ seed: 1 })).toMatchObject({ epochs: 30, seed: 1 });
  });

  it("says so when the flags are not JSON", () => {
    vi.stubEnv(settingsVariable, "epochs=3");
    expect(() => resolveSettings()).toThrow(/BREAKHIS_SETTINGS should hold settings as JSON/);
  });
});
