import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jupyterDisplay } from "../../src/views/display";
import { plotConfusionMatrix } from "../../src/views/figures";
import { writeReport } from "../../src/views/report";
import { type Notebook, type NotebookOutput, notebookSection } from "../../src/views/report-outputs";
import { tableHtml } from "../../src/views/table-html";
import { startBrowser } from "../support/browser";
import { hostileName } from "../support/example-dataset";
import { exampleSummary } from "../support/example-summary";

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
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(run);
    writeFileSync(join(run, "01-results.ipynb"), JSON.stringify(notebook));
    writeFileSync(join(run, "summary.json"), JSON.stringify(exampleSummary({ dataset: hostileName })));
    await writeReport(run);
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  it("refuses a folder without notebooks and says what to do", async () => {
    await expect(writeReport(folder)).rejects.toThrow(/holds no executed notebook.*npm start/);
  });

  it("names no address that a page would load something from", () => {
    const page = readFileSync(join(run, "report.html"), "utf8");
    expect(existsSync(join(run, "report.html"))).toBe(true);
    expect(page).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)="?(https?:|\/\/)/);
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
      expect(seen.text).toContain("75.0 % (always the majority class: 50.0 %)");
      const brightness = (colour: string) => Number(/\d+/.exec(colour)?.[0]);
      const [front, back] = [brightness(seen.tickColour), brightness(seen.background)];
      expect(scheme === "dark" ? front - back : back - front).toBeGreaterThan(120);
      await page.close();
    },
  );
});
