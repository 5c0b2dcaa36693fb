import { copyFileSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type BackboneChoice, loadBackbone } from "../../../src/model/backbones/backbone";
import { embedPixels } from "../../../src/model/features/features";
import { inspectOnnx } from "../../../src/model/other-backbones/onnx-file";
import type { BackboneDetails } from "../../../src/runtime/settings";
import { imagenetDetails, type OnnxNetworks, writeOnnxNetworks } from "../../support/model/onnx-networks";
import { relativeDifference } from "../../support/numbers";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("onnx");
let networks: OnnxNetworks;

const asBgr: BackboneDetails = {
  channels: "BGR",
  scale: 1,
  mean: [104, 117, 124],
  deviation: [58, 57, 57],
  interpolation: "bilinear",
};
const halved: BackboneDetails = {
  ...imagenetDetails,
  scale: 1 / 127.5,
  mean: [1, 1, 1],
  deviation: [1, 1, 1],
  inputSize: 32,
};

/** A folder of its own with one network and files beside it. */
function place(network: string, beside: Record<string, unknown> = {}): string {
  const home = join(folder, `home-${Math.random().toString(36).slice(2)}`);
  mkdirSync(home);
  copyFileSync(join(folder, `${network}.onnx`), join(home, "network.onnx"));
  for (const [name, json] of Object.entries(beside)) writeFileSync(join(home, name), JSON.stringify(json));
  return home;
}

const load = (backbone: string, choice: Partial<BackboneChoice> = {}) =>
  loadBackbone({ backbone, weights: null, ...choice });

async function featuresOf(backbone: string, choice: Partial<BackboneChoice> = {}) {
  const loaded = await load(backbone, choice);
  try {
    return await embedPixels(loaded.backbone, networks.pixels, networks.count);
  } finally {
    loaded.backbone.dispose();
  }
}

beforeAll(() => {
  networks = writeOnnxNetworks(folder);
});

describe("features of an ONNX file", () => {
  const timm = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], input_size: [3, 32, 32] };
  const interpolated = { ...timm, interpolation: "bicubic" };
  const huggingFace = {
    do_rescale: true,
    rescale_factor: 1 / 127.5,
    do_normalize: true,
    image_mean: [1, 1, 1],
    image_std: [1, 1, 1],
    resample: 2,
    size: { height: 32, width: 32 },
  };

  it.each([
    ["planar", "timm's config.json", { "config.json": { pretrained_cfg: interpolated } }, 32],
    ["planar", "an older config.json of timm's", { "config.json": interpolated }, 32],
    ["planar", "backbone.json", { "backbone.json": imagenetDetails }, 32],
    ["fixed", "a file of the network's own", { "network.backbone.json": imagenetDetails }, 32],
    ["open", "Hugging Face's preprocessor_config.json", { "preprocessor_config.json": huggingFace }, 32],
    ["open", "backbone.json", { "backbone.json": halved }, 32],
  ])(
    "of %s are those of the reference implementation, prepared as %s says",
    async (network, _, beside, size) => {
      const home = place(network, beside);
      const expected = networks.expected(network, "features");
      // Random images differ, so agreeing means more than answering the same for all.
      expect(relativeDifference(expected.subarray(0, 6), expected.subarray(6, 12))).toBeGreaterThan(0.01);
      expect(relativeDifference(await featuresOf(join(home, "network.onnx")), expected)).toBeLessThan(1e-5);
      // The folder will do where there is one network in it.
      const { backbone, explanation } = await load(home);
      expect(backbone).toMatchObject({
        name: "network.onnx",
        inputSize: size,
        featureWidth: 6,
        parameterCount: 1158,
      });
      expect(explanation).toMatch(
        /^network\.onnx, a network of the user's .*: 6 features, "features", of 32 × 32 pixels/,
      );
      backbone.dispose();
    },
  );

  const mean =
    (tokens: number, from = 0) =>
    (values: Float32Array) =>
      Float32Array.from({ length: 6 * 6 }, (_, i) => {
        const [image, channel] = [Math.floor(i / 6), i % 6];
        let sum = 0;
        for (let token = from; token < tokens; token++)
          sum += values[(image * tokens + token) * 6 + channel]!;
        return sum / (tokens - from);
      });
  const first = (values: Float32Array) =>
    Float32Array.from({ length: 36 }, (_, i) => values[Math.floor(i / 6) * 17 * 6 + (i % 6)]!);
  const both = (values: Float32Array) => {
    const [token, patches] = [first(values), mean(17, 1)(values)];
    return Float32Array.from({ length: 72 }, (_, i) => {
      const at = Math.floor(i / 12) * 6 + (i % 6);
      return i % 12 < 6 ? token[at]! : patches[at]!;
    });
  };
  it.each([
    ["cells", "mean", {}, mean(16)],
    ["tokens", "mean", {}, mean(17)],
    ["tokens", "class-token", {}, first],
    ["tokens", "mean-of-patches", { prefixTokens: 1 }, mean(17, 1)],
    ["tokens", "class-token-and-mean-of-patches", { prefixTokens: 1 }, both],
  ] as const)("are made of %s by %s", async (output, pooling, more, pool) => {
    const details = { ...asBgr, output, pooling, ...more };
    const found = await featuresOf(join(folder, "interleaved.onnx"), { backboneDetails: details });
    expect(relativeDifference(found, pool(networks.expected("interleaved", output)))).toBeLessThan(1e-5);
  });

  it.each(["planar", "fixed"])(
    "of an image are the same bits alone and among others (%s)",
    async (network) => {
      const { backbone } = await load(join(folder, `${network}.onnx`), { backboneDetails: imagenetDetails });
      const together = await embedPixels(backbone, networks.pixels, networks.count);
      for (let image = 0; image < networks.count; image++) {
        const length = networks.pixels.length / networks.count;
        const alone = await embedPixels(
          backbone,
          networks.pixels.subarray(image * length, (image + 1) * length),
          1,
        );
        expect(Buffer.from(alone.buffer)).toEqual(
          Buffer.from(together.slice(image * 6, (image + 1) * 6).buffer),
        );
      }
      backbone.dispose();
      await expect(embedPixels(backbone, networks.pixels, networks.count)).rejects.toThrow(/disposed/);
    },
  );
});

