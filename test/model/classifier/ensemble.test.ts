import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeClassifier } from "../../../src/export/classifier-graph";
import { buildLayersModel } from "../../../src/export/layers-model";
import { requireOpen } from "../../../src/model/backbones/architecture";
import { loadBackbone } from "../../../src/model/backbones/backbone";
import { buildClassifier, loadClassifier, saveClassifier } from "../../../src/model/classifier/classifier";
import { readManifest } from "../../../src/model/classifier/classifier-manifest";
import { disagreements } from "../../../src/model/classifier/disagreement";
import { buildHead, headTensors, predictHead } from "../../../src/model/classifier/head";
import { decodeHead, encodeHead, headShapes } from "../../../src/model/classifier/head-file";
import { ensembleOf, headMembers } from "../../../src/model/classifier/head-members";
import { headGradient } from "../../../src/model/explanation/logit-gradient";
import { createRandom } from "../../../src/runtime/random";
import { tf } from "../../../src/runtime/tensorflow";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("ensemble");
const shape = { inputs: 6, hiddenUnits: [4], classCount: 2 };
const heads = [1, 2, 3, 4, 5].map((seed) => buildHead({ ...shape, seed }));
const random = createRandom(7);
const values = Float32Array.from({ length: 5 * 6 }, () => random.normal());

describe("ensembleOf", () => {
  it("answers with the mean of its heads, and is the head itself where there is one", () => {
    const ensemble = ensembleOf(heads);
    const each = heads.map((head) => predictHead(head, values, 6));
    const found = predictHead(ensemble, values, 6);
    found.forEach((value, i) => {
      const mean = each.reduce((sum, one) => sum + one[i]!, 0) / heads.length;
      expect(value).toBeCloseTo(mean, 6);
    });
    expect(ensembleOf([heads[0]!])).toEqual(heads[0]);
    expect(headMembers(ensembleOf([ensemble, heads[0]!]))).toHaveLength(6);
    expect(() => ensembleOf([])).toThrow(/no head/);
    const other = buildHead({ ...shape, hiddenUnits: [], seed: 1 });
    expect(() => ensembleOf([heads[0]!, other])).toThrow(/6 → 4 → 2 and 6 → 2/);
    expect(() => headTensors(ensemble)).toThrow(/can't be trained further/);
  });

  it("is written and read to the bit, and a missing head is noticed", () => {
    const ensemble = ensembleOf(heads);
    const bytes = encodeHead(ensemble);
    expect(decodeHead(bytes, headShapes(ensemble), "head", 5)).toEqual(ensemble);
    expect(() => decodeHead(bytes, headShapes(ensemble), "head", 6)).toThrow(/heads\.5\.layers\.0\.kernel/);
  });

  it("is explained by the mean of its heads' logits", () => {
    const row = values.subarray(0, 6);
    const each = heads.map((head) => headGradient(head, row, 1));
    const found = headGradient(ensembleOf(heads), row, 1);
    found.gradient.forEach((value, i) => {
      expect(value).toBeCloseTo(each.reduce((sum, one) => sum + one.gradient[i]!, 0) / 5, 12);
    });
    expect(found.logits[1]).toBeCloseTo(each.reduce((sum, one) => sum + one.logits[1]!, 0) / 5, 12);
  });
});

describe("a classifier of several heads", () => {
  it("is saved in one folder, loaded and answers the same; as a graph it says it too", async () => {
    const inputSize = 64;
    const { backbone: loadedBackbone } = await loadBackbone({
      ...{ backbone: "efficientnet-lite0", weights: null, inputSize },
    });
    const backbone = requireOpen(loadedBackbone, "This test");
    const width = backbone.featureWidth;
    const members = [1, 2, 3].map((seed) =>
      buildHead({ inputs: width, hiddenUnits: [3], classCount: 2, seed }),
    );
    const classifier = buildClassifier({
      ...{ backbone, head: ensembleOf(members), runId: null },
      dataset: { name: "blots", synthetic: true, classes: ["benign", "malignant"], positiveClass: 1 },
      settings: { seed: 1, weights: null },
    });
    const path = join(folder, "classifier");
    await saveClassifier(path, classifier);
    expect(await readManifest(path)).toMatchObject({
      format: "breakhis-lab classifier 6",
      head: { heads: 3 },
    });
    const loaded = await loadClassifier(path, { backbone });
    expect(loaded.head).toEqual(classifier.head);

    const model = buildLayersModel(describeClassifier(classifier), inputSize);
    const pixels = Int32Array.from({ length: inputSize ** 2 * 3 }, () => random.integer(256));
    const answers = tf.tidy(() => {
      const image = tf.tensor4d(pixels, [1, inputSize, inputSize, 3], "int32");
      const features = backbone.embed(image).dataSync<"float32">().slice();
      const asked = model.predict(tf.tensor4d(Float32Array.from(pixels), image.shape)) as tf.Tensor;
      return {
        asked: Array.from(asked.dataSync()),
        ours: Array.from(predictHead(loaded.head, features, width)),
      };
    });
    model.dispose();
    answers.asked.forEach((value, i) => {
      expect(Math.abs(value - answers.ours[i]!)).toBeLessThan(1e-4);
    });
    backbone.dispose();
  });

  it("tells where a fifth of its heads or more answer otherwise", () => {
    const classifier = {
      ...{ classes: ["benign", "malignant"], positiveClass: 1, threshold: 0.5 },
      head: ensembleOf(heads),
    } as Parameters<typeof disagreements>[0];
    const features = { values, width: 6, count: 5 } as Parameters<typeof disagreements>[1];
    const mean = predictHead(classifier.head, values, 6);
    const answers = Array.from({ length: 5 }, (_, row) => (mean[2 * row + 1]! >= 0.5 ? 1 : 0));
    const found = disagreements(classifier, features, answers);
    const counts = answers.map(
      (answer, row) =>
        heads.filter((head) => (predictHead(head, values, 6)[2 * row + 1]! >= 0.5 ? 1 : 0) !== answer).length,
    );
    expect(Math.max(...counts)).toBeGreaterThan(0);
    expect(found.map((ways) => ways.length)).toEqual(counts.map((count) => (count > 0 ? 1 : 0)));
    const row = counts.findIndex((count) => count > 0);
    const named = ["benign", "malignant"][1 - answers[row]!];
    expect(found[row]![0]).toEqual({
      about: "heads",
      text: `${counts[row]} of 5 heads answer ${named} instead`,
    });
    expect(disagreements({ ...classifier, head: heads[0]! }, features, answers)).toEqual([
      [],
      [],
      [],
      [],
      [],
    ]);
  });
});
