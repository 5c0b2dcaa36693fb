import { describe, expect, it } from "vitest";
import { concludeAudit, type LeakageAudit } from "../../../src/experiments/leakage";
import { triageRun } from "../../../src/experiments/runs/run-triage";
import type { StainAblation } from "../../../src/experiments/stain-ablation";
import { calibrateTest } from "../../../src/scores/calibrated-test";
import { scoreFolds } from "../../../src/scores/fold-scores";
import { scoreGroups } from "../../../src/scores/group-scores";
import { scoreWithIntervals } from "../../../src/scores/intervals/score-intervals";
import { recognitionRates } from "../../../src/scores/patient-scores";
import type { OutOfFoldPrediction, Prediction } from "../../../src/scores/prediction";
import { thresholdCurve } from "../../../src/scores/triage/threshold-curve";
import { describeCalibration } from "../../../src/views/analysis/calibration-figures";
import { plotErrorQuality } from "../../../src/views/analysis/error-displays";
import { describeNeighbours } from "../../../src/views/analysis/leakage-figures";
import type { FigureOrNote } from "../../../src/views/analysis/run-figures";
import { describeStains } from "../../../src/views/analysis/stain-figures";
import { describeTriage } from "../../../src/views/analysis/triage-displays";
import { jupyterDisplay } from "../../../src/views/display/display";
import * as figures from "../../../src/views/figures-door";
import { exampleDataset, exampleRecord, hostileName } from "../../support/data/example-dataset";
import { manyPredictions } from "../../support/runs/example-analysis";
import { examplePrediction } from "../../support/runs/example-run";
import { exampleSummary } from "../../support/runs/example-summary";

const rule = { positiveClass: 1, threshold: 0.5 };
const bootstrap = { resamples: 200 };
const classes = ["benign", "malignant"];
const interval = (value: number, low: number, high: number) => ({
  value,
  low,
  high,
  level: 0.95,
  patients: 8,
  resamples: 200,
  undefinedResamples: 0,
});

function audit(gap: [number, number, number]): LeakageAudit {
  const scores = {
    imageAccuracy: interval(0.9, 0.8, 1),
    patientAccuracy: interval(0.7, 0.6, 0.8),
    accuracyGap: interval(...gap),
    imageAuc: interval(0.95, 0.9, 1),
    patientAuc: interval(0.8, 0.7, 0.9),
    aucGap: interval(0.15, 0, 0.3),
  };
  const part = { accuracy: 0.9, auc: 0.9, testImages: 20, testPatients: 4 };
  return {
    seeds: [{ seed: 1, image: part, patient: { ...part, accuracy: 0.7 } }],
    scores,
    majorityClassAccuracy: 0.6,
    neighbours: null,
    complete: true,
    conclusion: concludeAudit(scores, 1),
    seconds: 1,
  };
}

const neighbours = {
  metric: "cosine" as const,
  samePatient: { share: 0.75, chance: 0.05, images: 40 },
  samePatientWithinClass: { share: 0.8, chance: 0.1, images: 40 },
  sameClassAcrossPatients: { share: Number.NaN, chance: Number.NaN, images: 0 },
};

function stains(low: number, high: number): StainAblation {
  const gain = interval((low + high) / 2, low, high);
  const accuracy = {
    none: interval(0.7, 0.6, 0.8),
    normalised: interval(0.75, 0.6, 0.9),
    augmented: interval(0.7, 0.6, 0.8),
    normalisedGain: gain,
    augmentedGain: interval(0, -0.1, 0.1),
  };
  const arm = { accuracy: 0.7, balancedAccuracy: 0.7, auc: 0.8 };
  const seeds = [{ seed: 1, arms: { none: arm, normalised: arm, augmented: arm } }];
  return {
    seeds,
    accuracy,
    reference: null,
    trainImages: 9,
    testImages: 9,
    views: 3,
    complete: true,
    seconds: 1,
  };
}

