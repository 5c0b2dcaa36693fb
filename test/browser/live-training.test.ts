import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateDemoDataset } from "../../src/data/demo/demo";
import { cacheFolder, projectRoot } from "../../src/runtime/paths";
import {
  clickToolbar,
  endKernel,
  type LabPage,
  openNotebook,
  readResults,
  restartKernel,
  runCell,
  saveNotebook,
  screenshot,
  startBrowser,
  switchTheme,
} from "../support/browser/browser";
import { type Lab, startLab } from "../support/browser/lab";

const plotly = "application/vnd.plotly.v1+json";
const name = "03-train-model.ipynb";
const source = join(projectRoot(), "notebooks", name);
const cells = JSON.parse(readFileSync(source, "utf8")).cells as { id: string; cell_type: string }[];
const position = (id: string) => cells.findIndex((cell) => cell.id === id);
const trainCell = position("train");
const epochs = 5000;
const epochOf = (line: string) => Number(/^Epoch (\d+) of 5000/.exec(line)?.[1]);

/** Where pictures of what was seen go, if somebody wants to look at them. */
const pictures = process.env.BREAKHIS_SCREENSHOTS;

/** What the live view says while its cell runs: each distinct text once, and how many drawings there ever were. */
interface Watched {
  texts: string[];
  plots: number[];
}

