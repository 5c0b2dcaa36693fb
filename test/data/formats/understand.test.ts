import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { imageFormatOf } from "../../../src/data/formats/image-format";
import { understandImage } from "../../../src/data/formats/understand";
import { withPixels } from "../../../src/data/images/decode-pixels";
import { inspectImage } from "../../../src/data/images/images";
import { drawPattern, type FileKind, patternHeight, patternWidth } from "../../support/data/drawn-pattern";
import { otherKinds } from "../../support/data/other-kinds";
import { pngKinds } from "../../support/data/png-kinds";
import { encodeTiff } from "../../support/data/tiff-file";
import { tiffKinds } from "../../support/data/tiff-kinds";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("formats");
const kinds: readonly FileKind[] = [...pngKinds, ...otherKinds, ...tiffKinds];

const decode = (bytes: Buffer) => withPixels(bytes, async (pixels) => pixels);

/** Where two pictures differ by more than they may, if anywhere. */
function firstDifference(found: Uint8Array, expected: ArrayLike<number>, tolerance: number) {
  const at = found.findIndex((value, i) => Math.abs(value - expected[i]!) > tolerance);
  return at < 0 ? null : { at, found: found[at], expected: expected[at] };
}

describe("an image's numbers", () => {
  it.each(kinds.map((kind) => [kind.name, kind] as const))("%s", async (_, kind) => {
    const outcome = await decode(await kind.encode());
    if (kind.expected instanceof RegExp) {
      expect(outcome).toEqual({ ok: false, reason: expect.stringMatching(kind.expected) });
      return;
    }
    if (outcome.ok === false) throw new Error(outcome.reason);
    const { rgb, note } = outcome.value;
    expect(note).toBeNull();
    if (kind.expected === null) return;
    expect(rgb.length).toBe(kind.expected.length);
    expect(firstDifference(rgb, kind.expected, kind.tolerance ?? 0)).toBeNull();
  });

  it("are understood from the file alone, and never guessed", () => {
    expect(new Set(kinds.map(({ name }) => name)).size).toBe(kinds.length);
    expect(kinds.filter(({ expected }) => expected instanceof RegExp).length).toBeGreaterThan(20);
  });

  it.each([
    [4095, "12 bits?"],
    [1023, "10 bits?"],
    [255, "8 bits?"],
  ])("of 16 bits that reach only %i are told of", async (most, guess) => {
    const at = (pixel: number, channel: number) => (pixel * 3 + channel) % (most + 1);
    const data = Buffer.from(Uint16Array.from(drawPattern(3, at)).buffer);
    const page = { width: patternWidth, height: patternHeight, data, bits: 16, channels: 3, photometric: 2 };
    const outcome = await decode(encodeTiff([page]));
    if (outcome.ok === false) throw new Error(outcome.reason);
    expect(outcome.value.note).toMatch(/so it is near-black; /);
    expect(outcome.value.note).toContain(guess);
    const path = join(home, `${most}.tif`);
    writeFileSync(path, encodeTiff([page]));
    expect(await inspectImage(path)).toMatchObject({ ok: true, facts: { note: outcome.value.note } });
  });
});

describe("understandImage", () => {
  it("never throws, whatever becomes of a file", async () => {
    const files = await Promise.all(kinds.map(async ({ encode }) => encode()));
    const damage = fc.record({
      file: fc.nat(files.length - 1),
      keep: fc.double({ min: 0, max: 1, noNaN: true }),
      changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
    });
    fc.assert(
      fc.property(damage, ({ file, keep, changes }) => {
        const bytes = Buffer.from(files[file]!.subarray(0, Math.ceil(files[file]!.length * keep)));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const understood = understandImage(bytes);
        if (understood.ok === false) expect(understood.reason.length).toBeGreaterThan(5);
      }),
      { numRuns: 1500, seed: 1 },
    );
  });

  it("takes nothing for an image that does not begin as one", () => {
    expect(imageFormatOf(new Uint8Array())).toBeNull();
    expect(understandImage(Buffer.from("BM, a bitmap of Windows"))).toEqual({
      ok: false,
      reason: "its content is not a PNG, JPEG, TIFF or WebP image",
    });
  });
});
