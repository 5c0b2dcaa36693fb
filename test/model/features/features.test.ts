import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import sharp from "sharp";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Dataset, imagePath, openDataset } from "../../../src/data/dataset";
import { decodeImage } from "../../../src/data/images/images";
import { loadBackbone, type OpenBackbone } from "../../../src/model/backbones/backbone";
import {
  embedPixels,
  extractFeatures,
  featureBatchSize,
  selectRows,
} from "../../../src/model/features/features";
import { encodeNpy, encodeRecords, writeFeatures } from "../../../src/model/features/features-file";
import { sha256 } from "../../../src/runtime/cache/content-hash";
import { arithmeticKey } from "../../../src/runtime/device/device";
import { requestStop } from "../../../src/runtime/interruption";
import { onProgress, type ProgressState } from "../../../src/runtime/progress";
import { tf } from "../../../src/runtime/tensorflow";
import { drawImages } from "../../support/data/drawn-images";
import { exampleDataset, exampleRecord } from "../../support/data/example-dataset";
import { inMemory } from "../../support/model/values-in-memory";
import { runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("features");
const images = join(folder, "images");
const imageCount = 11;
const size = 32;
let dataset: Dataset;
let batches: number[];

/** Mean red, green and blue of each image, which is easy to check; notes how many images it is shown at once. */
function meanColourBackbone(name: OpenBackbone["name"] = "resnet50", sha256 = "1234"): OpenBackbone {
  return {
    name,
    weights: { name: "none", sha256, source: "a test" },
    pretrained: false,
    inputSize: size,
    featureWidth: 3,
    layers: [],
    parameterCount: 0,
    embed(batch) {
      batches.push(batch.shape[0]);
      return tf.tidy(() => tf.mean(tf.cast(batch, "float32"), [1, 2]));
    },
    activate: (batch) => tf.cast(batch, "float32"),
    describe: () => [],
    withRandomTop: () => meanColourBackbone(name, sha256),
    staged: { prepare: (batch) => tf.cast(batch, "float32"), stages: [], last: "" },
    withWeights: () => meanColourBackbone(name, sha256),
    dispose() {},
  };
}

beforeAll(async () => {
  const pixels = drawImages(imageCount, size);
  for (let index = 0; index < imageCount; index++) {
    const target = join(images, index < 5 ? "benign" : "malignant");
    mkdirSync(target, { recursive: true });
    const raw = pixels.subarray(index * size * size * 3, (index + 1) * size * size * 3);
    await sharp(raw, { raw: { width: size, height: size, channels: 3 } })
      .png()
      .toFile(join(target, `${index}.png`));
  }
  // The same image under another name.
  copyFileSync(join(images, "benign", "0.png"), join(images, "malignant", "copy.png"));
  process.env["BREAKHIS_CACHE"] = join(folder, "cache");
  dataset = await openDataset(images);
  return () => {
    delete process.env["BREAKHIS_CACHE"];
  };
});

beforeEach(() => {
  batches = [];
  rmSync(join(folder, "cache", "features"), { recursive: true, force: true });
});

async function meanColours(): Promise<number[]> {
  const rows = dataset.records.map(async (record) => {
    const pixels = await decodeImage(imagePath(dataset, record), size);
    return [0, 1, 2].map((channel) => {
      const values = pixels.filter((_, index) => index % 3 === channel);
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    });
  });
  return (await Promise.all(rows)).flat();
}

describe("extractFeatures", () => {
  it("gives each record its row, in batches of one size, each image once", async () => {
    const before = tf.memory().numTensors;
    const features = await extractFeatures(dataset, meanColourBackbone(), { batchSize: 4 });
    expect(features).toMatchObject({ width: 3, count: 12, complete: true, computed: 12, fromCache: 0 });
    // Eleven different images.
    expect(batches).toEqual([4, 4, 4]);
    const expected = await meanColours();
    for (const [index, value] of inMemory(features.values).entries())
      expect(value).toBeCloseTo(expected[index]!, 3);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("takes from the cache what was computed, bit by bit the same, wherever the image lies", async () => {
    const first = await extractFeatures(dataset, meanColourBackbone(), { batchSize: 4 });
    const moved = join(folder, "moved", "benign");
    mkdirSync(moved, { recursive: true });
    copyFileSync(join(images, "malignant", "7.png"), join(moved, "renamed.png"));
    batches = [];
    const again = await extractFeatures(dataset, meanColourBackbone(), { batchSize: 4 });
    expect(again).toMatchObject({ computed: 0, fromCache: 12, complete: true });
    expect(again.values).toEqual(first.values);
    const elsewhere = await extractFeatures(await openDataset(join(folder, "moved")), meanColourBackbone(), {
      batchSize: 4,
    });
    expect(elsewhere).toMatchObject({ computed: 0, fromCache: 1 });
    const row = dataset.records.findIndex(({ file }) => file.endsWith("/7.png"));
    expect(elsewhere.values).toEqual(selectRows(first, [row]));
    expect(batches).toEqual([]);
  });

  it("computes again for other weights, another network, another input or batch size", async () => {
    await extractFeatures(dataset, meanColourBackbone(), { batchSize: 4 });
    const others: [OpenBackbone, number][] = [
      [meanColourBackbone("resnet50", "5678"), 4],
      [meanColourBackbone("efficientnet-lite0"), 4],
      [{ ...meanColourBackbone(), inputSize: 16 }, 4],
      [meanColourBackbone(), 8],
    ];
    for (const [backbone, batchSize] of others) {
      expect(await extractFeatures(dataset, backbone, { batchSize })).toMatchObject({
        computed: 12,
        fromCache: 0,
      });
    }
  });

  it("keeps features of transformed images apart, and finds those of plain ones under their old keys", async () => {
    const swapped = { id: "swapped", apply: (pixels: Uint8Array) => pixels.slice().reverse() };
    const plain = await extractFeatures(dataset, meanColourBackbone());
    const found = await extractFeatures(dataset, meanColourBackbone(), { transform: swapped });
    expect(found.computed).toBe(12);
    // Backwards, red is blue and blue is red.
    for (let row = 0; row < 12; row++) {
      const [red, green, blue] = inMemory(plain.values).subarray(3 * row);
      const others = [blue, green, red].map((value) => expect.closeTo(value!, 3));
      expect([...inMemory(found.values).subarray(3 * row, 3 * row + 3)]).toEqual(others);
    }
    const again = await extractFeatures(dataset, meanColourBackbone(), { transform: swapped });
    expect(again).toMatchObject({ computed: 0, fromCache: 12 });
    const other = { ...swapped, id: "another" };
    expect((await extractFeatures(dataset, meanColourBackbone(), { transform: other })).computed).toBe(12);
    const device = arithmeticKey();
    const oldKeys = dataset.records.map((record) =>
      sha256(JSON.stringify([3, "resnet50", "1234", size, featureBatchSize, device, record.sha256])),
    );
    const kept = readdirSync(join(folder, "cache", "features"), { recursive: true }).map((name) =>
      basename(String(name)),
    );
    for (const key of oldKeys) expect(kept).toContain(key);
  });

  it("computes damaged entries again", async () => {
    const first = await extractFeatures(dataset, meanColourBackbone());
    const entries = readdirSync(join(folder, "cache", "features"), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    expect(files.length).toBe(11);
    writeFileSync(join(files[0]!.parentPath, files[0]!.name), "not what was written");
    const again = await extractFeatures(dataset, meanColourBackbone());
    expect(again.computed).toBeGreaterThan(0);
    expect(again.computed + again.fromCache).toBe(12);
    expect(again.values).toEqual(first.values);
  });

  it("stops when asked to with what it has, and goes on from there", async () => {
    const before = tf.memory().numTensors;
    const backbone = meanColourBackbone();
    const stopping: OpenBackbone = {
      ...backbone,
      embed(batch) {
        if (batches.length === 1) expect(requestStop()).toEqual(["feature extraction"]);
        return backbone.embed(batch);
      },
    };
    const part = await extractFeatures(dataset, stopping, { batchSize: 4 });
    expect(part.complete).toBe(false);
    expect(batches).toEqual([4, 4]);
    const missing = Array.from({ length: 12 }, (_, row) => row).filter((row) =>
      Number.isNaN(inMemory(part.values)[3 * row]),
    );
    expect(missing.length).toBe(12 - part.computed);
    expect(part.computed).toBeLessThan(12);
    await expect(writeFeatures(join(folder, "partial"), dataset, part)).rejects.toThrow(
      /Only complete features/,
    );
    const whole = await extractFeatures(dataset, backbone, { batchSize: 4 });
    expect(whole).toMatchObject({ complete: true, fromCache: part.computed, computed: missing.length });
    expect(inMemory(whole.values).some(Number.isNaN)).toBe(false);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("reports every image and finishes, also when one can't be read any more", async () => {
    const states: ProgressState[] = [];
    const unsubscribe = onProgress((state) => states.push(state));
    await extractFeatures(dataset, meanColourBackbone());
    expect(states.at(-1)).toMatchObject({ unit: "images", done: 12, total: 12, finished: true });
    const gone = { ...dataset, records: [exampleRecord({ file: "benign/gone.png", sha256: "ff" })] };
    await expect(extractFeatures(gone, meanColourBackbone())).rejects.toThrow(/gone\.png/);
    expect(states.at(-1)).toMatchObject({ done: 0, total: 1, finished: true });
    unsubscribe();
  });

  it("refuses an image that has changed since the data set was opened, and keeps nothing of it", async () => {
    const root = join(folder, "changing");
    for (const name of ["a", "b"]) mkdirSync(join(root, name), { recursive: true });
    const [one, two] = [join(root, "a", "one.png"), join(root, "b", "two.png")];
    const [first, second, third] = dataset.records.slice(0, 3).map((record) => imagePath(dataset, record));
    copyFileSync(first!, one);
    copyFileSync(second!, two);
    const opened = await openDataset(root);
    copyFileSync(third!, one);
    await expect(extractFeatures(opened, meanColourBackbone("resnet50", "changing"))).rejects.toThrow(
      `The image ${one} can't be used: it has changed since it was looked into; open the data set again.`,
    );
    copyFileSync(first!, one);
    const again = await extractFeatures(opened, meanColourBackbone("resnet50", "changing"));
    const truth = await extractFeatures(opened, meanColourBackbone("resnet50", "the truth"));
    expect(again.values).toEqual(truth.values);
  });

  it("works on no records at all", async () => {
    const features = await extractFeatures({ ...dataset, records: [] }, meanColourBackbone());
    expect(features).toMatchObject({ count: 0, complete: true, computed: 0 });
  });
});

describe("embedPixels", () => {
  it("gives an image the same bits alone, at any place in a batch and among any others", async () => {
    const { backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize: 64 });
    const imageLength = 64 * 64 * 3;
    const pixels = drawImages(8, 64);
    const together = await embedPixels(backbone, pixels, 8);
    const reversed = new Uint8Array(pixels.length);
    for (let image = 0; image < 8; image++) {
      reversed.set(
        pixels.subarray(image * imageLength, (image + 1) * imageLength),
        (7 - image) * imageLength,
      );
    }
    const backwards = await embedPixels(backbone, reversed, 8);
    for (let image = 0; image < 8; image++) {
      const row = together.subarray(image * 1280, (image + 1) * 1280);
      const alone = pixels.subarray(image * imageLength, (image + 1) * imageLength);
      const byItself = await embedPixels(backbone, alone, 1);
      expect(Buffer.from(byItself.buffer)).toEqual(Buffer.from(row.slice().buffer));
      const elsewhere = backwards.slice((7 - image) * 1280, (8 - image) * 1280);
      expect(Buffer.from(elsewhere.buffer)).toEqual(Buffer.from(row.slice().buffer));
    }
    backbone.dispose();
  });

  it("refuses more images than a batch holds, and images of another size", async () => {
    const backbone = meanColourBackbone();
    const pixels = new Uint8Array(2 * size * size * 3);
    await expect(embedPixels(backbone, pixels, 2, 1)).rejects.toThrow(RangeError);
    await expect(embedPixels(backbone, pixels, 1)).rejects.toThrow(RangeError);
  });
});

describe("selectRows", () => {
  it("copies rows in the order wanted and refuses others", () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    const features = {
      backbone: "",
      width: 2,
      values,
      count: 3,
      complete: true,
      computed: 0,
      fromCache: 3,
      seconds: 0,
    };
    expect(selectRows(features, [2, 0, 2])).toEqual(Float32Array.of(5, 6, 1, 2, 5, 6));
    expect(() => selectRows(features, [3])).toThrow(/no row 3 among 3/);
    expect(() => selectRows(features, [-1])).toThrow(RangeError);
  });
});

describe("writeFeatures", () => {
  const inspect = `
import csv, json, sys, numpy as np
matrix = np.load(sys.argv[1] + ".npy")
rows = list(csv.DictReader(open(sys.argv[1] + ".csv", newline="")))
print(json.dumps([str(matrix.dtype), list(matrix.shape), bool(matrix.flags.c_contiguous), matrix.ravel().tolist(), rows]))
`;

  it("writes what numpy and Python's csv read back as it was", async () => {
    const features = await extractFeatures(dataset, meanColourBackbone());
    const name = join(folder, "deep", "name");
    await writeFeatures(name, dataset, features);
    const [dtype, shape, isRowMajor, values, rows] = JSON.parse(runPython(inspect, [name]));
    expect([dtype, shape, isRowMajor]).toEqual(["float32", [12, 3], true]);
    expect(Float32Array.from(values)).toEqual(features.values);
    expect(rows.map((row: { file: string }) => row.file)).toEqual(dataset.records.map(({ file }) => file));
    expect(rows[0]).toMatchObject({
      label: "0",
      class: "benign",
      patient: "",
      sha256: dataset.records[0]!.sha256,
    });
    expect(readdirSync(join(folder, "deep")).sort()).toEqual(["name.csv", "name.npy"]);
  });

  it("quotes what would break a line, and encodes an empty matrix", () => {
    const table = encodeRecords(exampleDataset({ records: [exampleRecord({ file: 'a "b",\nc.png' })] }));
    expect(table.split("\n").slice(1).join("\n")).toMatch(
      /^"a ""b"",\nc\.png",0,benign,A,22549AB,22549,100,/,
    );
    const record = exampleRecord({ file: "=1+1/a.png", subtype: "+1", slide: "-2", patient: "@A1" });
    const formulas = encodeRecords(exampleDataset({ classes: ["=1+1", "b"], records: [record] }));
    expect(formulas.split("\n")[1]).toMatch(/^'=1\+1\/a\.png,0,'=1\+1,'\+1,'-2,'@A1,/);
    expect(Buffer.concat([...encodeNpy(new Float32Array(0), [0, 5])]).length % 64).toBe(0);
    expect(() => encodeNpy(new Float32Array(3), [2, 2])).toThrow(RangeError);
  });

  it("comes in pieces that no write is too small for, however many numbers there are, and without a copy of them", () => {
    const values = Float32Array.from({ length: 9_000_000 }, (_, i) => i);
    const [head, ...pieces] = [...encodeNpy(values, [3, 3_000_000])];
    expect(head!.byteLength).toBe(128);
    expect(pieces.map(({ byteLength }) => byteLength / 4)).toEqual([2 ** 22, 2 ** 22, 9_000_000 - 2 ** 23]);
    for (const piece of pieces) expect(piece.buffer).toBe(values.buffer);
  });
});
