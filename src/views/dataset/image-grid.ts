import { type Dataset, type ImageRecord, imagePath } from "../../data/dataset";
import { encodeThumbnail } from "../../data/images/images";
import type { ImagePrediction } from "../../model/classifier/classifier";
import { createRandom } from "../../runtime/random";
import { classColours } from "../display/colours";
import { type HtmlDisplay, htmlDisplay } from "../display/display";
import { titleWithOrigin } from "../display/figure";
import { percent } from "../display/findings";
import { escapeHtml } from "../display/html";

/** One picture of a grid. */
export interface GridItem {
  /** Absolute path of the image. */
  path: string;
  /** What the picture shows, also read out by screen readers. */
  caption: string;
  /** Smaller lines below the caption. */
  details?: readonly string[];
  /** CSS colour of the caption's mark, usually the class's. */
  colour?: string;
}

/** Looks of a grid. */
export interface GridOptions {
  title?: string;
  /** Width of a picture in CSS pixels; thumbnails hold one and a half times as many. */
  width?: number;
}

/** Pixels a thumbnail has for each CSS pixel: sharp on dense screens, still about 15 kB an image. */
const pixelDensity = 1.5;

/**
 * Makes a grid of labelled thumbnails that shows itself in a notebook, readable in both themes.
 *
 * The pictures are small JPEG copies inside the HTML, so a saved notebook needs no file beside it.
 *
 * @throws Error if one of the images can't be decoded.
 */
export async function imageGrid(items: readonly GridItem[], options: GridOptions = {}): Promise<HtmlDisplay> {
  const { title = "", width = 200 } = options;
  const cells: string[] = [];
  for (const item of items) {
    cells.push(cellHtml(item, await encodeThumbnail(item.path, Math.round(width * pixelDensity)), width));
  }
  const heading = title === "" ? "" : `<p style="font-weight:600;margin:0 0 .5em">${escapeHtml(title)}</p>`;
  const empty = items.length === 0 ? "<p>No images to show.</p>" : "";
  const grid = `<div style="display:flex;flex-wrap:wrap;gap:14px">${cells.join("")}</div>`;
  return htmlDisplay(
    `<div style="${gridStyle}">${heading}${empty}${grid}</div>`,
    `Grid of ${items.length} images`,
  );
}

/**
 * Picks some images of every class, as many different patients as there are, and shows them as a grid.
 *
 * @param options - `perClass` images of each class (default 4), chosen by `seed` (default 0).
 */
export function sampleGrid(
  dataset: Dataset,
  options: { perClass?: number; seed?: number } = {},
): Promise<HtmlDisplay> {
  const { perClass = 4, seed = 0 } = options;
  const rows = dataset.classes.flatMap((_, label) => pickVaried(dataset, label, perClass, seed));
  const title = titleWithOrigin(`Images of ${dataset.name}`, dataset.synthetic);
  return imageGrid(
    rows.map((row) => recordItem(dataset, row)),
    { title },
  );
}

/** Shows image files with the probability that the classifier gives to each class, the most probable first. */
export function answerGrid(
  classes: readonly string[],
  positiveClass: number | null,
  predictions: readonly ImagePrediction[],
): Promise<HtmlDisplay> {
  const colours = classColours(classes, positiveClass);
  const items = predictions.map(({ file, predicted, probabilities }): GridItem => {
    const all = classes.map((name, label) => ({ name, probability: probabilities[label]! }));
    all.sort((a, b) => b.probability - a.probability);
    return {
      path: file,
      caption: `The answer is ${classes[predicted]}`,
      details: [...all.map(({ name, probability }) => `${name}: ${percent(probability)}`), lastPart(file)],
      colour: colours[predicted]!,
    };
  });
  return imageGrid(items, { width: 320 });
}

/** A grid's item for one record: its class as caption; patient, magnification and file as details. */
export function recordItem(dataset: Dataset, row: number, details: readonly string[] = []): GridItem {
  const record = dataset.records[row]!;
  return {
    path: imagePath(dataset, record),
    caption: dataset.classes[record.label]!,
    details: [...details, originOf(record), lastPart(record.file)],
    colour: classColours(dataset.classes, dataset.positiveClass)[record.label]!,
  };
}

/** Rows of one class in random order, but no patient a second time before every other one had its turn. */
function pickVaried(dataset: Dataset, label: number, count: number, seed: number): number[] {
  const rows = dataset.records.flatMap((record, row) => (record.label === label ? [row] : []));
  const turns = new Map<string | null, number>();
  const ranked = createRandom(seed)
    .shuffle(rows)
    .map((row) => {
      const patient = dataset.records[row]!.patient;
      const turn = turns.get(patient) ?? 0;
      turns.set(patient, turn + 1);
      return { row, turn };
    });
  return ranked
    .sort((a, b) => a.turn - b.turn)
    .slice(0, count)
    .map(({ row }) => row);
}

function originOf(record: ImageRecord): string {
  const patient = record.patient === null ? "patient unknown" : `patient ${record.patient}`;
  return record.magnification === null ? patient : `${patient}, ${record.magnification}×`;
}

function lastPart(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}

const gridStyle =
  "color:var(--jp-content-font-color1, inherit);font-family:var(--jp-ui-font-family, sans-serif)";

function cellHtml(item: GridItem, thumbnail: string, width: number): string {
  const details = item.details ?? [];
  const alternative = escapeHtml([item.caption, ...details].join(", "));
  const lines = details
    .map((line) => `<div style="overflow-wrap:anywhere">${escapeHtml(line)}</div>`)
    .join("");
  const mark = `border-left:4px solid ${escapeHtml(item.colour ?? "currentColor")};padding-left:8px;margin-top:6px`;
  return (
    `<figure style="margin:0;width:${width}px;break-inside:avoid">` +
    `<img src="${escapeHtml(thumbnail)}" alt="${alternative}" style="width:100%;height:auto;border-radius:3px">` +
    `<figcaption style="${mark};font-size:13px;line-height:1.35"><strong>${escapeHtml(item.caption)}</strong>` +
    `<div style="font-size:11.5px;opacity:.8">${lines}</div></figcaption></figure>`
  );
}
