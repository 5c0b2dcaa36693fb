import { mkdirSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeDataset, imagePath, type OpenOptions, openDataset } from "../../../src/data/dataset";
import { splitByFolder, splitByPatient } from "../../../src/data/split/split";
import { eachAnImage, useTemporaryFolders, writeTree } from "../../support/data/image-files";

const temporary = useTemporaryFolders();

/** A folder of four images, anywhere below it, and a labels file. */
const scattered = ["images/one/a.png", "images/one/b.png", "images/two/c.png", "images/d.png"];

async function folderWith(
  files: readonly string[],
  csv: string | Buffer,
  name = "labels.csv",
): Promise<string> {
  const folder = temporary.folder();
  await writeTree(folder, { ...eachAnImage(files), [name]: csv });
  return folder;
}

async function open(files: readonly string[], csv: string | Buffer, options: OpenOptions = {}) {
  return openDataset(await folderWith(files, csv), { labels: "labels.csv", ...options });
}

/** Which class each image has. */
const classesOf = ({ records, classes }: Awaited<ReturnType<typeof open>>) =>
  Object.fromEntries(records.map(({ file, label }) => [file.split("/").at(-1)!, classes[label]]));

const expected = { "a.png": "Normal", "b.png": "Normal", "c.png": "Tumor", "d.png": "Tumor" };
const table = (header: string, cells: (file: string, label: string) => string) =>
  [header, ...scattered.map((file, i) => cells(file, i < 2 ? "Normal" : "Tumor"))].join("\n");
const nameOf = (file: string) => file.split("/").at(-1)!;

