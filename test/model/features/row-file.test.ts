import { mkdirSync, readdirSync, readFileSync, readlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import sharp from "sharp";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { type Dataset, openDataset } from "../../../src/data/dataset";
import { viewsOf } from "../../../src/data/images/image-views";
import { buildHead } from "../../../src/model/classifier/head";
import { predictRows } from "../../../src/model/classifier/predict-rows";
import {
  areInMemory,
  countValues,
  type FeatureValues,
  gatherRows,
  stackRows,
  storedRows,
} from "../../../src/model/features/feature-rows";
import { type Features, selectFeatures, selectRows } from "../../../src/model/features/features";
import { encodeNpy, openNpy, writeFeatures } from "../../../src/model/features/features-file";
import { principalComponents } from "../../../src/model/features/projection";
import { makeRoomForRows } from "../../../src/model/features/row-file";
import { extractTreated } from "../../../src/model/features/treatment";
import { createRandom } from "../../../src/runtime/random";
import { drawImages } from "../../support/data/drawn-images";
import { cornerBackbone } from "../../support/model/corner-backbone";
import { inMemory } from "../../support/model/values-in-memory";
import { runPython } from "../../support/python";
import { temporaryFolder } from "../../support/temporary-folder";
import { waitUntil } from "../../support/wait-until";

const folder = temporaryFolder("row-file");
const cache = join(folder, "cache");
const [imageCount, size] = [9, 16];
const limit = "BREAKHIS_FEATURES_IN_MEMORY";
let dataset: Dataset;

const treatment = { stain: null, fittedOn: [], views: viewsOf("turns") };
const rowsWithViews = [1, 3, 4, 8];
const extract = () => extractTreated(dataset, cornerBackbone(size), treatment, { rowsWithViews });

/** The same features twice: as an array, and in files. */
async function extractBoth(): Promise<[Features, Features]> {
  vi.stubEnv(limit, "1000");
  const held = await extract();
  vi.stubEnv(limit, "0");
  return [held, await extract()];
}

const allRows = ({ count }: { count: number }) => Array.from({ length: count }, (_, row) => row);
const whole = (values: FeatureValues, width: number) =>
  gatherRows(values, width, allRows(storedRows(values, width)));

beforeAll(async () => {
  vi.stubEnv("BREAKHIS_CACHE", cache);
  const pixels = drawImages(imageCount, size);
  for (let i = 0; i < imageCount; i++) {
    const target = join(folder, "images", i < 4 ? "benign" : "malignant");
    mkdirSync(target, { recursive: true });
    const raw = { width: size, height: size, channels: 3 as const };
    await sharp(pixels.subarray(i * size * size * 3, (i + 1) * size * size * 3), { raw })
      .png()
      .toFile(join(target, `${i}.png`));
  }
  dataset = await openDataset(join(folder, "images"));
});

describe("features in a file", () => {
  it("are those in memory to the bit, with their views, picked, predicted from and written", async () => {
    const [held, filed] = await extractBoth();
    expect(areInMemory(held.values)).toBe(true);
    expect([filed.values, ...filed.views!.map(({ values }) => values)].some(areInMemory)).toBe(false);
    const { width } = held;
    const head = buildHead({ inputs: width, hiddenUnits: [4], classCount: 2, seed: 1 });
    const rows = [8, 1, 1, 3];
    const [heldPart, filedPart] = [held, filed].map((one) => selectFeatures(one, rows)) as [
      Features,
      Features,
    ];
    for (const [one, other] of [
      [held, filed],
      [heldPart, filedPart],
    ] as const) {
      expect(whole(other.values, width)).toEqual(inMemory(one.values));
      for (const [i, view] of one.views!.entries()) {
        expect(whole(other.views![i]!.values, width)).toEqual(inMemory(view.values));
      }
    }
    expect(selectRows(filed, rows)).toEqual(selectRows(held, rows));
    expect(() => selectRows(filed, [9])).toThrow(/no row 9 among 9/);
    expect(() => selectFeatures(filed, [-1])).toThrow(/no row -1 among 9/);
    expect(predictRows(head, filed, rows, treatment.views)).toEqual(
      predictRows(head, held, rows, treatment.views),
    );
    const names = ["held", "filed"].map((name) => join(folder, name));
    for (const [i, one] of [held, filed].entries()) await writeFeatures(names[i]!, dataset, one);
    expect(readFileSync(`${names[1]}.npy`)).toEqual(readFileSync(`${names[0]}.npy`));
  });

  it("count all views: several tables of half the limit are too much for memory", async () => {
    vi.stubEnv(limit, "1");
    for (const [tables, held] of [
      [1, true],
      [2, true],
      [3, false],
    ] as const) {
      const { values } = await makeRoomForRows(1000, 125, { tables });
      expect(areInMemory(values), `${tables} tables`).toBe(held);
      expect(countValues(values)).toBe(125_000);
    }
  });

  it("are NaN where nothing was filled", async () => {
    vi.stubEnv(limit, "0");
    const { values, fill } = await makeRoomForRows(3, 2);
    fill(1, new Uint8Array(Float32Array.of(5, 6).buffer));
    const nothing = [Number.NaN, Number.NaN];
    expect([...whole(values, 2)]).toEqual([...nothing, 5, 6, ...nothing]);
  });

  it("have no name, and their files are closed once nobody needs the features", async () => {
    vi.stubEnv(limit, "0");
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const open = () =>
      readdirSync("/proc/self/fd").filter((name) => {
        try {
          return readlinkSync(`/proc/self/fd/${name}`).startsWith(join(cache, "features", "unfinished"));
        } catch {
          return false;
        }
      }).length;
    const before = open();
    await (async () => {
      const { values, fill } = await makeRoomForRows(1, 1);
      fill(0, new Uint8Array(4));
      expect(open()).toBe(before + 1);
      expect([...whole(values, 1)]).toEqual([0]);
    })();
    expect(readdirSync(join(cache, "features", "unfinished"))).toEqual([]);
    await waitUntil(() => {
      collect();
      return open() === 0;
    });
  });

  it("are refused in a sentence where the disk has no room, or the limit is no number", async () => {
    vi.stubEnv(limit, "0");
    const freeSpace = async () => 999;
    await expect(makeRoomForRows(125, 2, { freeSpace })).rejects.toThrow(
      /lie in a file in .*cache while they are used, where .* free: make room, .*BREAKHIS_CACHE/,
    );
    vi.stubEnv(limit, "lots");
    await expect(makeRoomForRows(1, 1)).rejects.toThrow(/how many MB .* found "lots"/);
  });

  it("are stacked like arrays", async () => {
    const arrays = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)];
    const stored = arrays.map((values) => ({ ...storedRows(values, 2) }));
    expect(whole(stackRows(stored, 2), 2)).toEqual(stackRows(arrays, 2));
  });

  it("of very many images are projected as those of the images that show the directions", () => {
    const [count, width] = [30_000, 4];
    const random = createRandom(7);
    const values = Float32Array.from(
      { length: count * width },
      (_, i) => random.normal() * (4 - (i % width)),
    );
    const all = principalComponents({ ...storedRows(values, width) }, width, 2);
    expect(all).toEqual(principalComponents(values, width, 2));
    expect(all.scores).toHaveLength(2 * count);
    // The columns are drawn with standard deviations of 4, 3, 2 and 1, and so are the directions but for a small turn.
    for (let row = 0; row < count; row += 499) {
      for (const column of [0, 1]) {
        const difference = Math.abs(all.scores[2 * row + column]!) - Math.abs(values[width * row + column]!);
        expect(Math.abs(difference)).toBeLessThan(0.6);
      }
    }
    const means = [0, 1].map((column) => {
      const own = all.scores.filter((_, i) => i % 2 === column);
      return own.reduce((sum, value) => sum + value, 0) / count;
    });
    for (const mean of means) expect(Math.abs(mean)).toBeLessThan(0.1);
    for (const [i, variance] of [16, 9].entries()) expect(all.explained[i]).toBeCloseTo(variance / 30, 1);
  });
});

