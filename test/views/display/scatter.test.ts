import { expect, it } from "vitest";
import { plotMeanColours } from "../../../src/views/dataset/dataset-figures";
import { exampleDataset, exampleRecord } from "../../support/data/example-dataset";

/** So many images of three patients; the third has one image alone. */
function imagesOf(count: number) {
  const records = Array.from({ length: count }, (_, i) =>
    exampleRecord({ file: `${i}.png`, label: i % 2, patient: i === 7 ? "alone" : `p${i % 2}` }),
  );
  return exampleDataset({ records });
}

it("shows every image of a data set as large as BreaKHis' scales are", () => {
  const { data, layout } = plotMeanColours(imagesOf(2000), "class");
  expect(data.map((trace) => (trace["x"] as number[]).length)).toEqual([1000, 1000]);
  expect(String(layout["title"])).not.toContain("evenly");
});

it("shows some of very many, of each patient its share, and says so: a figure's size does not grow with them", () => {
  const { data, layout } = plotMeanColours(imagesOf(277_524), "patient");
  const shown = data.map((trace) => [trace["name"], (trace["x"] as number[]).length] as const);
  expect(shown.map(([name]) => name)).toEqual(["patient alone", "patient p0", "patient p1"]);
  expect(shown[0]![1]).toBe(1);
  expect(Math.abs(shown[1]![1] - shown[2]![1])).toBeLessThanOrEqual(1);
  expect(JSON.stringify(data).length).toBeLessThan(1_000_000);
  const total = shown.reduce((sum, [, count]) => sum + count, 0);
  expect(JSON.stringify(layout["title"])).toContain(
    `${total.toLocaleString("en")} of 277,524 images, evenly over all`,
  );
});