describe("a labels file is read", () => {
  it.each<[string, string | Buffer, OpenOptions?]>([
    ["with paths from its folder", table("image,label", (file, label) => `${file},${label}`)],
    ["with names alone", table("filename,class", (file, label) => `${nameOf(file)},${label}`)],
    [
      "with ids that lack the ending",
      table("id,label", (file, label) => `${nameOf(file).slice(0, -4)},${label}`),
    ],
    [
      "with Windows' slashes",
      table("path,label", (file, label) => `.\\${file.replaceAll("/", "\\")},${label}`),
    ],
    [
      "with paths of another machine",
      table(
        "image_path,target",
        (file, label) => `C:\\Users\\me\\set\\${file.replaceAll("/", "\\")},${label}`,
      ),
    ],
    ["with paths of another's home", table("file,diagnosis", (file, label) => `/home/me/x/${file},${label}`)],
    [
      "with capitals",
      table("Image Name,LABEL", (file, label) => `${file.toUpperCase()},${label.toLowerCase()}`),
    ],
    ["with blanks in its header", table(" image path ; label ", (file, label) => `${file} ; ${label}`)],
    [
      "with pandas' unnamed index",
      table(",image,label", (file, label) => `${scattered.indexOf(file)},${file},${label}`),
    ],
    [
      "with an index called Unnamed: 0",
      table("Unnamed: 0,image,label", (file, label) => `7,${file},${label}`),
    ],
    [
      "with an id beside the path",
      table("id,path,label", (file, label) => `${scattered.indexOf(file)},${file},${label}`),
    ],
    ["without a header", table("", (file, label) => `${file},${label}`).trim()],
    [
      "without a header, with an index",
      table("", (file, label) => `${scattered.indexOf(file)},${file},${label}`).trim(),
    ],
    [
      "with numbers beside the words",
      table("image,label,class", (file, label) => `${file},${label === "Tumor" ? 1 : 0},${label}`),
    ],
    [
      "with Windows' line ends",
      table("image,label", (file, label) => `${file},${label}`).replaceAll("\n", "\r\n"),
    ],
    ["as Excel saves it", `sep=;\r\n${table("image;label", (file, label) => `${file};${label}`)}`],
    ["as a slide column", table("slide,label", (file, label) => `${nameOf(file)},${label}`)],
    [
      "with columns of any name",
      table("where,what", (file, label) => `${file},${label}`),
      { columns: { image: "where", label: "What" } },
    ],
  ])("%s", async (_, csv, options) => {
    const dataset = await open(scattered, csv, options);
    expect(classesOf(dataset)).toEqual(
      Object.fromEntries(
        Object.entries(expected).map(([file, name]) => [
          file,
          dataset.classes.includes("Tumor") ? name : name.toLowerCase(),
        ]),
      ),
    );
    expect(dataset).toMatchObject({ layout: "labels", labelsFile: "labels.csv", skipped: [] });
    expect(dataset.warnings).toEqual([]);
    expect(describeDataset(dataset)).toMatch(/labelled by labels\.csv/);
  });

  it("in Windows' Western encoding", async () => {
    const csv = Buffer.from("image,label\na.png,gutartig\nb.png,b\xf6sartig\n", "latin1");
    expect((await open(["a.png", "b.png"], csv)).classes).toEqual(["bösartig", "gutartig"]);
  });

  it("with letters composed one way in the file and another on the disk", async () => {
    const csv = `image,label\n${"Köln".normalize("NFC")}/a.png,x\n${"Köln".normalize("NFC")}/b.png,y\n`;
    const folder = "Köln".normalize("NFD");
    const dataset = await open([`${folder}/a.png`, `${folder}/b.png`], csv);
    expect(dataset.records.map(({ label }) => label)).toEqual([0, 1]);
    expect(dataset.skipped).toEqual([]);
  });

  it("as the data itself, wherever the images lie", async () => {
    const folder = temporary.folder();
    await writeTree(folder, eachAnImage(["pictures/a.png", "pictures/unnamed.png", "other/b.png"]));
    mkdirSync(join(folder, "lists"));
    const csv = join(folder, "lists", "mine.csv");
    await writeFile(csv, `image,label\n../pictures/a.png,x\n${join(folder, "other", "b.png")},y\n`);
    const dataset = await openDataset(csv);
    expect(dataset.folder).toBe(folder);
    expect(dataset.records.map(({ file, label }) => [file, label])).toEqual([
      ["other/b.png", 1],
      ["pictures/a.png", 0],
    ]);
    expect(imagePath(dataset, dataset.records[0]!)).toBe(join(folder, "other", "b.png"));
    expect([dataset.skipped, dataset.warnings]).toEqual([[], []]);
  });

  it("by itself, where it lies beside images without class folders", async () => {
    const files = ["train/0a.png", "train/1b.png", "test/2c.png"];
    const folder = await folderWith(files, "id,label\n0a,0\n1b,1\n", "train_labels.csv");
    await writeFile(join(folder, "sample_submission.csv"), "id,label\n2c,0\n");
    const dataset = await openDataset(folder);
    expect(dataset).toMatchObject({
      labelsFile: "train_labels.csv",
      classes: ["0", "1"],
      positiveClass: null,
    });
    expect(dataset.records.map(({ file, label, folderPart }) => [file, label, folderPart])).toEqual([
      ["train/0a.png", 0, "train"],
      ["train/1b.png", 1, "train"],
    ]);
    expect(dataset.warnings).toEqual(["train_labels.csv does not name 1 image, left out: test/2c.png."]);
    expect((await openDataset(folder, { positiveClass: "1" })).positiveClass).toBe(1);
    await writeFile(join(folder, "test_labels.csv"), "id,label\n2c,0\n");
    await expect(openDataset(folder)).rejects.toThrow(
      /Several labels files .*test_labels\.csv, train_labels\.csv/,
    );
  });
});

