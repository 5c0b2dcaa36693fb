import { type Dataset, imagePath } from "../../data/dataset";
import { encodeThumbnail } from "../../data/images/images";
import { kindName, type WorkRow } from "../../scores/triage/triage";
import { classColours } from "../display/colours";
import { type HtmlDisplay, htmlDisplay } from "../display/display";
import { titleWithOrigin } from "../display/figure";
import { percent, positiveNameOf } from "../display/findings";
import { escapeHtml } from "../display/html";
import { headStyle, tableClass } from "../display/table-html";

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
  /** Name of the true class, which a test knows and a clinic would not; null or nothing where it is not known. */
  truth?: string | null;
  /** A small JPEG as a data URL. */
  picture: string;
  /** The same with what speaks for the positive class over it, where that was computed. */
  overlay?: string;
  /** In which ways the image is unlike the training images, where that can be told. */
  unlike?: readonly string[];
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

/** What a work list is of, and how it is shown. */
export interface WorkListLooks {
  /** Rows of the whole list. */
  total: number;
  /** What the images are, in the plural; "test images" by default. */
  things?: string;
  /** Shown in full, where a page scrolls rather than the table. */
  whole?: boolean;
}

type About = Pick<Dataset, "classes" | "positiveClass" | "synthetic">;

interface Column {
  name: string;
  html(row: PicturedWork): string;
  /** Long text may be broken anywhere. */
  breaks?: boolean;
}

/**
 * Shows a work list: the most suspicious first, each with its picture and the probability; what it truly is, where the
 * evidence lies and how it is unlike the training images have columns where they are known.
 *
 * @param looks - What it is of, or only the number of rows of the whole list.
 */
export function workListDisplay(
  dataset: About,
  work: readonly PicturedWork[],
  looks: number | WorkListLooks,
): HtmlDisplay {
  const {
    total,
    things = "test images",
    whole = false,
  } = typeof looks === "number" ? { total: looks } : looks;
  const title = titleWithOrigin(
    `Work list: the first ${work.length} of ${total} ${things}`,
    dataset.synthetic,
  );
  const columns = columnsOf(dataset, work);
  const headings = columns.map(
    ({ name }) => `<th scope="col" style="text-align:left;${cell}${headStyle}">${escapeHtml(name)}</th>`,
  );
  const body = work.map((row) => `<tr>${columns.map((column) => cellHtml(column, row)).join("")}</tr>`);
  const scrolling = whole ? "overflow-x:auto" : "max-height:44em;overflow:auto";
  return htmlDisplay(
    `<div style="${scrolling}"><table class="${tableClass}" style="border-collapse:collapse">` +
      `<caption style="caption-side:top;text-align:left;font-weight:600;padding:0 0 .4em">${escapeHtml(title)}</caption>` +
      `<thead><tr>${headings.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`,
    `Work list of ${work.length} images`,
  );
}

function cellHtml({ html, breaks = false }: Column, row: PicturedWork): string {
  return `<td style="${cell};${breaks ? "overflow-wrap:anywhere" : "white-space:nowrap"}">${html(row)}</td>`;
}

function columnsOf(about: About, work: readonly PicturedWork[]): Column[] {
  const positive = positiveNameOf(about);
  const when = (known: boolean, column: Column) => (known ? [column] : []);
  return [
    { name: "rank", html: ({ rank }) => escapeHtml(rank) },
    { name: "image", html: ({ picture }) => pictureHtml(picture, "") },
    ...when(
      work.some(({ overlay }) => overlay !== undefined),
      {
        name: `what speaks for ${positive}`,
        html: ({ overlay }) =>
          overlay === undefined ? "" : pictureHtml(overlay, `What speaks for ${positive}`),
      },
    ),
    { name: "listed as", html: ({ kind }) => escapeHtml(kindName(kind, positive)) },
    { name: `probability of ${positive}`, html: ({ probability }) => probabilityHtml(probability) },
    { name: "second look", html: ({ needsLook }) => (needsLook ? "yes" : "no") },
    ...when(
      work.some(({ unlike }) => unlike !== undefined),
      { name: "unlike training", html: ({ unlike }) => unlikeHtml(unlike ?? []), breaks: true },
    ),
    { name: "patient", html: ({ patient }) => escapeHtml(patient ?? "unknown") },
    ...when(
      work.some(({ truth }) => (truth ?? null) !== null),
      { name: "truly", html: ({ truth }) => truthHtml(truth ?? null, about) },
    ),
    { name: "file", html: ({ file }) => escapeHtml(file.slice(file.lastIndexOf("/") + 1)), breaks: true },
  ];
}

function pictureHtml(source: string, alternative: string): string {
  const style = `width:${thumbnailWidth}px;height:auto;display:block;border-radius:3px`;
  return `<img src="${escapeHtml(source)}" alt="${escapeHtml(alternative)}" style="${style}">`;
}

function probabilityHtml(probability: number): string {
  return (
    `<div style="display:flex;align-items:center;gap:.5em"><span style="flex:0 0 70px;height:7px;background:var(--jp-layout-color3, #8884)">` +
    `<span style="display:block;height:100%;width:${(100 * probability).toFixed(1)}%;background:var(--jp-brand-color1, #1976d2);print-color-adjust:exact"></span></span>` +
    `<span>${escapeHtml(percent(probability))}</span></div>`
  );
}

function unlikeHtml(unlike: readonly string[]): string {
  if (unlike.length === 0) return "no";
  const lines = unlike.map((text) => `<div>${escapeHtml(text)}</div>`);
  return `<div style="min-width:14em;border-left:4px solid #d55e00;padding-left:6px;font-size:.85em;line-height:1.35">${lines.join("")}</div>`;
}

function truthHtml(truth: string | null, { classes, positiveClass }: About): string {
  if (truth === null) return "";
  const colour = classColours(classes, positiveClass)[classes.indexOf(truth)] ?? "currentColor";
  return `<span style="border-left:4px solid ${escapeHtml(colour)};padding-left:6px">${escapeHtml(truth)}</span>`;
}
