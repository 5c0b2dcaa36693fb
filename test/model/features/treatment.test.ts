import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { type Dataset, imagePath, openDataset } from "../../../src/data/dataset";
import { asItIs, stainViews, transformFor, viewsOf } from "../../../src/data/images/image-views";
import { decodeImage } from "../../../src/data/images/images";
import { fitStainReference } from "../../../src/data/images/stain-reference";
import { buildHead, predictHead } from "../../../src/model/classifier/head";
import { answeringViews, meanOverViews, predictRows } from "../../../src/model/classifier/predict-rows";
import { embedPixels, extractFeatures, selectFeatures } from "../../../src/model/features/features";
import {
  describeCost,
  describeFeatures,
  extractTreated,
  fitTreatment,
} from "../../../src/model/features/treatment";
import { requestStop } from "../../../src/runtime/interruption";
import { resolveSettings } from "../../../src/runtime/settings";
import { tf } from "../../../src/runtime/tensorflow";
import { laboratories, mixImage } from "../../support/data/stained-images";
import { docstringExamples, evaluateExample } from "../../support/docstring-examples";
import { cornerBackbone } from "../../support/model/corner-backbone";
import { inMemory } from "../../support/model/values-in-memory";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("treatment");
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
const size = 24;
const backbone = cornerBackbone(size);
const train = [0, 1, 2, 6, 7, 8];
const held = [3, 4, 5, 9, 10, 11];

/** Six patients a class, one image each; those who are held out come from a laboratory of their own. */
async function writeImages(name: string, heldLaboratory: number): Promise<Dataset> {
  for (let row = 0; row < 12; row++) {
    const [folder, code] = row < 6 ? ["benign", "B_A"] : ["malignant", "M_DC"];
    mkdirSync(join(home, name, folder), { recursive: true });
    const laboratory = laboratories[held.includes(row) ? heldLaboratory : 0]!;
    const png = await sharp(mixImage(laboratory, size * size, row), {
      raw: { width: size, height: size, channels: 3 },
    })
      .png()
      .toBuffer();
    writeFileSync(join(home, name, folder, `SOB_${code}-14-${1000 + row}-100-001.png`), png);
  }
  return openDataset(join(home, name));
}

let dataset: Dataset;
let elsewhere: Dataset;
beforeAll(async () => {
  dataset = await writeImages("two-laboratories", 1);
  elsewhere = await writeImages("one-laboratory", 0);
});

const untreated = { stain: "as-is", augmentation: "none" } as const;

describe("fitTreatment", () => {
  it("normalises to the training part alone, whatever the other images look like", async () => {
    const settings = { stain: "normalised", augmentation: "none" } as const;
    const options = { train, inputSize: size };
    const treatment = await fitTreatment(dataset, settings, options);
    const paths = train.map((row) => imagePath(dataset, dataset.records[row]!));
    expect(treatment.stain).toEqual(await fitStainReference(paths, size));
    expect(treatment.fittedOn).toEqual(train);
    // The held-out images of this set are of another laboratory, and nothing changes.
    expect((await fitTreatment(elsewhere, settings, options)).stain).toEqual(treatment.stain);
    const all = await fitTreatment(dataset, settings, { ...options, train: [...train, ...held] });
    expect(all.stain).not.toEqual(treatment.stain);
  });

  it("looks at no image where nothing is to be fitted", async () => {
    const nowhere = { ...dataset, folder: "/nowhere" };
    const settings = resolveSettings(untreated);
    expect(await fitTreatment(nowhere, settings, { train, inputSize: size })).toEqual({
      stain: null,
      fittedOn: [],
      views: [asItIs],
    });
  });
});

