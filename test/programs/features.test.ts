import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { openDataset } from "../../src/data/dataset";
import { loadBackbone } from "../../src/model/backbones/backbone";
import { extractFeatures } from "../../src/model/features/features";
import { projectRoot } from "../../src/runtime/paths";
import { drawImages } from "../support/data/drawn-images";
import { inMemory } from "../support/model/values-in-memory";
import { relativeDifference } from "../support/numbers";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("features-program");
const images = join(folder, "images");
const tsx = join(projectRoot(), "node_modules", "tsx", "dist", "cli.mjs");

/** Runs the program with a cache of its own, so that it computes what it writes. */
function runProgram(args: string[], { cache = "cache", ...env }: Record<string, string> = {}) {
  return spawnSync(process.execPath, [tsx, join(projectRoot(), "scripts", "features.ts"), ...args], {
    encoding: "utf8",
    env: { ...process.env, BREAKHIS_CACHE: join(folder, cache), ...env },
  });
}

/** The values that the program wrote. */
function readValues(out: string, count: number): Float32Array {
  const data = readFileSync(`${out}.npy`).subarray(-4 * count);
  return new Float32Array(Uint8Array.from(data).buffer);
}

beforeAll(async () => {
  mkdirSync(join(images, "benign"), { recursive: true });
  mkdirSync(join(images, "malignant"));
  const [width, height, channels] = [48, 48, 3] as const;
  const pixels = drawImages(3, width);
  const raw = (index: number) =>
    pixels.subarray(index * width * height * 3, (index + 1) * width * height * 3);
  const files = [
    "benign/SOB_B_A-14-22549AB-100-001.png",
    "benign/other.png",
    "malignant/SOB_M_DC-14-2523-40-003.png",
  ];
  for (const [index, file] of files.entries()) {
    await sharp(raw(index), { raw: { width, height, channels } }).png().toFile(join(images, file));
  }
  writeFileSync(join(images, "malignant", "broken.png"), "no image");
  // It would rename the terminal's window and clear it.
  writeFileSync(join(images, "malignant", "\u001b]0;owned\u0007\u001b[2Jz.png"), "no image");
});

describe("npm run features", () => {
  it("writes what extractFeatures computes, and lists what it left out", async () => {
    const out = join(folder, "out", "small");
    const choice = ["--backbone", "efficientnet-lite0", "--input-size", "48"];
    const result = runProgram([images, ...choice, "--out", out]);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stderr).toMatch(/Left out: malignant\/broken\.png: /);
    expect(result.stderr).toContain("Left out: malignant/\\u001b]0;owned\\u0007\\u001b[2Jz.png: ");
    expect(result.stderr + result.stdout).not.toContain("\u001b");
    expect(result.stdout).toMatch(/EfficientNet-Lite0 .*, as asked for\.\n3 images computed/);
    const { backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize: 48 });
    const values = inMemory((await extractFeatures(await openDataset(images), backbone)).values);
    backbone.dispose();
    expect(readValues(out, values.length)).toEqual(values);
    const lines = readFileSync(`${out}.csv`, "utf8").trim().split("\n");
    expect(lines.length).toBe(4);
    expect(lines[1]).toMatch(
      /^benign\/SOB_B_A-14-22549AB-100-001\.png,0,benign,A,22549AB,22549,100,2014,48,48,/,
    );
    expect(lines[3]).toMatch(/^malignant\/SOB_M_DC-14-2523-40-003\.png,1,malignant,DC,2523,2523,40,/);
  });

  it("computes the same where TensorFlow has no oneDNN, whose fused operations it takes otherwise", () => {
    const values = ["1", "0"].map((TF_ENABLE_ONEDNN_OPTS) => {
      const out = join(folder, "out", `onednn-${TF_ENABLE_ONEDNN_OPTS}`);
      const args = [images, "--backbone", "efficientnet-lite0", "--input-size", "48", "--out", out];
      const result = runProgram(args, { cache: `cache-${TF_ENABLE_ONEDNN_OPTS}`, TF_ENABLE_ONEDNN_OPTS });
      expect(result.status, result.stderr).toBe(0);
      expect(result.stdout).toContain("3 images computed");
      return readValues(out, 3 * 1280);
    });
    expect(relativeDifference(values[1]!, values[0]!)).toBeLessThan(1e-5);
  });

  it.each([
    [["/nowhere/at/all"], /\/nowhere\/at\/all/],
    [[images, "--weights", "/nowhere.h5"], /no file of weights at \/nowhere\.h5/],
    [
      [images, "--backbone", "vgg"],
      /There is no backbone at .*vgg: give "auto", "resnet50", "efficientnet-lite0"/,
    ],
    [[images, "--input-size", "big"], /Expected a whole number/],
  ])("fails in one sentence for %j", (args, sentence) => {
    const result = runProgram([...args, "--out", join(folder, "never")]);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it("tries its target before it looks at any image", () => {
    mkdirSync(join(folder, "taken.npy"));
    for (const [out, sentence] of [
      ["/dev/null/x", /\/dev\/null\/x\.npy can't be written: a part of its path is a file/],
      [join(folder, "taken"), /taken\.npy can't be written: it is a folder/],
    ] as const) {
      const result = runProgram(["/nowhere/at/all", "--out", out]);
      expect(result.status).toBe(1);
      expect(result.stderr).toMatch(sentence);
    }
  });
});
