import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "../../src/data/images/images";
import type { AboutExport } from "../../src/export/about-export";
import { callExample } from "../../src/export/call-example";
import type { FileKind } from "../support/data/drawn-pattern";
import { otherKinds } from "../support/data/other-kinds";
import { pngKinds } from "../support/data/png-kinds";
import { tiffKinds } from "../support/data/tiff-kinds";
import { runPython } from "../support/python";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("card-pixels");
/** All but one kind are enlarged to it, by the same formula. */
const size = 96;
/** Pillow 13.0 compares a transparent grey of 4 bits with those it has scaled to 8 already, and finds none. */
const pillowsFault = "grey4-key.png";
/** Kinds that breakhis-lab reads: what it leaves out, nobody should ask about. */
const kinds: readonly FileKind[] = [...pngKinds, ...otherKinds, ...tiffKinds].filter(
  ({ name, expected }) => !(expected instanceof RegExp) && name !== pillowsFault,
);
const isTiff = ({ name }: FileKind) => name.endsWith(".tif");
/** TIFFs that the example reads: one page of 8-bit RGB. */
const readTiffs = [
  "rgb.tif",
  "lzw.tif",
  "deflate.tif",
  "packbits.tif",
  "tiled.tif",
  "srgb-profile.tif",
  "big.tif",
];

/** The example's reader, from a model card, over many files; what it refuses is null. */
function readLikeTheCard(): void {
  const about = { input: { shape: [null, 96, 96, 3] }, classes: ["a", "b"], positiveClass: null };
  const { code } = callExample({ ...about, modelFormat: "onnx" } as unknown as AboutExport);
  const reader = code.slice(0, code.indexOf("about = json.load")).replace("import onnxruntime\n", "");
  const program = `${reader}
import sys
names, size, home = json.load(sys.stdin)
refused = []
for name in names:
    try:
        read_image(f"{home}/{name}", size).tofile(f"{home}/{name}.pixels")
    except ValueError as error:
        refused.append([name, str(error)])
print(json.dumps(refused))`;
  const names = kinds.map(({ name }) => name);
  refused = new Map(JSON.parse(runPython(program, [], JSON.stringify([names, size, home]))));
}

let refused = new Map<string, string>();

describe("the example of a model card", () => {
  beforeAll(async () => {
    for (const { name, encode } of kinds) writeFileSync(join(home, name), await encode());
    readLikeTheCard();
  });

  it.each(kinds.map((kind) => [kind.name, kind] as const))(
    "reads %s as breakhis-lab does",
    async (name, kind) => {
      if (isTiff(kind) && !readTiffs.includes(name)) {
        expect(refused.get(name)).toMatch(/convert it to PNG/);
        return;
      }
      expect(refused.get(name)).toBeUndefined();
      const theirs = readFileSync(join(home, `${name}.pixels`));
      const ours = await decodeImage(join(home, name), size);
      const off = Array.from(ours, (value, i) => Math.abs(value - theirs[i]!));
      // Pillow's lossy decoders, its profiles and its alpha round otherwise; libvips' weights are coarser when shrinking.
      const mean = off.reduce((sum, value) => sum + value, 0) / off.length;
      expect(mean).toBeLessThan(name === "large.jpg" ? 2 : 0.6);
    },
  );
});
