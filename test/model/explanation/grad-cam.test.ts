import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enlargeBilinearly } from "../../../src/data/images/bilinear";
import { viewsOf } from "../../../src/data/images/image-views";
import { decodeImage } from "../../../src/data/images/images";
import { turnSquare } from "../../../src/data/images/turned-image";
import { loadBackbone, type OpenBackbone } from "../../../src/model/backbones/backbone";
import { takeWeight } from "../../../src/model/backbones/weight-tensors";
import { readWeights } from "../../../src/model/backbones/weights";
import { findKeptWeights } from "../../../src/model/backbones/weights-location";
import { predictImages } from "../../../src/model/classifier/classifier";
import { buildHead, type Head, headLogits, headTensors } from "../../../src/model/classifier/head";
import { activationMap } from "../../../src/model/explanation/activation-map";
import { type Explainable, gradCam, gradCams } from "../../../src/model/explanation/grad-cam";
import { headGradient } from "../../../src/model/explanation/logit-gradient";
import { spearman } from "../../../src/model/explanation/rank-correlation";
import { sanityCheck } from "../../../src/model/explanation/sanity-check";
import { requestStop } from "../../../src/runtime/interruption";
import { createRandom } from "../../../src/runtime/random";
import { tf } from "../../../src/runtime/tensorflow";
import { drawImages } from "../../support/data/drawn-images";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";
import { relativeDifference } from "../../support/numbers";
import { runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const random = createRandom(4);
const pictures = temporaryFolder("grad-cam");
const noise = (count: number) => Float32Array.from({ length: count }, () => random.normal());
/** ImageNet's class 985: daisy. */
const daisy = 985;

/** EfficientNet-Lite0's own ImageNet classifier, as a head of one layer. */
async function imagenetHead(): Promise<Head> {
  const weights = await readWeights(findKeptWeights("efficientnet-lite0.safetensors")!);
  const [inputs, units] = [1280, 1000];
  const kernel = takeWeight(weights, "classifier/kernel", [inputs, units]);
  const bias = takeWeight(weights, "classifier/bias", [units]);
  return { layers: [{ kernel, bias, inputs, units, activation: "softmax" }] };
}

describe("headGradient", () => {
  const head = buildHead({ inputs: 12, hiddenUnits: [8, 6], classCount: 3, seed: 3 });
  for (const { bias } of head.layers) bias.set(noise(bias.length));
  const features = noise(12);

  it("gives TensorFlow's logits and gradients for every class", () => {
    const before = tf.memory().numTensors;
    for (const classIndex of [0, 1, 2]) {
      const { logits, gradient } = headGradient(head, features, classIndex);
      const [expectedLogits, expectedGradient] = tf.tidy(() => {
        const weights = headTensors(head);
        const row = tf.tensor2d(features, [1, 12]);
        const ofClass = (x: tf.Tensor) =>
          tf.sum(tf.gather(headLogits(weights, x as tf.Tensor2D), [classIndex], 1));
        return [headLogits(weights, row).dataSync(), tf.grad(ofClass)(row).dataSync()];
      });
      expect(relativeDifference(logits, expectedLogits!)).toBeLessThan(1e-5);
      expect(relativeDifference(gradient, expectedGradient!)).toBeLessThan(1e-5);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it("gives what small changes of each feature show", () => {
    const { gradient } = headGradient(head, features, 1);
    const step = 1e-5;
    for (let i = 0; i < 12; i++) {
      const logitAt = (change: number) => {
        const moved = Array.from(features, (value, j) => (i === j ? value + change : value));
        return headGradient(head, moved, 1).logits[1]!;
      };
      expect((logitAt(step) - logitAt(-step)) / (2 * step)).toBeCloseTo(gradient[i]!, 6);
    }
  });

  it("refuses other features and classes that there are not", () => {
    expect(() => headGradient(head, new Float32Array(11), 0)).toThrow(/takes 12 features, found 11/);
    expect(() => headGradient(head, features, 3)).toThrow(/no class 3 among 3/);
  });
});

describe("enlargeBilinearly", () => {
  it.each([
    [7, 7, 46, 70],
    [1, 3, 9, 4],
    [5, 4, 5, 4],
    [6, 6, 4, 3],
  ])("enlarges %i × %i to %i × %i as TensorFlow does", (rows, columns, height, width) => {
    const values = noise(rows * columns);
    const expected = tf.tidy(() =>
      tf.image
        .resizeBilinear(tf.tensor3d(values, [rows, columns, 1]), [height, width], false, true)
        .dataSync(),
    );
    expect(
      relativeDifference(enlargeBilinearly(values, [rows, columns], [height, width]), expected),
    ).toBeLessThan(1e-6);
  });

  it("refuses a grid that is not filled", () => {
    expect(() => enlargeBilinearly([1, 2, 3], [2, 2], [4, 4])).toThrow(RangeError);
  });
});

describe("spearman", () => {
  it("agrees with scipy, ties included", () => {
    const series = Array.from({ length: 20 }, () => Array.from({ length: 49 }, () => random.integer(12)));
    const program =
      "import json, sys, scipy.stats as s; x = json.load(sys.stdin); print(json.dumps([s.spearmanr(a, b).statistic for a, b in zip(x, x[1:])]))";
    const expected = JSON.parse(runPython(program, [], JSON.stringify(series))) as number[];
    expect(expected).toHaveLength(19);
    expected.forEach((value, i) => {
      expect(spearman(series[i]!, series[i + 1]!)).toBeCloseTo(value, 12);
    });
  });

  it("knows no order where all values are equal", () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(spearman([1], [1])).toBeNaN();
    expect(() => spearman([1], [1, 2])).toThrow(RangeError);
  });
});

describe("docstring examples", () => {
  const modules: [string, Record<string, unknown>][] = [
    ["src/data/images/bilinear.ts", { enlargeBilinearly }],
    ["src/model/explanation/rank-correlation.ts", { spearman }],
  ];
  it.each(modules)("of %s hold", (file, exports) => {
    const examples = docstringExamples(file);
    expect(examples).toHaveLength(1);
    for (const { code, expected } of examples) {
      expect(evaluateExample(code, exports)).toEqual(evaluateExample(expected, exports));
    }
  });
});

describe("Grad-CAM on EfficientNet-Lite0", () => {
  let backbone: OpenBackbone;
  let classifier: Explainable;
  let photograph: string;
  let other: string;

  beforeAll(async () => {
    ({ backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize: 224 }));
    const classes = Array.from({ length: 1000 }, (_, index) =>
      index === daisy ? "daisy" : `class ${index}`,
    );
    const head = await imagenetHead();
    classifier = { backbone, head, classes, positiveClass: null, threshold: 0.5, stain: null };
    const folder = runPython(
      "import pathlib, sklearn.datasets as d; print(pathlib.Path(d.__file__).parent / 'images')",
    ).trim();
    [photograph, other] = [join(folder, "flower.jpg"), join(folder, "china.jpg")];
  });
  afterAll(() => backbone?.dispose());

  it("embeds what it activates, and gives what tf.grad gives through pooling and a deep head", () => {
    const before = tf.memory().numTensors;
    const pixels = drawImages(1, 224);
    const head = buildHead({ inputs: 1280, hiddenUnits: [32, 16], classCount: 2, seed: 8 });
    const found = activationMap(backbone, head, pixels, () => 1);
    const expected = tf.tidy(() => {
      const images = tf.tensor4d(Int32Array.from(pixels), [1, 224, 224, 3], "int32");
      const activations = backbone.activate(images);
      expect(activations.shape).toEqual([1, 7, 7, 1280]);
      const pooled = tf.mean(activations, [1, 2]).dataSync();
      // Computed as one graph and operation by operation, which may round differently in a batch of one.
      expect(relativeDifference(backbone.embed(images).dataSync(), pooled)).toBeLessThan(1e-5);
      const weights = headTensors(head);
      const logit = (x: tf.Tensor) =>
        tf.sum(tf.gather(headLogits(weights, tf.mean(x, [1, 2]) as tf.Tensor2D), [1], 1));
      const channelWeights = tf.mean(tf.grad(logit)(activations), [1, 2], true);
      return tf.sum(tf.mul(activations, channelWeights), -1).dataSync();
    });
    expect(relativeDifference(found.signed, expected)).toBeLessThan(1e-4);
    expect(found.values).toEqual(found.signed.map((value) => Math.max(0, value)));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("finds the flower in a photograph of a flower, in the photograph's proportions", async () => {
    const before = tf.memory().numTensors;
    const found = await gradCam(classifier, photograph, { width: 320 });
    expect(found).toMatchObject({ className: "daisy", predicted: daisy, width: 320, height: 214 });
    // Of a thousand classes.
    expect(found.probability).toBeGreaterThan(0.1);
    expect(found.heat.length).toBe(320 * 214);
    expect(Math.min(...found.heat)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...found.heat)).toBeGreaterThan(0.9);
    // The blossom fills the middle; leaves are all around it.
    const meanOf = (inside: boolean) => {
      const chosen = found.heat.filter((_, i) => {
        const [x, y] = [(i % 320) / 320, Math.floor(i / 320) / 214];
        return (Math.abs(x - 0.5) < 0.25 && Math.abs(y - 0.5) < 0.3) === inside;
      });
      return chosen.reduce((sum, value) => sum + value, 0) / chosen.length;
    };
    expect(meanOf(true)).toBeGreaterThan(2 * meanOf(false));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("explains the class asked for, with the probability that prediction gives", async () => {
    const asked = await gradCam(classifier, photograph, { classIndex: 3 });
    expect(asked).toMatchObject({ className: "class 3", predicted: daisy });
    const whole = { ...classifier, inputSize: 224, provenance: {} as never };
    const { predictions } = await predictImages(whole, [photograph]);
    expect(asked.probability).toBeCloseTo(predictions[0]!.probabilities[3]!, 5);
    await expect(gradCam(classifier, photograph, { classIndex: 1000 })).rejects.toThrow(/no class 1000/);
    await expect(gradCam(classifier, "/none.png")).rejects.toThrow(/no such file/);
  });

  it("looks at the image with its stains normalised where the classifier does", async () => {
    const stain = {
      haematoxylin: [0.65, 0.7, 0.29] as [number, number, number],
      eosin: [0.07, 0.99, 0.11] as [number, number, number],
      strongest: [0.5, 0.4] as [number, number],
      images: 1,
    };
    const plain = await gradCam(classifier, other, { classIndex: 3 });
    const stained = await gradCam({ ...classifier, stain }, other, { classIndex: 3 });
    expect(relativeDifference(stained.map.signed, plain.map.signed)).toBeGreaterThan(0.01);
  });

  it("explains the mean over views by the mean of their maps: the same picture turned, turned", async () => {
    const square = join(pictures, "square.png");
    const pixels = drawImages(1, 224);
    await sharp(pixels, { raw: { width: 224, height: 224, channels: 3 } }).toFile(square);
    const head = buildHead({ inputs: 1280, hiddenUnits: [16], classCount: 2, seed: 5 });
    const averaging = { ...classifier, head, classes: ["a", "b"], views: viewsOf("turns") };
    const found = await gradCam(averaging, square, { classIndex: 1 });
    const whole = { ...averaging, inputSize: 224, provenance: {} as never };
    const { predictions } = await predictImages(whole, [square]);
    expect(found.probability).toBeCloseTo(predictions[0]!.probabilities[1]!, 5);
    const plain = await gradCam({ ...averaging, views: [] }, square, { classIndex: 1 });
    expect(relativeDifference(found.map.signed, plain.map.signed)).toBeGreaterThan(0.01);
    const turn = { quarterTurns: 1, mirrored: true };
    const turned = join(pictures, "turned.png");
    await sharp(turnSquare(pixels, 3, turn), { raw: { width: 224, height: 224, channels: 3 } }).toFile(
      turned,
    );
    const other = await gradCam(averaging, turned, { classIndex: 1 });
    expect(other.probability).toBeCloseTo(found.probability, 5);
    expect(relativeDifference(other.map.signed, turnSquare(found.map.signed, 1, turn))).toBeLessThan(1e-4);
  });

  it("stops between images when asked to, with those that are done", async () => {
    const stopping: OpenBackbone = {
      ...backbone,
      activate(images) {
        expect(requestStop()).toEqual(["explaining images"]);
        return backbone.activate(images);
      },
    };
    const done = await gradCams({ ...classifier, backbone: stopping }, [photograph, other], { width: 10 });
    expect(done.map(({ file }) => file)).toEqual([photograph]);
  });

  it("changes when head or top stage are random, and doesn't when they are the trained ones", async () => {
    const before = tf.memory().numTensors;
    const found = await sanityCheck(classifier, [photograph, other], { draws: 4 });
    expect(found.images.map(({ file }) => file)).toEqual([photograph, other]);
    for (const { trained, headCorrelations, topCorrelations } of found.images) {
      expect([headCorrelations.length, topCorrelations.length]).toEqual([4, 4]);
      expect(spearman(trained.signed, trained.signed)).toBeCloseTo(1, 12);
    }
    expect(found.complete).toBe(true);
    expect(found.meanHeadCorrelation).toBeLessThan(0.5);
    expect(found.meanTopCorrelation).toBeLessThan(0.5);
    const all = found.images.flatMap((image) => [...image.headCorrelations, ...image.topCorrelations]);
    // One by one they may be alike or opposite by chance, because all maps are brightest where there is something.
    for (const correlation of all) expect(Math.abs(correlation)).toBeLessThan(0.97);
    expect(tf.memory().numTensors).toBe(before);
    await expect(sanityCheck(classifier, [])).rejects.toThrow(RangeError);
  });

  it("is drawn from weights of their own where the top is random, the same for the same seed", async () => {
    const pixels = await decodeImage(photograph, 224);
    const before = tf.memory().numTensors;
    const [one, same, another] = [
      backbone.withRandomTop(1),
      backbone.withRandomTop(1),
      backbone.withRandomTop(2),
    ];
    const signed = (network: OpenBackbone) =>
      activationMap(network, classifier.head, pixels, () => daisy).signed;
    expect(signed(one)).toEqual(signed(same));
    expect(signed(one)).not.toEqual(signed(another));
    expect(one.weights.sha256).not.toBe(backbone.weights.sha256);
    for (const network of [one, same, another]) network.dispose();
    expect(tf.memory().numTensors).toBe(before);
    // The stages below are still there.
    expect(signed(backbone).every(Number.isFinite)).toBe(true);
  });
});
