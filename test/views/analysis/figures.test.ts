import { describe, expect, it } from "vitest";
import { principalComponents } from "../../../src/model/features/projection";
import { rocAuc, rocCurve } from "../../../src/scores/curves";
import { jupyterDisplay } from "../../../src/views/display/display";
import * as figures from "../../../src/views/figures-door";
import { exampleDataset, hostileName } from "../../support/data/example-dataset";

const dataset = exampleDataset();
const history = [1, 2, 3].map((epoch) => ({
  epoch,
  trainLoss: 1 / epoch,
  trainAccuracy: 0.5 + epoch / 10,
  validationLoss: 1.2 / epoch,
  validationAccuracy: 0.5 + epoch / 20,
  elapsedSeconds: epoch,
}));
const split = { by: "image" as const, seed: 1, train: [0, 1, 3, 4], validation: [2, 5], test: [6, 7] };

function titleOf(figure: figures.Figure): string {
  return (figure.layout["title"] as { text: string }).text;
}

function all(set: typeof dataset): figures.Figure[] {
  const width = 4;
  const features = Float32Array.from({ length: set.records.length * width }, (_, i) => (i * 7) % 11);
  const projection = principalComponents(features, width, 2);
  return [
    figures.plotClassCounts(set),
    figures.plotSubtypeCounts(set),
    figures.plotImagesPerPatient(set),
    figures.plotMagnificationCounts(set),
    figures.plotImageSizes(set),
    figures.plotMeanColours(set, "class"),
    figures.plotMeanColours(set, "patient"),
    figures.plotSplit(set, split),
    figures.plotFeatureMap(set, projection, "class"),
    figures.plotFeatureMap(set, projection, "patient"),
  ];
}

describe("every figure of a data set", () => {
  it("is a plain object that JSON keeps as it is", () => {
    for (const figure of all(dataset)) expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
  });

  it("shows itself as Plotly's JSON, a table and a text", () => {
    for (const figure of all(dataset)) {
      const bundle = figure[jupyterDisplay]();
      expect(bundle["application/vnd.plotly.v1+json"]).toEqual({ data: figure.data, layout: figure.layout });
      expect(bundle["text/html"]).toContain("<table>");
      expect(bundle["text/plain"]).toBe(`Figure: ${titleOf(figure)}`);
    }
  });

  it("leaves text colours and backgrounds to the theme", () => {
    for (const figure of all(dataset)) {
      expect(figure.layout).not.toHaveProperty("font");
      expect(figure.layout["paper_bgcolor"]).toBe("rgba(0,0,0,0)");
    }
  });

  it("says so in its title when the images are synthetic", () => {
    for (const figure of all(dataset)) expect(titleOf(figure)).not.toContain("synthetic");
    for (const figure of all(exampleDataset({ synthetic: true }))) {
      expect(titleOf(figure)).toMatch(/ — synthetic data$/);
    }
  });

  it("escapes names of files, patients, subtypes and classes wherever they appear", () => {
    const records = dataset.records.map((record) => ({
      ...record,
      file: hostileName,
      patient: hostileName,
      subtype: hostileName,
    }));
    const hostile = exampleDataset({ classes: [hostileName, "malignant"], records });
    const matrix = figures.plotConfusionMatrix(
      [
        [1, 0],
        [0, 1],
      ],
      [hostileName, "b"],
      hostileName,
    );
    for (const figure of [...all(hostile), matrix]) {
      expect(JSON.stringify(figure)).not.toContain("<img");
      expect(figure[jupyterDisplay]()["text/html"]).not.toContain("<img");
    }
  });
});

describe("plotClassCounts", () => {
  it("draws the counts with their shares", () => {
    const [bars] = figures.plotClassCounts(dataset).data;
    expect(bars).toMatchObject({
      x: ["benign", "malignant"],
      y: [3, 5],
      text: ["3 (37.5 %)", "5 (62.5 %)"],
    });
  });
});

describe("plotImagesPerPatient", () => {
  it("sums patients beyond what bars can show up in one", () => {
    const records = Array.from({ length: 200 }, (_, i) => ({ ...dataset.records[0]!, patient: String(i) }));
    const [benign] = figures.plotImagesPerPatient(exampleDataset({ records })).data;
    const names = benign?.["x"] as string[];
    const counts = benign?.["y"] as number[];
    expect(names.at(-1)).toBe("80 others");
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(200);
  });
});

describe("plotSplit", () => {
  it("counts images of each class and patients of each part", () => {
    const [train, , test] = figures.plotSplit(dataset, split).data;
    expect(train).toMatchObject({ name: "train: 4 images, 2 patients", y: [2, 2] });
    expect(test).toMatchObject({ name: "test: 2 images, 1 patients", y: [0, 2] });
  });
});

describe("colours of classes", () => {
  it("are the same in every figure, also when the positive class comes first", () => {
    const bars = figures.plotSubtypeCounts(dataset).data.map((trace) => trace["marker"]);
    const points = figures.plotMeanColours(dataset, "class").data.map((trace) => trace["marker"]);
    const reversed = exampleDataset({ classes: ["malignant", "benign"], positiveClass: 0 });
    const reversedBars = figures.plotSubtypeCounts(reversed).data.map((trace) => trace["marker"]);
    expect(points).toMatchObject(bars as object[]);
    expect(reversedBars).toEqual([...bars].reverse());
  });
});

