import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDataset } from "../../../src/data/dataset";
import { loadBackbone } from "../../../src/model/backbones/backbone";
import { type Classifier, predictImages } from "../../../src/model/classifier/classifier";
import { describeScales } from "../../../src/model/classifier/trained-scale";
import { isEmptyTile, predictTiles } from "../../../src/model/pictures/predict-tiles";
import { chooseTiles } from "../../../src/model/pictures/tile-scale";
import { summarizeTiles } from "../../../src/scores/tile-summary";
import { layMosaic, type Mosaic, writeMosaic } from "../../support/data/mosaic";
import { decidedClassifier, drawTissue } from "../../support/model/trained-classifier";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("predict-tiles");
const size = { width: 175, height: 115 };
let tissue: string[];
let mosaic: Mosaic;
let kinds: Record<string, string>;
let classifier: Classifier;

beforeAll(async () => {
  tissue = await drawTissue(join(folder, "tissue"));
  const [a, b, c, d] = tissue as [string, string, string, string];
  const ink = join(folder, "ink.png");
  await sharp({ create: { ...size, channels: 3, background: "#102030" } })
    .png()
    .toFile(ink);
  mosaic = await layMosaic(
    [
      [a, b, null],
      [null, c, d],
      [ink, null, a],
    ],
    size,
  );
  kinds = await writeMosaic(folder, mosaic);
  const { backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize: 64 });
  const { records } = await openDataset(join(folder, "tissue"));
  classifier = await decidedClassifier(backbone, join(folder, "tissue"), { scales: describeScales(records) });
});
afterAll(() => classifier.backbone.dispose());

describe("predictTiles", () => {
  it("answers each tile as predictImages answers the square cut out, to the bit, and leaves empty ones out", async () => {
    const prediction = await predictTiles(classifier, kinds["pyramid.tif"]!, { tileSize: size });
    expect(prediction.grid).toMatchObject({ columns: 3, rows: 3 });
    expect(prediction.tiles.map(({ column, row }) => [column, row])).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
    expect(prediction.empty).toBe(4);
    const squares: string[] = [];
    for (const { left, top, width, height } of prediction.tiles) {
      squares.push(join(folder, `square-${left}-${top}.png`));
      await sharp(kinds["plain.png"]!).extract({ left, top, width, height }).toFile(squares.at(-1)!);
    }
    const { predictions } = await predictImages(classifier, squares);
    expect(prediction.tiles.map(({ probabilities, predicted }) => ({ probabilities, predicted }))).toEqual(
      predictions.map(({ probabilities, predicted }) => ({ probabilities, predicted })),
    );
    // The images that the mosaic is made of are those squares.
    const originals = await predictImages(
      classifier,
      [0, 1, 2, 3, 0].map((i) => tissue[i]!),
    );
    expect(predictions.map(({ probabilities }) => probabilities)).toEqual(
      originals.predictions.map(({ probabilities }) => probabilities),
    );
  });

  it("gives the same whatever the file is, with tiles that fit nothing in it", async () => {
    const tileSize = { width: 61, height: 43 };
    const answers = [];
    for (const path of Object.values(kinds)) {
      const { tiles, empty, thumbnail, deciding } = await predictTiles(classifier, path, { tileSize });
      answers.push(JSON.stringify([tiles, empty, [...thumbnail.pixels], deciding.map(({ tile }) => tile)]));
    }
    expect(answers.length).toBe(8);
    expect(new Set(answers).size).toBe(1);
  });

  it("says what decided: the most suspicious tiles first, each with its picture, and the share called positive", async () => {
    const prediction = await predictTiles(classifier, kinds["tiles.tif"]!, { tileSize: size });
    const suspicions = prediction.deciding.map(({ tile }) => tile.probabilities[1]!);
    expect(suspicions).toEqual([...suspicions].sort((one, other) => other - one));
    expect(prediction.deciding.every(({ picture }) => picture.startsWith("data:image/jpeg;base64,"))).toBe(
      true,
    );
    const summary = summarizeTiles(prediction, classifier);
    const positive = prediction.tiles.filter(({ predicted }) => predicted === 1).length;
    expect(summary).toMatchObject({ answered: 5, empty: 4, positiveShare: positive / 5, unlike: 0 });
    expect(summary.meanOfDeciding).toBeCloseTo(suspicions.reduce((sum, value) => sum + value, 0) / 5, 12);
    const none = summarizeTiles({ tiles: [], empty: 9, deciding: [] }, classifier);
    expect([none.positiveShare, none.meanOfDeciding]).toEqual([Number.NaN, Number.NaN]);
    expect(summarizeTiles(prediction, { ...classifier, positiveClass: null }).positiveShare).toBeNull();
  });
});

