import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readOptions } from "../../scripts/start/options.js";
import { trainRun } from "../../src/experiments/runs/train-run";
import { writeRunCard } from "../../src/export/run-card";
import { loadClassifier, predictImages } from "../../src/model/classifier/classifier";
import { completeSettings } from "../../src/runtime/settings";
import { shareWeights } from "../support/model/shared-weights";
import { makeSmallRun, type SmallRun } from "../support/runs/small-run";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("run-card");
const card = join(home, "card");
let run: SmallRun;
const headOf = (folder: string) => readFileSync(join(folder, "classifier", "head.safetensors"), "hex");

beforeAll(async () => {
  vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
  vi.stubEnv("BREAKHIS_RUNS", join(home, "runs"));
  shareWeights(join(home, "cache"));
  run = await makeSmallRun(home);
  await writeRunCard(run.folder, card);
});
afterAll(() => vi.unstubAllEnvs());

describe("writeRunCard", () => {
  it("leaves one folder with everything, and no path of this machine in what programs read", () => {
    const files = ["README.md", "card.json", "classifier", "report.html", "settings.json", "split.json"];
    expect(readdirSync(card).sort()).toEqual(files);
    for (const file of ["settings.json", "classifier/classifier.json", "README.md"]) {
      expect(readFileSync(join(card, file), "utf8"), file).not.toContain(home);
    }
    const text = readFileSync(join(card, "README.md"), "utf8");
    expect(text).toContain("Not a medical device");
    expect(text).toMatch(/npm start -- --settings card\/settings\.json/);
    expect(text).toMatch(/accuracy/);
  });

  it("answers as the run's own classifier", async () => {
    const images = readdirSync(run.images, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".png"))
      .slice(0, 4)
      .map((name) => join(run.images, name));
    const ask = async (folder: string) => {
      const classifier = await loadClassifier(folder);
      const { predictions } = await predictImages(classifier, images);
      classifier.backbone.dispose();
      return predictions;
    };
    expect(await ask(join(card, "classifier"))).toEqual(await ask(run.classifierFolder));
  });

  it("is made again from its settings, to the same bytes", async () => {
    const { settings } = readOptions(["--settings", "card/settings.json", "--data", run.images], home);
    const again = await trainRun(completeSettings(settings as Parameters<typeof completeSettings>[0]));
    expect(headOf(again!.run.folder)).toBe(headOf(run.folder));
  });

  it("replaces an earlier card and nothing else", async () => {
    await writeRunCard(run.folder, card);
    await expect(writeRunCard(run.folder, run.images)).rejects.toThrow(
      /holds something else than a run's card/,
    );
    await expect(writeRunCard(home, join(home, "new"))).rejects.toThrow(/classifier/);
  });

  it("is refused by npm start where a file is no run's settings", () => {
    writeFileSync(join(home, "list.json"), "[]");
    writeFileSync(join(home, "odd.json"), '{"epochz": 3}');
    const read = (file: string) => () => readOptions(["--settings", file], home);
    expect(read("list.json")).toThrow(/--settings takes a run's settings\.json; "list\.json" was given/);
    expect(read("odd.json")).toThrow(/"epochz" is no setting/);
    expect(read("none.json")).toThrow(/takes a run's settings\.json/);
  });
});
