import { describeFigure, readFigure, refuseUnknownTraces } from "./figure-json.js";
import { drawPicture, figureOnPaper, PictureKeeper } from "./figure-picture.js";
import { offerSliders } from "./figure-slider.js";
import { readThemeColours } from "./figure-theme.js";

const mimeType = "application/vnd.plotly.v1+json";

/** JupyterLab's attributes on `body`, set when a theme has been loaded. */
const themeAttributes = ["data-jp-theme-light", "data-jp-theme-name"];

/** Between two drawings of a figure, a multiple of the time that the first one took, and not longer than this. */
const restShare = 4;
const longestRestMs = 5000;

let plotlyLoading;

/** Loads plotly.js (11 MB) with the first figure, once a page; a failed attempt may be repeated. */
function loadPlotly(url) {
  plotlyLoading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotlyLoading = undefined;
      script.remove();
      reject(
        new Error(
          "plotly.js could not be loaded; is JupyterLab still running? If it is, run npm start again",
        ),
      );
    };
    document.head.append(script);
  });
  return plotlyLoading;
}

/**
 * JupyterLab's description of the renderer.
 *
 * @param Widget - JupyterLab's own Lumino `Widget` class.
 * @param plotlyUrl - Where plotly.js is.
 */
export function createMimeExtension(Widget, plotlyUrl) {
  class FigureWidget extends Widget {
    #figure;

    constructor(options) {
      super();
      this.addClass("breakhis-figure");
      this.#figure = new ShownFigure(this.node, options.mimeType, plotlyUrl);
    }

    renderModel(model) {
      return this.#figure.render(model);
    }

    dispose() {
      if (this.isDisposed) return;
      this.#figure.dispose();
      super.dispose();
    }
  }

  return {
    id: "breakhis-lab-plotly:factory",
    rendererFactory: {
      // Nothing in a figure runs as a program (see figure-json.js), so notebooks need not be trusted.
      safe: true,
      mimeTypes: [mimeType],
      createRenderer: (options) => new FigureWidget(options),
    },
    // The lowest rank is preferred when an output comes in several forms.
    rank: 0,
    dataType: "json",
  };
}

/** One output's figure. JupyterLab calls `render` again for each update of the display. */
class ShownFigure {
  #node;
  #mimeType;
  #plotlyUrl;
  #plot = null;
  #model = null;
  #value = null;
  #picture = new PictureKeeper();
  #drawnWidth = 0;
  #stale = false;
  #drawing = false;
  #drawnBefore = false;
  #isDisposed = false;
  #sizes = new ResizeObserver(() => this.#fit());
  // A frame later, because JupyterLab hides everything while it changes the theme.
  #themes = new MutationObserver(() => requestAnimationFrame(() => this.#redraw()));

  constructor(node, mimeType, plotlyUrl) {
    this.#node = node;
    this.#mimeType = mimeType;
    this.#plotlyUrl = plotlyUrl;
    node.style.cssText = "position: relative; width: 100%; overflow-x: auto; overflow-y: hidden;";
    this.#sizes.observe(node);
    this.#themes.observe(document.body, { attributes: true, attributeFilter: themeAttributes });
  }

  render(model) {
    // JupyterLab also renders again when a picture has been added; each update of a display is a new model.
    if (model === this.#model) return Promise.resolve();
    this.#model = model;
    this.#value = model.data[this.#mimeType];
    this.#picture.keep(model, this.#drawPicture);
    return this.#redraw();
  }

  dispose() {
    this.#isDisposed = true;
    this.#sizes.disconnect();
    this.#themes.disconnect();
    this.#picture.cancel();
    this.#clear();
  }

  #redraw() {
    this.#stale = true;
    return this.#drawLatest();
  }

  /**
   * Draws what came last, one drawing at a time: a kernel may send faster than Plotly draws.
   *
   * A figure without a width (output not yet attached, or its tab hidden) waits until it gets one.
   */
  async #drawLatest() {
    if (this.#drawing) return;
    this.#drawing = true;
    try {
      while (this.#stale && !this.#isDisposed && this.#node.clientWidth > 0) {
        this.#stale = false;
        const startedAtMs = performance.now();
        await this.#draw();
        await this.#rest(performance.now() - startedAtMs);
      }
    } finally {
      this.#drawing = false;
    }
  }

