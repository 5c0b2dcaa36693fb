import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Dataset, imagePath, openDataset } from "../../../src/data/dataset";
import { makeSplit, type Split } from "../../../src/data/split/split";
import { requireOpen } from "../../../src/model/backbones/architecture";
import { loadBackbone, type OpenBackbone } from "../../../src/model/backbones/backbone";
import {
  buildClassifier,
  loadClassifier,
  predictImages,
  saveClassifier,
} from "../../../src/model/classifier/classifier";
import { buildHead, type Head } from "../../../src/model/classifier/head";
import { gradCam } from "../../../src/model/explanation/grad-cam";
import { extractFeatures, type Features } from "../../../src/model/features/features";
import { requestStop } from "../../../src/runtime/interruption";
import { countNativeSessions, countNativeValues } from "../../../src/runtime/native/native-backend";
import { createRandom } from "../../../src/runtime/random";
import { completeSettings } from "../../../src/runtime/settings";
import { tf } from "../../../src/runtime/tensorflow";
import { predictSplit } from "../../../src/scores/evaluate";
import { type FineTuning, type FineTuningTask, fineTune } from "../../../src/training/fine-tuning/fine-tune";
import {
  createFineTuningStep,
  type FineTuningStep,
  type FineTuningStepOptions,
} from "../../../src/training/fine-tuning/fine-tuning-step";
import * as learningRate from "../../../src/training/fine-tuning/learning-rate";
import * as patients from "../../../src/training/fine-tuning/patient-loss";
import { trainHead } from "../../../src/training/head/train";
import { drawPatients } from "../../support/data/small-patients";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("fine-tune");
const settings = completeSettings({ inputSize: 64, hiddenUnits: [8], seed: 3, epochs: 2 });
let dataset: Dataset;
let split: Split;
let backbone: OpenBackbone;
let features: Features;
let head: Head;

/** Every weight of a backbone as bytes, by the convolution's name. */
function weightsOf({ staged }: OpenBackbone): Map<string, string> {
  const convolutions = staged.stages.flatMap((stage) => stage.convolutions);
  return new Map(
    convolutions.map(({ name, kernel, bias }) => [
      name,
      [kernel, bias].map((tensor) => Buffer.from(tensor.dataSync().slice().buffer).toString("base64")).join(),
    ]),
  );
}

const held = () => [tf.memory().numTensors, countNativeValues(), countNativeSessions()];

const namesFrom = (stage: string) => {
  const { stages } = backbone.staged;
  const first = stages.findIndex(({ name }) => name === stage);
  return stages.slice(first).flatMap(({ convolutions }) => convolutions.map(({ name }) => name));
};

const tune = (changes: Partial<FineTuningTask> = {}): Promise<FineTuning> =>
  fineTune({
    dataset,
    backbone,
    head,
    split,
    settings,
    from: "stage7",
    epochs: 3,
    batchSize: 4,
    accumulation: 2,
    learningRate: 1e-4,
    headLearningRate: 1e-3,
    showProgress: false,
    ...changes,
  });

beforeAll(async () => {
  const { inputSize } = settings;
  // The weights are found in the project's own cache.
  ({ backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize }));
  vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
  await drawPatients(join(home, "images"), { patients: 6, images: 4 });
  dataset = await openDataset(join(home, "images"));
  split = makeSplit(dataset, { by: "patient", seed: 3 });
  features = await extractFeatures(dataset, backbone);
  const labels = dataset.records.map(({ label }) => label);
  ({ head } = await trainHead({ features, labels, split, classCount: 2, settings, showProgress: false }));
});
afterAll(() => backbone?.dispose());