describe("what is not said of a network", () => {
  it("is asked for in one sentence that says where to write it", async () => {
    await expect(load(join(folder, "planar.onnx"))).rejects.toThrow(
      /^How planar\.onnx makes features of an image is not said: write "channels" \(RGB or BGR\), "scale" .*, "mean" .*, "deviation" .*, "interpolation" \(bicubic or bilinear\) into .*\/backbone\.json, or into the setting backboneDetails \(docs\/other-backbones\.md\)\.$/,
    );
    const several = load(join(folder, "interleaved.onnx"), { backboneDetails: asBgr });
    await expect(several).rejects.toThrow(
      /write "output" \(one of cells \[any, 4, 4, 6\], tokens \[any, 17, 6\]\), "pooling" \(how it becomes one row\) into/,
    );
    const tokens = load(join(folder, "interleaved.onnx"), {
      backboneDetails: { ...asBgr, output: "tokens" },
    });
    await expect(tokens).rejects.toThrow(/write "pooling" \(mean, class-token, mean-of-patches, .*\) into/);
    const patches: BackboneDetails = { ...asBgr, output: "tokens", pooling: "mean-of-patches" };
    await expect(load(join(folder, "interleaved.onnx"), { backboneDetails: patches })).rejects.toThrow(
      /write "prefixTokens" \(tokens before those of the patches\) into/,
    );
    const { inputSize: _, ...sizeless } = halved;
    await expect(load(join(folder, "open.onnx"), { backboneDetails: sizeless })).rejects.toThrow(
      /write "inputSize"/,
    );
  });

  it("is not guessed from a file that does not say it", async () => {
    const noRescale = {
      image_mean: [0, 0, 0],
      image_std: [1, 1, 1],
      do_normalize: true,
      resample: 3,
      size: 32,
    };
    await expect(load(place("planar", { "preprocessor_config.json": noRescale }))).rejects.toThrow(
      /: write "scale" \([^)]*\) into/,
    );
    const lanczos = { mean: [0, 0, 0], std: [1, 1, 1], interpolation: "lanczos" };
    await expect(load(place("planar", { "config.json": lanczos }))).rejects.toThrow(
      /: write "interpolation" \(/,
    );
  });

  it("goes by the settings, then our file, then others'", async () => {
    const config = {
      pretrained_cfg: { mean: [9, 9, 9], std: [1, 1, 1], interpolation: "bilinear", crop_pct: 0.9 },
    };
    const own = { mean: [5, 5, 5], deviation: [2, 2, 2] };
    const home = place("planar", { "config.json": config, "backbone.json": own });
    const { backbone, explanation } = await load(home, { backboneDetails: { mean: [1, 1, 1] } });
    expect(backbone.recipe).toEqual({
      ...{
        format: "onnx",
        inputSize: 32,
        layout: "NCHW",
        channels: "RGB",
        scale: 1 / 255,
        output: "features",
      },
      ...{
        mean: [1, 1, 1],
        deviation: [2, 2, 2],
        interpolation: "bilinear",
        pooling: "none",
        prefixTokens: 0,
      },
    });
    expect(explanation).toMatch(/crop_pct 0\.9\); here the whole image is stretched instead\.$/);
    backbone.dispose();
  });

  it("is refused where the graph says otherwise", async () => {
    const refusals: [string, Partial<BackboneChoice>, RegExp][] = [
      [
        "planar",
        { inputSize: 64, backboneDetails: imagenetDetails },
        /takes images of 32 × 32 pixels and no others; inputSize asks for 64/,
      ],
      ["planar", { backboneDetails: { ...imagenetDetails, layout: "NHWC" } }, /takes NCHW, by its own graph/],
      [
        "planar",
        { backboneDetails: { ...imagenetDetails, output: "logits" } },
        /has no output "logits"; it has features/,
      ],
      [
        "planar",
        { backboneDetails: { ...imagenetDetails, pooling: "mean" } },
        /The pooling "mean" does not fit "features"/,
      ],
      [
        "open",
        { backboneDetails: { ...halved, inputSize: 2048 } },
        /from 32 to 1024|takes images of 2048 pixels/,
      ],
      ["two-inputs", {}, /takes images and nothing else, and .* has 2 inputs \(pixels, mask\)/],
      [
        "bytes-in",
        { backboneDetails: imagenetDetails },
        /takes images as float32, .* takes uint8 of shape \[any, 3, 32, 32\]/,
      ],
      [
        "oblong",
        { backboneDetails: imagenetDetails },
        /takes images of 64 × 32 pixels, and here all are stretched to a square/,
      ],
      ["planar", { weights: "resnet.h5" }, /weights names a file for ResNet50/],
    ];
    for (const [network, choice, reason] of refusals) {
      await expect(load(join(folder, `${network}.onnx`), choice)).rejects.toThrow(reason);
    }
    const ours = load("efficientnet-lite0", { backboneDetails: imagenetDetails });
    await expect(ours).rejects.toThrow(/the backbone is one of ours/);
  });

  it("is said wrongly in a sentence that names the file", async () => {
    const bad = place("planar", { "backbone.json": { ...imagenetDetails, mean: [1, 2], colour: "red" } });
    await expect(load(bad)).rejects.toThrow(
      /backbone\.json can't be used: mean takes three numbers, and \[1,2\] was given; "colour" is no setting, which are inputSize/,
    );
    const home = place("planar");
    writeFileSync(join(home, "config.json"), "{");
    await expect(load(home)).rejects.toThrow(/config\.json is damaged: it holds no JSON object/);
  });
});