describe("labels mean", () => {
  const breakhis = ["x/SOB_B_A-14-1-40-1.png", "x/SOB_B_F-14-2-40-1.png", "x/SOB_M_DC-14-3-40-1.png"];

  it("BreaKHis' classes, by letter, by word and by number where the names agree", async () => {
    for (const [benign, malignant] of [
      ["B", "M"],
      ["Benign", "MALIGNANT"],
      ["0", "1"],
      ["1.0", "0.0"],
    ]) {
      const csv = `image,label\n${breakhis[0]},${benign}\n${breakhis[1]},${benign}\n${breakhis[2]},${malignant}`;
      const { classes, records, positiveClass } = await open(breakhis, csv);
      expect(classes).toEqual(["benign", "malignant"]);
      expect(positiveClass).toBe(1);
      expect(records.map(({ label }) => label)).toEqual([0, 0, 1]);
    }
  });

  it("what the numbers say where names and folders do not agree on them", async () => {
    const csv = `image,label\n${breakhis[0]},0\n${breakhis[1]},1\n${breakhis[2]},1`;
    expect((await open(breakhis, csv)).classes).toEqual(["0", "1"]);
    const sites = ["siteA/a.png", "siteB/b.png"];
    expect((await open(sites, "image,label\nsiteA/a.png,0\nsiteB/b.png,1.0")).classes).toEqual(["0", "1"]);
  });

  it("subtypes, also with a second column for the class", async () => {
    const renamed = ["1.png", "2.png"];
    const both = await open(renamed, "image,class,subtype\n1.png,M,ductal_carcinoma\n2.png,B,F\n");
    expect(both.classes).toEqual(["benign", "malignant"]);
    expect(both.records.map(({ subtype }) => subtype)).toEqual(["DC", "F"]);
    const alone = await open(renamed, "image,label\n1.png,Ductal carcinoma\n2.png,fibroadenoma\n");
    expect(alone.classes).toEqual(["Ductal carcinoma", "fibroadenoma"]);
    expect(alone.records.map(({ subtype }) => subtype)).toEqual(["DC", "F"]);
  });
});

describe("a labels file's other columns", () => {
  it("give patients, slides, magnifications and parts to images of any name", async () => {
    const csv =
      "image,label,patient_id,slide,mag,split\n" +
      "1.png,x,7.0,s1,100X,train\n2.png,y,8.0,s2,x40,Validation\n3.png,x,9.0,s3,200,testing\n4.png,y,,s4,20.5,\n";
    const { records, warnings } = await open(["1.png", "2.png", "3.png", "4.png"], csv);
    expect(
      records.map(({ patient, slide, magnification, folderPart }) => [
        patient,
        slide,
        magnification,
        folderPart,
      ]),
    ).toEqual([
      ["7", "s1", 100, "train"],
      ["8", "s2", 40, "validation"],
      ["9", "s3", 200, "test"],
      [null, "s4", 20.5, null],
    ]);
    expect(warnings).toEqual(["1 file has no BreaKHis name, so the patient is unknown: 4.png."]);
  });

  it("make a split by patient and the folder's own split work without BreaKHis' names", async () => {
    const files = Array.from({ length: 24 }, (_, i) => `${i}.png`);
    const part = (i: number) => ["train", "val", "test"][i % 3];
    const rows = files.map((file, i) => `${file},${i < 12 ? "a" : "b"},p${i >> 1},${part(i)}`);
    const dataset = await open(files, ["image,label,patient,split", ...rows].join("\n"));
    const byPatient = splitByPatient(dataset, 1);
    expect(byPatient.train.length + byPatient.validation.length + byPatient.test.length).toBe(24);
    const byFolder = splitByFolder(dataset, 1);
    const partOf = (row: number) => dataset.records[row]!.folderPart;
    for (const name of ["train", "validation", "test"] as const) {
      expect(byFolder[name]).toHaveLength(8);
      expect(byFolder[name].every((row) => partOf(row) === name)).toBe(true);
    }
  });

  it("are named with their line where they can't be read or contradict names and folders", async () => {
    const files = [
      "train/SOB_B_A-14-22549AB-40-1.png",
      "test/SOB_M_DC-14-29960CD-40-1.png",
      "test/malignant/3.png",
    ];
    const csv = [
      "image,label,patient,magnification,split",
      `${files[0]},benign,22549AB,40X,test`,
      `${files[1]},malignant,29960,about 40,odd`,
      `${files[2]},benign,1,,test`,
    ].join("\n");
    const dataset = await open(files, csv);
    expect(dataset.warnings).toEqual([
      "labels.csv contradicts the class folder; labels.csv counts: test/malignant/3.png (line 4: benign).",
      "labels.csv has parts that are none of train, validation and test, and are not used: odd (line 3).",
      `labels.csv contradicts the folder's part; labels.csv counts: ${files[0]} (line 2: test).`,
      "labels.csv has magnifications that are no numbers, and are not used: about 40 (line 3).",
      `labels.csv contradicts the patient that names or folders say; labels.csv counts: ${files[0]} (line 2: 22549AB, not 22549).`,
    ]);
  });
});

