import { DataFrame, Series } from "danfojs-node";
import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/runtime/settings";
import { tf } from "../../../src/runtime/tensorflow";
import {
  countTable,
  recordsTable,
  settingsTable,
  skippedTable,
} from "../../../src/views/dataset/dataset-tables";
import { jupyterDisplay } from "../../../src/views/display/display";
import { displayOf } from "../../../src/views/display/known-values";
import { tableHtml } from "../../../src/views/display/table-html";
import { toDataFrame } from "../../../src/views/display/tables";
import { exampleDataset, hostileName } from "../../support/data/example-dataset";

function htmlOf(value: unknown): string {
  const display = displayOf(value);
  if (display === null) throw new Error("expected a value that shows itself");
  return String(display[jupyterDisplay]()["text/html"]);
}

describe("tableHtml", () => {
  it("escapes headings, cells and the caption", () => {
    const html = tableHtml([hostileName], [[hostileName]], hostileName);
    expect(html).not.toContain("<img");
    expect(html.match(/&lt;img src=x onerror=alert\(1\)&gt;/g)).toHaveLength(3);
  });

  it("aligns numbers to the right, with equal decimals", () => {
    const html = tableHtml(
      ["name", "share"],
      [
        ["a", 0.5],
        ["b", 0.123456],
        ["c", null],
      ],
    );
    expect(html).toMatch(/text-align:right[^>]*>0\.5000</);
    expect(html).toMatch(/text-align:right[^>]*>0\.1235</);
    expect(html).toMatch(/text-align:left[^>]*>a</);
    expect(html).toContain(">–<");
  });

  it("gives a column the digits that its numbers can be told apart by, not more", () => {
    const shown = (numbers: number[]) =>
      [
        ...tableHtml(
          ["x"],
          numbers.map((number) => [number]),
        ).matchAll(/<td[^>]*>([^<]*)</g),
      ].map((m) => m[1]);
    expect(shown([0.95, 1 / 60])).toEqual(["0.9500", "0.0167"]);
    expect(shown([0.1, 0.001, 1e-5])).toEqual(["0.10000", "0.00100", "0.00001"]);
    expect(shown([12.25, 0.5, 0])).toEqual(["12.25", "0.50", "0.00"]);
    expect(shown([93.3, 88])).toEqual(["93.3", "88.0"]);
  });

  it("keeps its headings in sight, and is found by what makes tables sortable", () => {
    const html = tableHtml(["a"], [[1]]);
    expect(html).toMatch(/<table class="breakhis-table"/);
    expect(html).toMatch(/<th [^>]*position:sticky;top:0/);
  });

  it("groups large numbers and leaves years alone", () => {
    expect(tableHtml(["parameters"], [[23587712]])).toContain(">23,587,712<");
    expect(tableHtml(["year"], [[2014]])).toContain(">2014<");
  });

  it("cuts long tables and says so", () => {
    const html = tableHtml(
      ["i"],
      Array.from({ length: 250 }, (_, i) => [i]),
    );
    expect(html.match(/<tr>/g)).toHaveLength(201);
    expect(html).toContain("and 50 more rows");
  });

  it("takes its colours from the theme", () => {
    expect(tableHtml(["a"], [[1]])).not.toMatch(/[^-]color:\s*(#|rgb|black|white)/);
  });
});

describe("danfojs tables", () => {
  it("show themselves, with the caption they were made with", () => {
    const html = htmlOf(toDataFrame([{ part: "train", images: 144 }], "The split"));
    expect(html).toContain("The split</caption>");
    expect(html).toContain(">144<");
  });

  it("show themselves however they were made", () => {
    const frame = new DataFrame([
      { a: 1, b: "x" },
      { a: 2, b: "y" },
    ]);
    expect(htmlOf(frame.head(1))).toContain(">x<");
    expect(htmlOf(frame.head(1))).not.toContain(">y<");
    expect(htmlOf(new Series([1, 2, 3]))).toContain(">3<");
  });

  it("keep their columns when they have no rows", () => {
    const html = htmlOf(skippedTable(exampleDataset()));
    expect(html).toContain(">reason</th>");
    expect(html).toContain("No rows.");
  });

  it("take columns that are empty in every row", () => {
    expect(
      htmlOf(
        toDataFrame([
          { a: null, b: 1 },
          { a: null, b: 2 },
        ]),
      ),
    ).toContain(">–<");
  });

  it("share the one TensorFlow runtime, so that only one native library is loaded", () => {
    const frame = new DataFrame([
      [1, 2],
      [3, 4],
    ]);
    const before = tf.memory().numTensors;
    const tensor = frame.tensor;
    expect(tf.memory().numTensors).toBe(before + 1);
    tensor.dispose();
  });
});

describe("tables of a data set", () => {
  it("hold one row an image", () => {
    const table = recordsTable(exampleDataset());
    expect(table.shape).toEqual([8, 9]);
    expect(htmlOf(table)).not.toContain("<img");
  });

  it("count by class within each value", () => {
    const table = countTable(exampleDataset(), "subtype");
    expect(table.columns).toEqual(["subtype", "benign", "malignant", "images", "share, %"]);
    expect(table.values[0]).toEqual(["adenosis (A)", 2, 0, 2, 25]);
  });

  it("say when their images are synthetic", () => {
    expect(htmlOf(countTable(exampleDataset({ synthetic: true }), "class"))).toContain("synthetic data");
  });

  it("list the reasons for which files were left out", () => {
    const skipped = [{ file: hostileName, reason: "it is empty" }];
    const html = htmlOf(skippedTable(exampleDataset({ skipped })));
    expect(html).toContain("it is empty");
    expect(html).not.toContain("<img");
  });

  it("show every setting that holds", () => {
    const html = htmlOf(settingsTable(resolveSettings({ epochs: 7 })));
    expect(html).toMatch(/>epochs<\/td><td[^>]*>7</);
    expect(html).toContain(">128, 64<");
  });
});