/** Everything that is drawn of an evaluation, of patients and files named so. */
function drawAll(patientName: (i: number) => string, names = classes, synthetic = false): FigureOrNote[] {
  const predictions = manyPredictions(patientName);
  const test = predictions.filter(({ split }) => split === "test");
  const records = predictions.map(({ file, patient, label }) =>
    exampleRecord({ file, patient, label, subtype: patient }),
  );
  const dataset = exampleDataset({ records, classes: names });
  const scores = scoreWithIntervals(test, rule, bootstrap);
  const folded = test.map(
    (prediction, i): OutOfFoldPrediction => ({ ...prediction, split: "test", fold: i % 2, repeat: 0 }),
  );
  const triage = triageRun({
    predictions,
    positiveClass: 1,
    targetSensitivity: 0.9,
    triageLevel: "image",
    bootstrap,
  });
  const quality = { focus: 1, haematoxylin: 0.1, eosin: 0.1, background: 0.2, brightness: 200 };
  return [
    figures.plotScoreIntervals(scores, 2, { of: "the test part", synthetic }),
    figures.plotThresholdMatrices(thresholdCurve(test, 1), {
      classes: names,
      positiveClass: 1,
      threshold: 0.5,
      synthetic,
    }),
    figures.plotReliability(
      figures.calibrationSeries(calibrateTest(predictions, rule)),
      names[1]!,
      synthetic,
    ),
    ...(["subtype", "magnification", "patient"] as const).map((by) =>
      figures.plotGroupScores(scoreGroups(dataset, test, by, rule), by, synthetic),
    ),
    figures.plotWorkload(triage.curve, triage.locked, { positiveName: names[1]!, synthetic }),
    figures.plotCrossValidation(scoreFolds(folded, 1), scores, synthetic),
    figures.plotLeakage(audit([0.2, 0.1, 0.3]), synthetic),
    figures.plotNeighbours(neighbours, synthetic),
    figures.plotStains(stains(0.01, 0.1), 0.6, synthetic),
    plotErrorQuality(test, new Map(test.map(({ file }) => [file, quality])), synthetic),
  ];
}

function asFigure(view: FigureOrNote): figures.Figure {
  if (!("data" in view)) throw new Error(`expected a figure, found: ${view.html}`);
  return view;
}

const traceNamed = (figure: figures.Figure, name: RegExp) =>
  figure.data.find((trace) => name.test(String(trace["name"])))!;

describe("every figure of an evaluation", () => {
  it("is a plain object that JSON keeps, says what is synthetic, and leaves text colours to the theme", () => {
    for (const view of drawAll(String, classes, true)) {
      const figure = asFigure(view);
      expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
      expect((figure.layout["title"] as { text: string }).text).toMatch(/ — synthetic data$/);
      expect(figure.layout).not.toHaveProperty("font");
    }
    for (const view of drawAll(String)) {
      expect((asFigure(view).layout["title"] as { text: string }).text).not.toContain("synthetic");
    }
  });

  it("escapes names of patients, files, subtypes and classes", () => {
    for (const view of drawAll((i) => `${hostileName}${i}`, [`a${hostileName}`, hostileName])) {
      expect(JSON.stringify(view)).not.toContain("<img");
      expect(view[jupyterDisplay]()["text/html"]).not.toContain("<img");
    }
  });
});

describe("plotThresholdMatrices", () => {
  const test = manyPredictions().filter(({ split }) => split === "test");
  const figure = figures.plotThresholdMatrices(thresholdCurve(test, 1), {
    classes,
    positiveClass: 1,
    threshold: 0.5,
  });
  type Slider = { active: number; steps: { label: string; args: [{ text: string[][][] }, number[]] }[] };
  const [slider] = figure.layout["sliders"] as [Slider];

  it("starts at the threshold in use, with the matrices of images and of patients", () => {
    expect(slider.steps[slider.active]!.label).toBe("0.50");
    const shown = slider.steps[slider.active]!.args;
    expect(shown[0].text).toEqual(figure.data.map((trace) => trace["text"]));
    expect(shown[1]).toEqual([0, 1]);
    const counted = (text: string[][]) =>
      text.flat().reduce((sum, cell) => sum + Number.parseInt(cell, 10), 0);
    expect(shown[0].text.map(counted)).toEqual([40, 8]);
  });

  it("answers the positive class always at 0", () => {
    const [images] = slider.steps[0]!.args[0].text;
    expect(images!.map((row) => row[1])).toEqual(["20<br>100.0 %", "20<br>100.0 %"]);
  });
});