describe("fine-tuning the last stage", () => {
  let tuned: FineTuning;

  beforeAll(async () => {
    tuned = await tune();
  });
  afterAll(() => tuned?.backbone.dispose());

  it("learns, keeps the epoch that is best by patient, and says what it did", () => {
    expect(tuned).toMatchObject({ from: "stage7", ended: "completed" });
    expect(tuned.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    const losses = [tuned.before, ...tuned.history].map((record) => record.validationPatientLoss!);
    expect(tuned.bestEpoch).toBeGreaterThan(0);
    expect(tuned.bestEpoch).toBe(losses.indexOf(Math.min(...losses)));
    const names = namesFrom("stage7");
    const trained = backbone.staged.stages
      .flatMap(({ convolutions }) => convolutions)
      .filter(({ name }) => names.includes(name));
    const count = trained.reduce((sum, { kernel, bias }) => sum + kernel.size + bias.size, 0);
    expect(tuned.trainedWeights).toEqual({ backbone: count, head: 1280 * 8 + 8 + 8 * 2 + 2 });
  });

  it("leaves frozen weights as they are, byte by byte, and the backbone that it was given too", async () => {
    const { backbone: untouched } = await loadFresh();
    const [before, given, after] = [untouched, backbone, tuned.backbone].map(weightsOf);
    expect(given).toEqual(before);
    const changed = [...before!.keys()].filter((name) => before!.get(name) !== after!.get(name));
    expect(changed).toEqual(namesFrom("stage7"));
    untouched.dispose();
  });

  it("gives the same result with the same seed, bit for bit", async () => {
    const again = await tune();
    expect(weightsOf(again.backbone)).toEqual(weightsOf(tuned.backbone));
    expect(again.head).toEqual(tuned.head);
    expect(again.backbone.weights.sha256).toBe(tuned.backbone.weights.sha256);
    const other = await tune({ settings: { ...settings, seed: 4 } });
    expect(weightsOf(other.backbone)).not.toEqual(weightsOf(tuned.backbone));
    again.backbone.dispose();
    other.backbone.dispose();
  });

  it("gives features of its own, which the cache does not take for the others", async () => {
    expect(tuned.backbone.weights.sha256).not.toBe(backbone.weights.sha256);
    expect(tuned.backbone.weights.source).toContain("fine-tuned from stage7");
    const own = await extractFeatures(dataset, tuned.backbone);
    expect(own.fromCache).toBe(0);
    expect(own.values).not.toEqual(features.values);
  });

  it("is saved with its trained stages, and answers the same after loading, bit for bit", async () => {
    const folder = join(home, "classifier");
    const classifier = buildClassifier({
      backbone: tuned.backbone,
      head: tuned.head,
      dataset,
      settings,
      runId: null,
    });
    await saveClassifier(folder, classifier);
    const loaded = await loadClassifier(folder, { backbone });
    const files = dataset.records.slice(0, 5).map((record) => imagePath(dataset, record));
    expect(await predictImages(loaded, files)).toEqual(await predictImages(classifier, files));
    expect(weightsOf(requireOpen(loaded.backbone, "A test"))).toEqual(weightsOf(tuned.backbone));
    expect(loaded.backbone.weights).toEqual(tuned.backbone.weights);
    // From the features, which were computed before it was saved, too.
    const own = await extractFeatures(dataset, loaded.backbone);
    expect(own.computed).toBe(0);
    const fromFeatures = predictSplit(dataset, split, own, loaded);
    const { predictions } = await predictImages(loaded, [join(dataset.folder, fromFeatures[0]!.file)]);
    expect(predictions[0]!.probabilities).toEqual(fromFeatures[0]!.probabilities);
    const shown = await gradCam(loaded, files[0]!);
    expect(shown.probability).toBeCloseTo(Math.max(...shown.map.probabilities), 5);
    loaded.backbone.dispose();
  });

  it("refuses trained stages that are damaged, missing, or belong to another backbone", async () => {
    const folder = join(home, "classifier");
    const manifest = JSON.parse(readFileSync(join(folder, "classifier.json"), "utf8"));
    expect(manifest.format).toBe("breakhis-lab classifier 3");
    expect(manifest.backbone.weights.sha256).toBe(backbone.weights.sha256);
    const copy = join(home, "damaged");
    cpSync(folder, copy, { recursive: true });
    const path = join(copy, "backbone.safetensors");
    const bytes = readFileSync(path);
    bytes[bytes.length - 5] = bytes[bytes.length - 5]! ^ 1;
    writeFileSync(path, bytes);
    await expect(loadClassifier(copy, { backbone })).rejects.toThrow(/backbone\.safetensors is damaged/);
    manifest.format = "breakhis-lab classifier 1";
    writeFileSync(join(copy, "classifier.json"), JSON.stringify(manifest));
    await expect(loadClassifier(copy, { backbone })).rejects.toThrow("has trained stages");
    const other = { ...backbone, weights: { ...backbone.weights, sha256: "0".repeat(64) } };
    await expect(loadClassifier(folder, { backbone: other })).rejects.toThrow(
      "trained with the weights file",
    );
  });

  it("goes on from a fine-tuned backbone, and then knows the weights that all began with", async () => {
    const deeper = await tune({ backbone: tuned.backbone, head: tuned.head, from: "head", epochs: 2 });
    expect(deeper.bestEpoch).toBeGreaterThan(0);
    const [before, after] = [weightsOf(tuned.backbone), weightsOf(deeper.backbone)];
    expect([...before.keys()].filter((name) => before.get(name) !== after.get(name))).toEqual(["head"]);
    expect(deeper.backbone.fineTuned).toEqual({ from: "stage7", base: backbone.weights });
    deeper.backbone.dispose();
  });

  it("leaves no tensor behind", async () => {
    const before = held();
    const again = await tune({ epochs: 1 });
    again.backbone.dispose();
    expect(held()).toEqual(before);
  });
});

async function loadFresh() {
  vi.unstubAllEnvs();
  const loaded = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize: 64 });
  vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
  return loaded;
}

