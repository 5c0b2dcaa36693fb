// Pictures of the notebooks for the README: npm run screenshots
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Command } from "commander";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { ensureDemoDataset } from "../src/data/demo/demo";
import { writeFileAtomically } from "../src/runtime/files/write-file";
import { cacheFolder, projectRoot } from "../src/runtime/paths";
import type { Settings } from "../src/runtime/settings";
import {
  endKernel,
  type LabPage,
  openNotebook,
  runAllCells,
  saveNotebook,
  startBrowser,
  switchTheme,
} from "../test/support/browser/browser";
import { type Lab, startLab } from "../test/support/browser/lab";
import { endWithReason } from "./ending";
import { say } from "./say";
import { provideChromium } from "./test/chromium";

/** What each notebook is shown by: the cell with this id, its code and its output. */
const shown: Record<string, string> = {
  "01-explore-data.ipynb": "grid",
  "02-build-model.ipynb": "map-by-class",
  "03-train-model.ipynb": "train",
  "04-analyse-results.ipynb": "confusion",
  "05-transfer-to-other-scans.ipynb": "curves",
};

/** Takes a second set of images, so the flag that names the first one's folder must not reach it. */
const ofAnotherSet = "05-transfer-to-other-scans.ipynb";

const themes = ["light", "dark"] as const;

/** Pixels: four images beside each other, and hardly more than a README is wide. */
const width = 1100;

/** Bytes of a picture; colours are given up until it is smaller. */
const sizeLimit = 200_000;

/** JupyterLab's bars above and below a notebook, and some air. */
const barsHeight = 130;

interface Flags {
  folder: string;
  outputs?: string;
}

async function main(): Promise<void> {
  const program = new Command("screenshots")
    .description(
      "Runs the notebooks on the synthetic set in JupyterLab, and takes pictures of them, light and dark.",
    )
    .option("--folder <folder>", "where the README's pictures go", join(projectRoot(), "docs", "screenshots"))
    .option("--outputs <folder>", "where a picture of every single output goes, for looking at them")
    .parse();
  const { folder, outputs } = program.opts<Flags>();
  Object.assign(process.env, await provideChromium());
  const work = await mkdtemp(join(tmpdir(), "breakhis-screenshots-"));
  try {
    await takeAll(work, folder, outputs ?? null);
  } finally {
    await rm(work, { recursive: true });
  }
}

async function takeAll(work: string, folder: string, outputs: string | null): Promise<void> {
  const data = await ensureDemoDataset();
  const notebooks = join(projectRoot(), "notebooks");
  await mkdir(join(work, "notebooks"));
  for (const name of await readdir(notebooks)) {
    if (name.endsWith(".ipynb")) await copyFile(join(notebooks, name), join(work, "notebooks", name));
  }
  // Its own memory of themes and windows, but the features that are there already.
  await mkdir(join(work, "cache"));
  for (const name of await readdir(cacheFolder())) {
    if (name !== "jupyter") await symlink(join(cacheFolder(), name), join(work, "cache", name));
  }
  const names = Object.keys(shown);
  const task = { work, folder, outputs };
  await takeNotebooks(
    names.filter((name) => name !== ofAnotherSet),
    { ...task, settings: { data } },
  );
  await takeNotebooks([ofAnotherSet], { ...task, settings: {} });
}

/** Some of the notebooks, in a JupyterLab with these flags. */
async function takeNotebooks(
  names: readonly string[],
  task: { work: string; folder: string; outputs: string | null; settings: Partial<Settings> },
): Promise<void> {
  const { work, folder, outputs, settings } = task;
  const environment = {
    BREAKHIS_CACHE: join(work, "cache"),
    BREAKHIS_RUNS: join(work, "runs"),
    BREAKHIS_SETTINGS: JSON.stringify({ ...settings, backbone: "efficientnet-lite0" }),
  };
  const lab = await startLab(environment, [`--ServerApp.root_dir=${work}`]);
  try {
    const browser = await startBrowser();
    try {
      for (const name of names) {
        await takeNotebook({ browser, lab, name, cell: shown[name]!, folder, outputs });
      }
    } finally {
      await browser.close();
    }
  } finally {
    await lab.stop();
  }
}