describe("training in JupyterLab", () => {
  const folder = mkdtempSync(join(tmpdir(), "breakhis-live-"));
  let lab: Lab;
  let browser: Browser;
  let lost: LabPage;

  beforeAll(async () => {
    const data = join(folder, "demo");
    await generateDemoDataset(data, { patients: 16, imagesPerPatient: 2, width: 350, height: 230 });
    copyFileSync(source, join(folder, name));
    mkdirSync(join(folder, "cache"));
    const weights = join(cacheFolder(), "weights");
    if (existsSync(weights)) symlinkSync(weights, join(folder, "cache", "weights"));
    // More and slower epochs than anybody waits for: training is ended by hand.
    const slow = { epochs, patience: epochs, batchSize: 1, hiddenUnits: [1024, 256] };
    const settings = { data, backbone: "efficientnet-lite0", ...slow };
    const environment = {
      BREAKHIS_CACHE: join(folder, "cache"),
      BREAKHIS_RUNS: join(folder, "runs"),
      BREAKHIS_SETTINGS: JSON.stringify(settings),
    };
    lab = await startLab(environment, [`--ServerApp.root_dir=${folder}`]);
    browser = await startBrowser();
    lost = await openNotebook(browser, lab, name);
    await switchTheme(lost, "light");
    await lost.page.setViewportSize({ width: 1280, height: 1400 });
    for (const id of ["imports", "settings"]) await runCell(lost, position(id));
  });

  afterAll(async () => {
    if (lost !== undefined) await endKernel(lost);
    await browser?.close();
    await lab?.stop();
    rmSync(folder, { recursive: true });
  });

  const cell = () => lost.page.locator(".jp-Notebook .jp-Cell").nth(trainCell);

  /** Looks at the cell until the live view has said this many different things. */
  async function watch(distinct: number): Promise<Watched> {
    const seen: Watched = { texts: [], plots: [] };
    const line = cell().locator(".annotation-text", { hasText: /^Epoch / });
    await line.waitFor();
    await cell().scrollIntoViewIfNeeded();
    while (seen.texts.length < distinct) {
      const text = (await line.textContent()) ?? "";
      if (text !== seen.texts.at(-1)) seen.texts.push(text);
      seen.plots.push(await cell().locator(".js-plotly-plot").count());
      await lost.page.waitForTimeout(100);
    }
    return seen;
  }

  it("is watched in one drawing that moves, and ends in it when it is stopped", async () => {
    const running = runCell(lost, trainCell);
    const { texts, plots } = await watch(6);
    const told = texts.map(epochOf);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(new Set(told).size).toBeGreaterThan(3);
    expect(texts.at(-1)).toMatch(/images a second · at most .+ left$/);
    expect(new Set(plots)).toEqual(new Set([1]));
    if (pictures) await screenshot(lost, join(pictures, "live-light.png"), trainCell);

    await clickToolbar(lost, "interrupt");
    await running;
    const end = cell().locator(".annotation-text", { hasText: "stopped by hand · best epoch" });
    // A page that is busy with drawing would hear of the click when all is over.
    const done = Number(/^(\d+) of 5000 epochs/.exec((await end.textContent())!)?.[1]);
    expect(done).toBeGreaterThanOrEqual(told.at(-1)! - 1);
    expect(done).toBeLessThan(epochs / 2);
    expect(await cell().locator(".js-plotly-plot").count()).toBe(1);
    const points =
      "[...document.querySelectorAll('.js-plotly-plot')].flatMap(({ data }) => data.map(({ x }) => x.length))";
    for (const count of await lost.page.evaluate<number[]>(points)) expect(count).toBeLessThanOrEqual(302);
    const figures = async () =>
      (await readResults(lost.page))
        .flatMap(({ outputs }) => outputs)
        .filter(({ data }) => data && plotly in data);
    const types = async () => (await figures()).flatMap(({ data }) => Object.keys(data!)).join();
    await expect.poll(types, { timeout: 300_000 }).toContain("image/");
    expect(await figures()).toHaveLength(1);
    await saveNotebook(lost);
    const saved = JSON.parse(readFileSync(join(folder, name), "utf8")).cells[trainCell].outputs;
    const [final] = saved.filter(({ data }: { data?: object }) => data && plotly in data);
    expect(JSON.stringify(final.data[plotly])).toContain("stopped by hand");
    expect(Object.keys(final.data).join()).toContain("image/");
    expect(lost.complaints).toEqual([]);
    if (pictures) {
      await screenshot(lost, join(pictures, "final-light.png"), trainCell);
      await switchTheme(lost, "dark");
      await lost.page.waitForTimeout(500);
      await screenshot(lost, join(pictures, "final-dark.png"), trainCell);
      await switchTheme(lost, "light");
    }
  });

  it("works again in the same kernel after that", async () => {
    const running = runCell(lost, trainCell);
    await watch(3);
    if (pictures) {
      await switchTheme(lost, "dark");
      await lost.page.waitForTimeout(700);
      await screenshot(lost, join(pictures, "live-dark.png"), trainCell);
    }
    await clickToolbar(lost, "interrupt");
    await running;
    await cell().locator(".annotation-text", { hasText: "stopped by hand" }).waitFor();
    expect(lost.complaints).toEqual([]);
  });

  it("goes on when its page is closed, and is followed in one that is opened then", async () => {
    void runCell(lost, trainCell).catch(() => {});
    const before = (await watch(2)).texts.at(-1)!;
    await lost.page.close();
    lost = await openNotebook(browser, lab, name, "busy");
    await cell().locator(".jp-InputPrompt", { hasText: "*" }).waitFor();
    const { texts, plots } = await watch(3);
    expect(epochOf(texts[0]!)).toBeGreaterThan(epochOf(before));
    expect(epochOf(texts.at(-1)!)).toBeGreaterThan(epochOf(texts[0]!));
    expect(new Set(plots)).toEqual(new Set([1]));
    expect(lost.complaints).toEqual([]);
  });

  it("shows what it came to in a page that is opened when it has ended", async () => {
    await lost.page.close();
    await interruptKernel();
    lost = await openNotebook(browser, lab, name);
    await cell().locator(".annotation-text", { hasText: "stopped by hand · best epoch" }).waitFor();
    await cell().locator("pre", { hasText: "Kept as run" }).waitFor();
    expect(await cell().locator('[data-mime-type="application/vnd.jupyter.stderr"]').count()).toBe(0);
    expect(await cell().locator(".js-plotly-plot").count()).toBe(1);
    expect(await cell().locator(".jp-InputPrompt").textContent()).toMatch(/\[\d+\]/);
    const shown = (await readResults(lost.page)).map(({ executionCount }) => executionCount);
    if (pictures) await screenshot(lost, join(pictures, "reopened-light.png"), trainCell);

    // From now on the file says it, and the kernel has nothing to add.
    await saveNotebook(lost);
    await lost.page.close();
    lost = await openNotebook(browser, lab, name);
    await cell().locator(".annotation-text", { hasText: "stopped by hand · best epoch" }).waitFor();
    expect((await readResults(lost.page)).map(({ executionCount }) => executionCount)).toEqual(shown);
    expect(lost.complaints).toEqual([]);
  });

  it("leaves a followed cell as it is when the kernel is started anew", async () => {
    for (const id of ["imports", "settings"]) await runCell(lost, position(id));
    void runCell(lost, trainCell).catch(() => {});
    await watch(2);
    await lost.page.close();
    lost = await openNotebook(browser, lab, name, "busy");
    await cell().locator(".jp-InputPrompt", { hasText: "*" }).waitFor();
    await restartKernel(lost);
    await cell().locator(".jp-InputPrompt", { hasNotText: "*" }).waitFor();
    expect(lost.complaints).toEqual([]);
  });

  /** As the stop button does, without a page; waits until the training has ended. */
  async function interruptKernel(): Promise<void> {
    const kernels = `${lab.url}api/kernels`;
    const ask = (path = "", method = "GET") =>
      fetch(`${kernels}${path}`, { method, headers: { Authorization: `token ${lab.token}` } });
    const [{ id }] = (await (await ask()).json()) as [{ id: string }];
    expect((await ask(`/${id}/interrupt`, "POST")).status).toBe(204);
    const state = async () =>
      ((await (await ask(`/${id}`)).json()) as { execution_state: string }).execution_state;
    await expect.poll(state, { timeout: 300_000 }).toBe("idle");
  }
});
