import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import sharp from "sharp";
import { describe, expect, it, vi } from "vitest";
import { openDataset } from "../../../src/data/dataset";
import { makeSplit } from "../../../src/data/split/split";
import { loadBackbone } from "../../../src/model/backbones/backbone";
import {
  compareWithTraining,
  distanceToNearest,
  type Familiarity,
  type ImageLooks,
  meanStain,
} from "../../../src/model/classifier/familiarity";
import {
  decodeFamiliarity,
  describeFamiliarity,
  encodeExamples,
} from "../../../src/model/classifier/familiarity-file";
import { fitFamiliarity } from "../../../src/model/classifier/fit-familiarity";
import { extractFeatures, type Features, selectRows } from "../../../src/model/features/features";
import { projectRoot } from "../../../src/runtime/paths";
import { createRandom } from "../../../src/runtime/random";
import { exampleRecord } from "../../support/data/example-dataset";
import { breakhisSample, hasSharedData, sharedDataFolder } from "../../support/data/shared-data";
import { temporaryFolder } from "../../support/temporary-folder";

vi.stubEnv("BREAKHIS_CACHE", join(temporaryFolder("familiarity-cache"), "cache"));

const rowsOf = (count: number, first = 0) => Array.from({ length: count }, (_, i) => first + i);

/** Features around one direction, as a backbone's are: all positive, differing a little. */
function cohort(count: number, width: number, seed = 1): { features: Features; records: ImageLooks[] } {
  const random = createRandom(seed);
  const values = Float32Array.from({ length: count * width }, () => 1 + 0.2 * random.normal());
  const records = rowsOf(count).map((i) =>
    exampleRecord({ meanColour: [180 + (i % 10), 130 + (i % 7), 190 + (i % 5)] }),
  );
  const features: Features = {
    backbone: "resnet50",
    width,
    values,
    count,
    complete: true,
    computed: count,
    fromCache: 0,
    seconds: 0,
  };
  return { features, records };
}

function fitted(
  train: number,
  validation: number,
  width = 16,
): { familiarity: Familiarity; features: Features } {
  const { features, records } = cohort(train + validation, width);
  const split = { train: rowsOf(train), validation: rowsOf(validation, train) };
  const dataset = { records: records as ReturnType<typeof exampleRecord>[] };
  return { familiarity: fitFamiliarity(dataset, split, features), features };
}

const usual: ImageLooks = { meanColour: [184, 133, 192], width: 700, height: 460 };
const aboutsOf = (familiarity: Familiarity, looks: ImageLooks) =>
  compareWithTraining(familiarity, familiarity.examples.slice(0, familiarity.width), looks).unlike.map(
    ({ about }) => about,
  );

describe("distanceToNearest", () => {
  it("is that of directions: 0 for the same one however long, the square root of 2 at right angles, 2 opposite", () => {
    const familiarity = { examples: Float32Array.from([1, 0, 0, 0, 1, 0]), width: 3 };
    expect(distanceToNearest(familiarity, Float32Array.from([7, 0, 0]))).toBe(0);
    expect(distanceToNearest(familiarity, Float32Array.from([0, 0, 2]))).toBeCloseTo(Math.SQRT2, 6);
    expect(
      distanceToNearest(
        { ...familiarity, examples: familiarity.examples.slice(0, 3) },
        Float32Array.from([-1, 0, 0]),
      ),
    ).toBe(2);
    expect(() => distanceToNearest(familiarity, new Float32Array(2))).toThrow(/3 features, found .* 2/);
  });
});

