import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateDemoDataset } from "../../src/data/demo/demo";
import { cacheFolder, projectRoot } from "../../src/runtime/paths";
import {
  type CellResult,
  endKernel,
  type LabPage,
  openNotebook,
  readResults,
  restartKernel,
  runAllCells,
  runCell,
  saveNotebook,
  startBrowser,
  typeLine,
} from "../support/browser/browser";
import { type Lab, startLab } from "../support/browser/lab";

const plotly = "application/vnd.plotly.v1+json";
const source = join(projectRoot(), "notebooks");
const notebooks = readdirSync(source)
  .filter((name) => /^\d\d-.*\.ipynb$/.test(name))
  .sort();

/** A later notebook reads what an earlier one left, so they run in order, on copies and a small synthetic set. */
describe("the notebooks in JupyterLab", () => {
  const folder = mkdtempSync(join(tmpdir(), "breakhis-notebooks-"));
  let lab: Lab;
  let browser: Browser;

  beforeAll(async () => {
    const data = join(folder, "demo");
    const small = { patients: 16, width: 350, height: 230 };
    await generateDemoDataset(data, { ...small, imagesPerPatient: 2 });
    mkdirSync(join(folder, "notebooks"));
    for (const name of notebooks) copyFileSync(join(source, name), join(folder, "notebooks", name));
    await generateDemoDataset(join(folder, "other"), { ...small, imagesPerPatient: 2, seed: 7 });
    askForOtherImages(join(folder, "notebooks", "05-transfer-to-other-scans.ipynb"), join(folder, "other"));
    mkdirSync(join(folder, "cache"));
    const weights = join(cacheFolder(), "weights");
    if (existsSync(weights)) symlinkSync(weights, join(folder, "cache", "weights"));
    const settings = { data, epochs: 3, backbone: "efficientnet-lite0" };
    const environment = {
      BREAKHIS_CACHE: join(folder, "cache"),
      BREAKHIS_RUNS: join(folder, "runs"),
      BREAKHIS_SETTINGS: JSON.stringify(settings),
    };
    lab = await startLab(environment, [`--ServerApp.root_dir=${folder}`]);
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
    rmSync(folder, { recursive: true });
  });

  it("are the four that belong together", () => {
    expect(notebooks.slice(0, 4)).toEqual([
      "01-explore-data.ipynb",
      "02-build-model.ipynb",
      "03-train-model.ipynb",
      "04-analyse-results.ipynb",
    ]);
  });

  it.each(notebooks)(
    "%s runs, its figures are drawn, and they are there again after it was saved and reloaded",
    async (name) => {
      const lost = await openNotebook(browser, lab, `notebooks/${name}`);
      const results = await runAllCells(lost);

      expect(problemsOf(results)).toEqual([]);
      expect(results.filter(({ executionCount }) => executionCount === null)).toEqual([]);
      const figures = figuresOf(results).length;
      expect(figures).toBeGreaterThan(0);
      expect(await drawnFigures(lost)).toBe(figures);
      const pictures = async () => figuresOf(await readResults(lost.page)).filter(hasPicture).length;
      await expect.poll(pictures, { timeout: 300_000 }).toBe(figures);

      await saveNotebook(lost);
      await lost.page.reload();
      await expect
        .poll(() => lost.page.locator(".breakhis-figure").count(), { timeout: 300_000 })
        .toBe(figures);
      expect(await drawnFigures(lost)).toBe(figures);
      expect(lost.complaints).toEqual([]);
      expect(lost.foreignRequests).toEqual([]);

      await endKernel(lost);
      await lost.page.close();
    },
  );

  it("03-train-model.ipynb trains anew: after a restart, then with another setting typed in", async () => {
    const name = "03-train-model.ipynb";
    const { cells } = JSON.parse(readFileSync(join(source, name), "utf8")) as { cells: { id: string }[] };
    const position = (id: string) => cells.findIndex((cell) => cell.id === id);
    const before = runSettings();
    const lost = await openNotebook(browser, lab, `notebooks/${name}`);
    const history = async () => {
      const [live] = figuresOf(await readResults(lost.page));
      return JSON.stringify((live!.data![plotly] as { data: { y: unknown }[] }).data.map(({ y }) => y));
    };
    const first = await history();
    await runCell(lost, position("imports"));
    await restartKernel(lost);
    await expect(runCell(lost, position("settings"))).rejects.toThrow(/resolveSettings/);

    for (const id of ["imports", "settings", "train"]) await runCell(lost, position(id));
    // The same settings give the same curves.
    expect(await history()).toBe(first);

    await typeLine(lost, position("settings"), "learningRate", "  learningRate: 7e-3,");
    for (const id of ["settings", "train", "runs"]) await runCell(lost, position(id));
    expect(await history()).not.toBe(first);
    const [again, changed] = runSettings().slice(before.length);
    expect(again!.learningRate).toBe(before[0]!.learningRate);
    expect(changed).toEqual({ ...again, learningRate: 7e-3 });
    expect(lost.complaints).toEqual([]);
    await endKernel(lost);
    await lost.page.close();
  });

  /** What each run was asked, the oldest first. */
  function runSettings(): { learningRate: number }[] {
    const runs = readdirSync(join(folder, "runs")).filter((name) => /^\d{4}-/.test(name));
    return runs
      .sort()
      .map((run) => JSON.parse(readFileSync(join(folder, "runs", run, "settings.json"), "utf8")));
  }
});

/** Notebook 05 refuses the images that its base was trained on, which the flags of all notebooks name. */
function askForOtherImages(path: string, data: string): void {
  const notebook = JSON.parse(readFileSync(path, "utf8")) as { cells: { id: string; source: string[] }[] };
  const settings = JSON.stringify({ data, epochs: 3 });
  const asked = `process.env["BREAKHIS_SETTINGS"] = ${JSON.stringify(settings)};\n`;
  notebook.cells.find(({ id }) => id === "settings")!.source.unshift(asked);
  writeFileSync(path, JSON.stringify(notebook));
}

type Output = CellResult["outputs"][number];

function figuresOf(results: CellResult[]): Output[] {
  return results.flatMap(({ outputs }) => outputs).filter(({ data }) => data && plotly in data);
}

function hasPicture({ data = {} }: Output): boolean {
  return "image/png" in data || "image/jpeg" in data;
}

function problemsOf(results: CellResult[]): string[] {
  return results
    .flatMap(({ outputs }) => outputs)
    .filter((output) => output.output_type === "error" || output.name === "stderr")
    .map((output) => output.evalue ?? output.text ?? "");
}

/** Brings each figure into view, as a reader would, and counts those that are drawn then. */
async function drawnFigures({ page }: LabPage): Promise<number> {
  const figures = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .breakhis-figure");
  for (const figure of await figures.all()) {
    await figure.scrollIntoViewIfNeeded();
    await figure.locator(".main-svg, [role=alert]").first().waitFor();
    expect(await figure.getByRole("alert").allTextContents()).toEqual([]);
    expect(await figure.locator(".js-plotly-plot").count()).toBe(1);
  }
  return figures.count();
}
