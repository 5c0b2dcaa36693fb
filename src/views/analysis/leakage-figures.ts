import type { AuditSeed, LeakageAudit } from "../../experiments/leakage";
import type { NeighbourShares, ShareAndChance } from "../../experiments/nearest-neighbours";
import type { Interval } from "../../scores/intervals/bootstrap";
import { categoryColour, referenceColour } from "../display/colours";
import { noteDisplay } from "../display/display";
import { errorBars, inPercent } from "../display/error-bars";
import { axis, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { percent } from "../display/findings";
import { referenceLine } from "../display/reference-line";
import { shareText } from "../display/score-names";
import type { FigureOrNote } from "./run-figures";

/** Draws the accuracy that the same head reaches when images, and when patients, are split: seed by seed, and means. */
export function plotLeakage(audit: LeakageAudit, synthetic = false): FigureOrNote {
  const { scores, seeds } = audit;
  if (scores === null) return noteDisplay(audit.conclusion);
  const majority = inPercent(audit.majorityClassAccuracy);
  const floor = referenceLine(`always the majority class: ${majority} %`, [-0.4, 1.4], [majority, majority]);
  const means = [
    meanTrace(scores.imageAccuracy, "by image", 0, categoryColour(1), "circle"),
    meanTrace(scores.patientAccuracy, "by patient", 1, categoryColour(0), "diamond"),
  ];
  return figure([...seeds.map(seedTrace), floor, ...means], {
    title: titleWithOrigin("The same head and features, split by image and by patient", synthetic),
    xaxis: axis("", {
      tickvals: [0, 1],
      ticktext: ["split by image<br>(patients on both sides)", "split by patient<br>(new patients)"],
      range: [-0.4, 1.4],
      showgrid: false,
      zeroline: false,
    }),
    yaxis: axis("accuracy on the test images, %"),
    height: 460,
    width: 760,
  });
}

/** A line from one split to the other; the legend needs only one of them. */
function seedTrace({ seed, image, patient }: AuditSeed, i: number): Trace {
  return {
    type: "scatter",
    mode: "lines+markers",
    name: "one seed",
    legendgroup: "seeds",
    showlegend: i === 0,
    x: [0, 1],
    y: [inPercent(image.accuracy), inPercent(patient.accuracy)],
    text: [image, patient].map(
      ({ testImages, testPatients }) => `seed ${seed}: ${testImages} test images of ${testPatients} patients`,
    ),
    hovertemplate: "%{y} %<br>%{text}<extra></extra>",
    line: { color: referenceColour, width: 1 },
    marker: { size: 6, color: referenceColour },
    opacity: 0.7,
  };
}

function meanTrace(accuracy: Interval, by: string, x: number, color: string, symbol: string): Trace {
  return {
    type: "scatter",
    mode: "markers",
    name: `mean ${by}, ${roundTo(100 * accuracy.level, 1)} % interval`,
    x: [x],
    y: [inPercent(accuracy.value)],
    text: [shareText(accuracy)],
    hovertemplate: "%{text}<extra></extra>",
    error_y: errorBars([accuracy]),
    marker: { size: 13, color, symbol },
  };
}

const questions: readonly { name: string; of: (shares: NeighbourShares) => ShareAndChance }[] = [
  { name: "the same patient", of: ({ samePatient }) => samePatient },
  {
    name: "the same patient,<br>among its class",
    of: ({ samePatientWithinClass }) => samePatientWithinClass,
  },
  {
    name: "the same class,<br>among other patients",
    of: ({ sameClassAcrossPatients }) => sameClassAcrossPatients,
  },
];

/** Draws whose image lies nearest in feature space, beside what chance would give. */
export function plotNeighbours(shares: NeighbourShares, synthetic = false): FigureOrNote {
  const asked = questions.filter(({ of }) => of(shares).images > 0);
  if (asked.length === 0)
    return noteDisplay("No patient is known, so nearest neighbours tell nothing about them.");
  const names = asked.map(({ name }) => name);
  const bar = (name: string, value: (one: ShareAndChance) => number, color: string): Trace => ({
    type: "bar",
    name,
    x: names,
    y: asked.map(({ of }) => inPercent(value(of(shares)))),
    text: asked.map(({ of }) => percent(value(of(shares)))),
    textposition: "outside",
    cliponaxis: false,
    marker: { color },
  });
  const bars = [
    bar("by the features", ({ share }) => share, categoryColour(0)),
    bar("by chance", ({ chance }) => chance, referenceColour),
  ];
  return figure(bars, {
    title: titleWithOrigin("The most similar other image is of …", synthetic),
    barmode: "group",
    xaxis: axis("", { type: "category" }),
    yaxis: axis("% of images", { range: [0, 112] }),
    bargap: 0.35,
    height: 400,
    width: 760,
  });
}

/** Says how well features tell patients apart, in one sentence. */
export function describeNeighbours({ samePatient }: NeighbourShares): string {
  const { share, chance, images } = samePatient;
  if (images === 0)
    return "No patient has two images, so features can't be asked whether they recognise patients.";
  return `For ${percent(share)} of ${images} images, the most similar other image is of the same patient; by chance it would be ${percent(chance)}.`;
}
