import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import {
  endKernel,
  isChanged,
  type LabPage,
  openNotebook,
  readResults,
  runCell,
  saveNotebook,
  screenshot,
  startBrowser,
  switchTheme,
} from "../support/browser/browser";
import { type Lab, startLab } from "../support/browser/lab";
import { writeNotebook } from "../support/kernel/notebook-file";

const plotly = "application/vnd.plotly.v1+json";

/** Where pictures of what was seen go, if somebody wants to look at them. */
const lookAt = process.env.BREAKHIS_SCREENSHOTS;

/** Patience for a machine that is busy with other things. */
const slow = { timeout: 300_000 };

/** The notebook's cells, and where each is. */
const cells = {
  plain: `import sharp from "sharp";
    import { htmlDisplay } from "./src/views/display/display";
    import { figure } from "./src/views/display/figure";
    import { liveOutput } from "./src/views/display/notebook";
    const curve = (y: number[], more = {}) => figure(
      [{ type: "scatter", name: "validation", x: y.map((_, i) => i + 1), y }],
      { title: "Loss at epoch " + y.length + " — synthetic data", ...more });
    curve([3, 2, 1])`,
  live: `const live = liveOutput();
    for (const y of [[3], [3, 2], [3, 2, 1], [3, 2, 1, 0.5], [3, 2, 1, 0.5, 0.4]]) {
      live.update(curve(y));
      await new Promise((resolve) => setTimeout(resolve, 400));
    }`,
  tall: `htmlDisplay('<div style="height: 4000px">A long way down.</div>', "")`,
  below: `curve([1, 1, 1, 1])`,
  photograph: `const noise = await sharp({ create: { width: 300, height: 200, channels: 3, background: "white",
      noise: { type: "gaussian", mean: 128, sigma: 60 } } }).png().toBuffer();
    curve([1, 2], { images: [{ source: "data:image/png;base64," + noise.toString("base64"),
      xref: "paper", yref: "paper", x: 0, y: 1, sizex: 1, sizey: 1 }] })`,
  faulty: `figure([{ type: "scater", name: "none", x: [1], y: [1] }], { title: "Faulty" })`,
};
type CellName = keyof typeof cells;
const names = Object.keys(cells) as CellName[];
const position = (name: CellName) => names.indexOf(name);

interface Output {
  data: Record<string, unknown>;
  metadata: Record<string, { width: number; height: number }>;
}