describe("scores with intervals", () => {
  const test = manyPredictions().filter(({ split }) => split === "test");
  const scores = scoreWithIntervals(test, rule, bootstrap);

  it("stand beside those of the majority class", () => {
    const marks = traceNamed(figures.plotScoreIntervals(scores, 2, { of: "x" }), /no skill/);
    expect(marks["x"]).toEqual([50, 50, 50, 50, 50, 50]);
    const table = figures.intervalsTable(scores, { of: "x", prevalence: 0.1 });
    const rows = new Map(table.values.map(([name, ...cells]) => [name, cells]));
    expect(rows.get("how many")).toEqual(["40", "8"]);
    expect(rows.get("always the majority class")).toEqual(["50.0 %", "50.0 %"]);
    expect(rows.get("accuracy")![0]).toMatch(/^\d+\.\d % \(\d+\.\d to \d+\.\d\)$/);
    expect(rows.get("positive predictive value, if 10 % are positive")![0]).toMatch(/ %$/);
  });

  it("reach as far as their intervals", () => {
    const images = traceNamed(figures.plotScoreIntervals(scores, 2, { of: "x" }), /40 images/);
    const { value, low, high } = scores.image.scores.accuracy;
    const error = images["error_x"] as { array: number[]; arrayminus: number[] };
    expect((images["x"] as number[])[0]).toBeCloseTo(100 * value!, 1);
    expect(error.array[0]).toBeCloseTo(100 * (high! - value!), 0);
    expect(error.arrayminus[0]).toBeCloseTo(100 * (value! - low!), 0);
  });
});

describe("triage", () => {
  const predictions = manyPredictions();
  const triage = triageRun({
    predictions,
    positiveClass: 1,
    targetSensitivity: 0.9,
    triageLevel: "image",
    bootstrap,
  });
  const { report, curve, locked } = triage;

  it("marks the locked threshold where the report says it lies", () => {
    const point = traceNamed(
      figures.plotWorkload(curve, locked, { positiveName: "malignant" }),
      /^locked at/,
    );
    expect((point["x"] as number[])[0]).toBeCloseTo(100 * (1 - report.shares.imagesSpared.value!), 1);
    expect((point["y"] as number[])[0]).toBeCloseTo(100 * (1 - report.shares.sensitivity.value!), 1);
  });

  it("counts what is missed, in words and in a table", () => {
    expect(describeTriage(report, "malignant", "the test part")).toContain(
      `${report.missedImages} of 20 malignant images and ${report.missedPatients} of 4 malignant patients are missed.`,
    );
    const table = figures.triageTable(report, { of: "the test part", positiveName: "malignant" });
    expect(table.values.map(([, count]) => count)).toEqual(["40", "8", "20", "20", "4", "4"]);
  });
});

describe("leakage", () => {
  it("claims a gap only where the interval leaves zero out", () => {
    expect(audit([0.2, 0.1, 0.3]).conclusion).toContain("look 20.0 points better");
    expect(audit([0.1, -0.1, 0.3]).conclusion).toMatch(/^No gap .* could be shown/);
  });

  it("draws both splits beside the majority class, and a sentence where nothing was finished", () => {
    const figure = asFigure(figures.plotLeakage(audit([0.2, 0.1, 0.3])));
    expect(traceNamed(figure, /majority/)["y"]).toEqual([60, 60]);
    expect(traceNamed(figure, /mean by patient/)["y"]).toEqual([70]);
    const stopped = figures.plotLeakage({ ...audit([0.2, 0.1, 0.3]), scores: null, conclusion: "Stopped." });
    expect(stopped).toMatchObject({ html: "<p>Stopped.</p>" });
  });

  it("leaves out what no image could be asked about", () => {
    expect(asFigure(figures.plotNeighbours(neighbours)).data[0]!["y"]).toEqual([75, 80]);
    expect(describeNeighbours(neighbours)).toBe(
      "For 75.0 % of 40 images, the most similar other image is of the same patient; by chance it would be 5.0 %.",
    );
  });
});

