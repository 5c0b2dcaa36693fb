/* global readThemeColours, buildTemplate, mergeDeep, offerSliders */
// Runs in the report's page, behind the renderer's figure-theme.js and figure-slider.js; all are written into the same script.

// Only scripts that carry it may run: an image's name or a notebook's output never becomes a program.
const { nonce } = document.currentScript;

/** Unpacks plotly.js, which the page carries compressed. Without it, each figure stays the table it is. */
async function loadPlotly() {
  const packed = document.getElementById("plotly-source").textContent;
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.nonce = nonce;
  script.textContent = await new Response(unpacked).text();
  document.head.append(script);
  return window.Plotly;
}

/** CSS pixels that A4 and Letter leave between usual margins. */
const paperWidth = 690;

/** No figure is wider than its place; on paper, whose layout is not known yet when figures are drawn, than a page. */
function widthFor(node, wanted) {
  if (matchMedia("print").matches) return Math.min(wanted ?? paperWidth, paperWidth);
  return wanted === undefined ? undefined : Math.min(wanted, node.clientWidth);
}

/** Colours are read when figures are drawn, so that a change of theme, or paper, is a matter of drawing again. */
async function drawFigures(plotly) {
  const colours = readThemeColours(document);
  for (const node of document.querySelectorAll(".plotly-figure")) {
    const { data, layout } = JSON.parse(document.getElementById(node.dataset.figure).textContent);
    const template = mergeDeep(buildTemplate(colours), layout.template ?? {});
    const settings = { displaylogo: false, responsive: true };
    if (!node.classList.contains("drawn")) node.replaceChildren();
    // Its name is read out, not the labels of its ticks.
    node.setAttribute("role", "img");
    node.classList.add("drawn");
    const width = widthFor(node, layout.width);
    await plotly.react(node, data, { ...layout, width, autosize: width === undefined, template }, settings);
    offerSliders(node.parentElement, node, plotly);
  }
}

async function start() {
  const plotly = await loadPlotly();
  const draw = () => drawFigures(plotly);
  await draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  matchMedia("print").addEventListener("change", draw);
  document.documentElement.dataset.drawn = "true";
}

start();
