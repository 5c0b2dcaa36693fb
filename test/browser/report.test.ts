import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveSettings } from "../../src/runtime/settings";
import { saveAnalysis } from "../../src/views/analysis/analysis";
import { jupyterDisplay } from "../../src/views/display/display";
import { tableHtml } from "../../src/views/display/table-html";
import { plotConfusionMatrix } from "../../src/views/figures-door";
import { writeReport } from "../../src/views/report/report";
import { type Notebook, type NotebookOutput, notebookSection } from "../../src/views/report/report-outputs";
import { startBrowser } from "../support/browser/browser";
import { hostileName } from "../support/data/example-dataset";
import { exampleSummary } from "../support/runs/example-summary";
import { hostileAnalysis } from "../support/runs/hostile-analysis";

const code = (...outputs: NotebookOutput[]) => ({ cell_type: "code", source: "hidden()", outputs });
const markdown = (source: string) => ({ cell_type: "markdown", source: [source] });
const result = (data: Record<string, unknown>) => ({ output_type: "execute_result", data });

/** Everything a notebook can hold, with hostile names wherever a name can stand. */
const notebook: Notebook = {
  cells: [
    markdown(`# Results of ${hostileName}\n\nSome **prose**.`),
    code({ output_type: "stream", name: "stdout", text: [`printed ${hostileName}\n`] }),
    code({ output_type: "stream", name: "stderr", text: "a library's warning" }),
    code(
      result(
        plotConfusionMatrix(
          [
            [3, 1],
            [0, 4],
          ],
          ["</script><b>", hostileName],
          "images",
        )[jupyterDisplay](),
      ),
    ),
    code(result({ "text/html": [tableHtml(["file"], [[hostileName]])], "text/plain": "Table" })),
    code(result({ "text/plain": hostileName })),
    code({ output_type: "error", ename: "Error", evalue: hostileName }),
    // Not of our making: a cell of the reader's that shows HTML with a program in it.
    code(result({ "text/html": "<img src=nowhere onerror=\"document.title='attacked'\">" })),
  ],
};

describe("notebookSection", () => {
  const section = notebookSection(notebook, "part-1", "fallback");

  it("keeps prose, figures, tables and printed text, and leaves code and warnings out", () => {
    expect(section.title).toContain("Results of");
    expect(section.html).toContain("<strong>prose</strong>");
    expect(section.html).toContain("printed ");
    expect(section.html).toContain('data-figure="part-1-figure-1"');
    expect(section.html).not.toContain("hidden()");
    expect(section.html).not.toContain("library");
  });

  it("uses the file's name where there is no heading", () => {
    expect(notebookSection({ cells: [] }, "part-1", "fallback").title).toBe("fallback");
  });
});

interface Seen {
  title: string;
  figures: number;
  tickColour: string;
  text: string;
  background: string;
}

/** Runs in the page; as text, because these tests are compiled without the browser's types. */
const lookAround = `({
  title: document.title,
  figures: document.querySelectorAll(".plotly-figure.drawn .main-svg").length,
  tickColour: getComputedStyle(document.querySelector(".xtick text")).fill,
  text: document.body.innerText,
  background: getComputedStyle(document.body).backgroundColor,
})`;

