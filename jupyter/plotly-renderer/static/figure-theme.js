/**
 * Colours of JupyterLab's present theme as a Plotly template: the figure's defaults, so whatever a
 * figure sets explicitly wins.
 */

/**
 * Trace colours that reach a contrast of 3 : 1 on JupyterLab's light and dark background, and stay apart
 * for readers with red, green or blue deficient sight (the first four best). After Okabe and Ito.
 */
export const colorway = ["#0072B2", "#D55E00", "#8C30E8", "#CC79A7", "#86592D", "#009E73"];

/** What a figure looks like on white paper: for saved pictures, whatever theme is shown. */
export const paperColours = {
  text: "rgba(0, 0, 0, 0.87)",
  faint: "#e0e0e0",
  line: "#9e9e9e",
  raised: "#ffffff",
  fontFamily: "system-ui, sans-serif",
};

/**
 * Reads the theme's colours from JupyterLab's CSS variables.
 *
 * The variables may be anything CSS knows (`var(…)`, `color-mix(…)`), and Plotly understands less, so the
 * browser is asked for the colour it would paint.
 */
export function readThemeColours(document) {
  const probe = document.createElement("span");
  document.body.append(probe);
  const resolve = (variable) => {
    probe.style.color = `var(${variable})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    text: resolve("--jp-ui-font-color1"),
    faint: resolve("--jp-border-color2"),
    line: resolve("--jp-border-color1"),
    raised: resolve("--jp-layout-color1"),
    fontFamily:
      getComputedStyle(document.body).getPropertyValue("--jp-ui-font-family").trim() || "sans-serif",
  };
  probe.remove();
  return colours;
}

/** A Plotly template (`layout.template`) in these colours, on a transparent background. */
export function buildTemplate(colours) {
  const clear = "rgba(0, 0, 0, 0)";
  const axis = {
    gridcolor: colours.faint,
    linecolor: colours.line,
    tickcolor: colours.line,
    zerolinecolor: colours.line,
    automargin: true,
  };
  const { automargin: _, ...plainAxis } = axis;
  const axis3d = { ...plainAxis, backgroundcolor: clear, showbackground: false };
  const { zerolinecolor: __, ...angularAxis } = plainAxis;
  const heatmap = { colorscale: "Cividis" };
  return {
    layout: {
      paper_bgcolor: clear,
      plot_bgcolor: clear,
      colorway,
      font: { color: colours.text, family: colours.fontFamily, size: 13 },
      hoverlabel: { font: { family: colours.fontFamily } },
      legend: { bgcolor: clear },
      modebar: { bgcolor: clear, color: colours.line, activecolor: colours.text },
      xaxis: axis,
      yaxis: axis,
      scene: { xaxis: axis3d, yaxis: axis3d, zaxis: axis3d, bgcolor: clear },
      polar: { bgcolor: clear, radialaxis: angularAxis, angularaxis: angularAxis },
      annotationdefaults: { arrowcolor: colours.text },
      shapedefaults: { line: { color: colours.line } },
    },
    data: {
      heatmap: [heatmap],
      histogram2d: [heatmap],
      contour: [heatmap],
      surface: [heatmap],
      table: [
        {
          cells: { fill: { color: clear }, line: { color: colours.faint } },
          header: { fill: { color: colours.faint }, line: { color: colours.faint } },
        },
      ],
    },
  };
}

/** `overrides` laid over `base`: objects are merged, everything else (arrays too) is replaced. */
export function mergeDeep(base, overrides) {
  if (!isPlainObject(base) || !isPlainObject(overrides)) return overrides === undefined ? base : overrides;
  const merged = { ...base };
  for (const [key, value] of Object.entries(overrides)) {
    if (key !== "__proto__") merged[key] = mergeDeep(base[key], value);
  }
  return merged;
}

function isPlainObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
