import type { Dataset } from "../../data/dataset";
import { enlargeBilinearly } from "../../data/images/bilinear";
import { encodeThumbnail } from "../../data/images/images";
import type { ActivationMap } from "../../model/explanation/activation-map";
import type { SanityCheck } from "../../model/explanation/sanity-check";
import type { Outcome } from "../../scores/examples-to-explain";
import { classColours } from "../display/colours";
import { subtypeName } from "../display/dataset-counts";
import { type HtmlDisplay, htmlDisplay } from "../display/display";
import { titleWithOrigin } from "../display/figure";
import { percent } from "../display/findings";
import { encodeHeatOverlay, heatLegend } from "../display/heat-overlay";
import { escapeHtml } from "../display/html";
import type { ExplainedImage } from "./explanations";

/** The classes that explanations are about. */
export type ExplainedClasses = Pick<Dataset, "classes" | "positiveClass" | "synthetic">;

/** Kinds in the order in which they matter, and what each is called. */
const kinds: readonly { outcome: Outcome; heading: (positive: string) => string }[] = [
  { outcome: "missed", heading: (positive) => `Missed: truly ${positive}, taken for something else` },
  { outcome: "false alarm", heading: (positive) => `False alarms: taken for ${positive}, but not` },
  { outcome: "confused", heading: () => "Taken for another class" },
  { outcome: "right", heading: () => "Right, for comparison" },
];

/** Shows explained images by kind of error: each picture, and beside it where the evidence for the answer lies. */
export function explanationGrid(explained: readonly ExplainedImage[], about: ExplainedClasses): HtmlDisplay {
  const positive = about.positiveClass === null ? "" : about.classes[about.positiveClass]!;
  const groups = kinds.flatMap(({ outcome, heading }) => {
    const items = explained.filter((item) => item.outcome === outcome);
    if (items.length === 0) return [];
    const cells = items.map((item) => explainedHtml(item, about)).join("");
    return [
      `<p style="font-weight:600;margin:1em 0 .5em">${escapeHtml(heading(positive))}</p>` +
        `<div style="display:flex;flex-wrap:wrap;gap:18px">${cells}</div>`,
    ];
  });
  const errors = explained.filter(({ outcome }) => outcome !== "right").length;
  const unmapped = explained.some(({ overlay }) => overlay === null);
  const legend = unmapped ? unmappedHtml : legendHtml;
  const shown = unmapped ? "Test images" : "Test images, and where the evidence for the answer lies";
  const none = errors === 0 ? "<p>No test image was taken for something else.</p>" : "";
  const title = titleWithOrigin(shown, about.synthetic);
  return htmlDisplay(
    `<div style="${gridStyle}"><p style="font-weight:600;margin:0">${escapeHtml(title)}</p>${legend}${none}${groups.join("")}</div>`,
    `Grid of ${explained.length} explained images`,
  );
}

function explainedHtml(item: ExplainedImage, { classes, positiveClass }: ExplainedClasses): string {
  const truth = classes[item.trueClass]!;
  const answer = classes[item.answer]!;
  const right = item.outcome === "right";
  const caption = right ? `${truth}, recognised` : `truly ${truth}, taken for ${answer}`;
  const colour = classColours(classes, positiveClass)[item.trueClass]!;
  const origin = [
    item.subtype === null ? null : subtypeName(item.subtype),
    item.patient === null ? "patient unknown" : `patient ${item.patient}`,
    item.magnification === null ? null : `${item.magnification}×`,
  ];
  const lines = [
    `probability ${percent(item.confidence)}`,
    origin.filter((part) => part !== null).join(", "),
    ...item.qualityLines,
    item.file.slice(item.file.lastIndexOf("/") + 1),
  ];
  const { picture, overlay } = item;
  const whole = `${caption}: the image`;
  if (overlay === null) return figureHtml(imageHtml(picture, whole, "100%"), caption, lines, colour, 1);
  const pictures =
    imageHtml(picture, whole, "48%") + imageHtml(overlay, `${caption}: where the evidence lies`, "48%");
  return figureHtml(pictures, caption, lines, colour, 2);
}

const cellWidth = 210;

/** @param share - Of the width that a figure's pictures have together. */
function imageHtml(source: string, alternative: string, share: "48%" | "100%"): string {
  const style = `width:${cellWidth}px;max-width:${share};height:auto;border-radius:3px`;
  return `<img src="${escapeHtml(source)}" alt="${escapeHtml(alternative)}" style="${style}">`;
}

