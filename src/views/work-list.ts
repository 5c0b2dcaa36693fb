import { type Dataset, imagePath } from "../data/dataset";
import { encodeThumbnail } from "../data/images";
import type { WorkKind, WorkRow } from "../evaluation/triage";
import { classColours } from "./colours";
import { type Displayable, htmlView } from "./display";
import { titleWithOrigin } from "./figure";
import { percent } from "./findings";
import { escapeHtml } from "./html";

/** How much of a work list is shown. */
export interface WorkListOptions {
  /** At most this many rows, by default 20. */
  rows?: number;
}

const thumbnailWidth = 90;
const cell =
  "padding:.3em .9em .3em .4em;border-bottom:1px solid var(--jp-border-color2, #8885);vertical-align:middle";

/** One line of a work list, with its picture; plain values, so that a report can keep it. */
export interface PicturedWork extends WorkRow {
  /** Name of the true class, which a test knows and a clinic would not. */
  truth: string;
  /** A small JPEG as a data URL. */
  picture: string;
}

/**
 * Adds pictures and true classes to the first rows of a work list.
 *
 * @throws Error naming the file if an image can't be read any more.
 */
export async function pictureWork(
  dataset: Dataset,
  work: readonly WorkRow[],
  { rows = 20 }: WorkListOptions = {},
): Promise<PicturedWork[]> {
  const records = new Map(dataset.records.map((record) => [record.file, record]));
  const pictured: PicturedWork[] = [];
  for (const row of work.slice(0, rows)) {
    const record = records.get(row.file);
    if (record === undefined) continue;
    const picture = await encodeThumbnail(imagePath(dataset, record), Math.round(thumbnailWidth * 1.5));
    pictured.push({ ...row, truth: dataset.classes[record.label]!, picture });
  }
  return pictured;
}

/**
 * Shows a work list: the most suspicious first, each with its picture, the probability and what it truly is.
 *
 * @param total - Rows of the whole list.
 */
export function workListView(
  dataset: Pick<Dataset, "classes" | "positiveClass" | "synthetic">,
  work: readonly PicturedWork[],
  total: number,
): { html: string } & Displayable {
  const positive = dataset.classes[dataset.positiveClass ?? 0]!;
  const title = titleWithOrigin(
    `Work list: the first ${work.length} of ${total} test images`,
    dataset.synthetic,
  );
  const head = [
    "rank",
    "image",
    "listed as",
    `probability of ${positive}`,
    "second look",
    "patient",
    "truly",
    "file",
  ];
  const headings = head.map(
    (name) => `<th scope="col" style="text-align:left;${cell}">${escapeHtml(name)}</th>`,
  );
  const body = work.map((row) => rowHtml(row, dataset));
  return htmlView(
    `<div style="max-height:44em;overflow:auto"><table style="border-collapse:collapse">` +
      `<caption style="caption-side:top;text-align:left;font-weight:600;padding:0 0 .4em">${escapeHtml(title)}</caption>` +
      `<thead><tr>${headings.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`,
    `Work list of ${work.length} images`,
  );
}

const kindTexts: Record<WorkKind, string> = {
  positive: "positive",
  doubtful: "doubtful",
  negative: "negative",
};

function rowHtml(
  row: PicturedWork,
  { classes, positiveClass }: Pick<Dataset, "classes" | "positiveClass">,
): string {
  const colour = classColours(classes, positiveClass)[classes.indexOf(row.truth)] ?? "currentColor";
  const image = `<img src="${escapeHtml(row.picture)}" alt="" style="width:${thumbnailWidth}px;height:auto;display:block;border-radius:3px">`;
  const bar =
    `<div style="display:flex;align-items:center;gap:.5em"><span style="flex:0 0 70px;height:7px;background:var(--jp-layout-color3, #8884)">` +
    `<span style="display:block;height:100%;width:${(100 * row.probability).toFixed(1)}%;background:var(--jp-brand-color1, #1976d2);print-color-adjust:exact"></span></span>` +
    `<span>${escapeHtml(percent(row.probability))}</span></div>`;
  const truth = `<span style="border-left:4px solid ${escapeHtml(colour)};padding-left:6px">${escapeHtml(row.truth)}</span>`;
  const name = row.file.slice(row.file.lastIndexOf("/") + 1);
  const cells = [
    escapeHtml(row.rank),
    image,
    escapeHtml(kindTexts[row.kind]),
    bar,
    row.needsLook ? "yes" : "no",
    escapeHtml(row.patient ?? "unknown"),
    truth,
    escapeHtml(name),
  ];
  const last = cells.length - 1;
  const wrapped = (i: number) => (i === last ? "overflow-wrap:anywhere" : "white-space:nowrap");
  return `<tr>${cells.map((html, i) => `<td style="${cell};${wrapped(i)}">${html}</td>`).join("")}</tr>`;
}
