import type { Dataset } from "../../data/dataset";
import { groupRows } from "../../runtime/group-by";
import { classColours, hueColour } from "./colours";
import { mostPoints } from "./drawn-points";
import { type Figure, figure, roundTo, type Trace } from "./figure";
import { escapeLabel } from "./html";

/** What decides the colour of a point. */
export type ColourBy = "class" | "patient";

/** Beyond this many patients a legend is longer than the figure; hovering over a point still names its patient. */
const legendLimit = 12;

const symbols = ["circle", "square", "diamond", "triangle-up", "x", "star"];

/**
 * Draws one point an image, coloured by its class or by its patient; of very many images, some evenly over all, and says
 * so.
 *
 * @param x - Shape [records].
 * @param y - Shape [records].
 */
export function scatterOfImages(
  dataset: Dataset,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  colourBy: ColourBy,
  layout: Record<string, unknown> & { title: string },
): Figure {
  const groups = thinOut(
    colourBy === "class" ? groupsByClass(dataset) : groupsByPatient(dataset),
    dataset.records.length,
  );
  const colours = classColours(dataset.classes, dataset.positiveClass);
  const traces = groups.map(({ name, rows }, i): Trace => {
    const look =
      colourBy === "class"
        ? { color: colours[i], symbol: symbols[i % symbols.length] }
        : { color: hueColour(i), symbol: symbols[i % symbols.length] };
    return {
      type: "scatter",
      mode: "markers",
      name: escapeLabel(name),
      x: rows.map((row) => roundTo(x[row]!, 3)),
      y: rows.map((row) => roundTo(y[row]!, 3)),
      text: rows.map((row) => hoverText(dataset, row)),
      hovertemplate: "%{text}<extra></extra>",
      marker: { size: 7, opacity: 0.9, ...look },
    };
  });
  return figure(traces, {
    height: 480,
    showlegend: groups.length <= legendLimit,
    ...layout,
    title: `${layout.title}${thinningText(groups, dataset.records.length)}`,
  });
}

/** Every so many-eth image of each group, so that each has its share and none vanishes. */
function thinOut(groups: Group[], images: number): Group[] {
  const step = Math.max(1, images / mostPoints);
  return groups.map(({ name, rows }) => ({
    name,
    rows: Array.from(
      { length: Math.ceil(rows.length / step) },
      (_, i) => rows[Math.min(rows.length - 1, Math.floor(i * step))]!,
    ),
  }));
}

function thinningText(groups: readonly Group[], images: number): string {
  const shown = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  return shown === images
    ? ""
    : `<br><sub>${shown.toLocaleString("en")} of ${images.toLocaleString("en")} images, evenly over all</sub>`;
}

interface Group {
  name: string;
  rows: number[];
}

function groupsByClass(dataset: Dataset): Group[] {
  return dataset.classes.map((name, label) => ({
    name,
    rows: dataset.records.flatMap((record, row) => (record.label === label ? [row] : [])),
  }));
}

function groupsByPatient(dataset: Dataset): Group[] {
  const groups = groupRows(dataset.records, ({ patient }) =>
    patient === null ? "unknown patient" : `patient ${patient}`,
  );
  return [...groups].map(([name, rows]) => ({ name, rows })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function hoverText(dataset: Dataset, row: number): string {
  const record = dataset.records[row]!;
  const patient = record.patient === null ? "unknown patient" : `patient ${record.patient}`;
  return `${escapeLabel(record.file)}<br>${escapeLabel(dataset.classes[record.label])}, ${escapeLabel(patient)}`;
}