describe("pictures of figures in a notebook", () => {
  const folder = mkdtempSync(join(tmpdir(), "breakhis-pictures-"));
  const file = join(folder, "pictures.ipynb");
  const headless = join(folder, "headless", "pictures.ipynb");
  let lab: Lab;
  let bareLab: Lab;
  let browser: Browser;
  let lost: LabPage;

  beforeAll(async () => {
    writeNotebook(file, Object.values(cells));
    mkdirSync(join(folder, "headless"));
    runWithoutBrowser(file, join(folder, "headless"));
    lab = await startLab({ BREAKHIS_CACHE: join(folder, "cache") }, [`--ServerApp.root_dir=${folder}`]);
    browser = await startBrowser();
    lost = await openNotebook(browser, lab, "pictures.ipynb");
    // What is kept must not depend on it.
    await switchTheme(lost, "dark");
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
    await bareLab?.stop();
    rmSync(folder, { recursive: true });
  });

  const outputOf = async (name: CellName): Promise<Output> => {
    const results = await readResults(lost.page);
    return results[position(name)]!.outputs.find(({ data }) => data)! as unknown as Output;
  };
  const typesOf = async (name: CellName) => Object.keys((await outputOf(name)).data).sort();
  const plotOf = (name: CellName) =>
    lost.page.locator(".jp-Notebook .jp-Cell").nth(position(name)).locator(".js-plotly-plot");

  it("are added to the output in place of the table, dark on white in a dark theme too", async () => {
    await runCell(lost, position("plain"));
    expect(await typesOf("plain")).toEqual([plotly, "text/html", "text/plain"]);
    await plotOf("plain").locator(".gtitle").waitFor();
    await countDrawings(lost, plotOf("plain"));
    await expect.poll(() => typesOf("plain"), slow).toEqual([plotly, "image/png", "text/plain"]);

    const { data, metadata } = await outputOf("plain");
    const shown = metadata["image/png"]!;
    const picture = Buffer.from(String(data["image/png"]), "base64");
    expect(await sharp(picture).metadata()).toMatchObject({
      format: "png",
      width: Math.round(1.5 * shown.width),
      height: Math.round(1.5 * shown.height),
    });
    expect(await corner(picture)).toEqual([255, 255, 255]);
    expect(await darkest(picture)).toBeLessThan(100);
    await lost.page.waitForTimeout(1500);
    expect(await drawings(lost)).toBe(0);
  });

  it("wait until a live view has come to rest, and show how it ended", async () => {
    const seen = new Set<string>();
    let running = true;
    const run = runCell(lost, position("live")).finally(() => {
      running = false;
    });
    while (running) {
      const results = await readResults(lost.page);
      for (const { data = {} } of results[position("live")]!.outputs) seen.add(Object.keys(data).join());
      await lost.page.waitForTimeout(50);
    }
    await run;
    expect([...seen].filter((types) => types.includes("image/"))).toEqual([]);

    await expect.poll(() => typesOf("live"), slow).toContain("image/png");
    expect(JSON.stringify((await outputOf("live")).data[plotly])).toContain("Loss at epoch 5");
  });

  it("are also made of figures that nobody has scrolled to", async () => {
    await runCell(lost, position("tall"));
    await lost.page.evaluate("jupyterapp.shell.currentWidget.content.scrollToItem(0)");
    await runUnseen(lost, position("below"));
    await expect.poll(() => typesOf("below"), slow).toContain("image/png");
    expect(await plotOf("below").count()).toBe(0);
  });

  it("stay small where a figure holds photographs", async () => {
    await runCell(lost, position("photograph"));
    await expect.poll(() => typesOf("photograph"), slow).toContain("image/jpeg");
    expect(String((await outputOf("photograph")).data["image/jpeg"]).length).toBeLessThan(150_000);
  });

  it("are not made of a figure that cannot be drawn, which keeps its table", async () => {
    await runCell(lost, position("faulty"));
    await lost.page.waitForTimeout(2500);
    expect(await typesOf("faulty")).toEqual([plotly, "text/html", "text/plain"]);
  });

  it("are saved, and opening the file again draws the figures and changes nothing", async () => {
    await saveNotebook(lost);
    const saved = readOutputs(file);
    expect(saved.map(({ data }) => Object.keys(data).find((type) => type.startsWith("image/")))).toEqual([
      "image/png",
      "image/png",
      undefined,
      "image/png",
      "image/jpeg",
      undefined,
    ]);
    await endKernel(lost);

    await lost.page.reload();
    await plotOf("plain").locator(".gtitle").waitFor();
    await plotOf("live").locator(".gtitle").waitFor();
    await lost.page.waitForTimeout(2500);
    expect(await isChanged(lost)).toBe(false);
  });

  it("are not added to a notebook that came from elsewhere", async () => {
    const other = await openNotebook(browser, lab, "headless/pictures.ipynb");
    await other.page.locator(".js-plotly-plot .gtitle").first().waitFor();
    await other.page.waitForTimeout(2500);
    const [first] = await readResults(other.page);
    expect(Object.keys(first!.outputs[0]!.data!).sort()).toEqual([plotly, "text/html", "text/plain"]);
    expect(other.complaints).toEqual([]);
    await endKernel(other);
    await other.page.close();
  });

  it("are what nbconvert's page shows without scripts; a run without a browser shows tables", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pathToFileURL(convertToHtml(file)).href);
    const pictures = page.locator('img[src^="data:image/"]');
    expect(await pictures.count()).toBe(4);
    expect((await pictures.first().boundingBox())!.width).toBeGreaterThan(400);
    expect(await darkest(await pictures.first().screenshot())).toBeLessThan(100);

    if (lookAt) await page.screenshot({ path: join(lookAt, "pictures-nbconvert.png"), fullPage: true });

    await page.goto(pathToFileURL(convertToHtml(headless)).href);
    expect(await page.locator("figure table").count()).toBe(5);
    expect(await page.locator("figure").first().innerText()).toMatch(/Loss at epoch 3.*validation\s+1\s+3/s);
    if (lookAt) await page.screenshot({ path: join(lookAt, "tables-nbconvert.png"), fullPage: true });
    await context.close();
  });

  it("are what a JupyterLab without the renderer shows; a run without a browser shows tables", async () => {
    expect(lost.complaints).toEqual([]);
    await lost.page.close();
    await lab.stop();
    const config = join(folder, "config");
    mkdirSync(join(config, "labconfig"), { recursive: true });
    const disabled = { disabledExtensions: { "breakhis-lab-plotly": true } };
    writeFileSync(join(config, "labconfig", "page_config.json"), JSON.stringify(disabled));
    const environment = { BREAKHIS_CACHE: join(folder, "cache"), JUPYTER_CONFIG_PATH: config };
    bareLab = await startLab(environment, [`--ServerApp.root_dir=${folder}`]);

    lost = await openNotebook(browser, bareLab, "pictures.ipynb");
    const picture = lost.page.locator(".jp-RenderedImage img").first();
    await picture.waitFor();
    expect(await lost.page.locator(".breakhis-figure").count()).toBe(0);
    expect((await picture.boundingBox())!.width).toBeGreaterThan(400);
    if (lookAt) await screenshot(lost, join(lookAt, "pictures-without-renderer.png"));
    await lost.page.close();

    lost = await openNotebook(browser, bareLab, "headless/pictures.ipynb");
    await lost.page.locator(".jp-RenderedHTML figure table").first().waitFor();
    if (lookAt) await screenshot(lost, join(lookAt, "tables-without-renderer.png"));
    expect(lost.complaints).toEqual([]);
  });
});

