import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { generateDemoDataset } from "../../src/data/demo/demo";
import { cacheFolder, projectRoot } from "../../src/runtime/paths";
import type { Settings } from "../../src/runtime/settings";
import { writeReport } from "../../src/views/report/report";
import { breakhisSample, hasSharedData, resnet50Weights } from "../support/data/shared-data";
import { python } from "../support/python";
import { temporaryFolder } from "../support/temporary-folder";

const notebookFolder = join(projectRoot(), "notebooks");
const notebooks = readdirSync(notebookFolder)
  .filter((name) => /^0[1-4]-.*\.ipynb$/.test(name))
  .sort();

interface Cell {
  cell_type: string;
  execution_count: number | null;
  outputs: { output_type: string; data?: Record<string, unknown>; text?: string | string[] }[];
}

interface Part {
  count: number;
  accuracy: number;
  majorityClassAccuracy: number;
  confusionMatrix: number[][];
}

/** Runs the notebooks as `npm start` does; what they compute is kept apart from the user's own. */
function runNotebooks(
  folder: string,
  settings: Partial<Settings>,
  { names = notebooks, run = "tested-run" } = {},
): string {
  const runFolder = join(folder, "runs", run);
  const cache = join(folder, "cache");
  mkdirSync(cache, { recursive: true });
  if (!existsSync(join(cache, "weights")))
    symlinkSync(join(cacheFolder(), "weights"), join(cache, "weights"));
  execFileSync(
    python,
    [join(projectRoot(), "jupyter/run_notebooks.py"), "--output-folder", runFolder].concat(
      names.map((name) => join(notebookFolder, name)),
    ),
    {
      env: {
        ...process.env,
        BREAKHIS_CACHE: cache,
        BREAKHIS_RUNS: join(folder, "runs"),
        BREAKHIS_RUN: run,
        BREAKHIS_SETTINGS: JSON.stringify(settings),
        JUPYTER_PREFER_ENV_PATH: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  return runFolder;
}

const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));

const codeCells = (runFolder: string, name: string): Cell[] =>
  (readJson(join(runFolder, name)).cells as Cell[]).filter((cell) => cell.cell_type === "code");

const total = (matrix: number[][]) => matrix.flat().reduce((sum, count) => sum + count, 0);

/** What every run leaves, whatever the images. */
function expectWholeRun(folder: string, runFolder: string): void {
  expect(notebooks).toHaveLength(4);
  for (const name of notebooks) {
    const cells = codeCells(runFolder, name);
    expect(cells.map((cell) => cell.execution_count)).toEqual(cells.map((_, index) => index + 1));
    expect(cells.flatMap((cell) => cell.outputs).map((output) => output.output_type)).not.toContain("error");
  }
  const left = [
    "settings.json",
    "history.jsonl",
    "split.json",
    "predictions.csv",
    "classifier",
    "triage.json",
  ];
  for (const file of [...left, "analysis.json"]) {
    expect(existsSync(join(runFolder, file)), file).toBe(true);
  }
  expect(realpathSync(join(folder, "runs", "latest"))).toBe(realpathSync(runFolder));

  const summary = readJson(join(runFolder, "summary.json"));
  const test = summary.test as Part;
  expect(total(test.confusionMatrix)).toBe(summary.counts.test.images);
  expect(test.accuracy).toBeCloseTo(
    (test.confusionMatrix[0]![0]! + test.confusionMatrix[1]![1]!) / test.count,
    12,
  );
  expect(test.majorityClassAccuracy).toBeGreaterThanOrEqual(0.5);
  expectAnalysis(runFolder, test);
  const [header, ...rows] = readFileSync(join(runFolder, "predictions.csv"), "utf8").trim().split("\n");
  expect(header).toMatch(/^file,split,patient,label,probabilityMalignant,predicted/);
  const { train, validation, test: tested } = summary.counts;
  expect(rows).toHaveLength(train.images + validation.images + tested.images);
}

/** What the analysis says of the test part is what the summary says, with intervals around it. */
function expectAnalysis(runFolder: string, test: Part): void {
  const { findings, explained } = readJson(join(runFolder, "analysis.json"));
  const { accuracy } = findings.scores.value.image.scores;
  expect(accuracy.value).toBeCloseTo(test.accuracy, 12);
  expect(accuracy.low).toBeLessThanOrEqual(accuracy.value);
  expect(accuracy.high).toBeGreaterThanOrEqual(accuracy.value);
  expect(findings.leakage.value.conclusion).toMatch(/\d patients\)/);
  expect(findings.crossValidation.value.scores.image.count).toBe(findings.data.images);
  const { threshold } = readJson(join(runFolder, "triage.json"));
  expect(threshold).toBe(findings.triage.value.locked.threshold);
  expect(explained.length).toBeGreaterThan(0);
  for (const image of explained) expect(image.overlay).toMatch(/^data:image\/jpeg;base64,/);
}