/** Runs in the page. */
const picturesAreKept = `jupyterapp.shell.currentWidget.content.model.toJSON().cells
  .flatMap(({ outputs = [] }) => outputs.map(({ data = {} }) => Object.keys(data).join()))
  .every((types) => !types.includes("plotly") || types.includes("image/"))`;

interface Task {
  browser: Browser;
  lab: Lab;
  name: string;
  cell: string;
  folder: string;
  outputs: string | null;
}

async function takeNotebook({ browser, lab, name, cell, folder, outputs }: Task): Promise<void> {
  say(`${name}: running …`);
  const lost = await openNotebook(browser, lab, `notebooks/${name}`);
  await lost.page.evaluate("jupyterapp.shell.collapseLeft(); jupyterapp.shell.collapseRight();");
  const failed = (await runAllCells(lost)).flatMap((result) => result.outputs).find(({ evalue }) => evalue);
  if (failed !== undefined) throw new Error(`${name} failed: ${failed.evalue}`);
  // Each figure's picture is in the notebook a moment later; then it is saved, so that nothing is marked as changed.
  await lost.page.waitForFunction(picturesAreKept);
  await saveNotebook(lost);
  const base = name.replace(/\.ipynb$/, "");
  for (const theme of themes) {
    await switchTheme(lost, theme);
    const picture = await pictureOfWindow(lost, await positionOf(lost, cell));
    await write(join(folder, `${base}-${theme}.png`), picture);
    if (outputs !== null) await takeOutputs(lost, join(outputs, `${base}-${theme}`));
  }
  await endKernel(lost);
  await lost.page.close();
}

async function positionOf({ page }: LabPage, id: string): Promise<number> {
  const position = await page.evaluate<number>(
    `jupyterapp.shell.currentWidget.content.widgets.findIndex(({ model }) => model.id === ${JSON.stringify(id)})`,
  );
  if (position < 0)
    throw new Error(`There is no cell ${id} any more: choose another in scripts/screenshots.ts.`);
  return position;
}

/** JupyterLab's window, as high as this cell is. */
async function pictureOfWindow(lost: LabPage, position: number): Promise<Buffer> {
  await lost.page.evaluate(`jupyterapp.shell.currentWidget.content.activeCellIndex = ${position}`);
  await bringIntoView(lost, position);
  return lost.page.screenshot();
}

/** Every cell that shows something, with its code. */
async function takeOutputs(lost: LabPage, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const cells = lost.page.locator(".jp-Notebook .jp-Cell");
  for (let position = 0; position < (await cells.count()); position += 1) {
    const cell = cells.nth(position);
    if ((await cell.locator(".jp-OutputArea-child").count()) === 0) continue;
    await bringIntoView(lost, position);
    await cell.screenshot({ path: join(folder, `${String(position).padStart(2, "0")}.png`) });
  }
}

/** Makes the window as high as a cell with its output, and scrolls there. */
async function bringIntoView(lost: LabPage, position: number): Promise<void> {
  const { page } = lost;
  const cell = page.locator(".jp-Notebook .jp-Cell").nth(position);
  await page.setViewportSize({ width, height: 1000 });
  await cell.scrollIntoViewIfNeeded();
  await settle(lost, position);
  const { height } = (await cell.boundingBox())!;
  await page.setViewportSize({ width, height: Math.ceil(height) + barsHeight });
  await cell.evaluate((node) => (node as unknown as { scrollIntoView(): void }).scrollIntoView());
  await settle(lost, position);
}

/** Waits until a cell's figures are drawn and nothing moves any more. */
async function settle({ page }: LabPage, position: number): Promise<void> {
  const figures = page.locator(".jp-Notebook .jp-Cell").nth(position).locator(".breakhis-figure");
  for (const figure of await figures.all()) await figure.locator(".main-svg").first().waitFor();
  await page.waitForTimeout(500);
}

/** Writes a picture with as many colours as its size allows. */
async function write(file: string, picture: Buffer): Promise<void> {
  let small = picture;
  for (const colours of [256, 128, 64, 32]) {
    small = await sharp(picture).png({ palette: true, colours, effort: 10 }).toBuffer();
    if (small.length <= sizeLimit) break;
  }
  await mkdir(join(file, ".."), { recursive: true });
  await writeFileAtomically(file, small);
  say(`${relative(process.cwd(), file)}: ${Math.round(small.length / 1000)} kB`);
}

main().catch(endWithReason);