describe("fitFamiliarity", () => {
  it("lets at most one in a hundred of validation lie beyond the limit, and says how much fewer images can promise", () => {
    const many = fitted(50, 300).familiarity.validation;
    expect(many).toMatchObject({ images: 300, beyond: 2 });
    expect(many.falseAlarmRate).toBeLessThanOrEqual(0.01);
    // Of very many, as many as say the same are compared.
    expect(fitted(50, 4500).familiarity.validation).toMatchObject({ images: 4000, beyond: 39 });
    const few = fitted(50, 19).familiarity.validation;
    expect(few).toEqual({ images: 19, beyond: 0, falseAlarmRate: 1 - 19 / 20 });
  });

  it("keeps the promise on average for new images of the same kind", () => {
    const { familiarity } = fitted(100, 99);
    const { features } = cohort(2000, 16, 2);
    const beyond = rowsOf(2000).filter(
      (row) => distanceToNearest(familiarity, selectRows(features, [row])) > familiarity.limit,
    );
    // One limit from 99 images is itself a throw of the dice: the promised 1 % is its mean.
    expect(beyond.length / 2000).toBeLessThan(0.04);
  });

  it("keeps a part of many training images, evenly, in less than 2 MB, and the same every time", () => {
    const one = fitted(900, 20, 2048).familiarity;
    expect(one.examples.length).toBe(200 * 2048);
    expect(encodeExamples(one).length).toBeLessThan(2e6);
    expect(encodeExamples(fitted(900, 20, 2048).familiarity).equals(encodeExamples(one))).toBe(true);
  });

  it("comes back from its file, and refuses another backbone's", () => {
    const { familiarity } = fitted(30, 10);
    const description = describeFamiliarity(familiarity);
    const kept = JSON.parse(JSON.stringify(description)) as typeof description;
    const bytes = encodeExamples(familiarity);
    expect(decodeFamiliarity(bytes, kept, 16, "f")).toEqual(familiarity);
    expect(() => decodeFamiliarity(bytes, kept, 17, "f.safetensors")).toThrow(/f\.safetensors/);
  });

  it("refuses where nothing is usual yet", () => {
    expect(() => fitted(9, 5)).toThrow(/9 training images and 5 validation images/);
    expect(() => fitted(20, 0)).toThrow(/at least 10 and 1/);
  });
});