describe("fine-tuning", () => {
  it("trains the whole network from images, if it is asked for", async () => {
    const tuned = await tune({ from: "all", epochs: 1, learningRate: 1e-4 });
    expect(tuned).toMatchObject({ from: "stem", activationBytes: 0 });
    const [before, after] = [weightsOf(backbone), weightsOf(tuned.backbone)];
    expect(tuned.bestEpoch).toBe(1);
    const same = [...before.keys()].filter((name) => before.get(name) === after.get(name));
    expect(same).toEqual([]);
    tuned.backbone.dispose();
  });

  it("stops when validation by patient gets no better, and then leaves everything as it was", async () => {
    const tuned = await tune({ epochs: 10, patience: 2, learningRate: 0.3, headLearningRate: 0.3 });
    expect(tuned).toMatchObject({ ended: "early-stopping", bestEpoch: 0, head });
    expect(tuned.history).toHaveLength(2);
    expect(weightsOf(tuned.backbone)).toEqual(weightsOf(backbone));
    // Harmless: there is nothing of its own to free.
    tuned.backbone.dispose();
    expect(weightsOf(backbone).size).toBe(49);
  });

  it("ends with the best so far when it is asked to stop", async () => {
    const tuned = await tune({
      epochs: 50,
      patience: 50,
      onBatch: (epoch, images) => {
        if (epoch === 2 && images > 4) requestStop();
      },
    });
    expect(tuned.ended).toBe("interrupted");
    expect(tuned.history).toHaveLength(1);
    expect(tuned.bestEpoch).toBe(1);
    tuned.backbone.dispose();
  });

  it("says which learning rate is too high when the loss is no number any more", async () => {
    const before = held();
    const far = { ...head, layers: head.layers.map((layer) => ({ ...layer, kernel: layer.kernel.slice() })) };
    far.layers[0]!.kernel.fill(Number.NaN);
    await expect(tune({ head: far })).rejects.toThrow("Training diverged: the loss became NaN");
    expect(held()).toEqual(before);
  });

  it("refuses a part without images, copies in several parts, and settings out of range", async () => {
    await expect(tune({ split: { train: split.train, validation: [] } })).rejects.toThrow(
      "The validation part has no images",
    );
    const copies = { train: [...split.train, split.validation[0]!], validation: split.validation };
    await expect(tune({ split: copies })).rejects.toThrow();
    await expect(tune({ batchSize: 0 })).rejects.toThrow("fineTune.batchSize");
    await expect(tune({ from: "conv5" })).rejects.toThrow('has no stage "conv5"');
  });
});

