import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LabPage, openNotebook, runCell, startBrowser, switchTheme } from "../support/browser/browser";
import { type Lab, startLab } from "../support/browser/lab";
import { writeNotebook } from "../support/kernel/notebook-file";

const mimeType = "application/vnd.plotly.v1+json";

/** Patience for a machine that is busy with other things. */
const slow = { timeout: 300_000 };

/** The notebook's cells, and where each is. */
const cells = {
  start: `import * as tslab from "tslab";
    const curve = (y: number[]): any => ({ data: [{ type: "scatter", y }], layout: { title: { text: "Loss at epoch " + y.length }, paper_bgcolor: "rgba(0,0,0,0)" } });
    const live = tslab.newDisplay();
    live.raw("${mimeType}", curve([3]));`,
  update: `for (const y of [[3, 2], [3, 2, 1], [3, 2, 1, 0.5]]) {
      live.raw("${mimeType}", curve(y));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }`,
  explicit: `tslab.display.raw("${mimeType}", {
      data: [{ type: "bar", x: ["a", "b"], y: [1, 2] }],
      layout: { font: { color: "#ff0000" }, title: { text: "Red" }, height: 300 } } as any);`,
  wide: `tslab.display.raw("${mimeType}", {
      data: [{ type: "bar", x: ["a", "b"], y: [1, 2] }],
      layout: { title: { text: "Wide" }, height: 300, width: 700 } } as any);`,
  slider: `tslab.display.raw("${mimeType}", {
      data: [{ type: "bar", x: ["a"], y: [1] }],
      layout: { title: { text: "Moved" }, height: 300, sliders: [{ active: 0, currentvalue: { prefix: "Height " },
        steps: [1, 2, 3].map((y) => ({ label: String(y), method: "restyle", args: [{ y: [[y]], text: [["bar " + y]] }] })) }] } } as any);`,
  hostile: `tslab.display.raw("${mimeType}", {
      data: [{ type: "bar", x: ["<img src=x onerror='window.harmed=1'>"], y: [1] }],
      layout: { title: { text: "<b>Bold</b> <a href='javascript:window.harmed=1'>link</a><script>window.harmed=1</script>" } },
      config: { showSendToCloud: true, plotlyServerURL: "https://example.org",
        modeBarButtonsToAdd: [{ name: "x", icon: { svg: "<svg xmlns='http://www.w3.org/2000/svg' onload='window.harmed=1'/>" } }] } } as any);`,
  wrong: `const faulty = tslab.newDisplay();
    faulty.raw("${mimeType}", { layout: {} } as any);`,
  misspelt: `faulty.raw("${mimeType}", { data: [{ type: "scater", y: [1] }] } as any);`,
  healed: `faulty.raw("${mimeType}", curve([1]));`,
};
const position = Object.fromEntries(Object.keys(cells).map((name, index) => [name, index]));

