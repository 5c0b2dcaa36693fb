/**
 * A figure as a picture in the notebook, beside its JSON: what nbconvert, VS Code, code hosts and a JupyterLab
 * without this renderer show of a saved notebook. Always on white, so that it can be read on any page.
 */

import { readFigure, refuseUnknownTraces } from "./figure-json.js";
import { paperColours } from "./figure-theme.js";

/** A figure that came less than this ago may still be changing: a live view changes twice a second. */
const settledAfterMs = 1000;

/** Pixels; text keeps its proportion to a page, whatever the window's width. */
const widths = { least: 480, most: 960 };

/** Characters of base64 that a picture may take in a notebook. */
const sizeLimit = 150_000;

/** The first that is small enough is taken, else the last: sharp letters, plain letters, photographs. */
const encodings = [
  { format: "png", scale: 1.5 },
  { format: "png", scale: 1 },
  { format: "jpeg", scale: 1 },
];

const pictureTypes = encodings.map(({ format }) => `image/${format}`);

/** One picture at a time, since each keeps the page busy for a moment. */
let lastPicture = Promise.resolve();

/** A figure with dark text on white: a dark theme's light text cannot be read on paper. */
export function figureOnPaper(value) {
  const { data, layout } = readFigure(value, paperColours);
  if (isClear(layout.paper_bgcolor)) layout.paper_bgcolor = "#ffffff";
  return { data, layout };
}

/**
 * Draws a figure on paper, small enough to be kept in a notebook.
 *
 * @param plotly - plotly.js.
 * @param value - The figure's JSON.
 * @param shownWidth - Pixels; 0 where the figure is not shown.
 * @returns Its MIME type, its content, and the size to show it in, in pixels.
 */
export async function drawPicture(plotly, value, shownWidth) {
  const figure = figureOnPaper(value);
  refuseUnknownTraces(plotly, figure.data);
  const width = figure.layout.width ?? clampWidth(shownWidth || widths.most);
  const { height } = figure.layout;
  let picture;
  for (const { format, scale } of encodings) {
    const url = await plotly.toImage(figure, { format, width, height, scale });
    picture = { type: `image/${format}`, base64: url.slice(url.indexOf(",") + 1) };
    if (picture.base64.length <= sizeLimit) break;
  }
  return { ...picture, width, height };
}

/** Puts a picture of a figure into its output, once the figure has not changed for a moment. */
export class PictureKeeper {
  #timer;
  #model = null;

  /**
   * @param model - JupyterLab's model of the output.
   * @param draw - Resolves to the picture, see `drawPicture`.
   */
  keep(model, draw) {
    this.cancel();
    // Of an untrusted notebook's outputs nothing is known, and looking at a file is no reason to change it.
    if (!model.trusted || hasPicture(model)) return;
    this.#model = model;
    this.#timer = setTimeout(() => {
      lastPicture = lastPicture.then(idle).then(() => this.#add(model, draw));
    }, settledAfterMs);
  }

  /** Forgets the picture that was to be made. */
  cancel() {
    clearTimeout(this.#timer);
    this.#model = null;
  }

  async #add(model, draw) {
    const isWanted = () => this.#model === model && !hasPicture(model);
    if (!isWanted()) return;
    try {
      const { type, base64, width, height } = await draw();
      if (!isWanted()) return;
      // Readers without scripts prefer HTML to pictures, and the table was only for want of one.
      const { "text/html": _, ...data } = model.data;
      model.setData({
        data: { ...data, [type]: base64 },
        metadata: { ...model.metadata, [type]: { width, height } },
      });
    } catch (error) {
      // The table stays; the widget itself says what is wrong with a figure.
      console.warn(`No picture of a figure can be kept in the notebook: ${error?.message ?? error}.`);
    }
  }
}

function clampWidth(width) {
  return Math.min(widths.most, Math.max(widths.least, width));
}

function hasPicture({ data }) {
  return pictureTypes.some((type) => data[type] !== undefined);
}

/** Resolves when the page has nothing better to do. */
function idle() {
  return new Promise((resolve) => {
    // Safari has no such thing.
    if (window.requestIdleCallback === undefined) setTimeout(resolve, 50);
    else window.requestIdleCallback(resolve, { timeout: 2000 });
  });
}

function isClear(colour) {
  return colour === undefined || /^(transparent|rgba\(.*,\s*0(\.0*)?\s*\))$/i.test(colour);
}
