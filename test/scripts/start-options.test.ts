import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HELP, readOptions, settingFlags } from "../../scripts/start/options.js";
import { describeSummary } from "../../scripts/start/summary.js";
import { projectRoot } from "../../src/runtime/paths";
import { evaluablePresets, presets } from "../../src/runtime/presets";
import { describeSettings } from "../../src/runtime/schema-words";
import { completeSettings, resolveSettings, settingsSchema } from "../../src/runtime/settings";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "breakhis-options-"));
  mkdirSync(join(folder, "images"));
  writeFileSync(join(folder, "weights.h5"), "");
  writeFileSync(join(folder, "details.json"), '{"scale": 1}');
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (...args: string[]) => readOptions(args, folder);

describe("readOptions", () => {
  it("passes on only what was given", () => {
    expect(read()).toEqual({
      help: false,
      setupOnly: false,
      asShipped: false,
      preset: null,
      tensorflow: null,
      settings: {},
    });
    expect(read("--epochs", "5", "--tensorflow", "cpu", "--setup-only")).toEqual({
      help: false,
      setupOnly: true,
      asShipped: false,
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

  it("takes another network's file or folder from the caller's folder", () => {
    expect(read("--backbone", "images").settings).toEqual({ backbone: join(folder, "images") });
    expect(read("--backbone-details", "details.json").settings).toEqual({ backboneDetails: { scale: 1 } });
  });

  it("takes a labels file for the data, and one that lies beside the caller or in the folder", () => {
    writeFileSync(join(folder, "truth.csv"), "image,label\n");
    expect(read("--data", "truth.csv").settings).toEqual({ data: join(folder, "truth.csv") });
    expect(read("--labels", "truth.csv").settings).toEqual({ labels: join(folder, "truth.csv") });
    expect(read("--labels", "inside.csv").settings).toEqual({ labels: "inside.csv" });
  });

  it("has a flag for every setting, each accepted by the notebooks", () => {
    const given: Record<string, string> = {
      data: "images",
      labels: "labels.csv",
      columns: "image=path,patient=case number",
      classes: "subtype",
      "positive-class": "malignant",
      magnification: "400",
      split: "image",
      backbone: "resnet50",
      "backbone-details": "details.json",
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
      "allow-duplicates-across-parts": "yes",
      patience: "2",
      "fine-tune": "conv5",
      "fine-tune-epochs": "4",
      arithmetic: "fast",
      seed: "7",
    };
    expect(Object.keys(given)).toEqual(Object.keys(settingFlags));
    const { settings } = read(...Object.entries(given).map(([name, value]) => `--${name}=${value}`));
    const resolved = resolveSettings(settings);
    expect(resolved).toMatchObject(settings);
    expect({ ...resolved, fineTune: settings["fineTune"] }).toEqual(settings);
    expect(Object.keys(settings).sort()).toEqual(Object.keys(resolveSettings({})).sort());
    for (const name of Object.keys(settingFlags)) expect(HELP).toContain(`--${name} `);
  });

  it("has a word for a head without hidden layers", () => {
    expect(read("--hidden-units", "none").settings).toEqual({ hiddenUnits: [] });
  });

  it("is made of what src/runtime/settings.ts says", () => {
    const written = JSON.parse(readFileSync(join(projectRoot(), "scripts/start/settings.json"), "utf8"));
    expect(written, "node scripts/typescript.js settings-schema.ts writes it again").toEqual(
      JSON.parse(JSON.stringify(describeSettings(settingsSchema))),
    );
    const shipped = JSON.parse(readFileSync(join(projectRoot(), "scripts/start/presets.json"), "utf8"));
    expect(shipped).toEqual(presets);
    const lines = HELP.split("\n").map((line) => line.trim().replace(/ {2,}/, "  "));
    expect(lines).toContain("--data FOLDER  your images; without it a synthetic demo set is drawn");
    expect(lines).toContain("--hidden-units N,N  the head's hidden layers, or none (128,64)");
    expect(lines).toContain("--average-views yes|no  answer with the mean over those views (no)");
    expect(lines).toContain("--l2 X  weight of squared kernels in the loss (0.0001)");
    expect(lines).toContain(
      "--fine-tune STAGE  train the backbone too, from this stage on: last, conv5, stage7 …, or all (none)",
    );
  });

  // Where a flag ends, its setting ends too.
  it.each([
    ["epochs", ["0", "1", "10000", "10001", "1.5"]],
    ["patience", ["0", "1", "10000", "10001"]],
    ["input-size", ["31", "32", "1024", "1025"]],
    ["dropout", ["-0.1", "0", "0.99", "1"]],
    ["learning-rate", ["0", "1e-9", "10", "10.1"]],
    ["l2", ["-1e-9", "0", "1e9"]],
    ["hidden-units", ["0", "1", "8192", "8193", "1,1,1,1,1,1,1,1", "1,1,1,1,1,1,1,1,1"]],
    ["magnification", ["0", "1", "10000", "10001"]],
    ["seed", ["0", "4294967295", "4294967296"]],
    ["fine-tune", ["conv5", "conv 5", "5"]],
    ["fine-tune-epochs", ["0", "1", "1000", "1001"]],
  ])("--%s takes what the notebooks take", (name, texts) => {
    const { key } = settingFlags[name]!;
    for (const text of texts) {
      const value =
        key === "fineTune.from" ? text : key === "hiddenUnits" ? text.split(",").map(Number) : Number(text);
      const [group, member] = key.split(".");
      const given = member === undefined ? { [key]: value } : { [group!]: { [member]: value } };
      const accepts = (check: () => unknown) => {
        try {
          check();
          return true;
        } catch {
          return false;
        }
      };
      expect(
        accepts(() => read(`--${name}=${text}`)),
        text,
      ).toBe(accepts(() => completeSettings(given)));
    }
  });

  it("takes a preset's settings, and flags in place of some of them", () => {
    const { preset, settings } = read("--preset", "perceptilabs", "--fine-tune", "conv5");
    expect(preset).toBe("perceptilabs");
    expect(settings).toMatchObject({ split: "image", fineTune: { from: "conv5", epochs: 3 } });
    expect(resolveSettings(settings)).toMatchObject(settings);
    expect(read("--preset", "perceptilabs").settings).toMatchObject({ fineTune: { from: "all" } });
    expect(() => read("--preset", "keras")).toThrow(
      '--preset takes perceptilabs or patients; "keras" was given',
    );
  });

  it.each(Object.entries(presets))("knows the preset %s, whose settings are settings", (name, preset) => {
    const { settings } = read("--preset", name);
    expect(settings).toEqual(preset);
    expect(resolveSettings(settings)).toMatchObject(preset);
    expect(HELP).toContain(`--preset ${name} `);
    const evaluable: readonly string[] = evaluablePresets;
    expect(evaluable.includes(name)).toBe(preset.fineTune === undefined && preset.split !== "image");
  });

  const mistakes: [string[], RegExp][] = [
    [
      ["--data", "nowhere"],
      /--data takes a folder of images or a labels file \(CSV\), and .*nowhere is neither; "nowhere" was given/,
    ],
    [["--data", "weights.h5"], /is neither/],
    [["--columns", "path"], /--columns takes pairs such as image=path,label=class, of image, label, patient/],
    [["--columns", "picture=path"], /--columns takes pairs/],
    [["--weights", "images"], /--weights takes a file .* is not a file/],
    [
      ["--backbone", "vgg"],
      /--backbone takes auto, resnet50, efficientnet-lite0, or the path of another network's file or folder, and there is nothing at .*vgg; "vgg" was given/,
    ],
    [
      ["--backbone-details", "weights.h5"],
      /--backbone-details takes a JSON file with inputSize, .*weights\.h5 is none/,
    ],
    [["--split", ""], /--split takes patient, image or folder/],
    [["--epochs", "0"], /--epochs takes a whole number from 1 to 10000; "0"/],
    [["--epochs", "1e3"], /--epochs takes a whole number/],
    [["--seed=-1"], /--seed takes a whole number from 0 to 4294967295/],
    [["--dropout", "1"], /--dropout takes a number from 0 to below 1/],
    [["--learning-rate", "fast"], /--learning-rate takes a number above 0 and at most 10; "fast"/],
    [
      ["--hidden-units", "64,"],
      /--hidden-units takes a list of up to 8 whole numbers from 1 to 8192, with commas between them, or none; "64,"/,
    ],
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