describe("extractTreated", () => {
  it("computes what the network says of each view of each image", async () => {
    const before = tf.memory().numTensors;
    const settings = { stain: "normalised", augmentation: "turns-and-stains" } as const;
    const treatment = await fitTreatment(dataset, settings, { train, inputSize: size });
    const features = await extractTreated(dataset, backbone, treatment);
    expect(features).toMatchObject({ complete: true, count: 12, fittedOn: train });
    expect(features.views!.map(({ view }) => view)).toEqual(treatment.views.slice(1));
    for (const [i, view] of treatment.views.entries()) {
      const values = i === 0 ? features.values : features.views![i - 1]!.values;
      for (const row of [0, 5, 9]) {
        const pixels = await decodeImage(imagePath(dataset, dataset.records[row]!), size);
        const seen = transformFor(treatment.stain, view)!.apply(pixels);
        expect(inMemory(values).subarray(3 * row, 3 * row + 3)).toEqual(await embedPixels(backbone, seen, 1));
      }
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it("computes each view once, and finds it again whatever it stands beside", async () => {
    const fresh = { ...backbone, weights: { ...backbone.weights, sha256: "c1" } };
    const counts = async (augmentation: "none" | "turns" | "stains" | "turns-and-stains") => {
      const treatment = await fitTreatment(
        dataset,
        { ...untreated, augmentation },
        { train, inputSize: size },
      );
      const { computed, fromCache } = await extractTreated(dataset, fresh, treatment);
      return [computed, fromCache];
    };
    expect(await counts("none")).toEqual([12, 0]);
    expect(await counts("turns")).toEqual([84, 12]);
    expect(await counts("stains")).toEqual([36, 12]);
    expect(await counts("turns-and-stains")).toEqual([0, 132]);
    expect((await extractFeatures(dataset, fresh)).fromCache).toBe(12);
  });

  it("gives views of the records that are asked for, at their places", async () => {
    const treatment = { stain: null, fittedOn: [], views: [asItIs, ...stainViews(2)] };
    const all = await extractTreated(dataset, backbone, treatment);
    const some = await extractTreated(dataset, backbone, treatment, { rowsWithViews: train });
    expect(some.values).toEqual(all.values);
    some.views!.forEach(({ values }, i) => {
      for (let row = 0; row < 12; row++) {
        const expected = train.includes(row)
          ? inMemory(all.views![i]!.values).subarray(3 * row, 3 * row + 3)
          : new Float32Array(3).fill(Number.NaN);
        expect(inMemory(values).subarray(3 * row, 3 * row + 3)).toEqual(expected);
      }
    });
  });

  it("stops when asked to, and says that something is missing", async () => {
    let calls = 0;
    const stopping = {
      ...backbone,
      weights: { ...backbone.weights, sha256: "c2" },
      embed(batch: Parameters<typeof backbone.embed>[0]) {
        calls++;
        if (calls === 3) requestStop();
        return backbone.embed(batch);
      },
    };
    const treatment = { stain: null, fittedOn: [], views: viewsOf("turns") };
    const features = await extractTreated(dataset, stopping, treatment);
    // One batch a view: the third was finished and kept, and what comes after it is known to be missing.
    expect(calls).toBe(3);
    expect(features.complete).toBe(false);
    expect(features.views).toHaveLength(2);
    const again = await extractTreated(dataset, stopping, treatment);
    expect(again).toMatchObject({ complete: true, fromCache: 36, computed: 60 });
  });
});

describe("predictions from several views", () => {
  it("are the mean of the views' probabilities, and of one view its own to the bit", async () => {
    const treatment = { stain: null, fittedOn: [], views: viewsOf("turns") };
    const features = await extractTreated(dataset, backbone, treatment);
    const head = buildHead({ inputs: 3, hiddenUnits: [4], classCount: 2, seed: 2 });
    const single = [features.values, ...features.views!.map(({ values }) => values)].map((values) =>
      predictHead(head, inMemory(values).slice(9, 12), 3),
    );
    const byHand = [0, 1].map((i) => single.reduce((sum, view) => sum + view[i]!, 0) / 8);
    const views = answeringViews(features, { averageViews: true });
    expect(views).toEqual(treatment.views);
    const predicted = predictRows(head, features, [3], views);
    expect(Array.from(predicted)).toEqual(byHand.map(Math.fround));
    expect(new Set(single.map(String)).size).toBe(8);
    expect(predictRows(head, features, [3])).toEqual(single[0]);
    expect(predictRows(head, features, [3], answeringViews(features, {}))).toEqual(single[0]);
    expect(meanOverViews([single[0]!])).toEqual(single[0]);
    expect(() => meanOverViews([])).toThrow(RangeError);
    expect(() => predictRows(head, features, [3], [asItIs, ...stainViews(1)])).toThrow(/lack a view/);
  });

  it("go where their record goes", async () => {
    const treatment = await fitTreatment(
      dataset,
      { stain: "normalised", augmentation: "stains" },
      { train, inputSize: size },
    );
    const features = await extractTreated(dataset, backbone, treatment);
    const rows = [7, 2, 10];
    const selected = selectFeatures(features, rows);
    expect(selected.count).toBe(3);
    expect(selected.images!.map(({ file }) => file)).toEqual(rows.map((row) => dataset.records[row]!.file));
    const of = (values: Float32Array) => rows.flatMap((row) => [...values.subarray(3 * row, 3 * row + 3)]);
    expect([...inMemory(selected.values)]).toEqual(of(inMemory(features.values)));
    selected.views!.forEach(({ values, view }, i) => {
      expect(view).toEqual(features.views![i]!.view);
      expect([...inMemory(values)]).toEqual(of(inMemory(features.views![i]!.values)));
    });
    // 0, 1, 6 and 8 were fitted on too, and are no records of this set any more.
    expect(selected.fittedOn).toEqual([-1, -1, 1, -1, 0, -1]);
  });
});

describe("describeCost", () => {
  it("says what views and stains cost, and nothing where they cost nothing", () => {
    const examples = docstringExamples("src/model/features/treatment.ts");
    expect(examples).toHaveLength(2);
    for (const { code, expected } of examples) {
      expect(evaluateExample(code, { describeCost, describeFeatures })).toBe(JSON.parse(expected));
    }
    expect(describeCost(untreated, { images: 5 })).toBe("");
    expect(describeCost({ ...untreated, stain: "normalised" }, { images: 5 })).toBe("");
    const folds = describeCost({ stain: "normalised", augmentation: "stains" }, { images: 1, fits: 5 });
    expect(folds).toMatch(
      /Each of 1 image is seen in 4 views, once for each of 5 training parts .* 20 times/,
    );
  });
});