describe("sentences", () => {
  it("about stains claim only what intervals show", () => {
    expect(describeStains(stains(0.01, 0.1))).toContain("Normalisation gains 5.5 points");
    expect(describeStains(stains(-0.1, -0.02))).toContain("Normalisation loses 6.0 points");
    expect(describeStains(stains(-0.1, 0.2))).toContain("Normalisation could not be shown to change it");
  });

  it("about calibration follow the numbers", () => {
    const calibrated = calibrateTest(manyPredictions(), rule);
    const [before, after] = [calibrated.before, calibrated.after].map(
      ({ reliability }) => reliability.expectedCalibrationError,
    );
    const verb = after! < before! ? "falls from" : "rises from";
    expect(describeCalibration(calibrated)).toContain(
      `calibration error ${verb} ${before!.toFixed(3)} to ${after!.toFixed(3)}, and the Brier score `,
    );
  });
});

describe("tables of patients and errors", () => {
  const test: Prediction[] = manyPredictions().filter(({ split }) => split === "test");

  it("list patients, the worst first", () => {
    const { patients } = recognitionRates(test);
    const shares = figures
      .patientScoresTable(patients, classes)
      .values.map((row) => Number.parseFloat(String(row[4])));
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares).toHaveLength(8);
  });
});

describe("where there is nothing to draw", () => {
  const refused = { ok: false as const, reason: "A threshold decides between two classes, found 3." };

  it("matrices without a threshold are those of the answers", () => {
    const summary = exampleSummary({ positiveClass: null });
    const predictions = [0.1, 0.2, 0.3, 0.9].map((probability, i) =>
      examplePrediction(`p${i}`, i < 2 ? 0 : 1, probability),
    );
    const figure = asFigure(figures.plotRunMatrices({ summary, predictions }, refused));
    expect(figure.layout).not.toHaveProperty("sliders");
    const text = figure.data[0]!["text"] as string[][];
    // Two of two patients: Clopper and Pearson's lower end is √0.025.
    expect(text[0]).toEqual(["2<br>100.0 %<br>(16–100)", "0<br>0.0 %<br>(0–84)"]);
    expect(text[1]![0]).toMatch(/^1<br>50\.0 %<br>\(\d+–\d+\)$/);
    const without = asFigure(figures.plotRunMatrices({ summary, predictions: [] }, refused));
    expect((without.data[0]!["text"] as string[][])[0]).toEqual(["2<br>100.0 %", "0<br>0.0 %"]);
  });

  it("says so where names do not tell a property", () => {
    const test = manyPredictions().filter(({ split }) => split === "test");
    const records = test.map(({ file, label }) => exampleRecord({ file, label, magnification: null }));
    const groups = scoreGroups(exampleDataset({ records }), test, "magnification", rule);
    expect(figures.plotGroupScores(groups, "magnification")).toMatchObject({
      html: expect.stringContaining("do not tell their magnification"),
    });
  });

  it("leaves out columns and rows that nothing is known of", () => {
    const test = manyPredictions().filter(({ split }) => split === "test");
    const strangers = test.map((prediction) => ({ ...prediction, patient: null }));
    const scores = scoreWithIntervals(strangers, { positiveClass: null, threshold: 0.5 }, bootstrap);
    const table = figures.intervalsTable(scores, { of: "x", prevalence: 0.1 });
    expect(table.columns).toEqual(["score", "by image"]);
    expect(table.values.map(([name]) => name)).not.toContain("sensitivity");
    expect(table.values.map(([name]) => name)).toContain("accuracy");
  });
});
