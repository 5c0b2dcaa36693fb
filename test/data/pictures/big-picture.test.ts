import { appendFileSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { atHand } from "../../../src/data/formats/bytes";
import { readTiffPage } from "../../../src/data/formats/picture-scale";
import { withPixels } from "../../../src/data/images/decode-pixels";
import { openBigPicture } from "../../../src/data/pictures/big-picture";
import type { Region } from "../../../src/data/pictures/tile-grid";
import { layMosaic, type Mosaic, writeMosaic } from "../../support/data/mosaic";
import { encodeTiff } from "../../support/data/tiff-file";
import { drawTissue } from "../../support/model/trained-classifier";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("big-pictures");
let mosaic: Mosaic;
let kinds: Record<string, string>;

beforeAll(async () => {
  const tissue = await drawTissue(join(folder, "tissue"));
  mosaic = await layMosaic([tissue.slice(0, 2), [null, tissue[2]!]], { width: 175, height: 115 });
  kinds = await writeMosaic(folder, mosaic);
});

const regions: Region[] = [
  { left: 0, top: 0, width: 350, height: 230 },
  { left: 100, top: 50, width: 130, height: 90 },
  { left: 349, top: 229, width: 1, height: 1 },
  { left: 0, top: 115, width: 175, height: 115 },
];

function partOf(rgb: Uint8Array, width: number, { left, top, ...part }: Region): Buffer {
  const rows = Array.from({ length: part.height }, (_, y) =>
    rgb.subarray(3 * ((top + y) * width + left), 3 * ((top + y) * width + left + part.width)),
  );
  return Buffer.concat(rows);
}

async function readAll(path: string): Promise<Buffer[]> {
  const picture = await openBigPicture(path);
  const parts: Buffer[] = [];
  for (const region of regions) parts.push(Buffer.from((await picture.read(region)).rgb));
  await picture.close();
  return parts;
}

/** Whole, as every other image is decoded. */
async function wholeOf(path: string): Promise<Uint8Array> {
  const whole = await withPixels(readFileSync(path), async ({ rgb }) => rgb.slice());
  if (whole.ok === false) throw new Error(whole.reason);
  return whole.value;
}

const raw = () => sharp(mosaic.pixels, { raw: { width: mosaic.width, height: mosaic.height, channels: 3 } });

describe("openBigPicture", () => {
  it("reads the same numbers from every kind of file, in any part", async () => {
    const expected = regions.map((region) => partOf(mosaic.pixels, mosaic.width, region));
    for (const [name, path] of Object.entries(kinds)) {
      const picture = await openBigPicture(path);
      expect([name, picture.width, picture.height]).toEqual([name, 350, 230]);
      await picture.close();
      expect(
        (await readAll(path)).map((part, i) => part.equals(expected[i]!)),
        name,
      ).toEqual([true, true, true, true]);
    }
  });

  it.each([
    [
      "16 bits in tiles",
      () => raw().toColourspace("rgb16").tiff({ tile: true, compression: "deflate" }),
      "deep.tif",
    ],
    ["16 bits in strips", () => raw().toColourspace("rgb16").tiff({ compression: "lzw" }), "deep-strips.tif"],
    ["16 bits as PNG", () => raw().toColourspace("rgb16").png(), "deep.png"],
    ["grey", () => raw().greyscale().tiff({ tile: true, compression: "lzw" }), "grey.tif"],
    ["grey PNG", () => raw().greyscale().png(), "grey.png"],
    ["a palette", () => raw().png({ palette: true }), "palette.png"],
    [
      "a profile, in tiles",
      () => raw().withIccProfile("p3").tiff({ tile: true, compression: "lzw" }),
      "profile.tif",
    ],
    ["a profile, JPEG", () => raw().withIccProfile("p3").jpeg(), "profile.jpg"],
    [
      "half transparent",
      () => raw().ensureAlpha(0.4).tiff({ tile: true, compression: "deflate" }),
      "half.tif",
    ],
    ["JPEG in tiles", () => raw().tiff({ tile: true, compression: "jpeg" }), "jpeg.tif"],
    ["JPEG", () => raw().jpeg(), "plain.jpg"],
  ])("means by its numbers what every other image means: %s", async (_, encode, name) => {
    const path = join(folder, name);
    await encode().toFile(path);
    const whole = await wholeOf(path);
    const expected = regions.map((region) => partOf(whole, mosaic.width, region));
    expect((await readAll(path)).map((part, i) => part.equals(expected[i]!))).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  it("takes a wholly transparent part for glass", async () => {
    const path = join(folder, "hole.tif");
    await raw().ensureAlpha(0).tiff({ tile: true, compression: "deflate" }).toFile(path);
    expect((await readAll(path)).every((part) => part.every((value) => value === 255))).toBe(true);
  });

  it("leaves no copy behind", async () => {
    const home = temporaryFolder("copies");
    vi.stubEnv("TMPDIR", home);
    try {
      const picture = await openBigPicture(kinds["strips.tif"]!);
      expect(readdirSync(home)).toHaveLength(1);
      await picture.close();
      expect(readdirSync(home)).toEqual([]);
      writeFileSync(join(folder, "cut.png"), readFileSync(kinds["plain.png"]!).subarray(0, 20_000));
      await expect(openBigPicture(join(folder, "cut.png"))).rejects.toThrow(
        /cut\.png can't be used: the PNG file is/,
      );
      expect(readdirSync(home)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("refuses with the words of every other image, and what only this way of reading can't do", async () => {
    const float = join(folder, "float.tif");
    const data = Buffer.alloc(48);
    writeFileSync(
      float,
      encodeTiff([{ width: 2, height: 2, data, bits: 32, channels: 3, photometric: 2, format: 3 }]),
    );
    const inWords = await withPixels(readFileSync(float), async () => null);
    expect(inWords).toMatchObject({ ok: false, reason: expect.stringMatching(/floating-point numbers/) });
    await expect(openBigPicture(float)).rejects.toThrow((inWords as { reason: string }).reason);
    writeFileSync(join(folder, "text.tif"), "nothing");
    await expect(openBigPicture(join(folder, "text.tif"))).rejects.toThrow(
      /not a PNG, JPEG, TIFF or WebP image/,
    );
    await expect(openBigPicture(join(folder, "none.tif"))).rejects.toThrow(/there is no such file/);
    await expect(openBigPicture(folder)).rejects.toThrow(/it is a folder/);
    const turned = join(folder, "turned.jpg");
    await raw().withMetadata({ orientation: 6 }).jpeg().toFile(turned);
    await expect(openBigPicture(turned)).rejects.toThrow(/rotated \(EXIF orientation 6\); save it upright/);
  });

  it("refuses a file that changes meanwhile, and a tile that is damaged", async () => {
    const path = join(folder, "changing.tif");
    copyFileSync(kinds["tiles.tif"]!, path);
    const picture = await openBigPicture(path);
    await picture.read(regions[1]!);
    appendFileSync(path, "x");
    await expect(picture.read(regions[1]!)).rejects.toThrow(/has changed since it was opened/);
    const bytes = readFileSync(kinds["tiles.tif"]!);
    bytes.fill(0x55, 20, 3000);
    writeFileSync(path, bytes);
    const damaged = await openBigPicture(path);
    await expect(damaged.read(regions[0]!)).rejects.toThrow(/TIFF file is damaged/);
  });
});

describe("the scale that a file tells", () => {
  const ofPage = (tags: Record<number, number | string>) => {
    const data = Buffer.alloc(12);
    const page = { width: 2, height: 2, data, bits: 8, channels: 3, photometric: 2, tags };
    return readTiffPage(atHand(encodeTiff([page])), 0).scale;
  };
  const ome = (pixels: string) =>
    `<?xml version="1.0"?><OME xmlns="x"><Image><Pixels ID="P" ${pixels}/></Image></OME>`;
  const inUnit = (unit: string, size: string) =>
    ["X", "Y"].map((axis) => `PhysicalSize${axis}="${size}" PhysicalSize${axis}Unit="${unit}"`).join(" ");

  it.each([
    ["Aperio", "Aperio Image Library v11.2.1\r\n46920x33014 |AppMag = 20|MPP = 0.4990", 0.499, 20],
    ["Aperio without MPP", "Aperio Image Library |AppMag = 40|Left = 3", null, 40],
    ["OME, in µm where no unit stands", ome('PhysicalSizeX="0.25" PhysicalSizeY="0.25"'), 0.25, null],
    ["OME in nm", `${ome(inUnit("nm", "250"))}<Objective NominalMagnification="40.0"/>`, 0.25, 40],
    ["OME in pixels", ome(inUnit("pixel", "1")), null, null],
    ["nonsense", "MPP = 1e99|AppMag = -3", null, null],
  ])("is read from the description: %s", (_, text, microns, objective) => {
    const scale = ofPage({ 270: text });
    expect(scale.microns).toEqual(microns === null ? null : { x: microns, y: microns });
    expect(scale.objective).toBe(objective);
  });

  it("is read from the resolution, in ImageJ's unit too, unless it is a screen's", async () => {
    expect(ofPage({ 270: "ImageJ=1.53t\nunit=micron\n", 282: 4, 283: 2, 296: 1 }).microns).toEqual({
      x: 0.25,
      y: 0.5,
    });
    expect(ofPage({ 282: 40_000, 283: 20_000, 296: 3 }).microns).toEqual({ x: 0.25, y: 0.5 });
    expect(ofPage({ 282: 50_800, 283: 50_800, 296: 2 }).microns).toEqual({ x: 0.5, y: 0.5 });
    expect(ofPage({ 282: 72, 283: 72, 296: 2 }).microns).toBeNull();
    expect(ofPage({}).microns).toBeNull();
    const path = join(folder, "fine.png");
    await raw().withMetadata({ density: 50_800 }).png().toFile(path);
    const picture = await openBigPicture(path);
    await picture.close();
    expect(picture.scale.microns?.x).toBeCloseTo(0.5, 3);
  });
});
