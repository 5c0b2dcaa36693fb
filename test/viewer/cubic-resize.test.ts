import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../src/data/images/images";
import { createRandom } from "../../src/runtime/random";
import { stretchToSquare } from "../../viewer/cubic-resize";
import { breakhisSample, hasSharedData } from "../support/data/shared-data";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("cubic-resize");

/** Noise shows every rounding; smooth images would not. */
async function drawNoise(width: number, height: number): Promise<{ file: string; pixels: Uint8Array }> {
  const random = createRandom(width * 1000 + height);
  const pixels = Uint8Array.from({ length: width * height * 3 }, () => random.integer(256));
  const file = join(home, `${width}x${height}.png`);
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(file);
  return { file, pixels };
}

describe("stretchToSquare gives sharp's very pixels", () => {
  it.each([
    // As in BreaKHis, IDC, and where whole pixels are averaged first.
    [700, 460, 224],
    [500, 328, 224],
    [50, 50, 224],
    [1300, 900, 128],
    [700, 460, 33],
    // Along one axis only, by a pixel, not at all; a line.
    [224, 100, 224],
    [100, 300, 224],
    [300, 100, 224],
    [223, 225, 224],
    [224, 224, 224],
    [400, 1, 64],
  ])("%i × %i to %i", async (width, height, size) => {
    const { file, pixels } = await drawNoise(width, height);
    const found = stretchToSquare(pixels, width, height, size);
    expect(Buffer.compare(found, await decodeImage(file, size))).toBe(0);
  });

  it.skipIf(!hasSharedData)("of a photograph", async () => {
    const file = join(breakhisSample, "malignant", "SOB_M_DC-14-2980-40-001.png");
    const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const found = stretchToSquare(data, info.width, info.height, 224);
    expect(Buffer.compare(found, await decodeImage(file, 224))).toBe(0);
  });
});
