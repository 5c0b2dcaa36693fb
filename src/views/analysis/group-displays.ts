import type { Grouping, GroupScores } from "../../scores/group-scores";
import type { PatientScore } from "../../scores/patient-scores";
import { categoryColour, referenceColour } from "../display/colours";
import { subtypeName } from "../display/dataset-counts";
import { noteDisplay } from "../display/display";
import { axis, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { percent } from "../display/findings";
import { escapeLabel } from "../display/html";
import { type PlainTable, plainTable } from "../display/plain-table";
import type { Cell } from "../display/table-html";
import type { FigureOrNote } from "./run-figures";

/**
 * Draws the accuracy in each group of test images; where groups are of several classes, beside what the class that is most
 * frequent overall reaches there.
 */
export function plotGroupScores(
  groups: readonly GroupScores[],
  by: Grouping,
  synthetic = false,
): FigureOrNote {
  if (groups.every(({ group }) => group === "unknown")) {
    return noteDisplay(`The images' names do not tell their ${by}, so nothing can be said by it.`);
  }
  const shown = [...groups].reverse();
  const names = shown.map((group) => escapeLabel(groupLabel(group, by)));
  const bars: Trace = {
    type: "bar",
    orientation: "h",
    name: "recognised",
    x: shown.map(({ accuracy }) => roundTo(100 * accuracy, 1)),
    y: names,
    hovertemplate: "%{y}: %{x} %<extra></extra>",
    width: 0.5,
    marker: { color: categoryColour(0) },
  };
  const majority: Trace = {
    type: "scatter",
    mode: "markers",
    name: "always the class that is most frequent overall",
    x: shown.map(({ overallMajorityAccuracy }) => roundTo(100 * overallMajorityAccuracy, 1)),
    y: names,
    hovertemplate: "%{y}: %{x} %<extra>majority class</extra>",
    marker: {
      symbol: "line-ns-open",
      size: 26,
      color: referenceColour,
      line: { width: 3 },
    },
  };
  // A subtype or a patient is of one class, and there the mark would only jump between none and all.
  const comparable = by === "magnification" || by === "year";
  return figure(comparable ? [bars, majority] : [bars], {
    title: titleWithOrigin(`Accuracy on the test images of each ${by}`, synthetic),
    xaxis: axis("% of its images", { range: [-2, 102] }),
    yaxis: axis("", { type: "category" }),
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom" },
    height: 160 + (by === "patient" ? 22 : 36) * shown.length,
    margin: { l: 64, r: 24, t: 96, b: 48 },
  });
}

function groupLabel({ group, count, patients }: GroupScores, by: Grouping): string {
  const images = `${count} ${count === 1 ? "image" : "images"}`;
  if (by === "patient") return `patient ${group}: ${images}`;
  const name = by === "subtype" && group !== "unknown" ? subtypeName(group) : group;
  const unit = by === "magnification" && group !== "unknown" ? "×" : "";
  return `${name}${unit}: ${images}, ${patients} ${patients === 1 ? "patient" : "patients"}`;
}

/** The patient scores of Spanhol et al. 2016, the lowest first: how many of each patient's images are right. */
export function patientScoresTable(
  scores: readonly PatientScore[],
  classes: readonly string[],
  synthetic = false,
): PlainTable {
  const rows = [...scores]
    .sort((a, b) => a.score - b.score || (a.patient < b.patient ? -1 : 1))
    .map(
      ({ patient, label, images, correct, score }): Record<string, Cell> => ({
        patient,
        class: classes[label]!,
        images,
        right: correct,
        "patient score": percent(score),
      }),
    );
  const columns = ["patient", "class", "images", "right", "patient score"];
  return plainTable(rows, titleWithOrigin("Patient scores, the lowest first", synthetic), columns);
}