describe("files of an ONNX network", () => {
  it("may lie beside it, and are part of its checksum", async () => {
    const details = { backboneDetails: imagenetDetails };
    const home = join(folder, "moved");
    cpSync(join(folder, "beside"), home, { recursive: true });
    const one = await load(join(folder, "beside"), details);
    const other = await load(join(home, "network.onnx"), details);
    expect(other.backbone.weights).toEqual(one.backbone.weights);
    const planar = await load(join(folder, "planar.onnx"), details);
    expect(one.backbone.parameterCount).toBe(planar.backbone.parameterCount);
    for (const { backbone } of [one, other, planar]) backbone.dispose();
    const weights = Buffer.alloc(4632, 1);
    writeFileSync(join(home, "weights.bin"), weights);
    const changed = await load(home, details);
    expect(changed.backbone.weights.sha256).not.toBe(one.backbone.weights.sha256);
    changed.backbone.dispose();
  });

  it("are not drawn in from anywhere else", async () => {
    await expect(load(join(folder, "climbing.onnx"))).rejects.toThrow(
      /climbing\.onnx draws in "\.\.\/planar\.onnx", outside of its folder, so it is not opened\./,
    );
    await expect(load(join(folder, "absolute.onnx"))).rejects.toThrow(
      /draws in ".*planar\.onnx", outside of its folder/,
    );
    await expect(load(join(folder, "hidden.onnx"))).rejects.toThrow(
      /draws in "\.\.\/\.\.\/etc\/hostname", outside/,
    );
    await expect(load(join(folder, "missing.onnx"))).rejects.toThrow(
      /keeps weights in missing\.bin, which is not beside it/,
    );
    const linked = join(folder, "linked");
    cpSync(join(folder, "beside"), linked, { recursive: true });
    rmSync(join(linked, "weights.bin"));
    symlinkSync(join(folder, "beside", "weights.bin"), join(linked, "weights.bin"));
    await expect(load(linked)).rejects.toThrow(
      /draws in weights\.bin, a link that leads out of its folder, .*cp -L/,
    );
  });

  it("are refused where they are none, or more than one", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    await expect(load(empty)).rejects.toThrow(/holds no backbone that can be opened: expected an ONNX file/);
    await expect(load(folder)).rejects.toThrow(
      /holds several networks, absolute\.onnx, .*: give the path of one of them/,
    );
    await expect(load(join(folder, "nothing.onnx"))).rejects.toThrow(
      /There is no backbone at .*nothing\.onnx: give "auto"/,
    );
    await expect(load(join(folder, "pixels.bin"))).rejects.toThrow(/is no backbone that can be opened/);
    const details = { backboneDetails: imagenetDetails };
    await expect(load(join(folder, "unknown-step.onnx"), details)).rejects.toThrow(
      /ONNX Runtime can't open .*unknown-step\.onnx: .*NoSuchStep/,
    );
    for (const bytes of [Buffer.alloc(0), Buffer.from("not a network"), Buffer.alloc(100, 0xff)]) {
      expect(() => inspectOnnx(bytes, "odd.onnx")).toThrow(/odd\.onnx is no ONNX file, or damaged/);
    }
  });
});
