import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadBackbone, type OpenBackbone } from "../../src/model/backbones/backbone";
import { buildResnet50 } from "../../src/model/backbones/resnet50";
import { runStages } from "../../src/model/backbones/stages";
import { readWeights } from "../../src/model/backbones/weights";
import { buildHead } from "../../src/model/classifier/head";
import { countNativeValues } from "../../src/runtime/native/native-backend";
import { tf } from "../../src/runtime/tensorflow";
import { createFineTuningStep, type FineTuningBatch } from "../../src/training/fine-tuning/fine-tuning-step";
import { drawImages } from "../support/data/drawn-images";
import { readFloats, relativeDifference } from "../support/numbers";
import { hasKeras, runPython } from "../support/python";
import { temporaryFolder } from "../support/temporary-folder";

const program = readFileSync(join(__dirname, "fine_tuning_gradients.py"), "utf8");
// An odd size shows where padding differs.
const size = 97;
const labels = [0, 1, 1, 0];
const shares = [0.4, 0.2, 0.25, 0.15];
/** Relative to each tensor's largest gradient; 53 layers deep, in single precision, 3e-6 are found. */
const tolerance = 1e-4;
const origin = { name: "weights.h5", sha256: "", source: "a test", pretrained: false };

/** The gradients of the other side by name, in the order of its network. */
function gradientsInPython(
  folder: string,
  network: string,
  backbone: OpenBackbone | null,
): Map<string, Float32Array> {
  const inputs = network === "resnet50" ? 2048 : 1280;
  const head = buildHead({ inputs, hiddenUnits: [16, 8], classCount: 2, seed: 4 });
  const layers = head.layers.map(({ kernel, bias, ...shape }) => ({
    ...shape,
    kernel: [...kernel],
    bias: [...bias],
  }));
  writeFileSync(join(folder, "case.json"), JSON.stringify({ size, labels, shares, head: layers }));
  writeFileSync(join(folder, "images.bin"), drawImages(labels.length, size));
  if (backbone !== null) {
    const convolutions = backbone.staged.stages.flatMap((stage) => stage.convolutions);
    const tensors = convolutions.flatMap(({ name, kernel, bias }) => [
      { name: `${name}/kernel`, tensor: kernel as tf.Tensor },
      { name: `${name}/bias`, tensor: bias as tf.Tensor },
    ]);
    writeFileSync(
      join(folder, "folded.json"),
      JSON.stringify(tensors.map(({ name, tensor }) => [name, tensor.shape])),
    );
    writeFileSync(
      join(folder, "folded.bin"),
      Buffer.concat(tensors.map(({ tensor }) => Buffer.from(tensor.dataSync<"float32">().slice().buffer))),
    );
  }
  const sizes = JSON.parse(runPython(program, [folder, network])) as [string, number][];
  const values = readFloats(join(folder, `${network}.bin`));
  let start = 0;
  return new Map(
    sizes.map(([name, count]) => {
      start += count;
      return [name, values.subarray(start - count, start)];
    }),
  );
}

/** Our gradients of all weights from a stage on, by name. */
function ourGradients(backbone: OpenBackbone, from: number): Map<string, Float32Array> {
  const { prepare, stages } = backbone.staged;
  const head = buildHead({ inputs: backbone.featureWidth, hiddenUnits: [16, 8], classCount: 2, seed: 4 });
  const input = tf.tidy(() => {
    const pixels = Int32Array.from(drawImages(labels.length, size));
    const images = tf.tensor4d(pixels, [labels.length, size, size, 3], "int32");
    return runStages(stages.slice(0, from), prepare(images));
  });
  const [, ...inputShape] = input.shape;
  const step = createFineTuningStep(stages.slice(from), head, {
    stageLearningRates: stages.slice(from).map(() => 1e-4),
    headLearningRate: 1e-3,
    l2: 0,
    inputShape,
    masked: false,
  });
  const batch: FineTuningBatch = {
    input,
    labels: tf.tensor1d(Int32Array.from(labels)),
    shares: tf.tensor2d(shares, [shares.length, 1]),
    masks: [],
  };
  const { logits, gradients } = step.gradients(batch);
  const found = new Map(
    step.weightNames.map((name, i) => [name, gradients[i]!.dataSync<"float32">().slice()]),
  );
  tf.dispose([input, batch.labels, batch.shares, logits, gradients]);
  step.dispose();
  return found;
}

function largestDifference(ours: Map<string, Float32Array>, theirs: Map<string, Float32Array>): number {
  return Math.max(...[...ours].map(([name, values]) => relativeDifference(values, theirs.get(name)!)));
}

describe.skipIf(!hasKeras)(
  "one step's gradients against Keras, ResNet50 with random weights and random, frozen BatchNorm",
  () => {
    const folder = temporaryFolder("resnet50-gradients");
    let theirs: Map<string, Float32Array>;
    let backbone: OpenBackbone;

    beforeAll(async () => {
      theirs = gradientsInPython(folder, "resnet50", null);
      backbone = buildResnet50(await readWeights(join(folder, "keras.h5")), origin, size);
    });
    afterAll(() => backbone?.dispose());

    it("gives the same gradient of all 112 weight tensors, the stem's included", () => {
      const ours = ourGradients(backbone, 0);
      // Weights reach the device when they are first used, so only now the count is steady.
      const before = [tf.memory().numTensors, countNativeValues()];
      ourGradients(backbone, 0);
      expect([tf.memory().numTensors, countNativeValues()]).toEqual(before);
      expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
      expect(ours.size).toBe(2 * 53 + 6);
      expect(largestDifference(ours, theirs)).toBeLessThan(tolerance);
    });

    it("gives the same where only the last stage is trained", () => {
      const ours = ourGradients(backbone, 4);
      expect(ours.size).toBe(2 * 10 + 6);
      expect(largestDifference(ours, theirs)).toBeLessThan(tolerance);
    });
  },
);

describe.skipIf(!hasKeras)("one step's gradients against TensorFlow, EfficientNet-Lite0", () => {
  const folder = temporaryFolder("efficientnet-gradients");
  let theirs: Map<string, Float32Array>;
  let backbone: OpenBackbone;

  beforeAll(async () => {
    const choice = { backbone: "efficientnet-lite0" as const, weights: null, inputSize: size };
    ({ backbone } = await loadBackbone(choice));
    theirs = gradientsInPython(folder, "efficientnet-lite0", backbone);
  });
  afterAll(() => backbone?.dispose());

  it("gives the same gradient of all weight tensors, the stem's included", () => {
    const ours = ourGradients(backbone, 0);
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    expect(ours.size).toBe(2 * 49 + 6);
    expect(largestDifference(ours, theirs)).toBeLessThan(tolerance);
  });

  it("gives the same where only the last stage is trained", () => {
    const ours = ourGradients(backbone, 7);
    expect(largestDifference(ours, theirs)).toBeLessThan(tolerance);
  });
});
