import { describe, expect, it } from "vitest";
import * as figureJson from "../../jupyter/plotly-renderer/static/figure-json.js";
import * as theme from "../../jupyter/plotly-renderer/static/figure-theme.js";

interface Theme {
  colorway: string[];
  paperColours: Record<string, string>;
  mergeDeep(base: unknown, overrides: unknown): unknown;
}
interface Layout {
  template: { layout: { font: { color: string; family: string } } };
}
interface FigureJson {
  readFigure(
    value: unknown,
    colours: Record<string, string>,
  ): { data: { y: number[] }[]; layout: Layout; settings: object };
  refuseUnknownTraces(plotly: unknown, data: { type?: string }[]): void;
  describeFigure(figure: unknown): string;
}

const { colorway, paperColours, mergeDeep } = theme as Theme;
const { readFigure, describeFigure, refuseUnknownTraces } = figureJson as FigureJson;

describe("the renderer's trace colours", () => {
  it.each(colorway)("%s stands out from a light and a dark background", (colour) => {
    expect(contrast(colour, "#ffffff")).toBeGreaterThanOrEqual(3);
    expect(contrast(colour, "#111111")).toBeGreaterThanOrEqual(3);
  });

  it.each(Object.keys(eyes()))("stay apart for %s sight, the first four best", (sight) => {
    expect(smallestDifference(colorway, sight)).toBeGreaterThan(8);
    expect(smallestDifference(colorway.slice(0, 4), sight)).toBeGreaterThan(20);
  });
});

describe("readFigure", () => {
  const read = (value: unknown) => readFigure(value, paperColours);

  it("leaves what the kernel sent untouched", () => {
    const sent = { data: [{ y: [1] }], layout: { title: { text: "A" } } };
    const figure = read(sent);
    figure.data[0]?.y.push(2);
    expect(sent).toEqual({ data: [{ y: [1] }], layout: { title: { text: "A" } } });
  });

  it("accepts JSON text", () => {
    expect(read('{"data": [{"y": [1]}]}').data).toEqual([{ y: [1] }]);
  });

  it("lets the figure's own template win over the theme", () => {
    const { layout } = read({ data: [], layout: { template: { layout: { font: { color: "red" } } } } });
    expect(layout.template.layout.font.color).toBe("red");
    expect(layout.template.layout.font.family).toBe(paperColours["fontFamily"]);
  });

  it("passes harmless settings only", () => {
    const config = {
      scrollZoom: true,
      showSendToCloud: true,
      plotlyServerURL: "x",
      modeBarButtonsToAdd: [{}],
    };
    expect(read({ data: [], config }).settings).toEqual({ scrollZoom: true });
  });

  it.each([
    [null, "expected an object {data, layout}, found null"],
    ["{", "expected JSON, found text that isn't"],
    [{ data: {} }, 'expected "data" to be a list, found an object'],
    [{ data: [1] }, "expected data[0] to be an object, found the number 1"],
    [{ data: [], layout: [] }, 'expected "layout" to be an object, found a list'],
  ])("refuses %j", (value, sentence) => {
    expect(() => read(value)).toThrow(sentence);
  });
});

describe("refuseUnknownTraces", () => {
  it("names a type that Plotly would draw as something else, and asks Plotly for its schema once", () => {
    let asked = 0;
    const get = () => {
      asked++;
      return { traces: { scatter: {}, heatmap: {} } };
    };
    const plotly = { PlotSchema: { get } };
    for (let update = 0; update < 10; update++) refuseUnknownTraces(plotly, [{ type: "scatter" }, {}]);
    expect(asked).toBe(1);
    expect(() => refuseUnknownTraces(plotly, [{}, { type: "scater" }])).toThrow(
      'data[1] has the type "scater", which plotly.js does not know',
    );
    expect(() => refuseUnknownTraces(plotly, [{ type: "constructor" }])).toThrow("does not know");
  });
});

describe("describeFigure", () => {
  it("is the title without its tags", () => {
    expect(describeFigure({ data: [], layout: { title: { text: "<b>Loss</b><br>by epoch" } } })).toBe(
      "Loss by epoch",
    );
  });

  it("falls back to kinds and axes", () => {
    const layout = { xaxis: { title: { text: "epoch" } }, yaxis: { title: "loss" } };
    expect(describeFigure({ data: [{ y: [] }], layout })).toBe("Figure (scatter): loss against epoch");
  });
});

describe("mergeDeep", () => {
  it("merges objects, replaces the rest, and reaches no prototype", () => {
    const merged = mergeDeep(
      { a: { b: 1, c: [1, 2] } },
      JSON.parse('{"a": {"c": [3]}, "__proto__": {"d": 1}}'),
    );
    expect(merged).toEqual({ a: { b: 1, c: [3] } });
    expect(({} as { d?: number }).d).toBeUndefined();
  });
});

/** WCAG 2 contrast ratio, 1 to 21. */
function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = linear(colour);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function linear(colour: string): [number, number, number] {
  const channels = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return channels as [number, number, number];
}

/** How linear RGB reaches eyes that lack a kind of cone: Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009. */
function eyes(): Record<string, number[][]> {
  return {
    usual: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    "red-deficient": [
      [0.152286, 1.052583, -0.204868],
      [0.114503, 0.786281, 0.099216],
      [-0.003882, -0.048116, 1.051998],
    ],
    "green-deficient": [
      [0.367322, 0.860646, -0.227968],
      [0.280085, 0.672501, 0.047413],
      [-0.01182, 0.04294, 0.968881],
    ],
    "blue-deficient": [
      [1.255528, -0.076749, -0.178779],
      [-0.078411, 0.930809, 0.147602],
      [0.004733, 0.691367, 0.3039],
    ],
  };
}

/** The smallest CIE 1976 colour difference of any two; about 2 can just be seen. */
function smallestDifference(colours: string[], sight: string): number {
  const seen = colours.map((colour) => lab(eyes()[sight]!.map((row) => dot(row, linear(colour)))));
  const differences = seen.flatMap((one, i) => seen.slice(i + 1).map((other) => distance(one, other)));
  return Math.min(...differences);
}

function dot(row: number[], colour: number[]): number {
  const sum = row.reduce((total, weight, i) => total + weight * colour[i]!, 0);
  return Math.min(1, Math.max(0, sum));
}

function lab(rgb: number[]): number[] {
  const x = dot([0.4124, 0.3576, 0.1805], rgb) / 0.95047;
  const y = dot([0.2126, 0.7152, 0.0722], rgb);
  const z = dot([0.0193, 0.1192, 0.9505], rgb) / 1.08883;
  const [fx, fy, fz] = [x, y, z].map((t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)) as [
    number,
    number,
    number,
  ];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

function distance(one: number[], other: number[]): number {
  return Math.hypot(...one.map((value, i) => value - other[i]!));
}