function figureHtml(
  pictures: string,
  caption: string,
  lines: string[],
  colour: string,
  columns: number,
): string {
  const width = columns * cellWidth + (columns - 1) * 4;
  const mark = `border-left:4px solid ${escapeHtml(colour)};padding-left:8px;margin-top:6px`;
  const details = lines
    .map((line) => `<div style="overflow-wrap:anywhere">${escapeHtml(line)}</div>`)
    .join("");
  return (
    `<figure style="margin:0;width:${width}px;max-width:100%;break-inside:avoid">` +
    `<div style="display:flex;gap:4px">${pictures}</div>` +
    `<figcaption style="${mark};font-size:13px;line-height:1.35"><strong>${escapeHtml(caption)}</strong>` +
    `<div style="font-size:11.5px;opacity:.8">${details}</div></figcaption></figure>`
  );
}

const gridStyle =
  "color:var(--jp-content-font-color1, inherit);font-family:var(--jp-ui-font-family, sans-serif)";

const legendHtml =
  `<div style="display:flex;align-items:center;gap:8px;font-size:12px;margin:.4em 0">` +
  `<span>${escapeHtml(heatLegend.least)}</span>` +
  `<span aria-hidden="true" style="width:120px;height:10px;border-radius:3px;background:${escapeHtml(heatLegend.gradient)};print-color-adjust:exact"></span>` +
  `<span>${escapeHtml(heatLegend.most)}</span></div>`;

const unmappedHtml =
  "<p>Of this backbone only the features are known, so there are no maps of where the evidence lies.</p>";

/**
 * Shows, for each image of a sanity check, its heat map as trained, with a random head, and with a random top stage.
 *
 * @throws Error naming the file if an image can't be read any more.
 */
export async function sanityRow(check: SanityCheck, about: ExplainedClasses): Promise<HtmlDisplay> {
  const rows: string[] = [];
  for (const image of check.images) {
    const cells = [
      pictureCell(await encodeThumbnail(image.file, cellWidth * 1.5), "the image"),
      pictureCell(await overlayOf(image.file, image.trained), "as trained"),
      pictureCell(
        await overlayOf(image.file, image.randomHead),
        `random head: ${correlationText(image.headCorrelations)}`,
      ),
      pictureCell(
        await overlayOf(image.file, image.randomTop),
        `random top stage: ${correlationText(image.topCorrelations)}`,
      ),
    ];
    rows.push(`<div style="display:flex;flex-wrap:wrap;gap:8px;margin:.5em 0">${cells.join("")}</div>`);
  }
  const title = titleWithOrigin("Do the maps depend on what was learned?", about.synthetic);
  return htmlDisplay(
    `<div style="${gridStyle}"><p style="font-weight:600;margin:0">${escapeHtml(title)}</p>${legendHtml}${rows.join("")}</div>`,
    describeSanity(check),
  );
}

/** Says how alike the maps stay when what was learned is taken away. */
export function describeSanity(check: SanityCheck): string {
  const { images, meanHeadCorrelation, meanTopCorrelation } = check;
  const draws = images[0]?.headCorrelations.length ?? 0;
  const number = (value: number) => value.toFixed(2);
  return (
    `Rank correlation with the trained maps, mean of ${images.length} images and ${draws} draws: ` +
    `${number(meanHeadCorrelation)} with a random head, ${number(meanTopCorrelation)} with a random top stage ` +
    "(1: the maps are the same whatever was learned; 0: nothing in common; below 0: rather the reverse)."
  );
}

function correlationText(correlations: readonly number[]): string {
  const mean = correlations.reduce((sum, value) => sum + value, 0) / correlations.length;
  return `correlation ${mean.toFixed(2)}`;
}

function pictureCell(source: string, caption: string): string {
  return (
    `<figure style="margin:0;width:${cellWidth}px;break-inside:avoid">` +
    `<img src="${escapeHtml(source)}" alt="${escapeHtml(caption)}" style="width:100%;height:auto;border-radius:3px">` +
    `<figcaption style="font-size:12px">${escapeHtml(caption)}</figcaption></figure>`
  );
}

/** On the network's own grid first, which is then enlarged with the picture. */
function overlayOf(file: string, map: ActivationMap): Promise<string> {
  const most = map.values.reduce((largest, value) => Math.max(largest, value), 0);
  const heat = most > 0 ? map.values.map((value) => value / most) : map.values;
  const [height, width] = [map.rows * 8, map.columns * 8];
  const enlarged = enlargeBilinearly(heat, [map.rows, map.columns], [height, width]);
  return encodeHeatOverlay({ file, heat: enlarged, height, width }, { width: Math.round(cellWidth * 1.5) });
}
