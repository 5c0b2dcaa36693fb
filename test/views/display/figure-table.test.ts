import { describe, expect, it } from "vitest";
import { figureTableHtml } from "../../../src/views/display/figure-table";
import { hostileName } from "../../support/data/example-dataset";

const title = { text: "Loss<br>by epoch" };

/** A page's tables as text: cells between bars, a line each row. */
function rowsOf(html: string): string[] {
  return [...html.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
    [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => cell).join(" | "),
  );
}

describe("figureTableHtml", () => {
  it("names its columns after the axes, and leaves out those that say nothing", () => {
    const data = [{ type: "scatter", name: "train", x: [1, 2], y: [0.5, 0.25] }];
    const layout = { title, xaxis: { title: { text: "epoch" } }, yaxis: { title: "loss" } };
    const html = figureTableHtml({ data, layout });
    expect(html).toContain("<strong>Loss by epoch</strong>");
    expect(rowsOf(html)).toEqual(["series | epoch | loss", "train | 1 | 0.5", "train | 2 | 0.25"]);
  });

  it("has a table for each pair of axes", () => {
    const data = [
      { name: "train", x: [1], y: [0.5] },
      { name: "train", x: [1], y: [90], xaxis: "x2", yaxis: "y2" },
    ];
    const layout = { title, yaxis: { title: { text: "loss" } }, yaxis2: { title: { text: "accuracy, %" } } };
    expect(rowsOf(figureTableHtml({ data, layout }))).toEqual([
      "series | x | loss",
      "train | 1 | 0.5",
      "series | x | accuracy, %",
      "train | 1 | 90",
    ]);
  });

  it("gives the cells of a heat map their values, and what is only drawn no row", () => {
    const data = [
      { type: "heatmap", name: "images", x: ["a", "b"], y: ["<b>c</b>"], z: [[1, 2]] },
      { name: "a line", x: [0, 1], y: [0, 1], hoverinfo: "skip" },
    ];
    expect(rowsOf(figureTableHtml({ data, layout: { title } }))).toEqual([
      "series | x | y | value",
      "images | a | c | 1",
      "images | b | c | 2",
    ]);
  });

  it("says by name where a mark stands beside a named tick", () => {
    const data = [{ name: "images", x: [80, 70], y: [-0.16, 1.16] }];
    const yaxis = { title: { text: "" }, tickvals: [0, 1], ticktext: ["accuracy", "AUC"] };
    expect(rowsOf(figureTableHtml({ data, layout: { title, yaxis } }))).toEqual([
      "series | x | ",
      "images | 80 | accuracy",
      "images | 70 | AUC",
    ]);
  });

  it("stays small", () => {
    const many = Array.from({ length: 500 }, (_, i) => i);
    const html = figureTableHtml({ data: [{ name: "points", x: many, y: many }], layout: { title } });
    expect(rowsOf(html)).toHaveLength(31);
    expect(html).toContain("… and 470 more values.");
  });

  it("escapes every name", () => {
    const data = [{ name: hostileName, x: [hostileName], y: [hostileName] }];
    const html = figureTableHtml({
      data,
      layout: { title: { text: hostileName }, xaxis: { title: hostileName } },
    });
    expect(html).not.toContain("<img");
    expect(html).not.toContain("<script");
  });
});
