import { plotlyMimeType } from "../display/figure";
import { escapeHtml } from "../display/html";
import { firstHeading, markdownHtml } from "../display/markdown";
import { figureHtml } from "./report-figure";

/** The part of a notebook's file that a report reads. */
export interface Notebook {
  cells: NotebookCell[];
}

/** A cell, as nbformat 4 stores it. */
export interface NotebookCell {
  cell_type: string;
  source: string | string[];
  outputs?: NotebookOutput[];
}

/** One output of a code cell. */
export interface NotebookOutput {
  output_type: string;
  name?: string;
  text?: string | string[];
  data?: Record<string, unknown>;
  ename?: string;
  evalue?: string;
}

/** A notebook as a part of the report. */
export interface Section {
  id: string;
  title: string;
  html: string;
}

/**
 * Turns an executed notebook into a section: its prose, figures, tables and printed text, without its code.
 *
 * @param id - Letters, digits and hyphens; unique within the page.
 * @param fallbackTitle - For a notebook without a heading.
 */
export function notebookSection(notebook: Notebook, id: string, fallbackTitle: string): Section {
  let figures = 0;
  const nextFigureId = () => {
    figures += 1;
    return `${id}-figure-${figures}`;
  };
  const parts = notebook.cells.map((cell) =>
    cell.cell_type === "markdown"
      ? markdownHtml(joined(cell.source), 1)
      : (cell.outputs ?? []).map((output) => outputHtml(output, nextFigureId)).join("\n"),
  );
  const markdown = notebook.cells.filter((cell) => cell.cell_type === "markdown");
  const title = markdown.map((cell) => firstHeading(joined(cell.source))).find((heading) => heading !== null);
  return {
    id,
    title: title?.text ?? fallbackTitle,
    html: `<section id="${escapeHtml(id)}">${parts.join("\n")}</section>`,
  };
}

function outputHtml(output: NotebookOutput, nextFigureId: () => string): string {
  if (output.output_type === "stream") {
    // Warnings of libraries go to stderr; they are no result.
    const text = output.name === "stdout" ? joined(output.text ?? "").trim() : "";
    return text === "" ? "" : `<pre>${escapeHtml(text)}</pre>`;
  }
  if (output.output_type === "error") return `<pre>${escapeHtml(`${output.ename}: ${output.evalue}`)}</pre>`;
  return bundleHtml(output.data ?? {}, nextFigureId);
}

/** HTML in outputs is what our own views made, escaped there; the page's policy keeps any other from running. */
function bundleHtml(data: Record<string, unknown>, nextFigureId: () => string): string {
  const html = textOf(data["text/html"]);
  const figure = data[plotlyMimeType];
  // Where JupyterLab has put a picture in the table's place, the table is made of the figure again.
  if (figure !== undefined) return figureHtml(figure, nextFigureId(), html || undefined);
  if (html !== "") return `<div class="output">${html}</div>`;
  const text = textOf(data["text/plain"]).trim();
  return text === "" ? "" : `<pre>${escapeHtml(text)}</pre>`;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.join("") : "";
}

function joined(lines: string | string[]): string {
  return typeof lines === "string" ? lines : lines.join("");
}
