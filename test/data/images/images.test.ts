import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { decodeBatches } from "../../../src/data/images/decode-batches";
import { decodeImage, decodePicture, encodeThumbnail, inspectImage } from "../../../src/data/images/images";
import { sha256 } from "../../../src/runtime/cache/content-hash";
import * as regularFile from "../../../src/runtime/files/regular-file";
import { plainPng, useTemporaryFolders } from "../../support/data/image-files";

const regularFilePath = "../../../src/runtime/files/regular-file";
vi.mock("../../../src/runtime/files/regular-file", { spy: true });

const temporary = useTemporaryFolders();

function write(name: string, content: Uint8Array | string): string {
  const path = join(temporary.folder("images"), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const width = 40;
const height = 30;
const pixelCount = width * height;
const carmine = { r: 200, g: 10, b: 60 };

function plain(background: { r: number; g: number; b: number; alpha?: number }) {
  const channels = background.alpha === undefined ? 3 : 4;
  return sharp({ create: { width, height, channels, background } });
}

/** 16-bit samples, each pixel alike. */
function deep(samples: number[], space: "rgb16" | "grey16") {
  const values = Uint16Array.from(
    { length: pixelCount * samples.length },
    (_, i) => samples[i % samples.length]!,
  );
  return sharp(values, { raw: { width, height, channels: samples.length as 1 | 2 | 3 | 4 } }).toColourspace(
    space,
  );
}

/** A picture with detail, so that a compressed file is long enough to be cut. */
function noise(edge = 120) {
  const values = Uint8Array.from({ length: edge * edge * 3 }, (_, i) => (i * 7919 + ((i * i) >> 3)) % 256);
  return sharp(values, { raw: { width: edge, height: edge, channels: 3 } });
}

async function expectPlain(path: string, expected: number[], tolerance: number): Promise<void> {
  const pixels = await decodeImage(path, 5);
  expect(pixels).toHaveLength(5 * 5 * 3);
  for (const [index, value] of pixels.entries()) {
    expect(Math.abs(value - expected[index % 3]!), `sample ${index}: ${value}`).toBeLessThanOrEqual(
      tolerance,
    );
  }
}

describe("decodeImage, whatever comes", () => {
  const half = 128 * 257; // half transparent in 16 bits
  const kinds: [string, () => Promise<Buffer>, number[], number][] = [
    ["rgb.png", () => plain(carmine).png().toBuffer(), [200, 10, 60], 0],
    ["palette.png", () => plain(carmine).png({ palette: true }).toBuffer(), [200, 10, 60], 0],
    ["rgb.jpg", () => plain(carmine).jpeg({ quality: 100 }).toBuffer(), [200, 10, 60], 2],
    [
      "progressive.jpeg",
      () => plain(carmine).jpeg({ quality: 100, progressive: true }).toBuffer(),
      [200, 10, 60],
      2,
    ],
    ["lossless.webp", () => plain(carmine).webp({ lossless: true }).toBuffer(), [200, 10, 60], 0],
    ["lzw.tif", () => plain(carmine).tiff({ compression: "lzw" }).toBuffer(), [200, 10, 60], 0],
    ["grey.png", () => plain({ r: 90, g: 90, b: 90 }).toColourspace("b-w").png().toBuffer(), [90, 90, 90], 0],
    [
      "grey.jpg",
      () => plain({ r: 90, g: 90, b: 90 }).toColourspace("b-w").jpeg().toBuffer(),
      [90, 90, 90],
      1,
    ],
    [
      "bilevel.tif",
      () => plain({ r: 255, g: 255, b: 255 }).toColourspace("b-w").tiff({ bitdepth: 1 }).toBuffer(),
      [255, 255, 255],
      0,
    ],
    ["alpha.png", () => plain({ r: 200, g: 0, b: 100, alpha: 0.5 }).png().toBuffer(), [227, 127, 177], 1],
    [
      "grey-alpha.png",
      () => plain({ r: 100, g: 100, b: 100, alpha: 0.5 }).toColourspace("b-w").png().toBuffer(),
      [177, 177, 177],
      1,
    ],
    [
      "rgb16.png",
      () =>
        deep([200 * 257, 10 * 257, 60 * 257], "rgb16")
          .png()
          .toBuffer(),
      [200, 10, 60],
      0,
    ],
    [
      "rgb16.tiff",
      () =>
        deep([200 * 257, 10 * 257, 60 * 257], "rgb16")
          .tiff({ compression: "deflate" })
          .toBuffer(),
      [200, 10, 60],
      0,
    ],
    [
      "grey16.png",
      () =>
        deep([100 * 257], "grey16")
          .png()
          .toBuffer(),
      [100, 100, 100],
      0,
    ],
    [
      "rgba16.png",
      () =>
        deep([200 * 257, 0, 100 * 257, half], "rgb16")
          .png()
          .toBuffer(),
      [227, 127, 177],
      1,
    ],
    [
      "cmyk.jpg",
      () => plain(carmine).withIccProfile("cmyk").jpeg({ quality: 100 }).toBuffer(),
      [200, 10, 60],
      15,
    ],
    ["cmyk.tif", () => plain(carmine).withIccProfile("cmyk").tiff().toBuffer(), [200, 10, 60], 15],
    ["RGB.PNG", () => plain(carmine).png().toBuffer(), [200, 10, 60], 0],
    ["a PNG named.jpg", () => plain(carmine).png().toBuffer(), [200, 10, 60], 0],
  ];

  it.each(kinds)("decodes %s to 8-bit RGB", async (name, encode, expected, tolerance) => {
    await expectPlain(write(name, await encode()), expected, tolerance);
  });

  it("really was given the kinds that their names say", async () => {
    const read = async (name: string) => {
      const encode = kinds.find(([kind]) => kind === name)![1];
      const { format, space, depth, channels, isPalette } = await sharp(await encode()).metadata();
      return { format, space, depth, channels, isPalette };
    };
    expect(await read("cmyk.jpg")).toMatchObject({ format: "jpeg", space: "cmyk", channels: 4 });
    expect(await read("rgb16.tiff")).toMatchObject({ format: "tiff", space: "rgb16", depth: "ushort" });
    expect(await read("grey16.png")).toMatchObject({ space: "grey16", depth: "ushort", channels: 1 });
    expect(await read("grey-alpha.png")).toMatchObject({ space: "b-w", channels: 2 });
    expect(await read("palette.png")).toMatchObject({ isPalette: true });
  });

  it("turns upright what EXIF says is turned", async () => {
    // Left half red, right half blue; orientation 6 means that it must be turned clockwise: red above blue.
    const red = await plain({ r: 255, g: 0, b: 0 }).png().toBuffer();
    const wide = await plain({ r: 0, g: 0, b: 255 })
      .resize(2 * width, height, { fit: "fill" })
      .composite([{ input: red, left: 0, top: 0 }])
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const path = write("turned.jpg", wide);
    const pixels = await decodeImage(path, 10);
    const at = (row: number, column: number) => [
      ...pixels.subarray((row * 10 + column) * 3, (row * 10 + column) * 3 + 3),
    ];
    for (const column of [0, 9]) {
      expect(at(0, column)[0]).toBeGreaterThan(240);
      expect(at(9, column)[2]).toBeGreaterThan(240);
    }
    const inspection = await inspectImage(path);
    expect(inspection).toMatchObject({ ok: true, facts: { width: height, height: 2 * width } });
  });

  it("takes the first page of a TIFF with several", async () => {
    const pages = Buffer.concat([
      await plain(carmine).raw().toBuffer(),
      await plain({ r: 0, g: 255, b: 0 }).raw().toBuffer(),
    ]);
    const tiff = await sharp(pages, { raw: { width, height: 2 * height, channels: 3, pageHeight: height } })
      .tiff({ compression: "lzw" })
      .toBuffer();
    expect((await sharp(tiff).metadata()).pages).toBe(2);
    const path = write("pages.tif", tiff);
    await expectPlain(path, [200, 10, 60], 0);
    expect(await inspectImage(path)).toMatchObject({ ok: true, facts: { width, height } });
  });

  it("stretches the whole image instead of cutting from it, and averages when it shrinks", async () => {
    // Columns alternate black and white: a filter that covers what it shrinks gives grey, a sampling one black or white.
    const stripes = Uint8Array.from({ length: 64 * 16 * 3 }, (_, i) => (Math.floor(i / 3) % 2) * 255);
    const path = write(
      "stripes.png",
      await sharp(stripes, { raw: { width: 64, height: 16, channels: 3 } })
        .png()
        .toBuffer(),
    );
    for (const value of await decodeImage(path, 8)) expect(Math.abs(value - 127.5)).toBeLessThan(12);
  });

  it("gives the same bytes every time", async () => {
    const path = write("noise.png", await noise().png().toBuffer());
    const first = await decodeImage(path, 56);
    expect(await decodeImage(path, 56)).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(50);
  });
});

describe("files that can't be used", () => {
  it.each(["png", "jpeg", "webp", "tiff"] as const)(
    "notices a %s that was cut off anywhere",
    async (format) => {
      const whole = await noise()[format]().toBuffer();
      for (const share of [0.02, 0.3, 0.6, 0.9, 0.99]) {
        const path = write(`cut-${share}.${format}`, whole.subarray(0, Math.floor(whole.length * share)));
        const inspection = await inspectImage(path);
        expect(inspection, `${share} of it`).toMatchObject({ ok: false });
        await expect(decodeImage(path, 8)).rejects.toThrow(/can't be used/);
      }
      expect(await inspectImage(write(`whole.${format}`, whole))).toMatchObject({ ok: true });
    },
  );

  const reasonOf = async (path: string) => {
    const inspection = await inspectImage(path);
    return inspection.ok === false ? inspection.reason : "none";
  };

  it("says why in words, without the decoder's", async () => {
    const jpeg = await noise().jpeg().toBuffer();
    const png = await noise().png().toBuffer();
    const damaged = Buffer.from(png);
    damaged.fill(0x55, png.length / 2, png.length / 2 + 40);
    expect(await reasonOf(write("empty.png", ""))).toBe("the file is empty (0 bytes)");
    expect(await reasonOf(write("page.png", "<!DOCTYPE html>"))).toBe(
      "its content is not a PNG, JPEG, TIFF or WebP image",
    );
    expect(
      await reasonOf(write("drawing.png", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")),
    ).toBe("its content is not a PNG, JPEG, TIFF or WebP image");
    expect(
      await reasonOf(write("pointer.png", "version https://git-lfs.github.com/spec/v1\noid sha256:1")),
    ).toMatch(/Git LFS/);
    expect(await reasonOf(write("cut.jpg", jpeg.subarray(0, jpeg.length / 2)))).toBe(
      "the JPEG file is damaged or cut short",
    );
    expect(await reasonOf(write("damaged.png", damaged))).toMatch(/^the PNG file is damaged or cut short/);
    expect(await reasonOf(join(temporary.folder(), "missing.png"))).toBe("there is no such file");
    expect(await reasonOf(temporary.folder("images"))).toBe("it is a folder, not a file");
  });

  it("refuses more pixels than fit, from the header alone", async () => {
    const huge = Buffer.from(await plainPng(1, 2, 3));
    huge.writeUInt32BE(100_000, 16);
    huge.writeUInt32BE(100_000, 20);
    // The header's checksum, so that only the size is wrong.
    huge.writeUInt32BE(
      (await import("node:zlib")).crc32?.(huge.subarray(12, 29)) ?? crc32(huge.subarray(12, 29)),
      29,
    );
    expect(await reasonOf(write("huge.png", huge))).toMatch(/more than 100 million pixels/);
  });

  it("names the file and the reason when it throws", async () => {
    const path = write("empty.png", "");
    await expect(decodeImage(path, 8)).rejects.toThrow(
      `The image ${path} can't be used: the file is empty (0 bytes).`,
    );
    await expect(encodeThumbnail(path, 8)).rejects.toThrow("the file is empty");
    expect(() => decodeImage(path, 0)).toThrow(RangeError);
    const drawing = write("drawing.png", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>");
    await expect(decodeImage(drawing, 8)).rejects.toThrow("not a PNG, JPEG, TIFF or WebP image");
  });
});

/** CRC-32 as PNG uses it; zlib.crc32 came with Node 20.15 and 22.2, and its types later. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

describe("inspectImage", () => {
  it("tells size, checksum and mean colour", async () => {
    const png = await plain(carmine).png().toBuffer();
    expect(await inspectImage(write("plain.png", png))).toEqual({
      ok: true,
      facts: {
        sha256: sha256(png),
        width,
        height,
        meanColour: [200, 10, 60],
        perceptualHash: null,
        note: null,
      },
    });
  });

  it("gives the mean of a picture with detail within half a level", async () => {
    const { data } = await noise(200).raw().toBuffer({ resolveWithObject: true });
    const sums = [0, 0, 0];
    for (const [index, value] of data.entries()) sums[index % 3]! += value;
    const inspection = await inspectImage(write("noise.png", await noise(200).png().toBuffer()));
    if (inspection.ok === false) throw new Error(inspection.reason);
    for (const [channel, mean] of inspection.facts.meanColour.entries()) {
      expect(Math.abs(mean - sums[channel]! / (200 * 200))).toBeLessThan(0.5);
    }
  });
});

describe("decodePicture", () => {
  it("keeps proportions, makes smaller and never larger", async () => {
    const path = write("picture.png", await plainPng(10, 20, 30, 12, 8));
    const small = await decodePicture(path, 6);
    expect([small.width, small.height, small.pixels.length]).toEqual([6, 4, 72]);
    expect([...small.pixels.subarray(0, 3)]).toEqual([10, 20, 30]);
    const whole = await decodePicture(path, 100);
    expect([whole.width, whole.height]).toEqual([12, 8]);
    await expect(decodePicture("/none.png", 6)).rejects.toThrow(/no such file/);
    expect(() => decodePicture(path, 0)).toThrow(RangeError);
  });
});

describe("decodeBatches", () => {
  let paths: string[] = [];
  beforeAll(async () => {
    paths = [];
    for (let index = 0; index < 7; index++) {
      paths.push(write(`${index}.png`, await plainPng(index * 30, 255 - index * 30, 7)));
    }
  });

  it("decodes all images in order, the last batch smaller, as one by one", async () => {
    const batches: { start: number; count: number }[] = [];
    for await (const { pixels, start, count } of decodeBatches(paths, 4, 3)) {
      batches.push({ start, count });
      expect(pixels).toHaveLength(count * 4 * 4 * 3);
      for (let index = 0; index < count; index++) {
        const single = await decodeImage(paths[start + index]!, 4);
        expect(pixels.subarray(index * 48, (index + 1) * 48)).toEqual(single);
      }
    }
    expect(batches).toEqual([
      { start: 0, count: 3 },
      { start: 3, count: 3 },
      { start: 6, count: 1 },
    ]);
  });

  it("works ahead: the next batch waits for the decoders before the caller gets busy with this one", async () => {
    const slow = write("slow.png", await plainPng(9, 9, 9));
    const { openRegularFile: truly } = await vi.importActual<typeof regularFile>(regularFilePath);
    let letRead = () => {};
    const mayBeRead = new Promise<void>((fulfil) => {
      letRead = fulfil;
    });
    vi.mocked(regularFile.openRegularFile).mockImplementation(async (path) => {
      if (path === slow) await mayBeRead;
      return truly(path);
    });
    const batches = decodeBatches([paths[0]!, slow], 4, 1);
    let handedOver = false;
    const first = batches.next().then(() => {
      handedOver = true;
    });
    await vi.waitFor(() => expect(regularFile.openRegularFile).toHaveBeenCalledWith(slow), 60_000);
    expect(handedOver).toBe(false);
    letRead();
    await first;
    expect((await batches.next()).value?.pixels.slice(0, 3)).toEqual(Uint8Array.from([9, 9, 9]));
    vi.mocked(regularFile.openRegularFile).mockReset();
  });

  it("names the image that can't be used, after the batches before it", async () => {
    const broken = [...paths.slice(0, 4), write("broken.png", "no image")];
    const counts: number[] = [];
    await expect(async () => {
      for await (const { count } of decodeBatches(broken, 4, 2)) counts.push(count);
    }).rejects.toThrow(/broken\.png can't be used/);
    expect(counts).toEqual([2, 2]);
  });

  it("may be left early, also when the image after is broken, and yields nothing for nothing", async () => {
    const broken = [paths[0]!, write("broken.png", "no image")];
    for await (const { start } of decodeBatches(broken, 4, 1)) {
      expect(start).toBe(0);
      break;
    }
    expect((await decodeBatches([], 4, 1).next()).done).toBe(true);
    await expect(decodeBatches(paths, 4, 0).next()).rejects.toThrow(RangeError);
  });
});

describe("encodeThumbnail", () => {
  it("makes a small JPEG of the same shape, and never a larger one", async () => {
    const path = write("large.png", await plainPng(200, 10, 60, 700, 460));
    const url = await encodeThumbnail(path, 140);
    expect(url).toMatch(/^data:image\/jpeg;base64,[A-Za-z0-9+/]+=*$/);
    const thumbnail = sharp(Buffer.from(url.split(",")[1]!, "base64"));
    expect(await thumbnail.metadata()).toMatchObject({ format: "jpeg", width: 140, height: 92 });
    const small = write("small.png", await plainPng(1, 2, 3, 12, 8));
    const smallUrl = await encodeThumbnail(small, 140);
    expect((await sharp(Buffer.from(smallUrl.split(",")[1]!, "base64")).metadata()).width).toBe(12);
  });
});