/** Counts, from now on, how often Plotly draws this figure. */
async function countDrawings({ page }: LabPage, plot: ReturnType<LabPage["page"]["locator"]>): Promise<void> {
  await page.evaluate("window.drawings = 0");
  await plot.evaluate((node) => {
    const counter = globalThis as unknown as { drawings: number };
    (node as unknown as { on(event: string, listener: () => void): void }).on("plotly_afterplot", () => {
      counter.drawings += 1;
    });
  });
}

function drawings({ page }: LabPage): Promise<number> {
  return page.evaluate<number>("window.drawings");
}

/** Runs a cell without bringing it into view. */
async function runUnseen({ page }: LabPage, cell: number): Promise<void> {
  await page.evaluate(`(async () => {
    const { content, context } = jupyterapp.shell.currentWidget;
    const { outputArea, model } = content.widgets[${cell}];
    model.trusted = true;
    outputArea.future = context.sessionContext.session.kernel.requestExecute({ code: model.sharedModel.getSource() });
    await outputArea.future.done;
  })()`);
}

function runWithoutBrowser(file: string, outputFolder: string): void {
  python([join(projectRoot(), "jupyter", "run_notebooks.py"), file, "--output-folder", outputFolder]);
}

/** The HTML file that nbconvert makes of a notebook, beside it. */
function convertToHtml(file: string): string {
  python(["-m", "nbconvert", "--to", "html", "--log-level", "ERROR", file]);
  return file.replace(/ipynb$/, "html");
}

function python(args: string[]): void {
  execFileSync(join(projectRoot(), ".venv", "bin", "python"), args, { stdio: "pipe" });
}

function readOutputs(file: string): Output[] {
  const { cells } = JSON.parse(readFileSync(file, "utf8")) as { cells: { outputs: Output[] }[] };
  return cells.flatMap(({ outputs }) => outputs);
}

async function corner(picture: Buffer): Promise<number[]> {
  const pixel = { left: 0, top: 0, width: 1, height: 1 };
  return [...(await sharp(picture).extract(pixel).removeAlpha().raw().toBuffer())];
}

/** The smallest brightness in a picture, 0 to 255. */
async function darkest(picture: Buffer): Promise<number> {
  const { channels } = await sharp(picture).flatten({ background: "white" }).greyscale().stats();
  return channels[0]!.min;
}
