import { afterEach, describe, expect, it, vi } from "vitest";
import { resolveSettings, settingsVariable } from "../../src/runtime/settings";

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
    [{ fineTune: { from: "conv 5" } }, /fineTune.from: expected "last", "all" or a stage such as "conv5"/],
    [{ fineTune: { warmUp: 1 } }, /fineTune.warmUp/],
    [{ fineTune: { speed: 1 } as object }, /fineTune.*speed/],
    [{ epochs: 0 }, /epochs/],
    [{ dropout: 1 }, /dropout/],
    [{ learningRate: Number.NaN }, /learningRate/],
    [{ hiddenUnits: [0] }, /hiddenUnits/],
    [{ averageViews: true }, /averageViews: true needs views to average over/],
    [{ lerningRate: 0.1 } as object, /lerningRate/],
  ])("names the setting that can't be used in %o", (settings, complaint) => {
    expect(() => resolveSettings(settings)).toThrow(complaint);
  });

  it("says so when the flags are not JSON", () => {
    vi.stubEnv(settingsVariable, "epochs=3");
    expect(() => resolveSettings()).toThrow(/BREAKHIS_SETTINGS should hold settings as JSON/);
  });
});
