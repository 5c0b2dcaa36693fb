import { bestTry, type Sweep, type SweepTry } from "../../experiments/sweep";
import type { Settings } from "../../runtime/settings";
import { categoryColour } from "../display/colours";
import { displayable } from "../display/display";
import {
  axis,
  type Figure,
  figure,
  plotlyMimeType,
  roundTo,
  type Trace,
  titleWithOrigin,
} from "../display/figure";
import { escapeLabel } from "../display/html";
import { scoreNames } from "../display/score-names";
import { tableHtml } from "../display/table-html";
import { settingName, settingText } from "../runs/run-differences";

// Both so light that dark text is easily read on every cell, in either theme.
const low = "#eef4fa";
const high = "#7fb2dd";
const text = "#1a1a1a";

/**
 * Draws a sweep as far as it has come: one setting as points with intervals, two as a heat map, more as parallel
 * coordinates. Without scripts it is a table.
 */
export function plotSweep(sweep: Sweep): Figure {
  const names = namesOf(sweep);
  const { traces, axes } =
    names.length === 1 ? onePoint(sweep) : names.length === 2 ? heatMap(sweep) : parallel(sweep);
  const state = sweep.complete ? "" : `, ${sweep.tries.length} of ${sweep.planned} tried`;
  const score = scoreNames[sweep.score];
  const drawn = figure(traces, {
    title: titleWithOrigin(
      `Sweep: ${score} by image, ${sweep.folds} folds by patient${state}`,
      sweep.synthetic,
    ),
    ...axes,
  });
  const { data, layout } = drawn;
  return displayable({ data, layout }, () => ({
    [plotlyMimeType]: { data, layout },
    "text/html": sweepTable(sweep),
    "text/plain": `Sweep: ${sweep.tries.length} of ${sweep.planned} combinations tried`,
  }));
}

type Varied = keyof Settings;
interface Drawing {
  traces: Trace[];
  axes: Record<string, unknown>;
}

const namesOf = (sweep: Sweep) => Object.keys(sweep.grid) as Varied[];
const valuesOf = (sweep: Sweep, name: Varied) =>
  (sweep.grid as Record<string, readonly unknown[]>)[name]!.map(settingText);
const scoreOf = (sweep: Sweep, one: SweepTry) => one.scores?.image.scores[sweep.score] ?? null;

function cellText(sweep: Sweep, one: SweepTry | undefined): string {
  if (one === undefined) return "";
  const interval = scoreOf(sweep, one);
  if (interval === null) return "diverged";
  if (interval.value === null) return "undefined";
  const best = one === bestTry(sweep) ? "<b>best</b><br>" : "";
  const range =
    interval.low === null || interval.high === null
      ? ""
      : `<br>${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}`;
  return `${best}${interval.value.toFixed(3)}${range}`;
}

function heatMap(sweep: Sweep): Drawing {
  const [rowName, columnName] = namesOf(sweep) as [Varied, Varied];
  const [rows, columns] = [valuesOf(sweep, rowName), valuesOf(sweep, columnName)];
  const at = (i: number, j: number) => sweep.tries[i * columns.length + j];
  const value = (one: SweepTry | undefined) => {
    const known = one === undefined ? null : (scoreOf(sweep, one)?.value ?? null);
    return known === null ? null : roundTo(known, 4);
  };
  const trace: Trace = {
    type: "heatmap",
    name: scoreNames[sweep.score],
    x: columns.map(escapeLabel),
    y: rows.map(escapeLabel),
    z: rows.map((_, i) => columns.map((_, j) => value(at(i, j)))),
    text: rows.map((_, i) => columns.map((_, j) => cellText(sweep, at(i, j)))),
    texttemplate: "%{text}",
    textfont: { color: text },
    hovertemplate: "%{y}, %{x}<br>%{text}<extra></extra>",
    colorscale: [
      [0, low],
      [1, high],
    ],
    colorbar: { title: { text: scoreNames[sweep.score] }, thickness: 12 },
    xgap: 2,
    ygap: 2,
  };
  return {
    traces: [trace],
    axes: {
      xaxis: axis(settingName(columnName), {
        type: "category",
        showgrid: false,
        categoryarray: columns.map(escapeLabel),
      }),
      yaxis: axis(settingName(rowName), {
        type: "category",
        showgrid: false,
        categoryarray: rows.map(escapeLabel),
      }),
      height: 200 + 70 * rows.length,
    },
  };
}

function onePoint(sweep: Sweep): Drawing {
  const name = namesOf(sweep)[0]!;
  const labels = valuesOf(sweep, name).map(escapeLabel);
  const known = sweep.tries.flatMap((one, i) => {
    const interval = scoreOf(sweep, one);
    return interval === null || interval.value === null
      ? []
      : [{ label: labels[i]!, ...interval, value: interval.value }];
  });
  const trace: Trace = {
    type: "scatter",
    mode: "markers",
    name: scoreNames[sweep.score],
    x: known.map(({ label }) => label),
    y: known.map(({ value }) => roundTo(value, 4)),
    error_y: {
      type: "data",
      symmetric: false,
      array: known.map(({ value, high }) => (high ?? value) - value),
      arrayminus: known.map(({ value, low }) => value - (low ?? value)),
    },
    marker: { size: 10, color: categoryColour(0) },
  };
  return {
    traces: [trace],
    axes: {
      xaxis: axis(settingName(name), {
        type: "category",
        categoryarray: labels,
        range: [-0.5, labels.length - 0.5],
      }),
      yaxis: axis(scoreNames[sweep.score]),
    },
  };
}

/** Each setting's values stand on an axis of their own, evenly spaced; a line is one combination. */
function parallel(sweep: Sweep): Drawing {
  const known = sweep.tries.filter((one) => (scoreOf(sweep, one)?.value ?? null) !== null);
  const scores = known.map((one) => roundTo(scoreOf(sweep, one)!.value!, 4));
  const dimensions = namesOf(sweep).map((name) => {
    const labels = valuesOf(sweep, name);
    return {
      label: settingName(name),
      tickvals: labels.map((_, i) => i),
      ticktext: labels.map(escapeLabel),
      range: [0, Math.max(1, labels.length - 1)],
      values: known.map((one) => labels.indexOf(settingText(one.values[name]))),
    };
  });
  const trace: Trace = {
    type: "parcoords",
    name: scoreNames[sweep.score],
    line: { color: scores, colorscale: "Viridis", showscale: true },
    dimensions: [...dimensions, { label: scoreNames[sweep.score], values: scores }],
  };
  return { traces: [trace], axes: { margin: { l: 80, r: 60, t: 100, b: 40 } } };
}

/** Every combination that was tried, with its score and interval. */
function sweepTable(sweep: Sweep): string {
  const names = namesOf(sweep);
  const rows = sweep.tries.map((one) => {
    const interval = scoreOf(sweep, one);
    const numbers = [interval?.value, interval?.low, interval?.high].map((value) => value ?? null);
    return [...names.map((name) => settingText(one.values[name])), ...numbers, one.problem];
  });
  const columns = [...names.map(settingName), scoreNames[sweep.score], "from", "to", "problem"];
  const origin = titleWithOrigin("Sweep", sweep.synthetic);
  const best = bestTry(sweep);
  return tableHtml(
    columns,
    rows,
    `${origin}: ${sweep.folds} folds by patient; ${sweep.tries.length} of ${sweep.planned} tried, the best is marked`,
    (row) => best !== null && sweep.tries[row] === best,
  );
}
