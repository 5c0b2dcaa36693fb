import type { Dataset } from "../../data/dataset";
import type { ImageQuality } from "../../data/images/image-quality";
import { spreadEvenly } from "../../runtime/many";
import { outcomeOf } from "../../scores/examples-to-explain";
import type { Prediction } from "../../scores/prediction";
import { categoryColour } from "../display/colours";
import { subtypeName } from "../display/dataset-counts";
import { noteDisplay } from "../display/display";
import { axis, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { escapeLabel } from "../display/html";
import { type PlainTable, plainTable } from "../display/plain-table";
import type { Cell } from "../display/table-html";
import type { FigureOrNote } from "./run-figures";

/** Errors by subtype and patient, the most first: whether a few patients or one subtype make most of them. */
export function errorsTable(dataset: Dataset, predictions: readonly Prediction[]): PlainTable {
  const records = new Map(dataset.records.map((record) => [record.file, record]));
  const groups = new Map<string, { row: Record<string, Cell>; errors: number; images: number }>();
  for (const prediction of predictions) {
    const record = records.get(prediction.file);
    if (record === undefined) continue;
    const subtype = subtypeName(record.subtype);
    const patient = record.patient ?? "unknown";
    const key = JSON.stringify([prediction.label, subtype, patient]);
    const group = groups.get(key) ?? {
      row: { class: dataset.classes[prediction.label]!, subtype, patient },
      errors: 0,
      images: 0,
    };
    group.images += 1;
    if (outcomeOf(prediction, dataset.positiveClass) !== "right") group.errors += 1;
    groups.set(key, group);
  }
  const rows = [...groups.values()]
    .filter(({ errors }) => errors > 0)
    .sort((a, b) => b.errors - a.errors || b.errors / b.images - a.errors / a.images)
    .map(({ row, errors, images }) => ({ ...row, errors, "of images": images }));
  const caption = titleWithOrigin("Errors on the test part by patient, the most first", dataset.synthetic);
  return plainTable(rows, caption, ["class", "subtype", "patient", "errors", "of images"]);
}

const measures: readonly { name: string; of: (quality: ImageQuality) => number }[] = [
  { name: "focus", of: ({ focus }) => focus },
  { name: "haematoxylin", of: ({ haematoxylin }) => haematoxylin },
  { name: "eosin", of: ({ eosin }) => eosin },
  { name: "glass, share", of: ({ background }) => background },
];

/** Of each group, so many images are drawn, evenly over all. */
const mostOfGroup = 2000;

/**
 * Draws the quality of test images that were recognised beside that of errors, one measure a panel; of very many, some
 * evenly over all.
 */
export function plotErrorQuality(
  predictions: readonly Prediction[],
  qualities: ReadonlyMap<string, ImageQuality>,
  synthetic = false,
): FigureOrNote {
  const measured = predictions.filter(({ file }) => qualities.has(file));
  const wrong = measured.filter(({ label, predicted }) => label !== predicted);
  if (wrong.length === 0) return noteDisplay("There is no error whose image quality could be compared.");
  const right = measured.filter(({ label, predicted }) => label === predicted);
  const groups = [
    { group: `right (${right.length})`, items: spreadEvenly(right, mostOfGroup), color: categoryColour(0) },
    { group: `wrong (${wrong.length})`, items: spreadEvenly(wrong, mostOfGroup), color: categoryColour(1) },
  ];
  const traces = measures.flatMap((measure, panel) =>
    groups.map((one) => boxTrace(one, measure, panel, qualities)),
  );
  const axes = Object.fromEntries(
    measures.flatMap(({ name }, panel) => {
      const number = panel === 0 ? "" : String(panel + 1);
      return [
        [`xaxis${number}`, axis("", { type: "category" })],
        [`yaxis${number}`, axis(name)],
      ];
    }),
  );
  return figure(traces, {
    title: titleWithOrigin("Image quality of right answers and of errors", synthetic),
    grid: { rows: 1, columns: measures.length, pattern: "independent", xgap: 0.32 },
    ...axes,
    height: 380,
    width: 960,
  });
}

interface AnswerGroup {
  group: string;
  items: readonly Prediction[];
  color: string;
}

function boxTrace(
  { group, items, color }: AnswerGroup,
  { name, of }: (typeof measures)[number],
  panel: number,
  qualities: ReadonlyMap<string, ImageQuality>,
): Trace {
  const axisNumber = panel === 0 ? "" : panel + 1;
  return {
    type: "box",
    name: group,
    showlegend: false,
    boxpoints: "all",
    jitter: 0.5,
    pointpos: 0,
    x: items.map(() => group),
    y: items.map(({ file }) => roundTo(of(qualities.get(file)!), 3)),
    text: items.map(({ file }) => escapeLabel(file)),
    hovertemplate: `${name} %{y}<br>%{text}<extra></extra>`,
    xaxis: `x${axisNumber}`,
    yaxis: `y${axisNumber}`,
    marker: { color, size: 4, opacity: 0.7 },
    line: { color, width: 1.5 },
    fillcolor: "rgba(0,0,0,0)",
  };
}
