import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as sorting from "../../jupyter/plotly-renderer/static/sortable-tables.js";
import { resolveSettings } from "../../src/runtime/settings";
import type { ListedRun } from "../../src/training/runs/run-log";
import { tableHtml } from "../../src/views/display/table-html";
import { runsDisplay } from "../../src/views/runs/run-table";
import {
  endKernel,
  type LabPage,
  openNotebook,
  runCell,
  screenshot,
  startBrowser,
  switchTheme,
} from "../support/browser/browser";
import { type Lab, startLab } from "../support/browser/lab";
import { writeNotebook } from "../support/kernel/notebook-file";
import { exampleSummary } from "../support/runs/example-summary";

type Direction = "ascending" | "descending" | null;
const { orderRows, nextDirection } = sorting as {
  orderRows(texts: readonly string[], direction: Direction): number[];
  nextDirection(present: Direction, texts: readonly string[]): Direction;
};

/** Where pictures of what was seen go, if somebody wants to look at them. */
const pictures = process.env.BREAKHIS_SCREENSHOTS;

describe("sorting a column", () => {
  it("compares numbers as numbers, with thousands and per cent; what is unknown comes last either way", () => {
    const texts = ["9.50", "1,234.00", "–", "88 %", "−3"];
    expect(orderRows(texts, "ascending")).toEqual([4, 0, 3, 1, 2]);
    expect(orderRows(texts, "descending")).toEqual([1, 3, 0, 4, 2]);
    expect(orderRows(texts, null)).toEqual([0, 1, 2, 3, 4]);
  });

  it("compares names as people do, and leaves equal ones in their order", () => {
    expect(orderRows(["run 10", "run 9", "benign", "run 9"], "ascending")).toEqual([2, 1, 3, 0]);
    expect(orderRows(["run 10", "run 9", "benign", "run 9"], "descending")).toEqual([0, 1, 3, 2]);
  });

  it("begins with the largest number or the first name, turns round, and then gives the first order back", () => {
    expect(nextDirection(null, ["1", "2"])).toBe("descending");
    expect(nextDirection("descending", ["1", "2"])).toBe("ascending");
    expect(nextDirection("ascending", ["1", "2"])).toBe(null);
    expect(nextDirection(null, ["a", "2"])).toBe("ascending");
  });
});

/** Three outputs: runs, a table longer than its box, and runs that have as much to say as runs can. */
const { validation } = exampleSummary();
const runs = [0.813, 0.93, null, 0.5].map((accuracy, i) => ({
  id: `2026-03-1${4 - i}T15-09-26`,
  folder: "",
  settings: resolveSettings({ learningRate: 10 ** -(i + 1), hiddenUnits: i === 1 ? [256] : [128, 64] }),
  summary: accuracy === null ? null : exampleSummary({ validation: { ...validation!, accuracy } }),
}));
const folders = [
  "/home/somebody/data/histology/BreaKHis_v1/histology_slides/breast",
  "/mnt/archive/idc-patches-2023",
];
const wordyRuns = folders.flatMap((data, i): ListedRun[] => {
  const settings = resolveSettings({
    data,
    magnification: i === 0 ? 200 : null,
    backbone: i === 0 ? "resnet50" : "efficientnet-lite0",
    inputSize: [224, 112][i]!,
    stain: i === 0 ? "as-is" : "normalised",
    augmentation: i === 0 ? "none" : "turns-and-stains",
    averageViews: i === 1,
    hiddenUnits: i === 0 ? [512, 256, 128] : [],
    dropout: 0.2 + i / 10,
    l2: 10 ** -(4 + i),
    learningRate: 10 ** -(3 + i),
    batchSize: 32 * (i + 1),
    classWeights: i === 0 ? "balanced" : "none",
    seed: 42 + i,
  });
  const reason = `${data}/${"SOB_M_DC-14-2523-100-001".repeat(3)}.png changed while it was read`;
  const done = { id: `2026-03-1${4 - i}T15-09-26`, folder: "", settings, summary: exampleSummary() };
  const failed = { ...done, id: `2026-03-1${4 - i}T15-09-25`, summary: null };
  return [done, { ...failed, unfinished: { state: "failed", reason } }];
});
const longTable = tableHtml(
  ["image", "patient", "share"],
  Array.from({ length: 60 }, (_, i) => [`image ${i + 1}.png`, `P${i % 7}`, ((i * 37) % 60) / 60]),
  `Some images. ${"Each of them was looked at by nobody, since there are none. ".repeat(4)}`,
);
const display = (html: string) =>
  `({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": ${JSON.stringify(html)} }) })`;

