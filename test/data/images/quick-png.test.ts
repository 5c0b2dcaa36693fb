import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { withPixels } from "../../../src/data/images/decode-pixels";
import { createRandom } from "../../../src/runtime/random";
import { breakhisSample, hasSharedData, sharedDataFolder } from "../../support/data/shared-data";

/** What sharp alone makes of a file; null where it refuses it. */
const sharps = (bytes: Uint8Array) =>
  sharp(bytes, { failOn: "warning", ignoreIcc: true })
    .toColourspace("srgb")
    .raw()
    .toBuffer()
    .catch(() => null);

async function expectTheSame(bytes: Buffer, name: string): Promise<void> {
  const [found, expected] = [await withPixels(bytes, async ({ rgb }) => rgb), await sharps(bytes)];
  expect(found.ok, name).toBe(expected !== null);
  if (found.ok === true) expect(Buffer.compare(found.value, expected!), name).toBe(0);
}

const random = createRandom(11);

/** A PNG of noise and of plain parts, written in one of many ways. */
function drawPng(round: number): Promise<Buffer> {
  const [width, height] = [1 + random.integer(90), 1 + random.integer(70)];
  const plain = random.integer(256);
  const noisy = Array.from({ length: height }, () => random.integer(2) === 1);
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    noisy[Math.floor(i / 3 / width)] ? random.integer(256) : plain,
  );
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({
      compressionLevel: random.integer(10),
      adaptiveFiltering: round % 2 === 0,
      progressive: round % 3 === 0,
    })
    .toBuffer();
}

describe("ordinary PNGs", () => {
  it("are decoded to sharp's very bytes, however they were written", async () => {
    for (let round = 0; round < 300; round++) await expectTheSame(await drawPng(round), `round ${round}`);
  });

  it("that are damaged or cut off anywhere are refused where sharp refuses them, and read where it reads them", async () => {
    for (let round = 0; round < 300; round++) {
      const whole = await drawPng(round);
      const cut = round % 2 === 0 ? whole.length - random.integer(20) : random.integer(whole.length);
      const bytes = Buffer.from(whole.subarray(0, cut));
      const at = 33 + random.integer(Math.max(1, bytes.length - 33));
      if (round % 3 === 0 && at < bytes.length) bytes[at]! ^= 1 << random.integer(8);
      await expectTheSame(bytes, `round ${round}`);
    }
  });

  it.skipIf(!hasSharedData)("of BreaKHis and IDC are decoded to sharp's very bytes", async () => {
    const folders = [join(breakhisSample, "benign"), join(sharedDataFolder, "idc-sample", "10254", "0")];
    for (const folder of folders) {
      const files = readdirSync(folder).slice(0, 40);
      for (const file of files) await expectTheSame(readFileSync(join(folder, file)), file);
    }
  });
});
