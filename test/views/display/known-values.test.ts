import { DataFrame, Series } from "danfojs-node";
import { describe, expect, it } from "vitest";
import { tf } from "../../../src/runtime/tensorflow";
import { htmlDisplay, jupyterDisplay } from "../../../src/views/display/display";
import { plotlyMimeType } from "../../../src/views/display/figure";
import { displayOf } from "../../../src/views/display/known-values";

const bundle = (value: unknown) => displayOf(value)?.[jupyterDisplay]();

describe("displayOf", () => {
  it("leaves what shows itself alone", () => {
    const display = htmlDisplay("<b>1</b>", "1");
    expect(displayOf(display)).toBe(display);
  });

  it("shows danfojs frames and series as tables, with their names escaped", () => {
    const frame = new DataFrame([{ "<img src=x>": 1, b: "y" }]);
    expect(bundle(frame)).toMatchObject({ "text/plain": "Table of 1 × 2" });
    expect(bundle(frame)!["text/html"]).toContain("&lt;img src=x&gt;");
    expect(bundle(new Series([4, 5]))).toMatchObject({ "text/plain": "Series of 2" });
    expect(bundle(frame.head(1))!["text/html"]).toContain(">y<");
  });

  it("shows Plotly's data and layout as a figure, also without a layout", () => {
    const shown = bundle({ data: [{ y: [1, 2] }], layout: { title: { text: "Loss" } } })!;
    expect(shown[plotlyMimeType]).toMatchObject({
      data: [{ y: [1, 2] }],
      layout: { title: { text: "Loss" } },
    });
    expect(bundle({ data: [{ type: "pie", values: [1] }] })).toBeDefined();
  });

  it("shows a tensor's type, shape and values, and costs no tensor", () => {
    const tensor = tf.tensor2d([[0.5, 1.5]]);
    const before = tf.memory().numTensors;
    expect(bundle(tensor)!["text/plain"]).toMatch(/^Tensor, float32, shape \[1, 2\]\n[\s\S]*1\.5/);
    expect(tf.memory().numTensors).toBe(before);
    tensor.dispose();
    expect(bundle(tensor)!["text/plain"]).toBe("Tensor, float32, shape [1, 2]\n(disposed)");
  });

  it("cuts a tensor's text where it gets long", () => {
    const tensor = tf.ones([20, 20, 20]);
    expect(String(bundle(tensor)!["text/plain"]).length).toBeLessThan(4100);
    tensor.dispose();
  });

  it.each([
    { data: [] },
    { data: [1, 2] },
    { data: [{ name: "a" }], layout: {} },
    { data: [{ y: [1] }], layout: {}, epoch: 3 },
    { rows: [] },
    [1, 2],
    new Map(),
    "text",
    null,
  ])("knows nothing of %j", (value) => {
    expect(displayOf(value)).toBeNull();
  });
});
