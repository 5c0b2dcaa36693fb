import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoOptions, generateDemoDataset } from "../../src/data/demo/demo";
import { projectRoot } from "../../src/runtime/paths";
import {
  endKernel,
  type LabPage,
  openNotebook,
  readResults,
  runCell,
  screenshot,
  startBrowser,
  typeLine,
} from "../support/browser/browser";
import { type Lab, startLab } from "../support/browser/lab";
import { shareWeights } from "../support/model/shared-weights";
import { temporaryFolder } from "../support/temporary-folder";

const training = "03-train-model.ipynb";
const analysis = "04-analyse-results.ipynb";
const transfer = "05-transfer-to-other-scans.ipynb";

const home = temporaryFolder("settings-to-runs");
const runsFolder = join(home, "runs");
const source = (name: string) => join(projectRoot(), "notebooks", name);
const cellsOf = (name: string) =>
  JSON.parse(readFileSync(source(name), "utf8")) as { cells: { id: string; source: string[] }[] };

/** Where pictures of what was seen go, if somebody wants to look at them. */
const pictures = process.env.BREAKHIS_SCREENSHOTS;

/** What a run says about itself, and the bytes of its head. */
interface KeptRun {
  settings: Record<string, unknown>;
  validationAccuracy: number | undefined;
  epochs: number;
  head: string;
}

/** Every run, the oldest first. */
function keptRuns(): KeptRun[] {
  const ids = readdirSync(runsFolder).filter((name) => /^\d{4}-/.test(name));
  return ids.sort().map((id) => {
    const read = (...path: string[]) => readFileSync(join(runsFolder, id, ...path));
    return {
      settings: JSON.parse(String(read("settings.json"))),
      validationAccuracy: JSON.parse(String(read("summary.json"))).validation?.accuracy,
      epochs: String(read("history.jsonl")).trim().split("\n").length,
      head: createHash("sha256").update(read("classifier", "head.safetensors")).digest("hex"),
    };
  });
}

/**
 * A set that passes for one of the usual size, so that a notebook does not draw that one: with as many images, each a
 * sixteenth of theirs, and a description that says nothing of it.
 */
async function drawUsualSet(folder: string, options: DemoOptions = {}): Promise<void> {
  await generateDemoDataset(folder, { ...options, width: 175, height: 115 });
  const marker = join(folder, "SYNTHETIC.md");
  writeFileSync(marker, readFileSync(marker, "utf8").replace("175 × 115", "700 × 460"));
}

