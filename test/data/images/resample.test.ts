import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../src/data/images/images";
import { stretchBicubically, stretchBilinearly } from "../../../src/data/images/resample";
import { sha256 } from "../../../src/runtime/cache/content-hash";
import { hasKeras, runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("resample");

const draw = (width: number, height: number) =>
  Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919 + Math.floor((i * i) / 8)) % 256);

describe("stretchBicubically", () => {
  // Of Pillow 13.0.0: Image.fromarray(a).resize((size, size), Image.BICUBIC), a drawn as above.
  it.each([
    [50, 50, 224, "8f41544af098cad7e11233d82f7bf371a03cfbd839db7d8030b7fe6ca0a69e69"],
    [50, 50, 112, "3291cb3d2fdd1ca9b9a58f69bb832e699c8c2c7961f469ba4ef7be1dc5cf18b6"],
    [100, 300, 224, "ed584c34d4d6e6b84c1706142b6db72f27d9f8d323e3b27e9f6879be8518d844"],
    [400, 1, 64, "8755ba21d0b8d0d8c20132f11658799794bae8134bbc11780a61c1a530f88195"],
    [33, 70, 96, "988bd9bb8f8a97e61bd02d133b5037976fb2e93ca39a71ae123779ffe4e990fd"],
  ] as const)("gives Pillow's very bytes: %i × %i to %i", (width, height, size, expected) => {
    expect(sha256(stretchBicubically(draw(width, height), width, height, size))).toBe(expected);
  });

  it.skipIf(!hasKeras)("gives TensorFlow's picture but for the rounding between its two passes", () => {
    const [width, height, size] = [50, 40, 112];
    // Smooth, so that nothing is cut off at 0 and 255 between the passes.
    const smooth = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return 128 + 80 * Math.sin((pixel % width) / 3 + (i % 3)) * Math.cos(Math.floor(pixel / width) / 4);
    });
    const program = `
import json, sys, numpy as np, tensorflow as tf
width, height, size, values = json.load(sys.stdin)
image = np.asarray(values, np.uint8).reshape(height, width, 3)
print(json.dumps(np.asarray(tf.image.resize(image, [size, size], "bicubic", antialias=True)).ravel().tolist()))`;
    const theirs = JSON.parse(runPython(program, [], JSON.stringify([width, height, size, [...smooth]])));
    const ours = stretchBicubically(smooth, width, height, size);
    const off = Math.max(...Array.from(ours, (value, i) => Math.abs(value - theirs[i])));
    expect(off).toBeLessThan(1.1);
  });

  it("is what decodeImage enlarges by, and where nothing becomes longer it is sharp's", async () => {
    const write = async (width: number, height: number) => {
      const file = join(home, `${width}x${height}.png`);
      await sharp(draw(width, height), { raw: { width, height, channels: 3 } }).toFile(file);
      return file;
    };
    expect(await decodeImage(await write(50, 50), 112)).toEqual(
      stretchBicubically(draw(50, 50), 50, 50, 112),
    );
    const file = await write(300, 200);
    const sharps = await sharp(file).resize(112, 112, { fit: "fill", kernel: "cubic" }).raw().toBuffer();
    expect(Buffer.compare(await decodeImage(file, 112), sharps)).toBe(0);
  });
});

describe("stretchBilinearly", () => {
  it.each([
    [50, 50, 224],
    [100, 300, 224],
    [400, 1, 64],
    [700, 460, 224],
    [230, 2000, 224],
  ])("gives Pillow's very bytes: %i × %i to %i", async (width, height, size) => {
    const program = `
import sys, numpy as np
from PIL import Image
width, height, size = map(int, sys.argv[1:])
i = np.arange(width * height * 3, dtype=np.int64)
image = ((i * 7919 + i * i // 8) % 256).astype(np.uint8).reshape(height, width, 3)
print(np.asarray(Image.fromarray(image).resize((size, size), Image.BILINEAR)).tobytes().hex())`;
    const theirs = Buffer.from(runPython(program, [width, height, size].map(String)).trim(), "hex");
    const ours = stretchBilinearly(draw(width, height), width, height, size);
    expect(Buffer.compare(ours, theirs)).toBe(0);
    const file = join(home, `${width}-${height}.png`);
    await sharp(draw(width, height), { raw: { width, height, channels: 3 } }).toFile(file);
    expect(await decodeImage(file, size, "bilinear")).toEqual(ours);
  });
});