describe("tables in JupyterLab", () => {
  const folder = mkdtempSync(join(tmpdir(), "breakhis-tables-"));
  let lab: Lab;
  let browser: Browser;
  let lost: LabPage;

  beforeAll(async () => {
    const shown = [runsDisplay(runs).html, longTable, runsDisplay(wordyRuns).html];
    writeNotebook(join(folder, "tables.ipynb"), shown.map(display));
    lab = await startLab({}, [`--ServerApp.root_dir=${folder}`]);
    browser = await startBrowser();
    lost = await openNotebook(browser, lab, "tables.ipynb");
    // So high that all cells are in sight: JupyterLab takes the others out of the page.
    await lost.page.setViewportSize({ width: 1440, height: 2400 });
    await switchTheme(lost, "light");
    for (const cell of [0, 1, 2]) await runCell(lost, cell);
  });

  afterAll(async () => {
    if (lost !== undefined) await endKernel(lost);
    await browser?.close();
    await lab?.stop();
    rmSync(folder, { recursive: true });
  });

  const table = (cell: number) => lost.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator("table");
  const heading = (cell: number, name: string) => table(cell).locator("th", { hasText: name });
  const button = (cell: number, name: string) => table(cell).getByRole("button", { name });
  const column = (cell: number, position: number) =>
    table(cell).locator(`tbody tr td:nth-child(${position})`).allTextContents();

  it("are sorted by a click on a heading, turned round by the next, and as before after the third", async () => {
    const before = await column(1, 1);
    const numbers = (texts: readonly string[]) => texts.map(Number);
    await button(1, "share").click();
    expect(await heading(1, "share").getAttribute("aria-sort")).toBe("descending");
    const falling = numbers(await column(1, 3));
    expect(falling).toEqual([...falling].sort((a, b) => b - a));
    await button(1, "share").click();
    expect(await heading(1, "share").getAttribute("aria-sort")).toBe("ascending");
    expect(numbers(await column(1, 3))).toEqual([...falling].reverse());
    await button(1, "share").click();
    expect(await heading(1, "share").getAttribute("aria-sort")).toBe(null);
    expect(await column(1, 1)).toEqual(before);
  });

  it("are sorted from the keyboard, one column at a time", async () => {
    await button(1, "image").focus();
    await lost.page.keyboard.press("Enter");
    expect(await heading(1, "image").getAttribute("aria-sort")).toBe("ascending");
    await lost.page.keyboard.press("Tab");
    await lost.page.keyboard.press(" ");
    expect(await heading(1, "image").getAttribute("aria-sort")).toBe(null);
    expect(await heading(1, "patient").getAttribute("aria-sort")).toBe("ascending");
    expect((await column(1, 2)).slice(0, 10)).toEqual([...Array(9).fill("P0"), "P1"]);
  });

  it("keep their headings in sight while they scroll", async () => {
    const box = table(1).locator("xpath=..");
    const scrollTo = (top: number) =>
      lost.page.evaluate(
        `document.querySelectorAll("table.breakhis-table")[1].parentElement.scrollTop = ${top}`,
      );
    await scrollTo(600);
    const [top, head] = await Promise.all([box.boundingBox(), heading(1, "share").boundingBox()]);
    expect(Math.abs(head!.y - top!.y)).toBeLessThan(2);
    if (pictures) await screenshot(lost, join(pictures, "long-light.png"), 1);
    await scrollTo(0);
  });

  it("of runs begin with what one looks for; all fit a window of 1,440 pixels, whatever runs and captions say", async () => {
    expect((await table(2).locator("th").allTextContents()).slice(0, 5)).toEqual([
      "run",
      "changed since the run before",
      "ended",
      "validation accuracy, %",
      "test accuracy, %",
    ]);
    const widths = (cell: number) =>
      table(cell)
        .locator("xpath=..")
        .evaluate((box) => [box.scrollWidth, box.clientWidth] as [number, number]);
    for (const theme of ["light", "dark"] as const) {
      await switchTheme(lost, theme);
      for (const cell of [0, 1, 2]) {
        const [content, place] = await widths(cell);
        expect(content).toBeLessThanOrEqual(place);
        if (pictures) await screenshot(lost, join(pictures, `runs-1440-${cell}-${theme}.png`), cell);
      }
    }
    await switchTheme(lost, "light");
  });

  it("sort runs by their scores, and are drawn again when a cell runs again", async () => {
    await button(0, "validation accuracy").click();
    const position = (await table(0).locator("th").allTextContents()).indexOf("validation accuracy, %") + 1;
    const scores = (await column(0, position)).filter((text) => text !== "–").map(Number);
    expect(scores.length).toBeGreaterThan(1);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    await runCell(lost, 0);
    await button(0, "validation accuracy").waitFor();
    expect(await heading(0, "validation accuracy").getAttribute("aria-sort")).toBe(null);
    expect(lost.complaints).toEqual([]);
    if (pictures === undefined) return;
    for (const theme of ["light", "dark"] as const) {
      await switchTheme(lost, theme);
      await lost.page.waitForTimeout(500);
      await screenshot(lost, join(pictures, `runs-${theme}.png`), 0);
      await screenshot(lost, join(pictures, `long-${theme}-top.png`), 1);
    }
  });
});
