import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newRunId } from "../../scripts/start/main.js";
import { FLAGS, HELP, readOptions } from "../../scripts/start/options.js";
import { describeSummary } from "../../scripts/start/summary.js";
import { resolveSettings } from "../../src/runtime/settings";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "breakhis-options-"));
  mkdirSync(join(folder, "images"));
  writeFileSync(join(folder, "weights.h5"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (...args: string[]) => readOptions(args, folder);

describe("readOptions", () => {
  it("passes on only what was given", () => {
    expect(read()).toEqual({ help: false, setupOnly: false, preset: null, tensorflow: null, settings: {} });
    expect(read("--epochs", "5", "--tensorflow", "cpu", "--setup-only")).toEqual({
      help: false,
      setupOnly: true,
      preset: null,
      tensorflow: "cpu",
      settings: { epochs: 5 },
    });
  });

  it("reads relative paths from the caller's folder", () => {
    expect(read("--data", "images", "--weights=weights.h5").settings).toEqual({
      data: join(folder, "images"),
      weights: join(folder, "weights.h5"),
    });
  });

  it("has a flag for every setting, each accepted by the notebooks", () => {
    const given: Record<string, string> = {
      data: "images",
      magnification: "400",
      split: "image",
      backbone: "resnet50",
      weights: "weights.h5",
      stain: "normalised",
      augmentation: "turns",
      "average-views": "yes",
      "input-size": "112",
      "hidden-units": "64,32",
      dropout: "0",
      l2: "0",
      "learning-rate": "1e-2",
      epochs: "3",
      "batch-size": "8",
      "class-weights": "none",
      patience: "2",
      "fine-tune": "conv5",
      "fine-tune-epochs": "4",
      seed: "7",
      "allow-duplicates-across-parts": "yes",
    };
    expect(Object.keys(given)).toEqual(Object.keys(FLAGS));
    const { settings } = read(...Object.entries(given).map(([name, value]) => `--${name}=${value}`));
    const resolved = resolveSettings(settings);
    expect(resolved).toMatchObject(settings);
    expect({ ...resolved, fineTune: settings["fineTune"] }).toEqual(settings);
    expect(Object.keys(settings).sort()).toEqual(Object.keys(resolveSettings({})).sort());
    for (const name of Object.keys(FLAGS)) expect(HELP).toContain(`--${name} `);
  });

  it("takes a preset's settings, and flags in place of some of them", () => {
    const { preset, settings } = read("--preset", "perceptilabs", "--fine-tune", "conv5");
    expect(preset).toBe("perceptilabs");
    expect(settings).toMatchObject({ split: "image", fineTune: { from: "conv5", epochs: 3 } });
    expect(resolveSettings(settings)).toMatchObject(settings);
    expect(read("--preset", "perceptilabs").settings).toMatchObject({ fineTune: { from: "all" } });
    expect(() => read("--preset", "keras")).toThrow('--preset takes perceptilabs; "keras" was given');
  });

  const mistakes: [string[], RegExp][] = [
    [
      ["--data", "nowhere"],
      /--data takes a folder of images, and .*nowhere is not a folder; "nowhere" was given/,
    ],
    [["--data", "weights.h5"], /is not a folder/],
    [["--weights", "images"], /--weights takes a file .* is not a file/],
    [["--backbone", "vgg"], /--backbone takes auto, resnet50 or efficientnet-lite0; "vgg" was given/],
    [["--split", ""], /--split takes patient, image or folder/],
    [["--epochs", "0"], /--epochs takes a whole number from 1 to 10000; "0"/],
    [["--epochs", "1e3"], /--epochs takes a whole number/],
    [["--seed=-1"], /--seed takes a whole number from 0 to 4294967295/],
    [["--dropout", "1"], /--dropout takes a number from 0 to below 1/],
    [["--learning-rate", "fast"], /--learning-rate takes a number above 0 and at most 10; "fast"/],
    [["--hidden-units", "64,"], /--hidden-units takes up to eight whole numbers/],
    [["--tensorflow", "gpu"], /--tensorflow takes cpu, cuda or auto; "gpu"/],
    [["--epoch", "3"], /Unknown option '--epoch': see npm start -- --help/],
    [["--data"], /argument missing: see npm start -- --help/],
    [["images"], /Unexpected argument 'images'/],
    [["--weights", "weights.h5", "--backbone", "efficientnet-lite0"], /leave one of them out/],
  ];
  it.each(mistakes)("refuses %j in a sentence", (args, sentence) => {
    expect(() => read(...args)).toThrow(sentence);
  });
});

describe("newRunId", () => {
  it("is the local time, and is not given twice", () => {
    const now = new Date(2026, 10, 3, 21, 30, 5);
    expect(newRunId(folder, now)).toBe("2026-11-03T21-30-05");
    mkdirSync(join(folder, "2026-11-03T21-30-05"));
    expect(newRunId(folder, now)).toBe("2026-11-03T21-30-05-2");
  });
});

describe("describeSummary", () => {
  it("gives the headline numbers, and says what it doesn't know", () => {
    const test = {
      accuracy: 0.8125,
      balancedAccuracy: 0.8,
      auc: 0.9,
      sensitivity: 0.75,
      specificity: null,
      majorityClassAccuracy: 0.625,
      byPatient: { accuracy: 1, auc: 0.95 },
    };
    const text = describeSummary({ backbone: "resnet50", split: "patient", test });
    expect(text).toContain("Test images (backbone resnet50, split by patient)");
    expect(text).toContain("most frequent class: accuracy 62.5 %");
    expect(text).toContain(
      "accuracy 81.3 %, balanced 80.0 %, AUC 0.900, sensitivity 75.0 %, specificity unknown",
    );
    expect(text).toContain("by patient: accuracy 100.0 %, AUC 0.950");
    expect(describeSummary({ synthetic: true })).toMatch(/^Synthetic test images, .*\n {2}accuracy unknown/);
  });
});
