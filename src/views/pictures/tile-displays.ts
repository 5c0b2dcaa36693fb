import { basename } from "node:path";
import type { Classifier } from "../../model/classifier/classifier";
import {
  emptyGlass,
  type PicturePrediction,
  predictTiles,
  suspicionOf,
} from "../../model/pictures/predict-tiles";
import type { TileAsking } from "../../model/pictures/tile-scale";
import { writeFileAtomically } from "../../runtime/files/write-file";
import { countOf } from "../../runtime/words";
import { summarizeTiles } from "../../scores/tile-summary";
import { viridisGradient } from "../display/colour-map";
import { classColours } from "../display/colours";
import { type HtmlDisplay, htmlDisplay, noteDisplay } from "../display/display";
import { notMedicalDevice, percent, positiveNameOf } from "../display/findings";
import { escapeHtml } from "../display/html";
import { encodeTilesGeoJson } from "./tile-files";
import { encodePicture, encodeTileMap } from "./tile-map";

type About = Pick<Classifier, "classes" | "positiveClass" | "familiarity" | "provenance">;

/** Says what the answers rest on, and that no slide was ever asked about in testing. */
export function describeTraining({ provenance: { dataset, synthetic } }: About): string {
  const origin = synthetic
    ? `synthetic images (${dataset}): what it answers says nothing about tissue`
    : `single images of ${dataset}, each chosen by a pathologist`;
  return `The classifier was trained on ${origin}. It was never tested on whole slides or fields, of which most is nothing that it was shown.`;
}

/** Says how many tiles there are and which were left out. */
export function describeTiles({ tiles, empty, grid }: PicturePrediction, about: About): string {
  const unlike = tiles.filter((tile) => tile.unlike.length > 0).length;
  const marked =
    about.familiarity === undefined
      ? "The classifier does not remember its training images, so tiles unlike them are not marked."
      : `${countOf(unlike, "tile")} of those are unlike the training images (lines across): their answers are not to be relied on.`;
  return `Of ${countOf(grid.columns * grid.rows, "tile")}, ${empty} are empty and left out: at least ${percent(emptyGlass)} of their pixels are glass (optical density below 0.06), or all of them have one colour. ${countOf(tiles.length, "tile")} are answered. ${marked}`;
}

/** Says what the tiles say together, and how that was taken. */
export function describeAnswers(prediction: PicturePrediction, about: About): string {
  const { answered, byClass, positiveShare, positiveShareOfLike, meanOfDeciding } = summarizeTiles(
    prediction,
    about,
  );
  if (answered === 0) return "No tile shows tissue, so there is nothing to answer.";
  const name = positiveNameOf(about);
  const mean = `The mean probability of ${name} over the ${countOf(prediction.deciding.length, "most suspicious tile")} is ${percent(meanOfDeciding)}.`;
  if (positiveShare === null || about.positiveClass === null) {
    const counts = about.classes.map((className, label) => `${className}: ${byClass[label]}`).join(", ");
    return `Tiles by answer: ${counts}. ${mean}`;
  }
  const among =
    about.familiarity === undefined
      ? ""
      : `, ${percent(positiveShareOfLike!)} of those like the training images`;
  return `${byClass[about.positiveClass]} of ${answered} tiles (${percent(positiveShare)}) are called ${name}${among}. ${mean} Neither number is a diagnosis.`;
}

/** Everything that is said of a picture's tiles, a sentence or two a line. */
export function describePicture(prediction: PicturePrediction, about: About): string[] {
  return [
    prediction.description,
    ...prediction.doubts,
    describeTiles(prediction, about),
    describeAnswers(prediction, about),
    describeTraining(about),
  ];
}

const gridStyle =
  "color:var(--jp-content-font-color1, inherit);font-family:var(--jp-ui-font-family, sans-serif)";

function legendHtml(name: string): string {
  return (
    `<div style="display:flex;flex-wrap:wrap;align-items:center;gap:8px;font-size:12px;margin:.4em 0">` +
    `<span>probability of ${escapeHtml(name)}: 0</span>` +
    `<span aria-hidden="true" style="width:120px;height:10px;border-radius:3px;background:${escapeHtml(viridisGradient)};print-color-adjust:exact"></span>` +
    "<span>1; lines across: unlike the training images; no colour: empty</span></div>"
  );
}