describe("a step of fine-tuning", () => {
  const width = 1280;
  const random = createRandom(8);
  const count = 6;
  const labels = Array.from({ length: count }, (_, i) => i % 2);

  const options: FineTuningStepOptions = {
    stageLearningRates: [1e-3, 2e-3],
    headLearningRate: 1e-2,
    l2: 1e-3,
    inputShape: [2, 2, 192],
    masked: false,
  };

  /** @param pieces - Of each step. */
  function stepAfter(pieces: readonly number[][], steps = 1): FineTuningStep {
    const stages = backbone.staged.stages.slice(-2);
    const start = buildHead({ inputs: width, hiddenUnits: [8], classCount: 2, seed: 1 });
    const step = createFineTuningStep(stages, start, options);
    const all = Array.from({ length: steps }, () => [...pieces.entries()]).flat();
    for (const [i, piece] of all) {
      const batch = {
        input: tf.gather(inputs, piece) as tf.Tensor4D,
        labels: tf.tensor1d(Int32Array.from(piece, (row) => labels[row]!)),
        shares: tf.fill<tf.Rank.R2>([piece.length, 1], 1 / count),
        masks: [],
      };
      step.learn(batch, i === pieces.length - 1 ? 1 : null).dispose();
      tf.dispose([batch.input, batch.labels, batch.shares]);
    }
    return step;
  }

  let inputs: tf.Tensor4D;
  beforeAll(() => {
    const values = Float32Array.from({ length: count * 2 * 2 * 192 }, () => random.normal());
    inputs = tf.tensor4d(values, [count, 2, 2, 192]);
  });
  afterAll(() => inputs?.dispose());

  it("learns from batches one after the other what it learns from one large one", () => {
    const whole = stepAfter([[0, 1, 2, 3, 4, 5]], 2);
    const parts = stepAfter([[0, 1], [2, 3, 4], [5]], 2);
    const logits = [whole, parts].map((step) => {
      const output = step.logits(inputs);
      const values = output.dataSync().slice();
      output.dispose();
      return values;
    });
    for (const [i, value] of logits[0]!.entries()) expect(logits[1]![i]).toBeCloseTo(value, 4);
    const kernels = [whole, parts].map((step) => step.readHead().layers[0]!.kernel);
    const difference = Math.max(...kernels[0]!.map((value, i) => Math.abs(value - kernels[1]![i]!)));
    // A step of Adam's is about as long as the learning rate, so this is a hundredth of it.
    expect(difference).toBeLessThan(1e-4);
    whole.dispose();
    parts.dispose();
  });

  it("leaves nothing behind", () => {
    // Weights and inputs reach TensorFlow when they are first used.
    stepAfter([[0, 1], [2]]).dispose();
    const before = held();
    stepAfter([[0, 1], [2]]).dispose();
    expect(held()).toEqual(before);
  });

  it("knows of a weight that is no number, where the logits are", () => {
    const step = stepAfter([[0, 1, 2, 3, 4, 5]]);
    expect(step.isFinite()).toBe(true);
    step.dispose();
    const spoiled = buildHead({ inputs: width, hiddenUnits: [8], classCount: 2, seed: 1 });
    spoiled.layers[0]!.kernel[0] = Number.NaN;
    const other = createFineTuningStep(backbone.staged.stages.slice(-2), spoiled, options);
    expect(other.isFinite()).toBe(false);
    other.dispose();
  });

  it("moves each stage at its own learning rate", () => {
    const step = stepAfter([[0, 1, 2, 3, 4, 5]]);
    const moved = step.readStages();
    const largest = backbone.staged.stages.slice(-2).map(({ convolutions }) =>
      Math.max(
        ...convolutions.map(({ name, kernel }) => {
          const before = kernel.dataSync<"float32">();
          return moved
            .get(name)!
            .kernel.reduce((most, value, i) => Math.max(most, Math.abs(value - before[i]!)), 0);
        }),
      ),
    );
    // Adam's first step is as long as the learning rate, for every weight whose gradient is not 0.
    expect(largest[0]).toBeCloseTo(1e-3, 4);
    expect(largest[1]).toBeCloseTo(2e-3, 4);
    step.dispose();
  });
});