describe("the four notebooks on a small synthetic set", () => {
  const folder = temporaryFolder("notebooks");
  const data = join(folder, "demo");
  let runFolder = "";

  beforeAll(async () => {
    await generateDemoDataset(data, { patients: 16, imagesPerPatient: 2, width: 350, height: 230 });
    runFolder = runNotebooks(folder, { data, epochs: 3, backbone: "efficientnet-lite0" });
  }, 600_000);

  it("run in order on the kernel and leave a whole run", () => {
    expectWholeRun(folder, runFolder);
    const summary = readJson(join(runFolder, "summary.json"));
    expect(summary).toMatchObject({ synthetic: true, backbone: "efficientnet-lite0", split: "patient" });
    expect(readFileSync(join(runFolder, "history.jsonl"), "utf8").trim().split("\n")).toHaveLength(3);
  });

  it("draw figures in every notebook, and say that the images are synthetic", () => {
    for (const name of notebooks) {
      const outputs = codeCells(runFolder, name).flatMap((cell) => cell.outputs);
      expect(
        outputs.filter((output) => output.data?.["application/vnd.plotly.v1+json"]).length,
      ).toBeGreaterThan(0);
      expect(JSON.stringify(outputs)).toMatch(/synthetic/i);
    }
  });

  it("leave a classifier that notebook 05 takes as the base for other images", async () => {
    const other = join(folder, "other");
    await generateDemoDataset(other, { patients: 14, imagesPerPatient: 2, width: 96, height: 64, seed: 7 });
    const name = "05-transfer-to-other-scans.ipynb";
    const transferred = runNotebooks(folder, { data: other, epochs: 1 }, { names: [name], run: "transfer" });
    const outputs = codeCells(transferred, name).flatMap((cell) => cell.outputs);
    expect(outputs.map((output) => output.output_type)).not.toContain("error");
    const text = JSON.stringify(outputs);
    for (const arm of ["ImageNet features", "features fine-tuned on the first set", "from scratch"]) {
      expect(text).toContain(arm);
    }
    expect(text).toMatch(/Judged on \d+ patients of whom none was learned from/);
    expect(text).toMatch(/How many patients does it take\? — synthetic data/);
    const summary = readJson(join(transferred, "summary.json"));
    expect(summary.counts.train.images + summary.counts.validation.images).toBeGreaterThan(0);
    expect(realpathSync(join(folder, "runs", "latest"))).toBe(realpathSync(transferred));
  }, 600_000);

  it("become one page", async () => {
    const page = readFileSync(await writeReport(runFolder), "utf8");
    expect(page).toMatch(/not a medical device/i);
    expect(page).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)="https?:/);
    expect(page).toContain("The results in short");
    const numbers = readJson(join(runFolder, "report.json"));
    expect(numbers.findings.scores.ok).toBe(true);
    expect(numbers.findings.data.synthetic).toBe(true);
  });
});

describe.skipIf(!hasSharedData)("the four notebooks on real images", () => {
  const folder = temporaryFolder("real-notebooks");

  it("train ResNet50's head with the weights of a file", () => {
    const runFolder = runNotebooks(folder, {
      data: breakhisSample,
      backbone: "resnet50",
      weights: resnet50Weights,
    });
    expectWholeRun(folder, runFolder);
    const summary = readJson(join(runFolder, "summary.json"));
    expect(summary).toMatchObject({ synthetic: false, backbone: "resnet50", dataset: "breakhis-sample" });
    const { train, validation, test } = summary.counts;
    expect(train.images + validation.images + test.images).toBe(90);
    expect(train.patients + validation.patients + test.patients).toBe(25);
  }, 900_000);
});