describe("plotTrainingCurves", () => {
  it("draws train and validation, the majority class and the best epoch", () => {
    const figure = figures.plotTrainingCurves(history, { bestEpoch: 2, majorityAccuracy: 0.625 });
    expect(figure.data.map((trace) => trace["name"])).toEqual([
      "train",
      "validation",
      "train",
      "validation",
      "always the majority class: 62.5 %",
    ]);
    expect(figure.data[2]?.["y"]).toEqual([60, 70, 80]);
    expect(figure.layout["shapes"]).toMatchObject([{ x0: 2 }, { x0: 2 }]);
  });

  it("draws of thousands of epochs some hundred, the extremes, the first and the last among them", () => {
    const long = Array.from({ length: 5000 }, (_, i) => ({
      ...history[0]!,
      epoch: i + 1,
      validationLoss: i === 2345 ? 9 : i === 1234 ? 0.01 : 1 / (i + 2),
    }));
    const [, validation] = figures.plotTrainingCurves(long).data;
    const epochs = validation!["x"] as number[];
    expect(epochs.length).toBeLessThanOrEqual(302);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(epochs).toEqual(expect.arrayContaining([1, 1235, 2346, 5000]));
    expect(new Set(epochs).size).toBe(epochs.length);
  });

  it("draws an empty figure before the first epoch has ended", () => {
    const figure = figures.plotTrainingCurves([], { plannedEpochs: 30 });
    expect(figure.layout["xaxis"]).toMatchObject({ range: [0.5, 30.5] });
  });
});

describe("plotConfusionMatrix", () => {
  it("shows counts and row percentages, true classes from the top down", () => {
    const figure = figures.plotConfusionMatrix(
      [
        [3, 1],
        [0, 5],
      ],
      dataset.classes,
      "images",
    );
    expect(figure.data[0]).toMatchObject({
      z: [
        [75, 25],
        [0, 100],
      ],
      text: [
        ["3<br>75.0 %", "1<br>25.0 %"],
        ["0<br>0.0 %", "5<br>100.0 %"],
      ],
    });
    expect(figure.layout["yaxis"]).toMatchObject({ autorange: "reversed" });
  });

  it("leaves the row of a class that does not occur without percentages", () => {
    const figure = figures.plotConfusionMatrix(
      [
        [0, 0],
        [1, 1],
      ],
      dataset.classes,
      "images",
    );
    expect(figure.data[0]?.["z"]).toEqual([
      [null, null],
      [50, 50],
    ]);
    expect(JSON.stringify(figure)).not.toContain("NaN");
  });

  it("puts its numbers into the table for readers without JavaScript", () => {
    const html = figures
      .plotConfusionMatrix(
        [
          [3, 1],
          [0, 5],
        ],
        dataset.classes,
        "images",
      )
      [jupyterDisplay]();
    expect(html["text/html"]).toMatch(/benign<\/td><td[^>]*>3 75\.0 %<\/td>/);
  });
});

describe("plotRocCurves", () => {
  const positive = [0, 0, 1, 1];
  const scores = [0.1, 0.4, 0.35, 0.8];

  it("names the area and marks the point at which decisions are made", () => {
    const curve = rocCurve(positive, scores, { dropIntermediate: false });
    const auc = rocAuc(positive, scores);
    const figure = figures.plotRocCurves([{ unit: "images", curve, auc, threshold: 0.5 }], "malignant");
    expect(figure.data.map((trace) => trace["name"])).toEqual([
      "images: AUC 0.750",
      "images: decided at 0.50",
      "chance: AUC 0.5",
    ]);
    expect(figure.data[1]).toMatchObject({ x: [0], y: [50] });
  });

  it("calls the area of a part with one class undefined", () => {
    const curve = rocCurve([1, 1], [0.2, 0.9], { dropIntermediate: false });
    const figure = figures.plotRocCurves([{ unit: "images", curve, auc: Number.NaN, threshold: 0.5 }], "m");
    expect(figure.data[0]?.["name"]).toContain("undefined");
    expect(JSON.stringify(figure)).not.toContain("NaN");
  });
});

describe("operatingPoint", () => {
  const curve = rocCurve([0, 1, 1], [0.2, 0.5, 0.9], { dropIntermediate: false });

  it.each([
    { threshold: 0.5, found: 0.5 },
    { threshold: 0.51, found: 0.9 },
    { threshold: 0, found: 0.2 },
    { threshold: 1, found: Number.POSITIVE_INFINITY },
  ])("finds the last point at or above $threshold", ({ threshold, found }) => {
    expect(curve.thresholds[figures.operatingPoint(curve, threshold)]).toBe(found);
  });
});

describe("plotProbabilities", () => {
  it("counts every image once, those at 0 and 1 included", () => {
    const probabilities = [0, 0.049, 0.05, 0.5, 0.99, 1];
    const labels = [0, 0, 0, 1, 1, 1];
    const colours = ["blue", "red"];
    const { data } = figures.plotProbabilities(probabilities, labels, dataset.classes, colours, "malignant");
    const [benign, malignant] = data.map((trace) => trace["y"] as number[]);
    expect(benign!.slice(0, 2)).toEqual([2, 1]);
    expect(malignant![10]).toBe(1);
    expect(malignant!.at(-1)).toBe(2);
    expect([...benign!, ...malignant!].reduce((sum, count) => sum + count, 0)).toBe(6);
  });
});