describe("learning rates over a training", () => {
  it("rise to 1, then fall to near 0, and never jump", () => {
    const course = { steps: 50, warmUp: 0.1 };
    const factors = Array.from({ length: 50 }, (_, step) => learningRate.learningRateFactor(step, course));
    expect(factors.slice(0, 6)).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1]);
    expect(factors.slice(5).every((factor, i, rest) => i === 0 || factor < rest[i - 1]!)).toBe(true);
    expect(factors[49]).toBeLessThan(0.01);
    expect(learningRate.learningRateFactor(0, { steps: 1, warmUp: 0 })).toBe(1);
    expect(learningRate.learningRateFactor(0, { steps: 1, warmUp: 0.5 })).toBe(1);
  });

  it.each([
    ["src/training/fine-tuning/learning-rate.ts", learningRate],
    ["src/training/fine-tuning/patient-loss.ts", patients],
  ] as const)("do what the examples in %s say", (file, exports) => {
    const examples = docstringExamples(file);
    expect(examples.length).toBeGreaterThan(0);
    for (const { code, expected } of examples) {
      const [found, wanted] = [code, expected].map((text) => evaluateExample(text, { ...exports }));
      if (typeof wanted === "number") expect(found, code).toBeCloseTo(wanted, 8);
      else expect(found, code).toEqual(wanted);
    }
  });
});

describe("the loss by patient", () => {
  it("counts each patient once, however many images there are of it", () => {
    // Patient a: three images, mean 0.9; patient b: one image, 0.5; an image of nobody: 0.2.
    const probabilities = Float32Array.from([0.8, 0.2, 0.9, 0.1, 1, 0, 0.5, 0.5, 0.8, 0.2]);
    const loss = patients.patientLoss({
      probabilities,
      classCount: 2,
      labels: [0, 0, 0, 1, 1],
      patients: ["a", "a", "a", "b", null],
    });
    expect(loss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.5) + Math.log(0.2)) / 3, 6);
  });

  it("asks about both labels of a patient who has images of both, so that the rarer one is not forgotten", () => {
    const about = { classCount: 2, labels: [0, 0, 0, 1], patients: ["a", "a", "a", "a"] };
    const always = Float32Array.from([0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1]);
    expect(patients.patientLoss({ ...about, probabilities: always })).toBeCloseTo(
      -(Math.log(0.9) + Math.log(0.1)) / 2,
      6,
    );
  });

  it("may prefer another epoch than the loss by image does", () => {
    // Four images of a sure patient weigh as much as one of a doubtful one.
    const about = { classCount: 2, labels: [0, 0, 0, 0, 1], patients: ["a", "a", "a", "a", "b"] };
    const one = Float32Array.from([0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.8, 0.2]);
    const other = Float32Array.from([0.7, 0.3, 0.7, 0.3, 0.7, 0.3, 0.7, 0.3, 0.5, 0.5]);
    const byImage = (probabilities: Float32Array) =>
      about.labels.reduce((sum, label, i) => sum - Math.log(probabilities[2 * i + label]!), 0);
    expect(byImage(one)).toBeLessThan(byImage(other));
    expect(patients.patientLoss({ ...about, probabilities: one })).toBeGreaterThan(
      patients.patientLoss({ ...about, probabilities: other }),
    );
  });
});
