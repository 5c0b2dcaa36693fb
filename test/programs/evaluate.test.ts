import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { type RecipeComparison, recipeOf } from "../../src/experiments/compare-recipes";
import type { Evaluation } from "../../src/experiments/evaluation-report";
import { projectRoot } from "../../src/runtime/paths";
import { presets } from "../../src/runtime/presets";
import { drawImages } from "../support/data/drawn-images";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("evaluate-program");
const images = join(folder, "images");
const tsx = join(projectRoot(), "node_modules", "tsx", "dist", "cli.mjs");

function runProgram(args: string[]) {
  const program = join(projectRoot(), "scripts", "evaluate.ts");
  // What notebooks take is not for this program: it would refuse this.
  const env = { ...process.env, BREAKHIS_SETTINGS: JSON.stringify({ epochs: 0 }) };
  return spawnSync(process.execPath, [tsx, program, ...args], { encoding: "utf8", env });
}

beforeAll(async () => {
  const [patients, size] = [8, 48];
  const pixels = drawImages(patients, size);
  for (const [index, name] of ["benign", "malignant"].entries()) {
    mkdirSync(join(images, name), { recursive: true });
    for (let patient = index; patient < patients; patient += 2) {
      const raw = pixels.subarray(patient * size * size * 3, (patient + 1) * size * size * 3);
      const file = `SOB_${index === 0 ? "B_A" : "M_DC"}-14-10${patient}-100-001.png`;
      await sharp(raw, { raw: { width: size, height: size, channels: 3 } })
        .png()
        .toFile(join(images, name, file));
    }
  }
});