describe("compareWithTraining", () => {
  const { familiarity } = fitted(40, 40);

  it("finds nothing in a training image", () => {
    expect(aboutsOf(familiarity, usual)).toEqual([]);
  });

  it("warns of far features, in units of the limit", () => {
    const far = Float32Array.from({ length: 16 }, (_, i) => (i === 3 ? 1 : 0));
    const { distance, unlike } = compareWithTraining(familiarity, far, usual);
    expect(distance).toBeGreaterThan(1);
    expect(unlike.map(({ about }) => about)).toEqual(["features"]);
    expect(unlike[0]?.text).toMatch(/unlike the training images \(\d+\.\d\d times as far away/);
  });

  it("warns of stains beyond those of training, whichever way", () => {
    expect(aboutsOf(familiarity, { ...usual, meanColour: [250, 245, 250] })).toContain("stain");
    expect(aboutsOf(familiarity, { ...usual, meanColour: [90, 40, 110] })).toContain("stain");
    expect(aboutsOf(familiarity, { ...usual, meanColour: [60, 180, 60] })).toContain("stain");
    const [first] = compareWithTraining(familiarity, familiarity.examples.slice(0, 16), {
      ...usual,
      meanColour: [250, 245, 250],
    }).unlike;
    expect(first?.text).toMatch(/^less haematoxylin \(blue\) than in training \(0\.0\d, usual 0\.\d\d to/);
  });

  it("warns of other scales and proportions, not of half the size", () => {
    expect(aboutsOf(familiarity, { ...usual, width: 350, height: 230 })).toEqual([]);
    expect(aboutsOf(familiarity, { ...usual, width: 50, height: 50 })).toEqual(["size", "size"]);
    expect(aboutsOf(familiarity, { ...usual, width: 7000, height: 4600 })).toEqual(["size"]);
    expect(aboutsOf(familiarity, { ...usual, width: 460, height: 700 })).toEqual(["size"]);
  });
});

describe("meanStain", () => {
  it("takes a dye's colour for this dye, and white for none", () => {
    const colourOf = (density: number[]) =>
      density.map((value) => 255 * 10 ** -value) as ImageLooks["meanColour"];
    const length = Math.hypot(0.65, 0.7, 0.29);
    const blue = meanStain(colourOf([0.65 / length / 2, 0.7 / length / 2, 0.29 / length / 2]));
    expect(blue.haematoxylin).toBeCloseTo(0.5, 2);
    expect(Math.abs(blue.eosin)).toBeLessThan(0.02);
    expect(Math.abs(blue.other)).toBeLessThan(0.02);
    expect(meanStain([255, 255, 255])).toEqual({ haematoxylin: 0, eosin: 0, other: 0 });
    expect(Number.isFinite(meanStain([0, 0, 0]).haematoxylin)).toBe(true);
  });
});

describe.skipIf(!hasSharedData)("on real tissue", () => {
  it("takes noise, plain colour, photographs and other scans for unlike, and most new patients' images for like", async () => {
    const folder = temporaryFolder("odd-images");
    const kinds = ["noise", "plain", "photograph", "patch"];
    for (const kind of kinds) mkdirSync(join(folder, kind));
    const random = createRandom(3);
    const [width, height, channels] = [700, 460, 3] as const;
    const noise = Uint8Array.from({ length: width * height * channels }, () => random.integer(256));
    await sharp(noise, { raw: { width, height, channels } }).toFile(join(folder, "noise", "noise.png"));
    const plain = { width, height, channels, background: "#d8b4d0" };
    await sharp({ create: plain }).toFile(join(folder, "plain", "plain.png"));
    const python = join(projectRoot(), ".venv", "lib");
    for (const name of readdirSync(python, { recursive: true }) as string[]) {
      if (!/sklearn\/datasets\/images\/(?:flower|china)\.jpg$/.test(name)) continue;
      copyFileSync(join(python, name), join(folder, "photograph", basename(name)));
    }
    const idc = join(sharedDataFolder, "idc-sample");
    const patches = (readdirSync(idc, { recursive: true }) as string[]).filter((name) =>
      name.endsWith(".png"),
    );
    for (const name of patches.sort().filter((_, i) => i % 100 === 0)) {
      copyFileSync(join(idc, name), join(folder, "patch", basename(name)));
    }

    const { backbone } = await loadBackbone({
      backbone: "efficientnet-lite0",
      weights: null,
      inputSize: 224,
    });
    const dataset = await openDataset(breakhisSample);
    const features = await extractFeatures(dataset, backbone);
    const split = makeSplit(dataset, { by: "patient", seed: 1 });
    const familiarity = fitFamiliarity(dataset, split, features);
    const odd = await openDataset(folder);
    const oddFeatures = await extractFeatures(odd, backbone);
    backbone.dispose();
    const counts = kinds.map((kind) => odd.records.filter(({ file }) => file.startsWith(`${kind}/`)).length);
    expect(counts).toEqual([1, 1, 2, 45]);
    for (const [row, record] of odd.records.entries()) {
      const { distance, unlike } = compareWithTraining(familiarity, selectRows(oddFeatures, [row]), record);
      if (record.file.startsWith("patch/")) expect(unlike.map(({ about }) => about)).toContain("size");
      else expect(distance, record.file).toBeGreaterThan(1);
    }
    const test = split.test.map((row) =>
      compareWithTraining(familiarity, selectRows(features, [row]), dataset.records[row]!),
    );
    expect(test.filter(({ unlike }) => unlike.length > 0).length).toBeLessThanOrEqual(test.length / 4);
    for (const row of split.train) {
      expect(
        compareWithTraining(familiarity, selectRows(features, [row]), dataset.records[row]!).unlike,
      ).toEqual([]);
    }
  });
});
