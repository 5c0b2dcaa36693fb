import { mkdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dataset, type ImageRecord, openDataset } from "../../../src/data/dataset";
import {
  checkSplit,
  describeSplit,
  loadSplit,
  makeSplit,
  patientsInSeveralParts,
  type Split,
  saveSplit,
  splitByFolder,
  splitByImage,
  splitByPatient,
  splitParts,
} from "../../../src/data/split/split";
import { partSizes } from "../../../src/data/split/split-units";
import { useTemporaryFolders } from "../../support/data/image-files";
import { breakhisSample, hasSharedData } from "../../support/data/shared-data";

const temporary = useTemporaryFolders();

interface Row {
  label: number;
  patient?: string | null;
  content?: string;
  folderPart?: "train" | "test" | null;
}

/** A data set of records alone: splits never look at files. */
function datasetOf(rows: readonly Row[], classes = ["benign", "malignant"]): Dataset {
  const records: ImageRecord[] = rows.map(({ label, patient, content, folderPart }, index) => ({
    file: `${classes[label]}/${String(index).padStart(5, "0")}.png`,
    label,
    subtype: null,
    slide: patient ?? null,
    patient: patient ?? null,
    magnification: null,
    year: null,
    width: 700,
    height: 460,
    sha256: content ?? `content-${index}`,
    meanColour: [200, 150, 180],
    perceptualHash: null,
    folderPart: folderPart ?? null,
  }));
  return {
    folder: "/nowhere",
    layout: "class-folders",
    name: "rows",
    synthetic: false,
    classes,
    positiveClass: null,
    records,
    skipped: [],
    warnings: [],
  };
}

/** Patients of the given numbers of images, named after their class. */
function patients(label: number, imageCounts: readonly number[]): Row[] {
  return imageCounts.flatMap((count, index) =>
    Array.from({ length: count }, () => ({ label, patient: `${label}-${index}` })),
  );
}

const ten = new Array(10).fill(4) as number[];
const small = datasetOf([...patients(0, ten), ...patients(1, ten)]);

function patientsOf(dataset: Dataset, rows: readonly number[], label?: number): Set<string | null> {
  const records = rows.map((row) => dataset.records[row]!);
  return new Set(
    records.filter((one) => label === undefined || one.label === label).map(({ patient }) => patient),
  );
}

/** What holds for every split, found out without the code under test. */
function expectSound(dataset: Dataset, split: Split): void {
  const used = splitParts.flatMap((part) => split[part]);
  expect(new Set(used).size).toBe(used.length);
  const contents = splitParts.map((part) => new Set(split[part].map((row) => dataset.records[row]!.sha256)));
  const all = new Set(contents.flatMap((one) => [...one]));
  expect(contents.reduce((sum, one) => sum + one.size, 0)).toBe(all.size);
  for (const part of splitParts)
    expect(split[part]).toEqual([...split[part]].sort((one, other) => one - other));
  expect(() => checkSplit(dataset, split)).not.toThrow();
}

const arbitraryPatients = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 6, maxLength: 40 }),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 6, maxLength: 40 }),
    fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 6, maxLength: 12 }),
  )
  .map((classes) =>
    datasetOf(
      classes.flatMap((counts, label) => patients(label, counts)),
      ["a", "b", "c"],
    ),
  );

