import { largest, smallest } from "../../runtime/many";
import type { ChosenThreshold, WorkloadPoint } from "../../scores/triage/triage";
import type { CrossValidatedTriage, TriageReport } from "../../scores/triage/triage-report";
import { categoryColour } from "../display/colours";
import { pickDrawn } from "../display/drawn-points";
import { axis, type Figure, figure, roundTo, type Trace, titleWithOrigin } from "../display/figure";
import { percent } from "../display/findings";
import { escapeLabel } from "../display/html";
import { type PlainTable, plainTable } from "../display/plain-table";
import { referenceLine } from "../display/reference-line";
import { shareText } from "../display/score-names";
import type { Cell } from "../display/table-html";

/** What a workload figure shows besides the curve. */
export interface WorkloadOptions {
  /** Of the class that is looked for. */
  positiveName: string;
  synthetic?: boolean;
}

/**
 * Draws how many of the positive ones are missed for each share of the work, with the locked threshold marked.
 *
 * @param curve - Of the same level as the threshold: images, or patients by their mean probability.
 */
export function plotWorkload(
  curve: readonly WorkloadPoint[],
  locked: Pick<ChosenThreshold, "threshold" | "target" | "level" | "chosenOn">,
  { positiveName, synthetic = false }: WorkloadOptions,
): Figure {
  const name = escapeLabel(positiveName);
  const units = `${locked.level}s`;
  const allowed = 100 * (1 - locked.target);
  const drawn = pickDrawn(curve);
  const inPercent = (share: number) => (Number.isNaN(share) ? null : roundTo(100 * share, 2));
  const traces: Trace[] = [
    referenceLine("looking at random", [0, 100], [100, 0]),
    {
      type: "scatter",
      mode: "lines",
      name: "the most suspicious first",
      x: drawn.map(({ lookShare }) => inPercent(lookShare)),
      y: drawn.map(({ missedShare }) => inPercent(missedShare)),
      text: drawn.map(({ threshold, missed }) => `threshold ${threshold.toFixed(3)}, ${missed} missed`),
      hovertemplate: "%{x} % looked at, %{y} % missed<br>%{text}<extra></extra>",
      line: { color: categoryColour(0), width: 2.5, shape: "hv" },
    },
    {
      ...referenceLine(`asked for: at most ${roundTo(allowed, 1)} % missed`, [0, 100], [allowed, allowed]),
      line: { color: categoryColour(2), dash: "dot", width: 1.5 },
    },
    lockedPoint(curve, locked),
  ];
  return figure(traces, {
    title: titleWithOrigin(`Work against missed ${name} ${units} of the test part`, synthetic),
    xaxis: axis(`${units} that somebody looks at again, %`, { range: [-2, 102] }),
    yaxis: axis(`${name} ${units} that are missed, %`, { range: [-3, 103] }),
    legend: { orientation: "h", x: 0, y: -0.2, yanchor: "top" },
    height: 500,
    width: 760,
    margin: { l: 64, r: 24, t: 60, b: 110 },
  });
}

/** The last point whose own threshold is not below the locked one. */
function lockedPoint(
  curve: readonly WorkloadPoint[],
  { threshold, chosenOn }: Pick<ChosenThreshold, "threshold" | "chosenOn">,
): Trace {
  let at = 0;
  curve.forEach((point, i) => {
    if (point.threshold >= threshold) at = i;
  });
  const { lookShare, missedShare } = curve[at]!;
  return {
    type: "scatter",
    mode: "markers",
    name: `locked at ${threshold.toFixed(3)}, chosen on ${escapeLabel(chosenOn)}`,
    x: [roundTo(100 * lookShare, 2)],
    y: [Number.isNaN(missedShare) ? null : roundTo(100 * missedShare, 2)],
    marker: { color: categoryColour(1), size: 13, symbol: "diamond" },
  };
}

/** What a locked threshold does to images that it was not chosen on. */
export function triageTable(
  report: TriageReport,
  { of, positiveName, synthetic = false }: WorkloadOptions & { of: string },
): PlainTable {
  const { shares } = report;
  const rows: Record<string, Cell>[] = [
    line("images that need no second look", report.images, shareText(shares.imagesSpared)),
    line("patients who need none", report.patients, shareText(shares.patientsSpared)),
    line(`${positiveName} images found (sensitivity)`, report.positiveImages, shareText(shares.sensitivity)),
    line(
      "other images left alone (specificity)",
      report.images - report.positiveImages,
      shareText(shares.specificity),
    ),
    line(
      `${positiveName} patients missed altogether`,
      report.positivePatients,
      shareText(shares.missedPatients),
    ),
    line(
      "patients missed in some of their images",
      report.positivePatients,
      shareText(shares.partlyMissedPatients),
    ),
  ];
  const level = roundTo(100 * shares.sensitivity.level, 1);
  const told = rows.filter((row) => row["of how many"] !== "0");
  return plainTable(told, titleWithOrigin(`Triage of ${of}, with ${level} % intervals`, synthetic));
}

function line(what: string, of: number, share: string): Record<string, Cell> {
  return { what, "of how many": Number.isInteger(of) ? String(of) : of.toFixed(1), share };
}

/**
 * Says what a locked threshold spared and missed.
 *
 * @param of - What it was applied to, for example "the test part".
 */
export function describeTriage(report: TriageReport, positiveName: string, of: string): string {
  const { images, positiveImages, missedImages, positivePatients, missedPatients, shares } = report;
  const number = (count: number) => (Number.isInteger(count) ? String(count) : count.toFixed(1));
  const spared = shares.imagesSpared.value;
  const patients =
    report.patients === 0
      ? ""
      : ` and ${number(missedPatients)} of ${number(positivePatients)} ${positiveName} patients`;
  return (
    `On ${of}, ${percent(spared ?? Number.NaN)} of ${images} images need no second look; ` +
    `${number(missedImages)} of ${number(positiveImages)} ${positiveName} images${patients} are missed. ${report.patientClass}`
  );
}

/** Says between which values the thresholds of the folds lie. */
export function describeFoldThresholds({ thresholds }: CrossValidatedTriage): string {
  const values = thresholds.map(({ threshold }) => threshold);
  const [low, high] = [smallest(values), largest(values)];
  return `Each fold's threshold was chosen on the other folds: ${low.toFixed(3)} to ${high.toFixed(3)}.`;
}