describe("figures in JupyterLab", () => {
  const folder = mkdtempSync(join(tmpdir(), "breakhis-figures-"));
  let lab: Lab;
  let browser: Browser;
  let lost: LabPage;

  beforeAll(async () => {
    writeNotebook(join(folder, "figures.ipynb"), Object.values(cells));
    installOtherRenderer(join(folder, "jupyter"));
    const environment = { BREAKHIS_CACHE: join(folder, "cache"), JUPYTER_PATH: join(folder, "jupyter") };
    lab = await startLab(environment, [`--ServerApp.root_dir=${folder}`]);
    browser = await startBrowser();
    lost = await openNotebook(browser, lab, "figures.ipynb");
    await switchTheme(lost, "light");
    for (const name of ["start", "explicit"] as const) await runCell(lost, position[name]!);
    await plotOf("explicit").locator(".main-svg").first().waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.stop();
    rmSync(folder, { recursive: true });
  });

  const cellOf = (name: keyof typeof cells): Locator =>
    lost.page.locator(".jp-Notebook .jp-Cell").nth(position[name]!);
  const plotOf = (name: keyof typeof cells): Locator => cellOf(name).locator(".js-plotly-plot");
  const titleColour = (name: keyof typeof cells): Promise<string> =>
    paint(plotOf(name).locator(".gtitle"), "fill");
  /** What JupyterLab writes in. */
  const textColour = async (): Promise<string> => {
    const toolbar = lost.page.locator(".jp-NotebookPanel-toolbar").first();
    await toolbar.evaluate((node) => node.setAttribute("style", "color: var(--jp-ui-font-color1)"));
    return paint(toolbar, "color");
  };

  it("draws, with a name for people who can't see it", async () => {
    const plot = plotOf("start");
    await plot.locator(".gtitle").waitFor();
    expect(await plot.getAttribute("role")).toBe("img");
    expect(await plot.getAttribute("aria-label")).toBe("Loss at epoch 1");
  });

  it("uses this renderer, not that of the Python package", async () => {
    expect(await lost.page.getByText("the other renderer").count()).toBe(0);
    expect(await lost.page.locator(".breakhis-figure").count()).toBe(2);
  });

  it("updates a figure in place", async () => {
    const drawing = plotOf("start").locator(".main-svg").first();
    await drawing.evaluate((svg) => svg.setAttribute("data-first", "yes"));

    await runCell(lost, position.update!);
    await plotOf("start").getByText("Loss at epoch 4").waitFor();

    expect(await drawing.getAttribute("data-first")).toBe("yes");
    expect(await cellOf("start").locator(".js-plotly-plot").count()).toBe(1);
    expect(await cellOf("update").locator(".js-plotly-plot").count()).toBe(0);
    expect(
      await plotOf("start").evaluate((plot) =>
        (plot as unknown as { data: { y: number[] }[] }).data.map((trace) => trace.y),
      ),
    ).toEqual([[3, 2, 1, 0.5]]);
    expect(await plotOf("start").getAttribute("aria-label")).toBe("Loss at epoch 4");
  });

  it("follows the theme while it is shown, except for colours the figure chose", async () => {
    const light = await titleColour("start");
    expect(light).toBe(await textColour());

    await switchTheme(lost, "dark");
    const dark = await textColour();
    expect(dark).not.toBe(light);
    await expect.poll(() => titleColour("start"), slow).toBe(dark);
    expect(await titleColour("explicit")).toBe("255 0 0");

    await switchTheme(lost, "light");
    await expect.poll(() => titleColour("start"), slow).toBe(light);
  });

  it("takes the width of its output, and keeps its height", async () => {
    const size = async () => {
      const box = await plotOf("explicit").locator(".main-svg").first().boundingBox();
      return { width: box!.width, height: box!.height };
    };
    const before = await size();
    expect(before.height).toBe(300);

    await lost.page.setViewportSize({ width: 900, height: 1000 });

    await expect.poll(async () => (await size()).width, slow).toBeLessThan(before.width - 200);
    let narrow = await size();
    const settled = async () => {
      const last = narrow;
      await lost.page.waitForTimeout(500);
      narrow = await size();
      return narrow.width === last.width && narrow.height === last.height;
    };
    await expect.poll(settled, slow).toBe(true);
    expect(narrow.height).toBe(300);
    await lost.page.setViewportSize({ width: 1280, height: 1000 });
  });

  it("gets no wider than its place, nor than the figure asks for", async () => {
    await runCell(lost, position.wide!);
    const width = async () => (await plotOf("wide").locator(".main-svg").first().boundingBox())?.width;
    await expect.poll(width, slow).toBe(700);

    await lost.page.setViewportSize({ width: 800, height: 1000 });
    const place = cellOf("wide").locator(".breakhis-figure");
    const available = async () => (await place.boundingBox())!.width;
    await expect.poll(async () => (await width()) === Math.round(await available()), slow).toBe(true);
    expect(await available()).toBeLessThan(700);
    await lost.page.setViewportSize({ width: 1280, height: 1000 });
    await expect.poll(width, slow).toBe(700);
  });

  it("gives a slider to keyboards and screen readers", async () => {
    await runCell(lost, position["slider"]!);
    const slider = lost.page.getByRole("slider", { name: "Height" });
    await slider.focus();
    await slider.press("ArrowRight");
    await expect.poll(() => slider.getAttribute("aria-valuetext"), { timeout: 20_000 }).toBe("Height 2");
    await slider.press("ArrowRight");
    await expect.poll(() => slider.getAttribute("aria-valuetext"), { timeout: 20_000 }).toBe("Height 3");
    await expect.poll(() => plotOf("slider").textContent(), slow).toContain("bar 3");
  });

  it("lets no program in through text or settings", async () => {
    await runCell(lost, position.hostile!);
    await plotOf("hostile").locator(".gtitle").waitFor();
    await plotOf("hostile").hover();

    expect(await lost.page.evaluate("window.harmed")).toBeUndefined();
    expect(await plotOf("hostile").locator("img, script").count()).toBe(0);
    const links = plotOf("hostile").locator("a:not(.modebar-btn)");
    for (const link of await links.all()) {
      expect(await link.evaluate((a) => a.getAttribute("href") ?? a.getAttribute("xlink:href") ?? "")).toBe(
        "",
      );
    }
    expect(await plotOf("hostile").locator('[data-title*="Cloud"]').count()).toBe(0);
  });

  it("explains a figure it cannot draw in one sentence, until a right one comes", async () => {
    await runCell(lost, position.wrong!);
    const sentence = cellOf("wrong").getByRole("alert");
    await sentence.waitFor();
    expect(await sentence.textContent()).toBe(
      'This figure cannot be drawn: expected "data" to be a list, found nothing.',
    );

    await runCell(lost, position.misspelt!);
    await cellOf("wrong").getByText('data[0] has the type "scater", which plotly.js does not know').waitFor();

    await runCell(lost, position.healed!);
    await plotOf("wrong").getByText("Loss at epoch 1").waitFor();
    expect(await sentence.count()).toBe(0);
  });

  it("saves a picture that can be read on paper", async () => {
    await switchTheme(lost, "dark");
    const download = lost.page.waitForEvent("download");
    await plotOf("start").hover();
    await plotOf("start").locator('[data-title="Save as PNG, on white"]').click();

    expect((await download).suggestedFilename()).toBe("Loss-at-epoch-4.png");
    const file = join(folder, "saved.png");
    await (await download).saveAs(file);
    expect(await cornerColour(file)).toEqual([255, 255, 255]);
    await switchTheme(lost, "light");
  });

  it("made no errors on the console and asked nobody else for anything", () => {
    expect(lost.complaints).toEqual([]);
    expect(lost.foreignRequests).toEqual([]);
  });
});