describe("report.html", () => {
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  const run = join(folder, "run-1");
  const bare = join(folder, "run-2");
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(run);
    writeFileSync(join(run, "01-results.ipynb"), JSON.stringify(notebook));
    writeFileSync(join(run, "summary.json"), JSON.stringify(exampleSummary({ dataset: hostileName })));
    writeFileSync(join(run, "settings.json"), JSON.stringify(resolveSettings({})));
    await saveAnalysis(run, hostileAnalysis());
    await writeReport(run);
    mkdirSync(bare);
    writeFileSync(join(bare, "01-results.ipynb"), JSON.stringify(notebook));
    writeFileSync(join(bare, "summary.json"), JSON.stringify(exampleSummary()));
    await writeReport(bare);
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  it("refuses a folder that is no run's and says what to do", async () => {
    await expect(writeReport(folder)).rejects.toThrow(/is no run's folder.*notebook 03.*npm start/);
  });

  it("names no address that a page would load something from", () => {
    const page = readFileSync(join(run, "report.html"), "utf8");
    expect(existsSync(join(run, "report.html"))).toBe(true);
    expect(page).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)="?(https?:|\/\/)/);
  });

  it("has the numbers for programs beside it, without pictures", () => {
    const numbers = JSON.parse(readFileSync(join(run, "report.json"), "utf8"));
    const { scores, data, triage } = numbers.findings;
    expect(numbers.summary.dataset).toBe(hostileName);
    expect(scores.value.image).toMatchObject({ count: 40, majorityClassAccuracy: 0.5 });
    expect(scores.value.patient.scores.accuracy.low).toBeLessThanOrEqual(
      scores.value.patient.scores.accuracy.value,
    );
    expect(data.name).toBe(hostileName);
    expect(triage.value.locked.chosenOn).toBe("validation");
    expect(JSON.stringify(numbers)).not.toContain("data:image");
  });

  it("shows the summary alone where the run was not analysed", () => {
    const page = readFileSync(join(bare, "report.html"), "utf8");
    expect(page).toContain("75.0 % (always the majority class: 50.0 %)");
    expect(JSON.parse(readFileSync(join(bare, "report.json"), "utf8")).findings).toBeNull();
  });

  it("says which notebook to run again where the analysis is damaged", async () => {
    const damaged = join(folder, "run-3");
    mkdirSync(damaged);
    writeFileSync(join(damaged, "01-results.ipynb"), JSON.stringify(notebook));
    writeFileSync(join(damaged, "summary.json"), JSON.stringify(exampleSummary()));
    writeFileSync(join(damaged, "analysis.json"), "{");
    await expect(writeReport(damaged)).rejects.toThrow(/analysis\.json is damaged.*04-analyse-results/);
  });

  /** A page with its matrices, and the numbers in them at first. */
  async function openMatrices() {
    const page = await browser.newPage();
    await page.goto(pathToFileURL(join(run, "report.html")).href);
    await page.waitForSelector("html[data-drawn=true]");
    const matrix = page.locator('[data-figure="front-thresholds"]');
    const shown = () => matrix.locator("svg").first().textContent();
    return { page, matrix, shown, before: await shown() };
  }

  it("moves the matrices with the slider", async () => {
    const { page, matrix, shown, before } = await openMatrices();
    const grip = matrix.locator(".slider-grip-rect");
    await grip.scrollIntoViewIfNeeded();
    const place = (await grip.boundingBox())!;
    const middle = { x: place.x + place.width / 2, y: place.y + place.height / 2 };
    await page.mouse.move(middle.x, middle.y);
    await page.mouse.down();
    await page.mouse.move(middle.x - 150, middle.y, { steps: 4 });
    await page.mouse.up();
    await expect.poll(shown).not.toBe(before);
    await page.close();
  });

  it("moves the matrices by keyboard, says the threshold, and names every figure", async () => {
    const { page, shown, before } = await openMatrices();
    const slider = page.getByRole("slider", { name: /is answered from probability/ });
    const said = await slider.getAttribute("aria-valuetext");
    await slider.focus();
    for (let i = 0; i < 30; i++) await page.keyboard.press("ArrowLeft");
    await expect.poll(shown).not.toBe(before);
    expect(await slider.getAttribute("aria-valuetext")).not.toBe(said);
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/is answered from probability 0\.\d\d$/);
    const figures = page.locator(".plotly-figure");
    const names = await figures.evaluateAll((nodes: { ariaLabel: string }[]) =>
      nodes.map((node) => node.ariaLabel),
    );
    expect(names.every((name) => name.length > 5)).toBe(true);
    expect(await page.getByRole("img", { name: /true class and answer/ }).count()).toBeGreaterThan(0);
    await page.close();
  });

  it("prints lists whole", async () => {
    const page = await browser.newPage();
    await page.goto(pathToFileURL(join(run, "report.html")).href);
    await page.waitForSelector("html[data-drawn=true]");
    await page.emulateMedia({ media: "print" });
    const cut = await page.evaluate<number>(
      `[...document.querySelectorAll("div")].filter((node) => getComputedStyle(node).overflowY !== "visible" && node.scrollHeight > node.clientHeight + 1).length`,
    );
    expect(cut).toBe(0);
    await page.close();
  });

  it("prints on white, with everything drawn and no slider", async () => {
    const page = await browser.newPage({ colorScheme: "dark" });
    await page.goto(pathToFileURL(join(run, "report.html")).href);
    await page.waitForSelector("html[data-drawn=true]");
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    expect(background).toBe("rgb(255, 255, 255)");
    expect(await page.locator(".slider-container").first().isVisible()).toBe(false);
    const pdf = await page.pdf();
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    await page.close();
  });

  it.each(["light", "dark"] as const)(
    "opens as a file in %s: figures drawn, nothing hostile run",
    async (scheme) => {
      const page = await browser.newPage({ colorScheme: scheme });
      const requests: string[] = [];
      page.on("request", (request) => {
        if (!/^(file|data|blob):/.test(request.url())) requests.push(request.url());
      });
      const dialogs: string[] = [];
      page.on("dialog", (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      await page.goto(pathToFileURL(join(run, "report.html")).href);
      await page.waitForSelector("html[data-drawn=true]");
      const seen = await page.evaluate<Seen>(lookAround);
      expect(seen.figures).toBeGreaterThan(0);
      expect(seen.title).toBe("Run run-1 · breakhis-lab");
      expect(dialogs).toEqual([]);
      expect(requests).toEqual([]);
      expect(seen.text).toContain("Not a medical device");
      expect(seen.text).toContain("always the majority class");
      expect(seen.text).toContain("The images are synthetic");
      expect(seen.text).toContain("False alarms");
      const brightness = (colour: string) => Number(/\d+/.exec(colour)?.[0]);
      const [front, back] = [brightness(seen.tickColour), brightness(seen.background)];
      expect(scheme === "dark" ? front - back : back - front).toBeGreaterThan(120);
      await page.close();
    },
  );
});