describe("npm run evaluate", () => {
  const choice = ["--data", images, "--backbone", "efficientnet-lite0", "--input-size", "48"];

  it("prints tables and writes the numbers", () => {
    const out = join(folder, "evaluation.json");
    const result = runProgram([
      ...choice,
      "--folds",
      "2",
      "--audit-seeds",
      "0",
      "--target",
      "1",
      "--out",
      out,
    ]);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toMatch(/8 images +8 patients\naccuracy/);
    expect(result.stderr).toMatch(/Cross-validating: 2 folds\./);
    const written = JSON.parse(readFileSync(out, "utf8")) as Evaluation;
    expect(written).toMatchObject({
      method: "cross-validation",
      complete: true,
      backbone: "efficientnet-lite0",
    });
    expect(written.scores?.patient?.count).toBe(8);
  });

  it("compares what is done to images step by step, and says first what it costs", () => {
    const out = join(folder, "comparison.json");
    const asked = ["--augmentation", "turns", "--average-views", "--compare", "--folds", "2", "--out", out];
    const result = runProgram([...choice, ...asked]);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toMatch(/Each of 8 images is seen in 8 views: .* 8 times as long/);
    expect(result.stdout).toMatch(/as they are .*\n8 views \(turns\) .*\n… averaged /);
    const written = JSON.parse(readFileSync(out, "utf8")) as RecipeComparison;
    expect(written).toMatchObject({ method: "comparison", complete: true, folds: 2 });
    expect(written.recipes.map(({ gain }) => gain?.images ?? null)).toEqual([null, 8, 8]);
  });

  it("takes a preset, and a flag in place of one of its settings", () => {
    const out = join(folder, "preset.json");
    const asked = ["--preset", "patients", "--augmentation", "none", "--folds", "2", "--audit-seeds", "0"];
    const refused = runProgram([...choice, ...asked]);
    expect(refused.stderr).toMatch(/averageViews: true needs views to average over/);
    const result = runProgram([...choice, "--preset", "patients", ...asked.slice(4), "--out", out]);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toMatch(/patients alike, linear head \(L2 0\.3\), 8 views \(turns\), averaged/);
    expect(JSON.parse(readFileSync(out, "utf8")).recipe).toMatchObject(recipeOf(presets.patients));
  });

  it("keeps all folds' heads as one classifier, which predicts, is exported, and says so", () => {
    const kept = join(folder, "ensemble");
    const small = ["--folds", "2", "--audit-seeds", "0"];
    const result = runProgram([...choice, ...small, "--repeats", "3", "--keep-ensemble", kept]);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toContain(`The classifier of 6 heads is in ${kept}`);
    const predicted = spawnSync(
      process.execPath,
      [tsx, join(projectRoot(), "scripts", "predict.ts"), kept, images],
      {
        encoding: "utf8",
      },
    );
    expect(predicted.status, predicted.stderr).toBe(0);
    expect(predicted.stdout.trim().split("\n")).toHaveLength(9);
    const out = join(folder, "export");
    const exporting = [
      tsx,
      join(projectRoot(), "scripts", "export.ts"),
      kept,
      "--format",
      "tfjs",
      "--out",
      out,
    ];
    const exported = spawnSync(process.execPath, exporting, { encoding: "utf8" });
    expect(exported.status, exported.stderr).toBe(0);
    expect(JSON.parse(readFileSync(join(out, "export.json"), "utf8"))).toMatchObject({ heads: 6 });
    expect(readFileSync(join(out, "MODEL-CARD.md"), "utf8")).toContain("then 6 dense heads");
  });

  it.each([
    [[...choice, "--preset", "perceptilabs"], /Allowed choices are patients/],
    [[...choice, "--folds", "5"], /Up to 4 folds are possible/],
    [[...choice, "--target", "95"], /Expected shares above 0 and up to 1/],
    [[...choice, "--average-views"], /averageViews: true needs views to average over/],
    [[...choice, "--augmentation", "crops"], /Allowed choices are none, turns, stains, turns-and-stains/],
    [[...choice, "--compare", "--hold-out"], /'--compare' cannot be used with option '--hold-out'/],
    [[...choice, "--keep-ensemble", "x", "--compare"], /cannot be used with option/],
    [[...choice, "--ensemble", "0"], /Expected a whole number of heads/],
    [["--backbone", "resnet50"], /give --data <folder>, or --predictions <csv>/],
  ])("fails in one sentence for %j", (args, sentence) => {
    const result = runProgram(args);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it("evaluates on fold files, and scores a table of votes, as publications do", () => {
    const folds = join(folder, "folds");
    mkdirSync(folds);
    const names = readdirSync(images, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".png"),
    );
    const lines = names.sort().map((name, i) => `${basename(name)}|100|1|${i % 4 === 0 ? "test" : "train"}`);
    writeFileSync(join(folds, "dsfold1.txt"), lines.join("\n"));
    const out = join(folder, "fold-files.json");
    const evaluated = runProgram([...choice, "--folds", folds, "--out", out]);
    expect(evaluated.status, evaluated.stderr).toBe(0);
    expect(evaluated.stdout).toContain("dsfold1.txt: no patient lies on both sides.");
    expect(JSON.parse(readFileSync(out, "utf8"))).toMatchObject({ method: "fold-files", complete: true });

    const votes = join(folder, "votes.csv");
    const rows = names.map((name) => `${basename(name)},${name.startsWith("benign") ? "3,1" : "1,2"}`);
    writeFileSync(votes, ["image,benign,malignant", ...rows].join("\n"));
    for (const truth of [[], ["--data", images]]) {
      const scored = runProgram(["--predictions", votes, ...truth]);
      expect(scored.status, scored.stderr).toBe(0);
      expect(scored.stdout).toMatch(/all +8 +8 +100\.0 % +100\.0 % +1\.000/);
    }
  });

  it("says what it needs, and where fold files and answers are wrong", () => {
    expect(runProgram([]).stderr).toMatch(/give --data <folder>, or --predictions <csv>\./);
    expect(runProgram([...choice, "--folds", join(folder, "nowhere")]).stderr).toMatch(/fold files, dsfold1/);
    const broken = join(folder, "broken.csv");
    writeFileSync(broken, "image,benign,malignant\nSOB_B_A-14-101-100-001.png,NaN,1\n");
    const refused = runProgram(["--predictions", broken]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/broken\.csv, line 2, SOB_B_A-14-101-100-001\.png: .* found "NaN", "1"/);
  });
});
