import { join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { decodeImage } from "../../../src/data/images/images";
import { sha256 } from "../../../src/runtime/cache/content-hash";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("kept-bytes");

const draw = (width: number, height: number, channels: 3 | 4) =>
  sharp(
    Uint8Array.from(
      { length: width * height * channels },
      (_, i) => (i * 7919 + Math.floor((i * i) / 8)) % 256,
    ),
    { raw: { width, height, channels } },
  );

/** Files whose pixels were right before they were understood from their own description (version 2 of the features). */
const kinds = {
  "breakhis.png": () => draw(700, 460, 3).png(),
  "averaged-first.png": () => draw(1500, 1000, 3).png(),
  "grey.png": () => draw(300, 250, 3).toColourspace("b-w").png(),
  "partly-clear.png": () => draw(300, 250, 4).png(),
  "srgb-profile.png": () => draw(300, 250, 3).withIccProfile("srgb").png(),
  "photograph.jpg": () => draw(700, 460, 3).jpeg({ quality: 90 }),
  "lossy.webp": () => draw(300, 250, 3).webp({ quality: 90 }),
  "strips.tif": () => draw(300, 250, 3).tiff({ compression: "lzw" }),
};

/** Of what commit 93302ec decoded. */
const checksums: Record<keyof typeof kinds, string> = {
  "breakhis.png": "beb31fe58fe4dbd6",
  "averaged-first.png": "322d1723d0cdddf5",
  "grey.png": "77b1a1a4fd786468",
  "partly-clear.png": "1a98bb09c31a43b9",
  "srgb-profile.png": "c0d782f8e781ec37",
  "photograph.jpg": "cc6c94a57ce408e6",
  "lossy.webp": "0b1fde359216221c",
  "strips.tif": "c0d782f8e781ec37",
};

it.each(Object.keys(kinds) as (keyof typeof kinds)[])(
  "%s is decoded to the bytes that it always was",
  async (name) => {
    const path = join(home, name);
    await kinds[name]().toFile(path);
    expect(sha256(await decodeImage(path, 224)).slice(0, 16)).toBe(checksums[name]);
  },
);
