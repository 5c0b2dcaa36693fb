import { describe, expect, it } from "vitest";
import { jupyterDisplay } from "../../../src/views/display/display";
import { figure, plotlyMimeType } from "../../../src/views/display/figure";

/** What a browser gets. */
const sent = (...args: Parameters<typeof figure>) =>
  JSON.parse(JSON.stringify(figure(...args)[jupyterDisplay]()[plotlyMimeType]));

describe("figure", () => {
  it("draws typed arrays wherever Plotly takes lists", () => {
    const { data } = sent(
      [
        { y: new Float32Array([0.25, 0.75]), marker: { size: new Uint8Array([3, 4]) } },
        { type: "heatmap", z: [new Float64Array([1, 2]), new Int32Array([3, 4])] },
      ],
      { title: "t" },
    );
    expect(data[0]).toEqual({ y: [0.25, 0.75], marker: { size: [3, 4] } });
    expect(data[1].z).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("tells typed arrays' numbers also to readers without scripts", () => {
    const html = figure([{ y: new Float32Array([0.25]) }], { title: "t" })[jupyterDisplay]()["text/html"];
    expect(html).toContain("0.25");
  });

  it("takes plain strings as titles, of the figure and of each axis", () => {
    const { layout } = sent([{ y: [1] }], {
      title: "Loss",
      xaxis: { title: "epoch", range: [0, 1] },
      yaxis2: { title: { text: "loss" } },
    });
    expect(layout.title.text).toBe("Loss");
    expect(layout.xaxis).toEqual({ title: { text: "epoch" }, range: [0, 1] });
    expect(layout.yaxis2).toEqual({ title: { text: "loss" } });
  });

  it("says where a value is that can't be drawn", () => {
    expect(() => figure([{ x: [1], y: [1, 2n] }], {})).toThrow(/data\[0\]\.y\[1\] is a BigInt \(2n\)/);
    expect(() => figure([{ y: new BigInt64Array([5n]) }], {})).toThrow(/data\[0\]\.y\[0\] is a BigInt/);
  });

  it("keeps numbers that are none, as gaps", () => {
    expect(sent([{ y: new Float32Array([1, Number.NaN]) }], {}).data[0].y).toEqual([1, null]);
  });
});