/** Red, green and blue that the browser paints; transparency is left out, as SVG has it elsewhere. */
async function paint(node: Locator, property: "fill" | "color"): Promise<string> {
  const colour = await node.evaluate(
    (element, name) =>
      element.ownerDocument.defaultView?.getComputedStyle(element).getPropertyValue(name) ?? "",
    property,
  );
  return (colour.match(/[\d.]+/g) ?? []).slice(0, 3).join(" ");
}

async function cornerColour(file: string): Promise<number[]> {
  const { default: sharp } = await import("sharp");
  const { data } = await sharp(file)
    .extract({ left: 0, top: 0, width: 1, height: 1 })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return [...data.subarray(0, 3)];
}

/** A stand-in for the renderer that comes with the Python package `plotly`: same names, same rank. */
function installOtherRenderer(jupyterFolder: string): void {
  const folder = join(jupyterFolder, "labextensions", "jupyterlab-plotly");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      name: "jupyterlab-plotly",
      version: "7.0.0",
      jupyterlab: {
        mimeExtension: true,
        _build: { load: "static/entry.js", mimeExtension: "./mimeExtension" },
      },
    }),
  );
  mkdirSync(join(folder, "static"));
  writeFileSync(
    join(folder, "static", "entry.js"),
    `let scope;
    (window._JUPYTERLAB ??= {})["jupyterlab-plotly"] = {
      init: (shared) => { scope = shared["@lumino/widgets"]; },
      get: async () => {
        const { Widget } = (await Object.values(scope)[0].get())();
        class Other extends Widget { async renderModel() { this.node.textContent = "the other renderer"; } }
        const rendererFactory = { safe: true, mimeTypes: ["${mimeType}"], createRenderer: () => new Other() };
        const extension = { id: "@jupyterlab/plotly-extension:factory", rendererFactory, rank: 0, dataType: "json" };
        return () => ({ __esModule: true, default: [extension] });
      },
    };`,
  );
}
