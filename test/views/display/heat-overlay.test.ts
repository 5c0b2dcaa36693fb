import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { viridis, viridisGradient } from "../../../src/views/display/colour-map";
import { encodeHeatOverlay, heatLegend } from "../../../src/views/display/heat-overlay";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";
import { temporaryFolder } from "../../support/temporary-folder";

const file = join(temporaryFolder("overlay"), "image.png");
const [width, height] = [120, 80];
const grey = 150;

beforeAll(async () => {
  const background = { r: grey, g: grey, b: grey };
  const png = sharp({ create: { width: 2 * width, height: 2 * height, channels: 3, background } }).png();
  writeFileSync(file, await png.toBuffer());
});

async function decode(dataUrl: string) {
  expect(dataUrl).toMatch(/^data:image\/jpeg;base64,/);
  const bytes = Buffer.from(dataUrl.slice(dataUrl.indexOf(",") + 1), "base64");
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  const pixel = (x: number, y: number) => [
    ...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3),
  ];
  return { info, pixel };
}

/** Hot on the right half only. */
const explanation = {
  file,
  width,
  height,
  heat: Float32Array.from({ length: width * height }, (_, i) => (i % width < width / 2 ? 0 : 1)),
};

describe("encodeHeatOverlay", () => {
  it("leaves the picture where there is no heat, and shows the scale's end where there is most", async () => {
    const { info, pixel } = await decode(await encodeHeatOverlay(explanation, { opacity: 1 }));
    expect([info.width, info.height]).toEqual([width, height]);
    for (const value of pixel(10, 40)) expect(Math.abs(value - grey)).toBeLessThan(4);
    pixel(110, 40).forEach((value, channel) => {
      expect(Math.abs(value - viridis(1)[channel]!)).toBeLessThan(12);
    });
    const half = await decode(await encodeHeatOverlay(explanation, { opacity: 0.5 }));
    half.pixel(110, 40).forEach((value, channel) => {
      expect(Math.abs(value - (viridis(1)[channel]! + grey) / 2)).toBeLessThan(8);
    });
  });

  it("draws at another width in the same proportions, never larger than the image", async () => {
    const small = await decode(await encodeHeatOverlay(explanation, { width: 60 }));
    expect([small.info.width, small.info.height]).toEqual([60, 40]);
    const large = await decode(await encodeHeatOverlay(explanation, { width: 1000 }));
    expect([large.info.width, large.info.height]).toEqual([240, 160]);
    await expect(encodeHeatOverlay(explanation, { opacity: 2 })).rejects.toThrow(RangeError);
    await expect(encodeHeatOverlay({ ...explanation, file: "/none.png" })).rejects.toThrow(/no such file/);
  });

  it("has a legend in the same colours", () => {
    expect(heatLegend.gradient).toBe(viridisGradient);
    expect(viridisGradient).toMatch(/^linear-gradient\(to right, #440154, .*#fde725\)$/);
  });
});

describe("viridis", () => {
  it("is plotly.js' table, and grows lighter evenly", () => {
    const [example] = docstringExamples("src/views/display/colour-map.ts");
    expect(evaluateExample(example!.code, { viridis })).toEqual(evaluateExample(example!.expected, {}));
    const plotly = readFileSync(join(__dirname, "../../../node_modules/plotly.js-dist/plotly.js"), "utf8");
    const table = /Viridis: (\[\s*\[[\s\S]*?\]\s*\])/.exec(plotly)![1]!;
    const steps = JSON.parse(table) as [number, string][];
    expect(steps).toHaveLength(17);
    for (const [value, colour] of steps) {
      // Its steps are 16/255 apart, which is not quite a sixteenth.
      viridis(value).forEach((channel, i) => {
        expect(Math.abs(channel - Number.parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16))).toBeLessThan(3);
      });
    }
    const lightness = Array.from({ length: 101 }, (_, i) => {
      const [r, g, b] = viridis(i / 100);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    });
    for (let i = 1; i < lightness.length; i++) expect(lightness[i]).toBeGreaterThan(lightness[i - 1]!);
    expect(viridis(2)).toEqual(viridis(1));
    expect(viridis(-1)).toEqual(viridis(0));
  });
});
