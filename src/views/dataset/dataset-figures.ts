import type { Dataset } from "../../data/dataset";
import type { Split } from "../../data/split/split";
import { largest } from "../../runtime/many";
import { classColours, partColours } from "../display/colours";
import { type Count, type CountBy, countImages } from "../display/dataset-counts";
import { axis, type Figure, figure, type Trace, titleWithOrigin } from "../display/figure";
import { escapeLabel } from "../display/html";
import { type ColourBy, scatterOfImages } from "../display/scatter";

/** Bars beyond this number are thinner than their labels; the rest is summed up in one. */
const barLimit = 120;

/** Bars of how many images each class has. */
export function plotClassCounts(dataset: Dataset): Figure {
  const counts = countImages(dataset, "class");
  const colours = classColours(dataset.classes, dataset.positiveClass);
  const bars: Trace = {
    type: "bar",
    name: "images",
    x: counts.map((count) => escapeLabel(count.value)),
    y: counts.map((count) => count.total),
    text: counts.map((count) => shareText(count.total, dataset.records.length)),
    textposition: "outside",
    cliponaxis: false,
    marker: { color: colours },
  };
  const title = titleWithOrigin("How many images each class has", dataset.synthetic);
  const headroom = 1.12 * Math.max(1, largest(counts.map((count) => count.total)));
  const yaxis = axis("images", { range: [0, headroom] });
  return figure([bars], { title, xaxis: axis("class"), yaxis, bargap: 0.5, height: 360 });
}

/** Horizontal bars of how many images each subtype, benign lesion or carcinoma, has. */
export function plotSubtypeCounts(dataset: Dataset): Figure {
  const counts = countImages(dataset, "subtype").reverse();
  const title = titleWithOrigin("How many images each subtype has", dataset.synthetic);
  return figure(barsOfClasses(dataset, counts, "h"), {
    title,
    barmode: "stack",
    xaxis: axis("images"),
    yaxis: axis("", { type: "category" }),
    height: 180 + 30 * counts.length,
  });
}

/** Bars of how many images each patient has, the largest first, stacked by class. */
export function plotImagesPerPatient(dataset: Dataset): Figure {
  return stackedBars(dataset, "patient", "How many images each patient has", "patient");
}

/** Bars of how many images were taken at each magnification, stacked by class. */
export function plotMagnificationCounts(dataset: Dataset): Figure {
  return stackedBars(dataset, "magnification", "How many images each magnification has", "magnification");
}

/** Bars of how many images have each size, stacked by class. */
export function plotImageSizes(dataset: Dataset): Figure {
  return stackedBars(dataset, "size", "How large the images are", "width × height, pixels");
}

/** One point an image: how red and how blue it is on average, coloured by class or by patient. */
export function plotMeanColours(dataset: Dataset, colourBy: ColourBy): Figure {
  const red = dataset.records.map((record) => record.meanColour[0]);
  const blue = dataset.records.map((record) => record.meanColour[2]);
  const title = titleWithOrigin(`Mean colour of each image, by ${colourBy}`, dataset.synthetic);
  return scatterOfImages(dataset, red, blue, colourBy, {
    title,
    xaxis: axis("mean red, 0–255"),
    yaxis: axis("mean blue, 0–255"),
  });
}

/** Bars of the images of each class in each part of a split, with the number of patients in the labels. */
export function plotSplit(dataset: Dataset, split: Split): Figure {
  const parts = ["train", "validation", "test"] as const;
  const bars = parts.map((part): Trace => {
    const labels = split[part].map((row) => dataset.records[row]!.label);
    const patients = new Set(split[part].map((row) => dataset.records[row]!.patient));
    patients.delete(null);
    return {
      type: "bar",
      name: `${part}: ${split[part].length} images, ${patients.size} patients`,
      x: dataset.classes.map(escapeLabel),
      y: dataset.classes.map((_, label) => labels.filter((value) => value === label).length),
      marker: { color: partColours[part] },
    };
  });
  const title = titleWithOrigin(`What the split by ${split.by} looks like`, dataset.synthetic);
  return figure(bars, { title, barmode: "group", xaxis: axis("class"), yaxis: axis("images"), height: 360 });
}

function stackedBars(dataset: Dataset, by: CountBy, title: string, axisTitle: string): Figure {
  const counts = sumUpRest(countImages(dataset, by), dataset.classes.length);
  return figure(barsOfClasses(dataset, counts, "v"), {
    title: titleWithOrigin(title, dataset.synthetic),
    barmode: "stack",
    xaxis: axis(axisTitle, { type: "category" }),
    yaxis: axis("images"),
    bargap: counts.length < 5 ? 0.6 : 0.2,
  });
}

function barsOfClasses(dataset: Dataset, counts: Count[], orientation: "h" | "v"): Trace[] {
  const colours = classColours(dataset.classes, dataset.positiveClass);
  const values = counts.map((count) => escapeLabel(count.value));
  return dataset.classes.map((name, label) => {
    const images = counts.map((count) => count.perClass[label]!);
    return {
      type: "bar",
      orientation,
      name: escapeLabel(name),
      x: orientation === "v" ? values : images,
      y: orientation === "v" ? images : values,
      marker: { color: colours[label] },
    };
  });
}

function sumUpRest(counts: Count[], classCount: number): Count[] {
  if (counts.length <= barLimit) return counts;
  const rest = counts.slice(barLimit);
  const perClass = Array.from({ length: classCount }, (_, label) =>
    rest.reduce((sum, count) => sum + count.perClass[label]!, 0),
  );
  const total = rest.reduce((sum, count) => sum + count.total, 0);
  return [...counts.slice(0, barLimit), { value: `${rest.length} others`, perClass, total }];
}

function shareText(count: number, total: number): string {
  return total === 0 ? "0" : `${count} (${((100 * count) / total).toFixed(1)} %)`;
}