describe("splitByPatient", () => {
  it("puts every patient in one part and two of each class in each, for any set that allows it", () => {
    fc.assert(
      fc.property(arbitraryPatients, fc.integer(), (dataset, seed) => {
        const split = splitByPatient(dataset, seed);
        expectSound(dataset, split);
        expect(split.train.length + split.validation.length + split.test.length).toBe(dataset.records.length);
        const byPart = splitParts.map((part) => patientsOf(dataset, split[part]));
        const total = byPart.reduce((sum, one) => sum + one.size, 0);
        expect(total).toBe(
          patientsOf(
            dataset,
            dataset.records.map((_, row) => row),
          ).size,
        );
        for (const part of splitParts) {
          for (const label of [0, 1, 2]) {
            expect(patientsOf(dataset, split[part], label).size).toBeGreaterThanOrEqual(2);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("gives 60, 20 and 20 percent of patients and, nearly, of images, class by class", () => {
    const counts = Array.from({ length: 50 }, (_, index) => 1 + ((index * 17) % 29));
    const dataset = datasetOf([...patients(0, counts), ...patients(1, counts.slice(0, 25))]);
    for (const seed of [1, 2, 3, 4, 5]) {
      const split = splitByPatient(dataset, seed);
      for (const label of [0, 1]) {
        const sizes = splitParts.map((part) => patientsOf(dataset, split[part], label).size);
        expect(sizes).toEqual(label === 0 ? [30, 10, 10] : [15, 5, 5]);
        const images = splitParts.map(
          (part) => split[part].filter((row) => dataset.records[row]!.label === label).length,
        );
        const all = images.reduce((sum, count) => sum + count, 0);
        for (const [index, share] of [0.6, 0.2, 0.2].entries()) {
          expect(Math.abs(images[index]! / all - share)).toBeLessThan(0.05);
        }
      }
    }
  });

  it("gives the same split for the same seed and others for others", () => {
    const splits = Array.from({ length: 10 }, (_, seed) => JSON.stringify(splitByPatient(small, seed).test));
    expect(splitByPatient(small, 3)).toEqual(splitByPatient(small, 3));
    expect(new Set(splits).size).toBeGreaterThan(5);
  });

  it("keeps together a patient with both labels, counted by most of the images", () => {
    const mixed: Row[] = [
      { label: 0, patient: "both" },
      { label: 1, patient: "both" },
      { label: 1, patient: "both" },
    ];
    const dataset = datasetOf([...patients(0, ten), ...patients(1, [4, 4, 4, 4, 4]), ...mixed]);
    const split = splitByPatient(dataset, 1); // six malignant patients only with the mixed one
    expectSound(dataset, split);
    const parts = splitParts.filter((part) => patientsOf(dataset, split[part]).has("both"));
    expect(parts).toHaveLength(1);
  });

  it("keeps together patients who share an identical image", () => {
    const rows = [...patients(0, ten), ...patients(1, ten)];
    rows[0] = { ...rows[0]!, content: "same" };
    rows[39] = { ...rows[39]!, content: "same" };
    const dataset = datasetOf(rows);
    for (const seed of [1, 2, 3, 4]) {
      const split = splitByPatient(dataset, seed);
      expectSound(dataset, split);
      const part = splitParts.find((one) => split[one].includes(0))!;
      expect(split[part]).toContain(39);
    }
  });

  it("refuses too few patients, with numbers and a way out", () => {
    const dataset = datasetOf([...patients(0, [5, 5, 5, 5, 5]), ...patients(1, ten)]);
    expect(() => splitByPatient(dataset, 1)).toThrow(
      "A split by patient needs at least 2 patients of each class in each of 3 parts, so 6 of each class; found " +
        "benign 5, malignant 10. Add patients or use cross-validation by patient, which needs fewer.",
    );
    expect(() => splitByPatient(datasetOf(patients(1, ten)), 1)).toThrow(/found benign 0, malignant 10/);
  });

  it("of several classes gives each part one patient of a rare one at least, and names it", () => {
    const classes = ["common", "rare", "rarer"];
    const rows = [...patients(0, ten), ...patients(1, [3, 3, 3, 3, 3, 3]), ...patients(2, [5, 5, 5])];
    const dataset = datasetOf(rows, classes);
    const split = splitByPatient(dataset, 1);
    for (const part of splitParts) {
      expect(patientsOf(dataset, split[part], 2).size).toBe(1);
      expect(patientsOf(dataset, split[part], 1).size).toBe(2);
    }
    expect(describeSplit(dataset, split).sentence).toMatch(/Of rarer a part has one patient only/);
    expect(() =>
      splitByPatient(datasetOf([...rows, ...patients(3, [1, 1])], [...classes, "rarest"]), 1),
    ).toThrow(/at least 1 patient of each class in each of 3 parts, so 3 of each class; found .* rarest 2/);
  });

  it("refuses unknown patients, and explains what a split by image would mean", () => {
    const dataset = datasetOf([...patients(0, ten), ...patients(1, ten), { label: 1, patient: null }]);
    expect(() => splitByPatient(dataset, 1)).toThrow(
      /the names of 1 of 81 images do not tell it: malignant\/00080\.png\..*split by image is possible, but it leaks/,
    );
  });

  it("takes other shares, also none for a part, and refuses impossible ones", () => {
    const split = splitByPatient(small, 1, { train: 0.8, validation: 0, test: 0.2 });
    expect(splitParts.map((part) => split[part].length)).toEqual([64, 0, 16]);
    for (const fractions of [
      { train: 0.5, validation: 0.2, test: 0.2 },
      { train: 1.2, validation: -0.4, test: 0.2 },
      { train: 0, validation: 0.5, test: 0.5 },
      { train: Number.NaN, validation: 0.5, test: 0.5 },
    ]) {
      expect(() => splitByPatient(small, 1, fractions)).toThrow(RangeError);
    }
    expect(() => splitByPatient(small, 1.5)).toThrow(RangeError);
  });
});

describe("partSizes", () => {
  it("sums to the count, within one of the wanted shares unless the minimum asks for more", () => {
    const fractions = { train: 0.6, validation: 0.2, test: 0.2 };
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 2000 }), (count) => {
        const sizes = partSizes(count, fractions, 2);
        expect(sizes.train + sizes.validation + sizes.test).toBe(count);
        for (const part of splitParts) {
          expect(sizes[part]).toBeGreaterThanOrEqual(2);
          if (count >= 10) expect(Math.abs(sizes[part] - fractions[part] * count)).toBeLessThanOrEqual(1);
        }
      }),
    );
    expect(partSizes(8, fractions, 2)).toEqual({ train: 4, validation: 2, test: 2 });
    expect(partSizes(17, fractions, 2)).toEqual({ train: 10, validation: 3, test: 4 });
  });
});

describe("splitByImage", () => {
  it("is stratified, complete, and keeps copies together, for any set that allows it", () => {
    const rows = fc.array(
      fc.record({
        label: fc.integer({ min: 0, max: 1 }),
        content: fc.option(fc.constantFrom("x", "y"), { nil: undefined }),
      }),
      { minLength: 20, maxLength: 120 },
    );
    const enough = (label: number) => [1, 2, 3].map((index) => ({ label, content: `${label} ${index}` }));
    fc.assert(
      fc.property(rows, fc.integer(), (some, seed) => {
        const dataset = datasetOf(
          [...some, ...enough(0), ...enough(1)].map(({ content, label }) =>
            content === undefined ? { label } : { label, content },
          ),
        );
        const split = splitByImage(dataset, seed);
        expectSound(dataset, split);
        expect(split.train.length + split.validation.length + split.test.length).toBe(dataset.records.length);
      }),
      { numRuns: 60 },
    );
  });

  it("gives each class 60, 20 and 20 percent", () => {
    const dataset = datasetOf([...patients(0, [50]), ...patients(1, [100])]);
    const split = splitByImage(dataset, 4);
    expect(describeSplit(dataset, split).rows).toEqual([
      { part: "train", images: 90, patients: 2, benign: 30, malignant: 60 },
      { part: "validation", images: 30, patients: 2, benign: 10, malignant: 20 },
      { part: "test", images: 30, patients: 2, benign: 10, malignant: 20 },
    ]);
    expect(split).toEqual(splitByImage(dataset, 4));
    expect(split.test).not.toEqual(splitByImage(dataset, 5).test);
  });

  it("refuses less than three images of a class", () => {
    const dataset = datasetOf([...patients(0, [2]), ...patients(1, [9])]);
    expect(() => splitByImage(dataset, 1)).toThrow(
      /at least 3 different images of each class; found benign 2, malignant 9/,
    );
  });
});

describe("splitByFolder", () => {
  const inFolders = (rows: Row[], part: "train" | "test") =>
    rows.map((row) => ({ ...row, folderPart: part }));
  const train = inFolders([...patients(0, ten), ...patients(1, ten)], "train");

  it("keeps the folder's test and takes a quarter of train for validation, by patient", () => {
    const dataset = datasetOf([
      ...train,
      ...inFolders(
        [
          { label: 0, patient: "0-1" },
          { label: 1, patient: "new" },
        ],
        "test",
      ),
    ]);
    const split = splitByFolder(dataset, 1);
    expectSound(dataset, split);
    expect(split.test).toEqual([80, 81]);
    expect([split.train.length, split.validation.length]).toEqual([56, 24]); // of ten patients a class, three are nearest
    const shared = [...patientsOf(dataset, split.train)].filter((one) =>
      patientsOf(dataset, split.validation).has(one),
    );
    expect(shared).toEqual([]);
    const description = describeSplit(dataset, split);
    expect(description.sentence).toBe(
      "Split by folder, seed 1: 56 train, 24 validation, 2 test. Validation is taken from the folder's train, by " +
        "patient. 1 of 21 patients have images in several parts: the split leaks, and results on it look better than " +
        "they would for a new patient.",
    );
    expect(description.patientsInSeveralParts).toBe(1);
  });

  it("takes validation by image where patients are unknown or few, and says so", () => {
    const unknown = inFolders(
      [...new Array(20).fill({ label: 0 }), ...new Array(20).fill({ label: 1 })],
      "train",
    );
    const few = inFolders([...patients(0, [20, 20]), ...patients(1, [20, 20])], "train");
    for (const rows of [unknown, few]) {
      const dataset = datasetOf([...rows, ...inFolders([{ label: 1, patient: "new" }], "test")]);
      const split = splitByFolder(dataset, 1);
      expectSound(dataset, split);
      expect(split.validation).toHaveLength(rows.length / 4);
      expect(describeSplit(dataset, split).sentence).toContain("taken from the folder's train, by image.");
    }
  });

  it("leaves out of train what is also in test", () => {
    const copied = train.map((row, index) => (index === 5 ? { ...row, content: "same" } : row));
    const dataset = datasetOf([...copied, { label: 0, patient: "0-1", content: "same", folderPart: "test" }]);
    const split = splitByFolder(dataset, 1);
    expectSound(dataset, split);
    expect(splitParts.flatMap((part) => split[part])).not.toContain(5);
    expect(describeSplit(dataset, split).sentence).toMatch(/1 image is in no part\.$/);
  });

  it("refuses a set without train and test folders", () => {
    expect(() => splitByFolder(small, 1)).toThrow(
      /needs images in a train and in a test folder.*Split by patient/,
    );
  });
});

describe("checkSplit", () => {
  const split = splitByPatient(small, 1);
  const firstOf = (part: "train" | "validation" | "test") => split[part][0]!;

  it("accepts what was made and refuses what was tampered with", () => {
    expect(() => checkSplit(small, split)).not.toThrow();
    expect(() => checkSplit(small, { ...split, test: [...split.test, firstOf("train")] })).toThrow(
      /twice, the second time in test/,
    );
    expect(() => checkSplit(small, { ...split, test: [...split.test, 80] })).toThrow(
      /names image 80, but the data set has 80/,
    );
    expect(() => checkSplit(small, { ...split, test: [-1] })).toThrow(/names image -1/);
    expect(() => checkSplit(small, { ...split, train: [] })).toThrow(/no images to train on/);
  });

  it("refuses a patient in two parts of a split by patient, not of one by image", () => {
    const moved = { ...split, train: split.train.slice(1), test: [...split.test, firstOf("train")] };
    const patient = small.records[firstOf("train")]!.patient!;
    expect(() => checkSplit(small, moved)).toThrow(`patients in more than one part: ${patient}.`);
    expect(() => checkSplit(small, { ...moved, by: "image" })).not.toThrow();
    expect(patientsInSeveralParts(small, moved)).toEqual([patient]);
  });

  it("refuses identical images in two parts, whatever their names", () => {
    const records = small.records.map((record, row) =>
      row === firstOf("train") || row === firstOf("test") ? { ...record, sha256: "same" } : record,
    );
    expect(() => checkSplit({ ...small, records }, { ...split, by: "image" })).toThrow(
      /Identical images are in several parts/,
    );
  });

  it("refuses unknown patients and foreign folders", () => {
    const records = small.records.map((record, row) => (row === 3 ? { ...record, patient: null } : record));
    expect(() => checkSplit({ ...small, records }, split)).toThrow(
      /1 image of unknown patients: benign\/00003\.png/,
    );
    expect(() => checkSplit(small, { ...split, by: "folder" })).toThrow(
      /should come from the folder train\//,
    );
  });
});

describe("describeSplit", () => {
  it("says of a split by patient that nobody is in two parts", () => {
    const description = describeSplit(small, makeSplit(small, { by: "patient", seed: 7 }));
    expect(description.sentence).toBe(
      "Split by patient, seed 7: 48 train, 16 validation, 16 test. No patient is in two parts.",
    );
    expect(description.patientsInSeveralParts).toBe(0);
    expect(description.rows[0]).toEqual({
      part: "train",
      images: 48,
      patients: 12,
      benign: 24,
      malignant: 24,
    });
  });

  it("does not call a split sound whose patients it does not know", () => {
    const dataset = datasetOf(
      [...new Array(9).fill({ label: 0 }), ...new Array(9).fill({ label: 1 })],
      ["0", "images"],
    );
    const { sentence, rows } = describeSplit(dataset, makeSplit(dataset, { by: "image", seed: 1 }));
    expect(sentence).toContain("Patients are not all known, so whether it leaks is not known either.");
    expect(Object.keys(rows[0]!)).toEqual(["part", "images", "patients", "class 0", "class images"]);
    expect(rows[0]).toMatchObject({ images: 10, patients: 0 });
  });
});

describe("saveSplit and loadSplit", () => {
  async function saved(split: Split): Promise<string> {
    mkdirSync(temporary.folder(), { recursive: true });
    const path = join(temporary.folder(), "split.json");
    await saveSplit(path, small, split);
    return path;
  }

  it("gives back what was saved, by file names and checksums", async () => {
    for (const by of ["patient", "image"] as const) {
      const split = makeSplit(small, { by, seed: 5 });
      const path = await saved(split);
      expect(await loadSplit(path, small)).toEqual(split);
      const content = JSON.parse(await readFile(path, "utf8"));
      expect(content.images).toHaveLength(80);
      expect(content.images[split.test[0]!]).toEqual({
        file: small.records[split.test[0]!]!.file,
        sha256: small.records[split.test[0]!]!.sha256,
        part: "test",
      });
    }
  });

  it("still fits when the records are in another order", async () => {
    const split = makeSplit(small, { by: "patient", seed: 5 });
    const path = await saved(split);
    const reversed = { ...small, records: [...small.records].reverse() };
    const loaded = await loadSplit(path, reversed);
    const files = (dataset: Dataset, rows: number[]) => rows.map((row) => dataset.records[row]!.file).sort();
    for (const part of splitParts) expect(files(reversed, loaded[part])).toEqual(files(small, split[part]));
  });

  it("refuses other images, fewer, more and changed ones, and names them", async () => {
    const path = await saved(makeSplit(small, { by: "patient", seed: 5 }));
    const changed = small.records.map((record, row) => (row === 2 ? { ...record, sha256: "new" } : record));
    await expect(loadSplit(path, { ...small, records: changed })).rejects.toThrow(
      /have changed since benign\/00002\.png/,
    );
    await expect(loadSplit(path, { ...small, records: small.records.slice(1) })).rejects.toThrow(
      /lacks benign\/00000\.png/,
    );
    const more = [...small.records, { ...small.records[0]!, file: "benign/new.png", sha256: "more" }];
    await expect(loadSplit(path, { ...small, records: more })).rejects.toThrow(
      /does not know of benign\/new\.png/,
    );
  });

  it("refuses files that are no split, were edited to leak, and splits that do not fit", async () => {
    const split = makeSplit(small, { by: "patient", seed: 5 });
    const path = await saved(split);
    const content = JSON.parse(await readFile(path, "utf8"));
    content.images[split.test[0]!].part = "train";
    await writeFile(path, JSON.stringify(content));
    await expect(loadSplit(path, small)).rejects.toThrow(/patients in more than one part/);
    for (const [text, found] of [
      ["", "it is not JSON"],
      ["{}", /format takes "breakhis-lab split", and nothing was given; .*images takes a list of groups/],
      ["[1]", /the file takes a group of format, .*, and \[1\] was given/],
      [JSON.stringify({ ...content, seed: "5" }), 'seed takes a whole number, and "5" was given'],
    ] as const) {
      await writeFile(path, text);
      const refused = await loadSplit(path, small).catch((error: Error) => error.message);
      expect(refused).toMatch(/is not a split saved by this project: .*\. Split again and save it anew\.$/);
      expect(refused).toMatch(found);
    }
    await expect(saveSplit(path, small, { ...split, test: [99] })).rejects.toThrow(/names image 99/);
  });
});

describe("a large set", () => {
  it("of ten thousand images of one patient each way is split without noticing", () => {
    const dataset = datasetOf([
      ...patients(0, new Array(50).fill(60)),
      ...patients(1, [...new Array(49).fill(100), 2100]),
    ]);
    expect(dataset.records).toHaveLength(10_000);
    for (const by of ["patient", "image"] as const) expectSound(dataset, makeSplit(dataset, { by, seed: 1 }));
  });
});

describe.skipIf(!hasSharedData)("the real sample", () => {
  it("can be split by patient, and leaks when split by image", async () => {
    const dataset = await openDataset(breakhisSample);
    for (const seed of [0, 1, 2, 3, 4]) {
      const split = makeSplit(dataset, { by: "patient", seed });
      expectSound(dataset, split);
      const { rows, patientsInSeveralParts: leaks } = describeSplit(dataset, split);
      expect(leaks).toBe(0);
      expect(rows.map((row) => row.patients)).toEqual([14, 5, 6]);
      for (const row of rows) {
        expect(Number(row["benign"])).toBeGreaterThan(0);
        expect(Number(row["malignant"])).toBeGreaterThan(0);
      }
      const byImage = describeSplit(dataset, makeSplit(dataset, { by: "image", seed }));
      expect(byImage.rows.map((row) => row.images)).toEqual([54, 18, 18]);
      expect(byImage.patientsInSeveralParts).toBeGreaterThan(8);
    }
  });

  it("keeps patient 13412, who has two subtypes, in one part", async () => {
    const dataset = await openDataset(breakhisSample);
    const rows = dataset.records.flatMap(({ patient }, row) => (patient === "13412" ? [row] : []));
    expect(new Set(rows.map((row) => dataset.records[row]!.subtype))).toEqual(new Set(["DC", "LC"]));
    for (const seed of [1, 2, 3]) {
      const split = makeSplit(dataset, { by: "patient", seed });
      expect(splitParts.filter((part) => rows.some((row) => split[part].includes(row)))).toHaveLength(1);
    }
  });
});