describe("isEmptyTile", () => {
  const white = [255, 255, 255] as [number, number, number];
  const filled = (share: number) => {
    const pixels = new Uint8Array(300).fill(250);
    for (let i = 0; i < Math.round(100 * share); i++) pixels.set([150, 90, 170], 3 * i);
    return pixels;
  };
  it("is nine tenths of glass, by the picture's own lamp, or a single colour", () => {
    expect(isEmptyTile(filled(0.1), white)).toBe(true);
    expect(isEmptyTile(filled(0.11), white)).toBe(false);
    expect(isEmptyTile(new Uint8Array(300).fill(3), white)).toBe(true);
    // Under a dim lamp, what is as bright as the lamp is glass.
    const dim = filled(0.05).map((value) => Math.round(0.8 * value));
    expect(isEmptyTile(dim, [200, 200, 200])).toBe(true);
    // Also where white filling is brighter than the glass, but not where the brightest part is pink, as stroma is.
    expect(isEmptyTile(dim, white)).toBe(true);
    const pink = dim.map((value, i) => (i % 3 === 1 ? value - 30 : value));
    expect(isEmptyTile(pink, white)).toBe(false);
  });
});

describe("chooseTiles", () => {
  const scales = [40, 400].map((magnification) => ({
    ...{ magnification, images: 9, width: 700, height: 460 },
    microns: magnification === 40 ? 0.49 : 0.05,
  }));
  const picture = (microns: number | null, objective: number | null = null) => ({
    ...{ path: "/slides/a.svs", width: 20_000, height: 10_000 },
    scale: {
      microns: microns === null ? null : { x: microns, y: microns },
      objective,
      saidBy: "its resolution",
    },
    read: () => Promise.reject(new Error("not read")),
    close: () => Promise.resolve(),
  });

  it("makes a tile show as much as a training image, and says by what", () => {
    const { grid, description, doubts } = chooseTiles(picture(0.25), scales, { magnification: 400 });
    expect(grid).toMatchObject({ columns: Math.round(20_000 / 140), rows: Math.round(10_000 / 92) });
    expect(description).toMatch(/A tile shows 35 × 23 µm, as the training images of 400× do/);
    expect(description).toMatch(/0\.25 µm a pixel, as its resolution says/);
    expect(doubts.join(" ")).toMatch(/5\.0 times as coarse/);
    const given = chooseTiles(picture(0.25), scales, { magnification: 40, micronsPerPixel: 0.49 });
    expect(given.grid).toMatchObject({ columns: 29, rows: 22 });
    expect(given.description).toMatch(/as was said/);
    expect(given.doubts).toEqual([]);
  });

  it.each([
    ["which magnification, of several", picture(0.25), scales, {}, /of 40×, 400×: say as `magnification`/],
    [
      "a magnification that was not trained at",
      picture(0.25),
      scales,
      { magnification: 20 },
      /not trained at 20×/,
    ],
    ["µm a pixel", picture(null), scales, { magnification: 40 }, /say it as `micronsPerPixel`/],
    [
      "µm a pixel, with what the objective suggests",
      picture(null, 40),
      scales,
      { magnification: 40 },
      /40×: on most scanners that is 0\.25 µm/,
    ],
    ["a tile's size", picture(0.25), undefined, {}, /does not remember .* say as `tileSize`/],
    [
      "a tile's size, where only the scale is unknown",
      picture(0.25),
      [{ ...scales[0]!, microns: null }],
      {},
      /\(700 × 460\) are in the tissue is not known.*`tileSize`/,
    ],
    [
      "something possible",
      picture(0.25),
      scales,
      { magnification: 40, micronsPerPixel: -1 },
      /above 0, found -1/,
    ],
    [
      "something possible of a tile",
      picture(0.25),
      undefined,
      { tileSize: { width: 0, height: 9 } },
      /above 0, found 0/,
    ],
  ])("asks for %s", (_, asked, known, asking, message) => {
    expect(() => chooseTiles(asked, known, asking)).toThrow(message);
  });
});

describe("describeScales", () => {
  const image = (file: string, magnification: number | null, width = 700, height = 460) => ({
    ...{ file, magnification, width, height },
  });
  it("knows BreaKHis' pixels by the images' names, also made smaller, and no others'", () => {
    const at = (magnification: number) => `a/SOB_B_A-14-22549AB-${magnification}-001.png`;
    expect(describeScales([image(at(400), 400), image(at(40), 40), image(at(400), 400)])).toEqual([
      { magnification: 40, images: 1, width: 700, height: 460, microns: 0.49 },
      { magnification: 400, images: 2, width: 700, height: 460, microns: 0.05 },
    ]);
    expect(describeScales([image(at(200), 200, 350, 230)])[0]!.microns).toBeCloseTo(0.2, 12);
    // A square cut from the field, and somebody else's 200×.
    expect(describeScales([image(at(200), 200, 224, 224)])[0]!.microns).toBeNull();
    expect(describeScales([image("bach/is001.tif", 200)])[0]!.microns).toBeNull();
    expect(describeScales([image("x.png", null)])).toEqual([
      { magnification: null, images: 1, width: 700, height: 460, microns: null },
    ]);
  });
});
