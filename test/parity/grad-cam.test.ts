import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadBackbone } from "../../src/model/backbones/backbone";
import { buildHead } from "../../src/model/classifier/head";
import { decodeForClassifier, type GradCam, gradCam } from "../../src/model/explanation/grad-cam";
import { breakhisSample, hasSharedData, resnet50Weights } from "../support/data/shared-data";
import { readFloats, relativeDifference } from "../support/numbers";
import { hasKeras, runPython } from "../support/python";
import { temporaryFolder } from "../support/temporary-folder";

const program = readFileSync(join(__dirname, "grad_cam.py"), "utf8");
const secondImplementation = readFileSync(join(__dirname, "efficientnet_lite0_features.py"), "utf8");
const tolerance = 1e-3;
const image = join(breakhisSample, "benign", "SOB_B_A-14-22549AB-100-001.png");
const classIndex = 1;

/** Explains the image here, and writes what Python needs to do the same. */
async function explain(
  folder: string,
  choice: { backbone: "resnet50" | "efficientnet-lite0"; weights: string | null },
): Promise<GradCam> {
  const { backbone } = await loadBackbone({ ...choice, inputSize: 224 });
  const head = buildHead({ inputs: backbone.featureWidth, hiddenUnits: [128, 64], classCount: 2, seed: 5 });
  const classifier = {
    backbone,
    head,
    classes: ["benign", "malignant"],
    positiveClass: 1,
    threshold: 0.5,
    stain: null,
  };
  const found = await gradCam(classifier, image, { classIndex, width: 350 });
  writeFileSync(join(folder, "image.bin"), await decodeForClassifier(classifier, image));
  writeFileSync(join(folder, "head.json"), JSON.stringify(head.layers));
  const numbers = head.layers.flatMap(({ kernel, bias }) => [
    Buffer.from(kernel.buffer),
    Buffer.from(bias.buffer),
  ]);
  writeFileSync(join(folder, "head.bin"), Buffer.concat(numbers));
  const { height, width } = found;
  writeFileSync(join(folder, "task.json"), JSON.stringify({ class: classIndex, height, width }));
  backbone.dispose();
  return found;
}

function compare(folder: string, found: GradCam): void {
  expect([found.height, found.width, found.map.rows, found.map.columns]).toEqual([230, 350, 7, 7]);
  expect(relativeDifference(found.map.signed, readFloats(join(folder, "map.bin")))).toBeLessThan(tolerance);
  const heat = readFloats(join(folder, "heat.bin"));
  expect(relativeDifference(found.heat, heat)).toBeLessThan(tolerance);
  expect(
    relativeDifference(found.map.probabilities, readFloats(join(folder, "probabilities.bin"))),
  ).toBeLessThan(tolerance);
  // A map that is dark or bright everywhere would prove little.
  expect(heat.filter((value) => value < 0.3).length).toBeGreaterThan(0.05 * heat.length);
  expect(heat.filter((value) => value > 0.5).length).toBeGreaterThan(0.02 * heat.length);
}

describe.skipIf(!hasSharedData || !hasKeras)(
  "Grad-CAM against automatic differentiation in TensorFlow",
  () => {
    it("gives the same map as Keras' ResNet50 on real tissue", async () => {
      const folder = temporaryFolder("grad-cam-resnet50");
      const found = await explain(folder, { backbone: "resnet50", weights: resnet50Weights });
      symlinkSync(resnet50Weights, join(folder, "weights.h5"));
      runPython(program, [folder]);
      compare(folder, found);
    });

    it("gives the same map as a second implementation of EfficientNet-Lite0, with unfolded weights", async () => {
      const folder = temporaryFolder("grad-cam-efficientnet");
      const found = await explain(folder, { backbone: "efficientnet-lite0", weights: null });
      runPython(`${secondImplementation}\n${program}`, [folder]);
      compare(folder, found);
    });
  },
);
