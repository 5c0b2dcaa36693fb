import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, statSync, symlinkSync } from "node:fs";
import { chmod, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { describeDataset, imagePath, openDataset } from "../../src/data/dataset";
import { cacheFolder } from "../../src/runtime/paths";
import { onProgress, type ProgressState } from "../../src/runtime/progress";
import { eachAnImage, plainPng, useTemporaryFolders, writeTree } from "../support/data/image-files";
import { breakhisSample, hasSharedData } from "../support/data/shared-data";

const temporary = useTemporaryFolders();

const nobody = 65_534;

/** Root may read everything, so it hands the tests' folders to somebody who may not, and becomes that user. */
async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  execFileSync("chown", ["-R", String(nobody), dirname(cacheFolder())]);
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

async function set(files: Record<string, Buffer | string | null>, name?: string): Promise<string> {
  const folder = temporary.folder(name);
  await writeTree(folder, files);
  return folder;
}

const benign = "SOB_B_A-14-22549AB-400-001.png";
const malignant = "SOB_M_DC-14-2980-400-001.png";
const trainAndTest = [
  `train/benign/${benign}`,
  `train/malignant/${malignant}`,
  "test/benign/SOB_B_F-14-14134-400-002.png",
  "test/malignant/SOB_M_LC-14-13412-400-003.png",
];
const inFolder = (folder: string, files: readonly string[]) => files.map((file) => `${folder}/${file}`);

describe("openDataset recognises", () => {
  it("a part for validation beside train and test, under its usual names", async () => {
    for (const name of ["val", "valid", "Validation"]) {
      const files = [...trainAndTest, `${name}/benign/SOB_B_A-14-3-400-001.png`];
      const { records, warnings } = await openDataset(await set(eachAnImage(files), name));
      expect(records.map(({ folderPart }) => folderPart).sort()).toEqual([
        "test",
        "test",
        "train",
        "train",
        "validation",
      ]);
      expect(warnings).toEqual([]);
    }
  });

  it("Kaggle's layout, from its own folder and from above", async () => {
    const root = await set(eachAnImage(inFolder("archive/BreaKHis 400X", trainAndTest)));
    for (const folder of [root, join(root, "archive"), join(root, "archive", "BreaKHis 400X")]) {
      const dataset = await openDataset(folder);
      expect(dataset).toMatchObject({
        layout: "kaggle",
        folder: join(root, "archive", "BreaKHis 400X"),
        name: "BreaKHis 400X",
        synthetic: false,
        classes: ["benign", "malignant"],
        positiveClass: 1,
        skipped: [],
        warnings: [],
      });
      expect(dataset.records.map(({ file, label, folderPart }) => [file, label, folderPart])).toEqual([
        [trainAndTest[2], 0, "test"],
        [trainAndTest[3], 1, "test"],
        [trainAndTest[0], 0, "train"],
        [trainAndTest[1], 1, "train"],
      ]);
    }
  });

  it("the original tree, from any of its ancestors and for one class alone", async () => {
    const breast = "BreaKHis_v1/BreaKHis_v1/histology_slides/breast";
    const root = await set({
      ...eachAnImage([
        `${breast}/benign/SOB/adenosis/SOB_B_A_14-22549AB/400X/${benign}`,
        `${breast}/malignant/SOB/ductal_carcinoma/SOB_M_DC_14-2980/400X/${malignant}`,
        `${breast}/malignant/SOB/ductal_carcinoma/SOB_M_DC_14-2980/40X/SOB_M_DC_14-2980_7.png`,
      ]),
      [`${breast}/README.txt`]: "read me",
      [`${breast}/count_files.sh`]: "ls",
    });
    let folder = join(root, breast);
    while (folder !== dirname(root)) {
      const dataset = await openDataset(folder);
      expect(dataset).toMatchObject({ layout: "original", folder: join(root, breast) });
      expect(dataset.name).toBe("BreaKHis_v1");
      // Sorted by file: the folder 400X comes before 40X.
      expect(
        dataset.records.map(({ label, patient, magnification }) => [label, patient, magnification]),
      ).toEqual([
        [0, "22549", 400],
        [1, "2980", 400],
        [1, "2980", 40],
      ]);
      folder = dirname(folder);
    }
    const oneClass = await openDataset(join(root, breast, "malignant"));
    expect(oneClass).toMatchObject({ layout: "original", classes: ["benign", "malignant"] });
    expect(oneClass.records.map(({ label }) => label)).toEqual([1, 1]);
  });

  it("PerceptiLabs' layout, with the labels file in the root or in data, whatever slashes and spaces", async () => {
    const csv = [
      "\uFEFFimages, labels",
      ...trainAndTest.map((file) => `data\\${file.replaceAll("/", "\\")}, ${file.split("/")[1]}`),
    ];
    for (const place of ["dataset.csv", "data/dataset_pl.csv"]) {
      const root = await set(
        { ...eachAnImage(inFolder("data", trainAndTest)), [place]: csv.join("\r\n"), "sample.png": null },
        `breakhis-400x ${place.length}`,
      );
      for (const folder of [root, join(root, "data")]) {
        const dataset = await openDataset(folder);
        expect(dataset).toMatchObject({
          layout: "perceptilabs",
          folder: join(root, "data"),
          skipped: [],
          warnings: [],
        });
        expect(dataset.name).toBe(`breakhis-400x ${place.length}`);
        expect(dataset.records.map(({ label, folderPart }) => `${folderPart} ${label}`)).toEqual([
          "test 0",
          "test 1",
          "train 0",
          "train 1",
        ]);
      }
    }
  });

  it("plain class folders, of any names", async () => {
    const root = await set(eachAnImage(["tumour/b.png", "stroma/a.PNG", "stroma/c.jpeg", "10/d.tif"]));
    const dataset = await openDataset(root);
    expect(dataset).toMatchObject({
      layout: "class-folders",
      classes: ["10", "stroma", "tumour"],
      positiveClass: null,
    });
    expect(
      dataset.records.map(({ file, label, patient, subtype }) => [file, label, patient, subtype]),
    ).toEqual([
      ["10/d.tif", 0, null, null],
      ["stroma/a.PNG", 1, null, null],
      ["stroma/c.jpeg", 1, null, null],
      ["tumour/b.png", 2, null, null],
    ]);
    expect(describeDataset(dataset)).toContain("4 images (10 1, stroma 2, tumour 1), patients unknown.");
  });

  it("one class alone, capitals, and benign and malignant that are divided further", async () => {
    const one = await openDataset(await set({ [`Malignant/${malignant}`]: null }, "one"));
    expect(one).toMatchObject({ classes: ["benign", "malignant"], positiveClass: 1 });
    expect(one.records.map(({ label }) => label)).toEqual([1]);
    const nested = await openDataset(
      await set(eachAnImage([`benign/adenosis/${benign}`, `malignant/x/${malignant}`]), "nested"),
    );
    expect(nested.records.map(({ file }) => file)).toEqual([
      `benign/adenosis/${benign}`,
      `malignant/x/${malignant}`,
    ]);
  });

  it("synthetic images by their marker, and says so", async () => {
    const dataset = await openDataset(await set({ [`benign/${benign}`]: null, "SYNTHETIC.md": "drawn" }));
    expect(dataset.synthetic).toBe(true);
    expect(describeDataset(dataset)).toContain(
      "1 synthetic image (benign 1, malignant 0), of 1 patient at 400×.",
    );
  });
});

describe("openDataset refuses", () => {
  it("what is none of the layouts, and says what was expected and found", async () => {
    const root = await set({ "notes.txt": "x", "8863/0/a.png": null, "8864/1/b.png": null });
    await expect(openDataset(root)).rejects.toThrow(
      /none of the layouts[\s\S]*PerceptiLabs[\s\S]*Kaggle[\s\S]*original[\s\S]*class folders[\s\S]*Found: 8863\/, 8864\/, notes\.txt\./,
    );
    const flat = await set({ "a.png": null }, "flat");
    await expect(openDataset(flat)).rejects.toThrow(/have no class: move them into a folder/);
    const parts = await set({ "train/a.png": null, "test/b.png": null }, "parts");
    await expect(openDataset(parts)).rejects.toThrow(
      /Found: test\/, train\/\. Train and test folders without class folders .* name a labels file with labels/,
    );
    const slide = await set({ "40X/a.png": null, "100X/b.png": null }, "slide");
    await expect(openDataset(slide)).rejects.toThrow(/none of the layouts/);
    mkdirSync(temporary.folder("nothing"));
    await expect(openDataset(temporary.folder("nothing"))).rejects.toThrow("Found: an empty folder.");
  });

  it("a folder that isn't there, a file, and images that are all broken", async () => {
    const root = await set({ "benign/a.png": "", "benign/b.png": "text" });
    await expect(openDataset(join(root, "nowhere"))).rejects.toThrow(/There is no folder .*nowhere/);
    await expect(openDataset(join(root, "benign", "a.png"))).rejects.toThrow(/is a file/);
    await expect(openDataset(root)).rejects.toThrow(
      /No image in .* can be used: benign\/a\.png \(the file is empty/,
    );
  });
});

describe("openDataset leaves out, and says so", () => {
  it("broken files, formats that are not read, and links to nothing", async () => {
    const whole = await sharp({
      create: {
        width: 90,
        height: 60,
        channels: 3,
        background: "#c8a0b4",
        noise: { type: "gaussian", mean: 128, sigma: 30 },
      },
    })
      .png()
      .toBuffer();
    const root = await set({
      [`benign/${benign}`]: null,
      "benign/cut.png": whole.subarray(0, whole.length / 2),
      "benign/scan.bmp": "BM",
      "benign/readme.txt": "not meant to be an image",
    });
    symlinkSync(join(root, "gone.png"), join(root, "benign", "link.png"));
    const dataset = await openDataset(root);
    expect(dataset.records).toHaveLength(1);
    expect(dataset.skipped).toEqual([
      { file: "benign/cut.png", reason: "the PNG file is damaged or cut short" },
      { file: "benign/link.png", reason: "it is a symbolic link to nothing" },
      { file: "benign/scan.bmp", reason: "BMP is not read; convert it to PNG or TIFF" },
    ]);
    expect(describeDataset(dataset)).toMatch(/3 files were left out\.$/);
  });

  it("nothing about what systems leave behind", async () => {
    const root = await set({
      [`benign/${benign}`]: null,
      [`benign/._${benign}`]: "resource fork",
      "benign/Thumbs.db": "x",
      "benign/.ipynb_checkpoints/a-checkpoint.png": "x",
      [`__MACOSX/benign/${benign}`]: "x",
      ".hidden/a.png": null,
    });
    const dataset = await openDataset(root);
    expect([dataset.records.length, dataset.skipped, dataset.warnings]).toEqual([1, [], []]);
  });

  it("and follows links, but not in circles", async () => {
    const root = await set({ [`benign/${benign}`]: null, [`elsewhere/deep/${malignant}`]: null });
    symlinkSync(root, join(root, "benign", "loop"));
    symlinkSync(join(root, "benign"), join(root, "benign", "self"));
    symlinkSync("round", join(root, "benign", "round"));
    await rename(join(root, "elsewhere"), `${root}-elsewhere`);
    symlinkSync(join(`${root}-elsewhere`, "deep"), join(root, "malignant"));
    const dataset = await openDataset(root);
    const files = dataset.records.map(({ file }) => file);
    expect(files).toEqual([`benign/${benign}`, `malignant/${malignant}`]);
    expect(dataset.skipped).toEqual([
      expect.objectContaining({
        file: expect.stringMatching(/round$/),
        reason: expect.stringMatching(/circle/),
      }),
    ]);
  });
});

describe("what is no file in a folder of images", () => {
  it("is listed with what it is: pipes, sockets and links to devices", async () => {
    const root = await set({ [`benign/${benign}`]: null });
    execFileSync("mkfifo", [join(root, "benign", "a.png")]);
    const server = createServer().listen(join(root, "benign", "b.png"));
    await once(server, "listening");
    symlinkSync("/dev/zero", join(root, "benign", "c.png"));
    const { records, skipped } = await openDataset(root);
    server.close();
    expect(records).toHaveLength(1);
    expect(skipped).toEqual([
      { file: "benign/a.png", reason: "it is a named pipe, not a file" },
      { file: "benign/b.png", reason: "it is a socket, not a file" },
      { file: "benign/c.png", reason: "it is a device, not a file" },
    ]);
  });

  it("does not multiply: links that branch at every level lead to each image once", async () => {
    const root = await set({ "benign/0/1.png": null });
    // Two links at each of 30 levels: 2³⁰ ways to the last folder.
    const level = (depth: number) => join(root, "benign", String(depth));
    for (let depth = 1; depth <= 30; depth++) {
      mkdirSync(level(depth));
      for (const name of ["left", "right"]) symlinkSync(level(depth - 1), join(level(depth), name));
    }
    const { records } = await openDataset(root);
    expect(records.map(({ file }) => file)).toEqual(["benign/0/1.png"]);
  });
});

describe("openDataset warns", () => {
  it("of names that contradict their folder, which counts", async () => {
    const dataset = await openDataset(
      await set(eachAnImage([`benign/${malignant}`, `malignant/SOB_M_LC-14-1-40-1.png`])),
    );
    expect(dataset.records.map(({ label }) => label)).toEqual([0, 1]);
    expect(dataset.warnings).toEqual([
      `The names of 1 file contradict the label, which counts: benign/${malignant} (used as benign).`,
    ]);
  });

  it("of names that do not tell the patient, beside others that do", async () => {
    const dataset = await openDataset(await set(eachAnImage([`benign/${benign}`, "benign/IMG_1.png"])));
    expect(dataset.records.map(({ patient, label }) => [patient, label])).toEqual([
      [null, 0],
      ["22549", 0],
    ]);
    expect(dataset.warnings).toEqual([
      "1 file has no BreaKHis name, so the patient is unknown: benign/IMG_1.png.",
    ]);
  });

  it("of identical images, also with different labels", async () => {
    const png = await plainPng(1, 2, 3);
    const dataset = await openDataset(
      await set({ [`benign/${benign}`]: png, [`malignant/${malignant}`]: png }),
    );
    const both = `benign/${benign} = malignant/${malignant}`;
    expect(dataset.warnings).toEqual([
      `1 image is there more than once, byte for byte: ${both}.`,
      `Identical images with different labels: ${both}.`,
    ]);
  });

  it("of what a labels file has, lacks, repeats and contradicts, with lines", async () => {
    const root = await set({
      ...eachAnImage(inFolder("data", trainAndTest)),
      "dataset.csv": [
        "images,labels",
        `data/${trainAndTest[0]},benign`,
        "data/train/benign/gone.png,benign",
        `data/${trainAndTest[1]},benign`,
        `data/${trainAndTest[0]},Benign`,
        `C:\\Users\\me\\breakhis\\data\\${trainAndTest[2]!.replaceAll("/", "\\")},benign`,
      ].join("\n"),
    });
    const dataset = await openDataset(root);
    expect(dataset.skipped).toEqual([
      {
        file: "data/train/benign/gone.png",
        reason: "dataset.csv line 3 names it, but there is no such image",
      },
    ]);
    expect(dataset.warnings).toEqual([
      `dataset.csv names images more than once, alike: ${trainAndTest[0]} (lines 2, 5).`,
      `dataset.csv lacks 1 image; the folder's name counts: ${trainAndTest[3]}.`,
      `dataset.csv contradicts the class folder; dataset.csv counts: ${trainAndTest[1]} (line 4: benign).`,
      `The names of 1 file contradict the label, which counts: ${trainAndTest[1]} (used as benign).`,
    ]);
    const labels = Object.fromEntries(dataset.records.map(({ file, label }) => [file, label]));
    expect(labels).toEqual({
      [trainAndTest[0]!]: 0,
      [trainAndTest[1]!]: 0,
      [trainAndTest[2]!]: 0,
      [trainAndTest[3]!]: 1,
    });
  });

  it("and understands labels that are numbers", async () => {
    const csv = [
      "images;labels",
      ...trainAndTest.map((file) => `${file};${file.includes("benign") ? 0 : 1}`),
    ];
    const dataset = await openDataset(
      await set({ ...eachAnImage(inFolder("data", trainAndTest)), "data/dataset.csv": csv.join("\n") }),
    );
    expect(dataset).toMatchObject({ layout: "perceptilabs", classes: ["benign", "malignant"], warnings: [] });
    expect(dataset.records.map(({ label }) => label)).toEqual([0, 1, 0, 1]);
  });

  it("but refuses a labels file without the columns", async () => {
    const root = await set({
      ...eachAnImage(inFolder("data", trainAndTest)),
      "data/dataset.csv": "path,class\na,b",
    });
    await expect(openDataset(root)).rejects.toThrow(
      /dataset\.csv names 1 image, for example a \(line 2\), and none of them was found/,
    );
    await writeFile(join(root, "data", "dataset.csv"), 'images,labels\n"a,b\n');
    await expect(openDataset(root)).rejects.toThrow(/can't be read as CSV/);
  });

  it("of spellings that are one class", async () => {
    const dataset = await openDataset(
      await set(
        eachAnImage(["train/Tumor/a.png", "train/Normal/b.png", "test/tumor/c.png", "test/Normal/d.png"]),
      ),
    );
    expect(dataset.classes).toEqual(["Normal", "Tumor"]);
    expect(dataset.records.map(({ label }) => label)).toEqual([0, 1, 0, 1]);
    expect(dataset.warnings).toEqual(["Tumor and tumor are taken for one class, Tumor."]);
  });
});

describe("openDataset with a magnification", () => {
  it("keeps its images only, and says which there are if there is none", async () => {
    const root = await set(
      eachAnImage([
        `benign/${benign}`,
        "benign/SOB_B_A-14-22549AB-40-001.png",
        "malignant/SOB_M_DC_14-17915_1.png",
      ]),
    );
    const dataset = await openDataset(root, { magnification: 40 });
    expect(dataset.records.map(({ magnification }) => magnification)).toEqual([40]);
    expect(dataset.warnings).toEqual([
      "1 image of unknown magnification left out: malignant/SOB_M_DC_14-17915_1.png.",
    ]);
    await expect(openDataset(root, { magnification: 200 })).rejects.toThrow(
      /has the magnification 200; found: 40, 400, unknown\./,
    );
    expect((await openDataset(root, { magnification: null })).records).toHaveLength(3);
  });
});

describe("what was seen in the images", () => {
  async function imagesReadAnew(folder: string): Promise<number> {
    // The index is the only thing between a file's content and its record.
    const dataset = await openDataset(folder);
    return dataset.records.filter(({ meanColour }) => meanColour[0] === 9).length;
  }

  async function indexFiles(): Promise<string[]> {
    const folder = join(cacheFolder(), "images");
    const entries = await readdir(folder, { recursive: true });
    const files = entries.map((entry) => join(folder, entry)).filter((path) => statSync(path).isFile());
    expect(files.length).toBeGreaterThan(0);
    return files;
  }

  async function exchange(path: string, time: Date): Promise<void> {
    await writeFile(path, await plainPng(9, 9, 9));
    await utimes(path, time, time);
  }

  it("is remembered for unchanged files, forgotten for changed ones, and rebuilt if damaged", async () => {
    const time = new Date("2026-01-01T00:00:00Z");
    const root = await set({
      [`benign/${benign}`]: await plainPng(8, 8, 8),
      [`malignant/${malignant}`]: await plainPng(7, 7, 7),
    });
    const first = join(root, "benign", benign);
    await utimes(first, time, time);
    const before = await openDataset(root);
    expect(await openDataset(root)).toEqual(before);

    await exchange(first, new Date("2026-01-01T00:00:01Z"));
    expect(await imagesReadAnew(root)).toBe(1);

    await writeFile(first, await plainPng(8, 8, 8));
    await openDataset(root);
    for (const file of await indexFiles()) await writeFile(file, "no index");
    expect((await openDataset(root)).records).toEqual(before.records);
    for (const file of await indexFiles()) await rm(file);
    expect((await openDataset(root)).records).toEqual(before.records);
  });

  it("is not told of a file that was replaced by another of the same size and time, as cp -p and rsync do", async () => {
    const time = new Date("2026-01-01T00:00:00Z");
    const root = await set({ [`benign/${benign}`]: await plainPng(8, 8, 8) });
    const path = join(root, "benign", benign);
    await utimes(path, time, time);
    await openDataset(root);
    await exchange(path, time);
    expect(await imagesReadAnew(root)).toBe(1);
    const other = `${path}.new`;
    await writeFile(other, await plainPng(8, 8, 8));
    await utimes(other, time, time);
    await rename(other, path);
    expect(await imagesReadAnew(root)).toBe(0);
  });

  it("goes with two files that exchange their names, though size and time tell nothing", async () => {
    const time = new Date("2026-01-01T00:00:00Z");
    const root = await set({ "a/one.png": await plainPng(8, 8, 8), "b/two.png": await plainPng(9, 9, 9) });
    const [one, two] = [join(root, "a", "one.png"), join(root, "b", "two.png")];
    for (const path of [one, two]) await utimes(path, time, time);
    const before = await openDataset(root);
    await rename(one, `${one}.aside`);
    await rename(two, one);
    await rename(`${one}.aside`, two);
    const after = await openDataset(root);
    expect(after.records.map(({ sha256 }) => sha256)).toEqual(
      before.records.map(({ sha256 }) => sha256).reverse(),
    );
    expect(after.records.map(({ meanColour }) => meanColour[0])).toEqual([9, 8]);
  });

  it("is not needed: a cache that can't be written only costs time, and a warning", async () => {
    const root = await set({ [`benign/${benign}`]: null });
    const cache = process.env["BREAKHIS_CACHE"]!;
    const blocked = join(root, "blocked");
    await writeFile(blocked, "a file where a folder should be");
    process.env["BREAKHIS_CACHE"] = blocked;
    try {
      const dataset = await openDataset(root);
      expect(dataset.records).toHaveLength(1);
      expect(dataset.warnings).toEqual([expect.stringMatching(/could not be kept for next time/)]);
    } finally {
      process.env["BREAKHIS_CACHE"] = cache;
    }
  });

  it("is reported as progress, image by image", async () => {
    const root = await set(eachAnImage([`benign/${benign}`, `malignant/${malignant}`]));
    const states: ProgressState[] = [];
    const unsubscribe = onProgress((state) => states.push(state));
    await openDataset(root);
    unsubscribe();
    expect(states.map(({ done, finished }) => [done, finished])).toEqual([
      [0, false],
      [1, false],
      [2, false],
      [2, true],
    ]);
    expect(states[0]).toMatchObject({ task: "Looking into images", unit: "images", total: 2 });
  });

  it("does not hide files without the right to read", async () => {
    const root = await set(eachAnImage([`benign/${benign}`, `malignant/${malignant}`]));
    await chmod(join(root, "malignant", malignant), 0);
    expect((await asOrdinaryUser(() => openDataset(root))).skipped).toEqual([
      { file: `malignant/${malignant}`, reason: "it may not be read with the rights of this user" },
    ]);
  });
});

describe.skipIf(!hasSharedData)("the real sample", () => {
  it("has 90 images of 25 patients, 44 benign and 46 malignant, and nothing to complain about", async () => {
    const dataset = await openDataset(breakhisSample);
    expect(dataset).toMatchObject({ layout: "class-folders", skipped: [], warnings: [], synthetic: false });
    expect(dataset.records).toHaveLength(90);
    expect(dataset.records.filter(({ label }) => label === 1)).toHaveLength(46);
    expect(new Set(dataset.records.map(({ patient }) => patient)).size).toBe(25);
    expect(new Set(dataset.records.map(({ sha256 }) => sha256)).size).toBe(90);
    const sizes = dataset.records.map(({ width, height }) => `${width}x${height}`);
    expect(
      ["700x460", "500x328", "224x224"].map((size) => sizes.filter((one) => one === size).length),
    ).toEqual([56, 30, 4]);
    expect(dataset.records.filter(({ magnification }) => magnification === null)).toHaveLength(4);
    expect(describeDataset(dataset)).toContain(
      "of 25 patients at 40×, 100×, 200×, 400×, 4 of unknown magnification.",
    );
    const first = dataset.records[0]!;
    expect(imagePath(dataset, first)).toBe(join(breakhisSample, first.file));
  });
});

describe("openDataset with subtypes for classes", () => {
  it("takes them from names, folders and a labels file, benign ones first, and leaves out who has none", async () => {
    const files = [
      "x/SOB_M_DC-14-1-40-1.png",
      "x/SOB_B_F-14-2-40-1.png",
      "ductal_carcinoma/renamed.png",
      "x/other.png",
      "x/unknown.png",
    ];
    const root = await set({
      ...eachAnImage(files),
      "labels.csv": `image,class,subtype\n${files
        .map((file) => `${file},M,${file === "x/other.png" ? "Phyllodes_Tumor" : ""}`)
        .join("\n")}`,
    });
    const dataset = await openDataset(root, { labels: "labels.csv", classes: "subtype" });
    expect(dataset).toMatchObject({
      classes: ["fibroadenoma", "phyllodes tumour", "ductal carcinoma"],
      positiveClass: null,
    });
    expect(dataset.records.map(({ file, label, subtype }) => [file, label, subtype])).toEqual([
      ["ductal_carcinoma/renamed.png", 2, "DC"],
      ["x/SOB_B_F-14-2-40-1.png", 0, "F"],
      ["x/SOB_M_DC-14-1-40-1.png", 2, "DC"],
      ["x/other.png", 1, "PT"],
    ]);
    expect(dataset.skipped).toEqual([
      { file: "x/unknown.png", reason: "neither a name nor a labels file tells its subtype" },
    ]);
  });

  it("refuses images of which none tells it", async () => {
    await expect(
      openDataset(await set(eachAnImage(["a/1.png", "b/2.png"])), { classes: "subtype" }),
    ).rejects.toThrow(/No image in .* tells its subtype: classes "subtype" needs BreaKHis' names/);
  });
});