function imageHtml(source: string, alternative: string): string {
  return (
    `<img src="${escapeHtml(source)}" alt="${escapeHtml(alternative)}" ` +
    `style="flex:1 1 320px;min-width:0;max-width:min(100%,620px);height:auto;align-self:flex-start;border-radius:3px">`
  );
}

function decidingHtml({ deciding }: PicturePrediction, about: About): string {
  const name = positiveNameOf(about);
  const colours = classColours(about.classes, about.positiveClass);
  const cells = deciding.map(({ tile, picture }, i) => {
    const { left, top, predicted, unlike } = tile;
    const answer = about.classes[predicted]!;
    const lines = [
      `probability of ${name}: ${percent(suspicionOf(tile, about.positiveClass))}`,
      `at ${left}, ${top}`,
      ...unlike.map(({ text }) => text),
    ];
    const details = lines
      .map((line) => `<div style="overflow-wrap:anywhere">${escapeHtml(line)}</div>`)
      .join("");
    return (
      `<figure style="margin:0;width:170px;break-inside:avoid">` +
      `<img src="${escapeHtml(picture)}" alt="${escapeHtml(`Tile ${i + 1}, called ${answer}`)}" style="width:100%;height:auto;border-radius:3px">` +
      `<figcaption style="border-left:4px solid ${escapeHtml(colours[predicted]!)};padding-left:8px;font-size:12px;line-height:1.35">` +
      `<strong>${i + 1}. ${escapeHtml(answer)}</strong>${details}</figcaption></figure>`
    );
  });
  return `<div style="display:flex;flex-wrap:wrap;gap:14px">${cells.join("")}</div>`;
}

/** The map over the picture, the picture beside it, what was counted, and the tiles that decided. */
export async function pictureHtml(prediction: PicturePrediction, about: About): Promise<string> {
  const sentences = describePicture(prediction, about).map((line) => `<p>${escapeHtml(line)}</p>`);
  if (prediction.thumbnail.width === 0) return sentences.join("");
  const file = basename(prediction.path);
  const map = imageHtml(
    await encodeTileMap(prediction, about.positiveClass),
    `${file}: the answers of its tiles`,
  );
  const plain = imageHtml(await encodePicture(prediction), `${file}: the image`);
  const heading = `The ${countOf(prediction.deciding.length, "most suspicious tile")}, with their places in pixels`;
  return (
    `<div style="${gridStyle}">${legendHtml(positiveNameOf(about))}` +
    `<div style="display:flex;flex-wrap:wrap;gap:12px">${map}${plain}</div>${sentences.join("")}` +
    `<p style="font-weight:600">${escapeHtml(heading)}</p>${decidingHtml(prediction, about)}</div>`
  );
}

/**
 * Asks about an image of any size tile by tile, and shows the map.
 *
 * @param path - Null for a sentence that says what to put there.
 * @param asking - What neither file nor classifier says: µm a pixel, magnification; `geojson` names a file for QuPath.
 */
export async function askPicture(
  classifier: Classifier,
  path: string | null,
  asking: TileAsking & { geojson?: string | null } = {},
): Promise<HtmlDisplay> {
  if (path === null) {
    return noteDisplay("No image is named: put the path of a large one, for example a slide as TIFF or SVS.");
  }
  const prediction = await predictTiles(classifier, path, asking);
  const { geojson = null } = asking;
  if (geojson !== null && prediction.complete) {
    await writeFileAtomically(geojson, encodeTilesGeoJson(prediction, classifier));
  }
  const stopped = prediction.complete ? "" : "<p>Stopped: tiles are missing.</p>";
  const warning = `<p>${escapeHtml(notMedicalDevice)}</p>`;
  const text = describePicture(prediction, classifier).join("\n");
  return htmlDisplay(`${stopped}${await pictureHtml(prediction, classifier)}${warning}`, text);
}