/** The whole way, by the keyboard and the run button, with nothing set from outside: flags would win over the cells. */
describe("from the settings cell to kept runs, in JupyterLab", () => {
  let lab: Lab;
  let browser: Browser;
  let lost: LabPage;
  let open: string;

  beforeAll(async () => {
    const small = { patients: 16, imagesPerPatient: 2, width: 175, height: 115 };
    await generateDemoDataset(join(home, "one"), small);
    await generateDemoDataset(join(home, "two"), { ...small, seed: 7 });
    mkdirSync(join(home, "data"));
    await drawUsualSet(join(home, "data", "demo"));
    await drawUsualSet(join(home, "data", "demo-other"), { seed: 2021 });
    for (const name of [training, analysis, transfer]) copyFileSync(source(name), join(home, name));
    shareWeights(join(home, "cache"));
    const environment = {
      BREAKHIS_CACHE: join(home, "cache"),
      BREAKHIS_DATA: join(home, "data"),
      BREAKHIS_RUNS: runsFolder,
      BREAKHIS_RUN: "",
      BREAKHIS_SETTINGS: "",
    };
    lab = await startLab(environment, [`--ServerApp.root_dir=${home}`]);
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
  });

  async function openAnew(name: string): Promise<void> {
    open = name;
    lost = await openNotebook(browser, lab, name);
  }

  async function leave(): Promise<void> {
    expect(lost.complaints).toEqual([]);
    await endKernel(lost);
    await lost.page.close();
  }

  const position = (id: string) => cellsOf(open).cells.findIndex((cell) => cell.id === id);
  async function run(...ids: string[]): Promise<void> {
    for (const id of ids) await runCell(lost, position(id));
  }
  const type = (setting: string, line: string) => typeLine(lost, position("settings"), setting, `  ${line},`);

  /** What a cell printed. */
  async function printedBy(id: string): Promise<string> {
    const before = cellsOf(open).cells.slice(0, position(id));
    const nth = before.filter((cell) => (cell as { cell_type?: string }).cell_type === "code").length;
    const { outputs } = (await readResults(lost.page))[nth]!;
    return outputs.map(({ text, data }) => text ?? data?.["text/html"] ?? "").join("\n");
  }

  it("Tab offers settings in a settings cell, with what each is beside it, also before anything was run", async () => {
    await openAnew(training);
    const cell = lost.page.locator(".jp-Notebook .jp-Cell").nth(position("settings"));
    await cell.locator(".cm-line", { hasText: "data:" }).first().click();
    for (const key of ["End", "Enter", "p", "o", "Tab"]) await lost.page.keyboard.press(key);
    const list = lost.page.locator(".jp-Completer:not(.lm-mod-hidden)");
    await list
      .locator(".jp-Completer-docpanel", { hasText: "Name of the class that is looked for" })
      .waitFor();
    const offered = await list.locator(".jp-Completer-item .jp-Completer-match").allTextContents();
    expect(offered).toEqual(["positiveClass"]);
    if (pictures) await screenshot(lost, join(pictures, "tab.png"));
    await leave();
  });

  it("whichever setting was changed, those two cells train with it, and the run says so", async () => {
    await openAnew(training);
    await run("imports");
    await type("backbone:", `backbone: "efficientnet-lite0"`);
    await type("epochs:", "epochs: 3, patience: 8");
    const changes: [string, unknown][] = [
      ["data", join(home, "one")],
      ["data", join(home, "two")],
      ["inputSize", 112],
      ["augmentation", "turns"],
      ["stain", "normalised"],
    ];
    const wanted: Record<string, unknown>[] = [];
    for (const [name, value] of changes) {
      await type(`${name}:`, `${name}: ${JSON.stringify(value)}`);
      await run("settings", "train");
      wanted.push({ ...wanted.at(-1), [name]: value });
    }
    const runs = keptRuns();
    expect(runs.map(({ settings }) => settings)).toEqual(wanted.map((one) => expect.objectContaining(one)));
    expect(new Set(runs.map(({ head }) => head)).size).toBe(changes.length);
  });

  it("repeated, they keep a run each, with its scores", async () => {
    await run("settings", "train", "train", "settings", "train");
    const runs = keptRuns();
    expect(runs).toHaveLength(8);
    for (const { validationAccuracy, epochs } of runs) {
      expect(validationAccuracy).toEqual(expect.any(Number));
      expect(epochs).toBe(3);
    }
    // The same settings give the same head.
    expect(new Set(runs.slice(4).map(({ head }) => head)).size).toBe(1);
    await run("runs");
    const table = await printedBy("runs");
    expect(table.match(/all epochs done/g)).toHaveLength(8);
    expect(table).not.toContain("not finished");
  });

  it("a folder that is not there is refused in words, and no run is kept of it", async () => {
    await type("data:", `data: "/no/such/folder"`);
    await run("settings");
    await expect(run("train")).rejects.toThrow("/no/such/folder");
    expect(keptRuns()).toHaveLength(8);
    await leave();
  });

  it("notebook 05 keeps a run of its own set, which 04 analyses and which 05 refuses as its next base", async () => {
    await openAnew(training);
    await run("imports");
    await type("epochs:", "epochs: 3, patience: 8");
    await run("settings", "train");
    await leave();

    await openAnew(transfer);
    await run("imports", "settings", "base", "features", "train", "dispose");
    const kept = keptRuns().at(-1)!;
    expect(kept.settings.data).toBe(join(home, "data", "demo-other"));
    await run("settings");
    await expect(run("base")).rejects.toThrow(
      /was trained or tested on 240 of the other set's 240 images.+set `baseRun` to "\d{4}-/,
    );
    await leave();

    await openAnew(analysis);
    await run("imports", "run", "settings", "dataset", "scores", "errors");
    expect(await printedBy("dataset")).toMatch(/\d+ test images/);
    await leave();
  });
});
