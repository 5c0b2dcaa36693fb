import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { cacheFolder, projectRoot } from "../../src/runtime/paths";
import { aggregateByPatient } from "../../src/scores/patients";
import type { Prediction } from "../../src/scores/prediction";
import { kindName, listWork } from "../../src/scores/triage/triage";
import { readPredictions } from "../../src/training/runs/predictions-file";
import { hostileName } from "../support/data/example-dataset";
import { haltAt } from "../support/halt";
import { makeSmallRun, type SmallRun } from "../support/runs/small-run";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("predict-program");
const program = [
  join(projectRoot(), "node_modules", "tsx", "dist", "cli.mjs"),
  join(projectRoot(), "scripts", "predict.ts"),
];
const weights = join(cacheFolder(), "weights");
let run: SmallRun;
let truth: Map<string, Prediction>;

/** A cache of its own that has the backbone's weights and nothing else. */
function emptyCache(name: string): string {
  const cache = join(home, name);
  mkdirSync(cache, { recursive: true });
  if (!existsSync(join(cache, "weights"))) cpSync(weights, join(cache, "weights"), { recursive: true });
  return cache;
}

const environment = (cache: string) => ({ ...process.env, BREAKHIS_CACHE: cache });

function predict(args: string[], options: { cwd?: string; cache?: string } = {}): SpawnSyncReturns<string> {
  const { cwd = home, cache = join(home, "cache") } = options;
  return spawnSync(process.execPath, [...program, ...args], {
    encoding: "utf8",
    cwd,
    env: environment(cache),
  });
}

type Row = Record<string, string>;
const rowsOf = (csv: string): Row[] => parse(csv, { columns: true });
const namesIn = (folder: string) =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(".png")).sort();
/** Predictions of a run name files by the way from the data set's folder. */
const withinImages = (file: string) => file.slice(file.indexOf("images/") + "images/".length);

beforeAll(async () => {
  vi.stubEnv("BREAKHIS_CACHE", emptyCache("training-cache"));
  vi.stubEnv("BREAKHIS_RUNS", join(home, "runs"));
  run = await makeSmallRun(home);
  vi.unstubAllEnvs();
  emptyCache("cache");
  truth = new Map((await readPredictions(join(run.folder, "predictions.csv"))).map((one) => [one.file, one]));
});
afterAll(() => vi.unstubAllEnvs());

