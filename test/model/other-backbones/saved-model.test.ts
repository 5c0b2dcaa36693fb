import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadBackbone } from "../../../src/model/backbones/backbone";
import { embedPixels } from "../../../src/model/features/features";
import { inspectSavedModel } from "../../../src/model/other-backbones/saved-model-file";
import { countNativeSessions, countNativeValues } from "../../../src/runtime/native/native-backend";
import { drawImages } from "../../support/data/drawn-images";
import { imagenetDetails } from "../../support/model/onnx-networks";
import { relativeDifference } from "../../support/numbers";
import { hasKeras, runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const program = readFileSync(join(__dirname, "../../support/model/saved_models.py"), "utf8");
const folder = temporaryFolder("saved-models");
const pixels = drawImages(11, 32);
const load = (name: string) =>
  loadBackbone({ backbone: join(folder, name), weights: null, backboneDetails: imagenetDetails });

/** What the plain one computes: means of the channels, as ImageNet's networks are fed, times weights. */
function expectedFeatures(): Float32Array {
  const { mean, deviation } = imagenetDetails;
  return Float32Array.from({ length: 11 * 6 }, (_, i) => {
    const [image, column] = [Math.floor(i / 6), i % 6];
    let sum = 0;
    for (let pixel = 0; pixel < 32 * 32 * 3; pixel++) {
      const channel = pixel % 3;
      const value = (pixels[image * 3072 + pixel]! / 255 - mean![channel]!) / deviation![channel]!;
      sum += (value / 1024) * (-1 + (2 * (channel * 6 + column)) / 17);
    }
    return sum;
  });
}

describe.skipIf(!hasKeras)("a SavedModel as a backbone", () => {
  beforeAll(() => {
    runPython(program, [folder]);
  });

  it("gives what it computes, frees what it took, and the same bits alone and among others", async () => {
    const before = [countNativeSessions(), countNativeValues()];
    const { backbone } = await load("plain");
    expect(backbone).toMatchObject({ name: "plain", inputSize: 32, featureWidth: 6, parameterCount: null });
    const together = await embedPixels(backbone, pixels, 11);
    expect(relativeDifference(together, expectedFeatures())).toBeLessThan(1e-4);
    for (const image of [0, 7, 10]) {
      const alone = await embedPixels(backbone, pixels.subarray(image * 3072, (image + 1) * 3072), 1);
      expect(Buffer.from(alone.buffer)).toEqual(
        Buffer.from(together.slice(image * 6, (image + 1) * 6).buffer),
      );
    }
    backbone.dispose();
    expect([countNativeSessions(), countNativeValues()]).toEqual(before);
    await expect(embedPixels(backbone, pixels, 11)).rejects.toThrow(/disposed/);
  });

  it.each([
    ["reads", "ReadFile"],
    ["writes", "WriteFile"],
    ["python", "EagerPyFunc"],
    ["prints", "PrintV2"],
    ["hidden", "ReadFile"],
  ])("is refused by name where it does more than compute (%s)", async (name, operation) => {
    await expect(load(name)).rejects.toThrow(
      new RegExp(
        `holds operations that are not let into this process, .*${operation}.*: only those that compute are`,
      ),
    );
    expect(existsSync("/tmp/breakhis-lab-must-not-be")).toBe(false);
  });

  it("is another one where a file of it is", async () => {
    const copy = join(folder, "copy");
    cpSync(join(folder, "plain"), copy, { recursive: true });
    const [one, other] = [await load("plain"), await load("copy")];
    expect(other.backbone.weights.sha256).toBe(one.backbone.weights.sha256);
    appendFileSync(join(copy, "variables", "variables.data-00000-of-00001"), "x");
    const changed = await load("copy");
    expect(changed.backbone.weights.sha256).not.toBe(one.backbone.weights.sha256);
    for (const { backbone } of [one, other, changed]) backbone.dispose();
  });
});

it("what is no SavedModel is refused in a sentence", async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from("not a network"), Buffer.alloc(100, 0xff)]) {
    expect(() => inspectSavedModel(bytes, "odd.pb")).toThrow(/odd\.pb can't be opened as a SavedModel: /);
  }
  const odd = join(folder, "odd");
  mkdirSync(odd);
  writeFileSync(join(odd, "saved_model.pb"), "not a network");
  await expect(load("odd")).rejects.toThrow(/can't be opened as a SavedModel/);
});
