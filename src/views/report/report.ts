import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { readArticleComparison } from "../../experiments/published/article";
import { writeFileAtomically } from "../../runtime/files/write-file";
import { projectRoot } from "../../runtime/paths";
import type { Settings } from "../../runtime/settings";
import { readRunFile, settingsFile, summaryFile } from "../../training/runs/run-folder";
import type { RunSummary } from "../../training/runs/run-summary";
import { type Analysis, loadAnalysis } from "../analysis/analysis";
import { notMedicalDevice } from "../display/findings";
import { escapeHtml, htmlPage } from "../display/html";
import { tableHtml } from "../display/table-html";
import { frontSections } from "./report-front";
import { type Notebook, notebookSection, type Section } from "./report-outputs";
import { summaryRows } from "./report-summary";
import { trainingSection, withTraining } from "./report-training";

/** What a report is made of. */
export interface ReportContent {
  title: string;
  /** A run's `summary.json`, null where the run has none (yet). */
  summary: RunSummary | null;
  /** The results; none where the run was not analysed. */
  front: readonly Section[];
  /** The executed notebooks; none where the run was trained and analysed in JupyterLab. */
  sections: readonly Section[];
}

/** The programs and looks that every report carries inside it. */
export interface ReportAssets {
  css: string;
  /** Runs in the page. */
  script: string;
  /** plotly.js, gzip-compressed, as base64. */
  plotly: string;
}

/**
 * Makes `report.html` in a run's folder, one page that needs no other file and no network: the results with data card,
 * model card, figures and explained errors, then the executed notebooks; and `report.json` with the same numbers.
 *
 * @param runFolder - Holds what training has left, and, as far as they were made, `analysis.json` and executed notebooks
 * (`*.ipynb`).
 * @returns The report's path.
 * @throws Error if the folder is no run's.
 */
export async function writeReport(runFolder: string): Promise<string> {
  const settings = await readRunFile<Settings>(runFolder, settingsFile);
  const files = (await readdir(runFolder)).filter((name) => name.endsWith(".ipynb")).sort();
  if (settings === null && files.length === 0) {
    throw new Error(
      `${runFolder} is no run's folder: it holds no ${settingsFile}. Train in notebook 03 (03-train-model), or run npm start.`,
    );
  }
  const sections: Section[] = [];
  for (const [i, file] of files.entries()) {
    const notebook = JSON.parse(await readFile(join(runFolder, file), "utf8")) as Notebook;
    sections.push(notebookSection(notebook, `part-${i + 1}`, file.replace(/\.ipynb$/, "")));
  }
  const summary = await readRunFile<RunSummary>(runFolder, summaryFile);
  const analysis = summary === null ? null : await loadAnalysis(runFolder);
  const article = await readArticleComparison(runFolder);
  const results =
    summary === null || analysis === null ? [] : frontSections(summary, settings, analysis, article);
  const front = withTraining(results, await trainingSection(runFolder, summary));
  const path = join(runFolder, "report.html");
  const page = reportHtml(
    { title: `Run ${basename(runFolder)}`, summary, front, sections },
    await loadReportAssets(),
  );
  await writeFileAtomically(path, page);
  await writeNumbers(join(runFolder, "report.json"), summary, settings, analysis);
  return path;
}

/** What the page says, for programs: no pictures, no prose. */
async function writeNumbers(
  path: string,
  summary: RunSummary | null,
  settings: Settings | null,
  analysis: Analysis | null,
): Promise<void> {
  const content = { format: 1, summary, settings, findings: analysis?.findings ?? null };
  await writeFileAtomically(path, `${JSON.stringify(content, null, 2)}\n`);
}

const notAnalysed =
  "This run was not analysed: notebook 04 (04-analyse-results) adds intervals, triage, leakage and explained errors.";

/** Puts a report's parts together as one HTML page. */
export function reportHtml(content: ReportContent, assets: ReportAssets): string {
  const nonce = randomBytes(16).toString("base64");
  const allowed = `img-src data: blob:; style-src 'unsafe-inline'; script-src 'nonce-${nonce}'`;
  const linked = (sections: readonly Section[]) =>
    sections.map(({ id, title }) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`).join("");
  const analysed = content.front.some(({ id }) => id === "headline");
  const appendix =
    content.sections.length === 0
      ? ""
      : `<p>Appendix: the executed notebooks</p><ol>${linked(content.sections)}</ol>`;
  const body = `<header>
<h1>${escapeHtml(content.title)}</h1>
${createdHtml(content.summary)}
<p class="notice">${escapeHtml(notMedicalDevice)}</p>
${analysed ? "" : numbersHtml(content.summary)}
</header>
<main>
<div class="front">
${htmlOf(content.front.slice(0, 1))}
<nav aria-label="Contents"><ol>${linked(content.front)}</ol>${appendix}</nav>
${htmlOf(content.front.slice(1))}
</div>
<div class="appendix">
${htmlOf(content.sections)}
</div>
</main>
<script type="text/plain" id="plotly-source">${assets.plotly}</script>
<script nonce="${nonce}">${assets.script}</script>`;
  return htmlPage({ title: content.title, allowed, css: assets.css, body });
}

/** What stands in place of the results where there was no analysis. */
function numbersHtml(summary: RunSummary | null): string {
  const rows = summary === null ? [] : summaryRows(summary);
  if (rows.length === 0) return "<p>This run has no results yet.</p>";
  return `${tableHtml(["this run", ""], rows)}<p>${escapeHtml(notAnalysed)}</p>`;
}

const htmlOf = (sections: readonly Section[]) => sections.map(({ html }) => html).join("\n");

function createdHtml(summary: RunSummary | null): string {
  if (summary === null) return "";
  const date = summary.created.slice(0, 16).replace("T", " ");
  const name = summary.synthetic ? `${summary.dataset} (synthetic images)` : summary.dataset;
  return `<p>${escapeHtml(`Breast histology, ${name}; trained ${date} UTC with breakhis-lab.`)}</p>`;
}

/** Reads what goes into every report; the figures' colours are those of the renderer in JupyterLab. */
export async function loadReportAssets(): Promise<ReportAssets> {
  const root = projectRoot();
  const read = (...path: string[]) => readFile(join(root, ...path), "utf8");
  const renderer = (file: string) => read("jupyter", "plotly-renderer", "static", file);
  const shared = [await renderer("figure-theme.js"), await renderer("figure-slider.js")].join("\n");
  const page = await read("src", "views", "report", "report-page.js");
  const plotly = await readFile(join(root, "node_modules", "plotly.js-dist", "plotly.js"));
  return {
    css: await read("src", "views", "report", "report-page.css"),
    // A page opened as a file can't import modules, so what it shares becomes a part of its one script.
    script: `(() => {\n${shared.replace(/^export /gm, "")}\n${page}\n})();`,
    plotly: gzipSync(plotly, { level: 9 }).toString("base64"),
  };
}