describe("openNpy", () => {
  const write = (name: string, python: string) => {
    runPython(`import numpy as np, sys; ${python}`, [join(folder, name)]);
    return join(folder, name);
  };

  it("reads what was written here and what numpy writes, row by row", async () => {
    const values = Float32Array.from({ length: 35 }, (_, i) => i / 7);
    const own = join(folder, "own.npy");
    writeFileSync(own, Buffer.concat([...encodeNpy(values, [5, 7])]));
    expect(whole(await openNpy(own), 7)).toEqual(values);
    const matrix = "m = np.arange(12, dtype='<f4').reshape(4, 3)";
    for (const version of ["(1, 0)", "(2, 0)"]) {
      const save = `${matrix}; np.lib.format.write_array(open(sys.argv[1], 'wb'), m, version=${version})`;
      const found = await openNpy(write("numpy.npy", save));
      expect([found.count, found.width]).toEqual([4, 3]);
      expect([...gatherRows(found, 3, [3, 0])]).toEqual([9, 10, 11, 0, 1, 2]);
    }
  });

  it("says what is wrong with others", async () => {
    const save = (what: string) => `np.save(open(sys.argv[1], 'wb'), ${what})`;
    for (const [what, sentence] of [
      ["np.zeros((2, 3))", /float32, row by row, was expected; it says .*<f8/],
      ["np.zeros((2, 3), '<f4', order='F')", /row by row, was expected; it says .*fortran_order': True/],
      ["np.zeros(6, '<f4')", /a matrix .* was expected; it says .*\(6,\)/],
    ] as const) {
      await expect(openNpy(write("wrong.npy", save(what)))).rejects.toThrow(sentence);
    }
    const cut = write("cut.npy", save("np.zeros((2, 3), '<f4')"));
    truncateSync(cut, 140);
    await expect(openNpy(cut)).rejects.toThrow(/cut\.npy .* 2 × 3 numbers make 152 bytes, it has 140/);
    writeFileSync(cut, "not a matrix at all");
    await expect(openNpy(cut)).rejects.toThrow(/it is no \.npy file/);
    await expect(openNpy("/dev/null")).rejects.toThrow(/it is a device, not a file/);
    await expect(openNpy(join(folder, "none.npy"))).rejects.toThrow(/none\.npy can't be read .*ENOENT/);
  });
});