  /** Leaves the page, and whoever clicks in it, four times as long as drawing took: a live figure is in no hurry. */
  #rest(tookMs) {
    const share = this.#drawnBefore ? restShare : 0;
    this.#drawnBefore = true;
    return new Promise((resolve) => setTimeout(resolve, Math.min(longestRestMs, share * tookMs)));
  }

  async #draw() {
    try {
      const plotly = await loadPlotly(this.#plotlyUrl);
      if (this.#isDisposed) return;
      const figure = readFigure(this.#value, readThemeColours(document));
      refuseUnknownTraces(plotly, figure.data);
      this.#drawnWidth = this.#node.clientWidth;
      const { data, frames } = figure;
      const layout = fitInto(figure.layout, this.#drawnWidth);
      const plot = this.#preparePlot(figure);
      const config = this.#settings(plotly, figure.settings);
      await plotly.react(plot, { data, layout, config, ...(frames && { frames }) });
      if (this.#isDisposed) plotly.purge(plot);
      else offerSliders(this.#node, plot, plotly);
    } catch (error) {
      if (!this.#isDisposed) this.#explain(error);
    }
  }

  /** The node Plotly draws into: kept between updates, with a fixed height so that it cannot grow. */
  #preparePlot(figure) {
    if (this.#plot === null) {
      this.#node.replaceChildren();
      this.#plot = document.createElement("div");
      this.#plot.setAttribute("role", "img");
      this.#node.append(this.#plot);
    }
    this.#plot.style.height = `${figure.layout.height}px`;
    this.#plot.setAttribute("aria-label", describeFigure(figure));
    return this.#plot;
  }

  #settings(plotly, chosen) {
    return {
      ...chosen,
      responsive: false, // sizes are observed here, also those of outputs that were hidden at first
      displaylogo: false,
      plotlyServerURL: "",
      modeBarButtonsToRemove: ["toImage"],
      modeBarButtonsToAdd: [
        {
          name: "saveImage",
          title: "Save as PNG, on white",
          icon: plotly.Icons.camera,
          click: this.#saveImage,
        },
      ],
    };
  }

  /** One function, so Plotly sees no change. */
  #saveImage = async (plot) => {
    const figure = figureOnPaper(this.#value);
    const { width, height } = plot.getBoundingClientRect();
    const filename = describeFigure(figure)
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .slice(0, 60);
    await window.Plotly.downloadImage(figure, { format: "png", width, height, scale: 2, filename });
  };

  /** Also of figures that nobody has scrolled to yet. */
  #drawPicture = async () =>
    drawPicture(await loadPlotly(this.#plotlyUrl), this.#value, this.#node.clientWidth);

  #fit() {
    const width = this.#node.clientWidth;
    if (width === 0) return;
    if (this.#stale) {
      void this.#drawLatest();
    } else if (width !== this.#drawnWidth) {
      this.#drawnWidth = width;
      requestAnimationFrame(() => this.#resize());
    }
  }

  #resize() {
    if (this.#isDisposed || this.#plot === null || this.#node.clientWidth === 0) return;
    if (this.#plot._fullLayout?.autosize) void window.Plotly.Plots.resize(this.#plot);
    else void this.#redraw();
  }

  #explain(error) {
    this.#clear();
    const sentence = document.createElement("p");
    sentence.setAttribute("role", "alert");
    sentence.style.cssText = "margin: 0; padding: 8px; color: var(--jp-error-color1); white-space: pre-wrap;";
    sentence.textContent = `This figure cannot be drawn: ${error?.message ?? error}.`;
    this.#node.replaceChildren(sentence);
  }

  #clear() {
    if (this.#plot !== null) window.Plotly?.purge(this.#plot);
    this.#plot = null;
  }
}

/** A width that a figure asks for is the most it gets: beyond its place it would be cut off. */
function fitInto(layout, available) {
  return layout.width > available ? { ...layout, width: available } : layout;
}