describe("what a labels file can't say", () => {
  it("is named with its line: rows without image, without label, twice, and two of one name", async () => {
    const files = ["siteA/01.png", "siteB/01.png", "a.png", "b.jpg", "c.png", "e.png"];
    const csv = [
      "image,label",
      "siteA/01.png,x",
      "01.png,y",
      "gone.png,x",
      "b.png,x",
      "a.png,x",
      "./a.png,x",
      "c.png,x",
      "c.png,y",
      "e.png",
      ",x",
    ].join("\n");
    const dataset = await open(files.filter((file) => file !== "b.jpg").concat("b.webp"), csv);
    expect(dataset.records.map(({ file }) => file)).toEqual(["a.png", "siteA/01.png"]);
    expect(dataset.skipped).toEqual([
      {
        file: "01.png",
        reason: "labels.csv line 3 names it, but several images are called so: siteA/01.png, siteB/01.png",
      },
      {
        file: "b.png",
        reason: "labels.csv line 5 names it, but there is no such image; b.webp has another ending",
      },
      { file: "c.png", reason: "labels.csv contradicts itself about it: label x (line 8), y (line 9)" },
      { file: "e.png", reason: "labels.csv line 10 gives it no label" },
      { file: "gone.png", reason: "labels.csv line 4 names it, but there is no such image" },
    ]);
    expect(dataset.warnings).toEqual([
      "labels.csv names images more than once, alike: a.png (lines 6, 7).",
      "labels.csv has lines that name no image: 11.",
      "labels.csv does not name 2 images, left out: b.webp, siteB/01.png.",
    ]);
  });

  it("does not give one site's image to another: a name alone counts only where nothing contradicts it", async () => {
    const csv = "image,label\nsiteA/01.png,x\nsiteB/01.png,y\nsiteA/02.png,y";
    const dataset = await open(["siteB/01.png", "flat/02.png"], csv);
    expect(dataset.records.map(({ file, label }) => [file, dataset.classes[label]])).toEqual([
      ["flat/02.png", "y"],
      ["siteB/01.png", "y"],
    ]);
    expect(dataset.skipped).toEqual([
      {
        file: "siteA/01.png",
        reason: "labels.csv line 2 names it, but there is no such image; siteB/01.png is called alike",
      },
    ]);
    expect(dataset.warnings).toEqual([
      "labels.csv names other folders than images lie in, which were found by their names: siteA/02.png (line 4) is flat/02.png.",
    ]);
  });

  it("lets rows of another data set go, and counts only the classes of images that are there", async () => {
    const csv =
      "file,label,source\na.png,benign,ours\nb.png,malignant,ours\nz1.png,InSitu,theirs\nz2.png,Normal,theirs";
    const { classes, skipped } = await open(["a.png", "b.png"], csv);
    expect(classes).toEqual(["benign", "malignant"]);
    expect(skipped.map(({ file }) => file)).toEqual(["z1.png", "z2.png"]);
  });

  it("is refused as a whole where nothing can be used, with what to do", async () => {
    await expect(open(["a.png"], "image,label\nx.png,1\ny.png,0")).rejects.toThrow(
      /labels\.csv names 2 images, for example x\.png \(line 2\), and none of them was found in .*; pass|Paths count/,
    );
    await expect(open(["a.png"], "image,patient\na.png,1")).rejects.toThrow(/none of the layouts/);
    await expect(open(["a.png"], "x", { labels: "gone.csv" })).rejects.toThrow(
      /gone\.csv can't be read: there is no such file/,
    );
    const folder = await folderWith(["a/1.png", "b/2.png"], "image,patient\na/1.png,1");
    await expect(openDataset(join(folder, "labels.csv"))).rejects.toThrow(/has no column for labels/);
    await expect(openDataset(folder, { columns: { image: "file" } })).rejects.toThrow(/has none that counts/);
    await rename(join(folder, "labels.csv"), join(folder, "labels.xlsx"));
    await expect(openDataset(join(folder, "labels.xlsx"))).rejects.toThrow(/is a file: pass the folder/);
  });
});