describe("npm run predict", () => {
  it("gives a run's own numbers to the bit, computed anew by a copy of its classifier elsewhere", () => {
    const copy = join(home, "elsewhere");
    cpSync(run.classifierFolder, copy, { recursive: true });
    const result = predict([copy, "images"]);
    expect(result.status, result.stderr).toBe(0);
    const rows = rowsOf(result.stdout);
    expect(rows.map(({ file }) => file)).toEqual(namesIn(run.images).map((name) => `images/${name}`));
    for (const row of rows) {
      const known = truth.get(withinImages(row["file"]!))!;
      expect(row["probability of benign"]).toBe(String(known.probabilities[0]));
      expect(row["probability of malignant"]).toBe(String(known.probabilities[1]));
      expect(row["probabilityMalignant"]).toBe(String(known.probabilities[1]));
      expect(row["predicted"]).toBe(String(known.predicted));
      expect(row["patient"]).toBe(known.patient);
    }
    expect(result.stderr).toMatch(/^Not a medical device/m);
    expect(result.stderr).toMatch(/64 images of 16 known patients; \d+ for a second look/);
  });

  it("decides at the threshold that notebook 04 locked, and averages by patient as notebooks do", () => {
    const rows = rowsOf(predict([run.classifierFolder, "images"]).stdout);
    const { threshold } = JSON.parse(readFileSync(join(run.folder, "triage.json"), "utf8"));
    const predictions = [...truth.values()];
    const work = listWork(predictions, { threshold, level: "image", positiveClass: 1 });
    const kinds = new Map(work.map((row) => [row.file, row]));
    const patients = new Map(
      aggregateByPatient(predictions, { positiveClass: 1, threshold: 0.5 }).map((one) => [one.patient, one]),
    );
    expect(new Set(rows.map(({ secondLook }) => secondLook))).toEqual(new Set(["yes", "no"]));
    for (const row of rows) {
      const { kind, needsLook, probability } = kinds.get(withinImages(row["file"]!))!;
      expect([row["listedAs"], row["secondLook"]]).toEqual([
        kindName(kind, "malignant"),
        needsLook ? "yes" : "no",
      ]);
      expect(row["secondLook"] === "yes").toBe(probability >= threshold);
      expect(Number(row["calibratedProbability"]) > 0.5).toBe(probability > 0.5);
      const patient = patients.get(row["patient"]!)!;
      expect(row["patientImages"]).toBe("4");
      expect(Number(row["patientProbability"])).toBeCloseTo(patient.probabilities[1]!, 14);
      const siblings = rows.filter((other) => other["patient"] === row["patient"]);
      expect(row["patientSecondLook"]).toBe(
        siblings.some(({ secondLook }) => secondLook === "yes") ? "yes" : "no",
      );
    }
    expect(rows.map(({ rank }) => Number(rank)).sort((a, b) => a - b)).toEqual(rows.map((_, i) => i + 1));
  });

  it("writes JSON lines with the same names and numbers, and answers single files, each once", () => {
    const [first, second] = namesIn(run.images).map((name) => join("images", name)) as [string, string];
    const out = join(home, "answers.jsonl");
    const result = predict([run.classifierFolder, second, first, second, "--out", out]);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toBe("");
    const lines = readFileSync(out, "utf8").trim().split("\n");
    const answers = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(answers.map(({ file }) => file)).toEqual([second, first]);
    const known = truth.get(withinImages(first))!;
    expect(answers[1]).toMatchObject({
      probabilityMalignant: known.probabilities[1],
      predicted: known.predicted,
    });
    const csv = predict([run.classifierFolder, first]).stdout;
    expect(Object.keys(answers[1]!)).toEqual(csv.slice(0, csv.indexOf("\n")).split(","));
  });

  it("lists what can't be read at the end, answers the rest, and exits with 2", () => {
    const mixed = join(home, "mixed");
    mkdirSync(mixed);
    const [name] = namesIn(run.images) as [string];
    copyFileSync(join(run.images, name), join(mixed, "good.png"));
    writeFileSync(join(mixed, "broken.png"), "no image");
    writeFileSync(join(mixed, "slide.svs"), "");
    const result = predict([run.classifierFolder, "mixed", "missing.png"]);
    expect(result.status).toBe(2);
    expect(rowsOf(result.stdout).map(({ file }) => file)).toEqual(["mixed/good.png"]);
    const last = result.stderr.trim().split("\n").slice(-3);
    expect(last[0]).toMatch(/^Not read: mixed\/slide\.svs: SVS is not read/);
    expect(last[1]).toMatch(/^Not read: missing\.png: there is no such file\.$/);
    expect(last[2]).toMatch(/^Not read: mixed\/broken\.png: its content is not/);
  });

  it("goes on after being killed where it was, with the same answers", async () => {
    const cache = emptyCache("killed-cache");
    const many = join(home, "many");
    mkdirSync(many);
    // Each image is another one: 64 images in eight sizes, more than one chunk of them.
    for (const [i, name] of namesIn(run.images).entries()) {
      for (let copy = 0; copy < 8; copy++) {
        await sharp(join(run.images, name))
          .resize(90 + copy)
          .toFile(join(many, `${i}-${copy}.png`));
      }
    }
    const features = join(cache, "features");
    const entries = () =>
      existsSync(features)
        ? (readdirSync(features, { recursive: true }) as string[]).filter((name) =>
            /[0-9a-f]{64}$/.test(name),
          )
        : [];
    const halt = haltAt(400, features);
    const command = ["-r", "tsx/cjs", join(projectRoot(), "scripts", "predict.ts")];
    const child = spawn(
      process.execPath,
      [...halt.args, ...command, run.classifierFolder, "many", "--out", "killed.csv"],
      {
        cwd: home,
        env: { ...environment(cache), NODE_PATH: join(projectRoot(), "node_modules"), ...halt.env },
        stdio: "ignore",
      },
    );
    const gone = new Promise((resolve) => child.once("exit", resolve));
    await halt.reached();
    child.kill("SIGKILL");
    await gone;
    const kept = entries();
    expect(kept.length).toBeGreaterThanOrEqual(64);
    expect(kept.length).toBeLessThan(512);
    expect(existsSync(join(home, "killed.csv"))).toBe(false);
    const times = new Map(kept.map((name) => [name, statSync(join(features, name)).mtimeMs]));

    const again = predict([run.classifierFolder, "many", "--out", "killed.csv"], { cache });
    expect(again.status, again.stderr).toBe(0);
    expect(entries()).toHaveLength(512);
    for (const [name, time] of times) expect(statSync(join(features, name)).mtimeMs).toBe(time);
    const undisturbed = predict([run.classifierFolder, "many"], { cache: emptyCache("other-cache") });
    expect(readFileSync(join(home, "killed.csv"), "utf8")).toBe(undisturbed.stdout);
  });

  it("scores its answers against a labels file", () => {
    const names = namesIn(run.images);
    const classOf = (name: string) => (name.includes("SOB_M") ? "malignant" : "benign");
    const lines = names.slice(1).map((name) => `${name},${classOf(name)}`);
    writeFileSync(join(home, "truth.csv"), `slide file,finding\n${lines.join("\n")}\n`);
    const columns = ["--columns", "image=slide file,label=finding"];
    const result = predict([run.classifierFolder, "images", "--labels", "truth.csv", ...columns]);
    expect(result.status, result.stderr).toBe(0);
    const known = rowsOf(result.stdout).filter(({ truth }) => truth !== "");
    expect(known).toHaveLength(names.length - 1);
    const right = known.filter(({ truth, predictedClass }) => truth === predictedClass).length;
    expect(result.stderr).toContain("Against the labels");
    expect(result.stderr).toContain(`${names.length - 1} images`);
    const accuracy = (right / known.length).toFixed(2);
    expect(result.stderr).toMatch(new RegExp(`^accuracy +${accuracy} `, "m"));
  });

  it("makes no formula, and no HTML, of a file's name", async () => {
    const folder = join(home, "hostile");
    mkdirSync(folder);
    const names = ["=1+1.png", "-2.png", '@sum, "quoted".png', hostileName.replaceAll("/", "_")];
    const [source] = namesIn(run.images) as [string];
    for (const name of names) copyFileSync(join(run.images, source), join(folder, name));
    writeFileSync(join(folder, "<b>broken.png"), "");
    const html = join(home, "hostile.html");
    const given = [...names.map((name) => (name.startsWith("-") ? `./${name}` : name)), "<b>broken.png"];
    const out = join(home, "hostile.csv");
    const result = predict(
      [run.classifierFolder, ...given, "--html", html, "--out", out, "--patient-from", "folder"],
      {
        cwd: folder,
      },
    );
    expect(result.status, result.stderr).toBe(2);
    const csv = readFileSync(out, "utf8");
    expect(csv).toMatch(/^'=1\+1\.png,hostile,/m);
    expect(csv).toMatch(/^"'@sum, ""quoted""\.png",hostile,/m);
    expect(rowsOf(csv).map(({ file }) => file)).toContain(hostileName);
    const page = readFileSync(html, "utf8");
    expect(page).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(page).not.toContain("<img src=x");
    expect(page).not.toContain("<b>broken");
    expect(page).not.toMatch(/<script/i);
  });

  it("warns of images unlike the training images, and says so where that can't be told", async () => {
    const folder = join(home, "unlike");
    mkdirSync(folder);
    const [like] = namesIn(run.images) as [string];
    copyFileSync(join(run.images, like), join(folder, "like.png"));
    const blue = { width: 175, height: 115, channels: 3 as const, background: "#2040ff" };
    await sharp({ create: blue }).png().toFile(join(folder, "plain.png"));
    await sharp(join(run.images, like)).resize(20, 20, { fit: "fill" }).toFile(join(folder, "tiny.png"));
    const rows = rowsOf(predict([run.classifierFolder, "unlike"]).stdout);
    const warnings = Object.fromEntries(rows.map((row) => [row["file"], row["warnings"]]));
    expect(warnings["unlike/like.png"]).toBe("");
    expect(warnings["unlike/plain.png"]).toMatch(/unlike the training images.*; .*than in training/);
    expect(warnings["unlike/tiny.png"]).toMatch(/much smaller than the training images \(20 × 20 pixels\)/);
    expect(Number(rows[1]!["distance"])).toBeGreaterThan(1);

    const old = join(home, "old");
    cpSync(run.classifierFolder, old, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(old, "classifier.json"), "utf8"));
    const { familiarity: _, triage: __, ...before } = manifest;
    writeFileSync(join(old, "classifier.json"), JSON.stringify(before));
    rmSync(join(old, "familiarity.safetensors"));
    const result = predict([old, "unlike"]);
    expect(result.status).toBe(0);
    expect(result.stderr).toMatch(/does not remember its training images.*train it again/);
    expect(result.stderr).toMatch(/No threshold is locked.*Notebook 04/);
    const unknown = rowsOf(result.stdout);
    expect(unknown.map(({ distance, warnings: text, secondLook }) => [distance, text, secondLook])).toEqual([
      ["", "", ""],
      ["", "", ""],
      ["", "", ""],
    ]);
    expect(unknown.map((row) => row["probabilityMalignant"])).toEqual(
      rows.map((row) => row["probabilityMalignant"]),
    );
  });

  it("shows the work list as one page with pictures and Grad-CAM, the first so many of all", () => {
    const html = join(home, "work.html");
    const result = predict([run.classifierFolder, "images", "--html", html, "--html-rows", "5"]);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toBe("");
    const page = readFileSync(html, "utf8");
    // Never cut above the last one that needs a look, however few rows are asked for.
    const looks = rowsOf(predict([run.classifierFolder, "images"]).stdout).filter(
      ({ secondLook }) => secondLook === "yes",
    );
    expect(looks.length).toBeGreaterThan(5);
    expect(page).toContain(`Work list: the first ${looks.length} of 64 images`);
    expect(page.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(2 * looks.length);
    expect(page).toContain("Not a medical device");
    expect(page).toContain("trained on synthetic images");
    expect(page).not.toMatch(/(?:src|href)="http/);
  });

  it.each([
    ["an empty folder", ["CLASSIFIER", "empty"], /There is no image in empty: give image files/],
    [
      "a classifier that isn't there",
      ["nowhere", "images"],
      /There is no saved classifier in .*nowhere: classifier\.json/,
    ],
    ["a damaged classifier", ["damaged", "images"], /damaged\/head\.safetensors is damaged: its checksum/],
    ["a folder of images as classifier", ["images", "images"], /There is no saved classifier in/],
    ["nothing that can be read", ["CLASSIFIER", "text.png"], /None of 1 files could be read/],
    ["no images", ["CLASSIFIER"], /missing required argument 'images'/],
    ["a flag out of range", ["CLASSIFIER", "images", "--html-rows", "0"], /whole number above 0/],
    ["other weights", ["CLASSIFIER", "images", "--weights", "text.png"], /text\.png/],
  ])("fails in one sentence for %s", (_, args, sentence) => {
    mkdirSync(join(home, "empty"), { recursive: true });
    writeFileSync(join(home, "text.png"), "text");
    if (!existsSync(join(home, "damaged"))) {
      cpSync(run.classifierFolder, join(home, "damaged"), { recursive: true });
      writeFileSync(join(home, "damaged", "head.safetensors"), "x");
    }
    const given = args.map((arg) => (arg === "CLASSIFIER" ? run.classifierFolder : arg));
    const result = predict(given);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(result.stdout).toBe("");
  });
});
