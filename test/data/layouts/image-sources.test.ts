import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { csvText } from "../../../src/data/csv";
import { inspectImage } from "../../../src/data/images/images";
import { findSources, shortestNames } from "../../../src/data/layouts/image-sources";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("image-sources");
const names = [
  "a/SOB_B_A-14-22549AB-100-001.png",
  "a/10253_idx5_x51_y1251_class1.png",
  "a/b/plain.jpg",
  "a/notes.txt",
  "a/slide.svs",
  "alone",
];
for (const name of names) {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), "");
}
symlinkSync(join(folder, "nothing"), join(folder, "a", "z.png"));

describe("findSources", () => {
  it("finds files as given and folders' images by name, with the patients that names tell", async () => {
    const { groups, skipped } = await findSources([join(folder, "alone"), join(folder, "a")]);
    expect(groups.map(({ folder: place }) => place)).toEqual([null, join(folder, "a")]);
    expect(groups.flatMap(({ sources }) => sources).map(({ file, patient }) => [file, patient])).toEqual([
      [join(folder, "alone"), null],
      [join(folder, names[1]!), "10253"],
      [join(folder, names[0]!), "22549"],
      [join(folder, names[2]!), null],
    ]);
    expect(skipped.map(({ file }) => file)).toEqual([
      join(folder, "a", "z.png"),
      join(folder, "a", "slide.svs"),
    ]);
  });

  it("takes the folder for the patient if asked to, and each image once", async () => {
    const image = join(folder, names[2]!);
    const { groups } = await findSources([image, join(folder, "a", "b"), image], { patientFrom: "folder" });
    expect(groups.flatMap(({ sources }) => sources)).toEqual([{ file: image, path: image, patient: "b" }]);
  });

  it("does not take folders of one name for one patient", async () => {
    for (const site of ["siteA", "siteB"]) {
      mkdirSync(join(folder, "sites", site, "01"), { recursive: true });
      for (const name of ["1.png", "2.png"]) writeFileSync(join(folder, "sites", site, "01", name), "");
    }
    const patientsOf = async (given: string[]) => {
      const { groups } = await findSources(given, { patientFrom: "folder" });
      return groups.flatMap(({ sources }) => sources.map(({ patient }) => patient));
    };
    const told = ["siteA/01", "siteA/01", "siteB/01", "siteB/01"];
    expect(await patientsOf([join(folder, "sites")])).toEqual(told);
    expect(await patientsOf([join(folder, "sites", "siteA"), join(folder, "sites", "siteB")])).toEqual(told);
    expect(await patientsOf([join(folder, "sites", "siteA")])).toEqual(["01", "01"]);
  });

  it("lists what isn't there", async () => {
    const { groups, skipped } = await findSources([join(folder, "gone.png")]);
    expect(groups).toEqual([]);
    expect(skipped).toEqual([{ file: join(folder, "gone.png"), reason: "there is no such file" }]);
  });
});

describe("a pipe or a device given as an image", () => {
  it("has a reason at once", async () => {
    const pipe = join(folder, "pipe.png");
    execFileSync("mkfifo", [pipe]);
    for (const [path, kind] of [
      [pipe, "a named pipe"],
      ["/dev/zero", "a device"],
    ] as const) {
      const [group] = (await findSources([path])).groups;
      expect(await inspectImage(group!.sources[0]!.path)).toEqual({
        ok: false,
        reason: `it is ${kind}, not a file`,
      });
    }
  });
});

describe("shortestNames", () => {
  it("are as long as needed, also where one folder's path ends like another's whole", () => {
    const names = shortestNames(["/a/x/01", "/b/x/01", "/x/01", "/b/y/02", "/b/y/02"]);
    expect([...names].sort()).toEqual([
      ["/a/x/01", "a/x/01"],
      ["/b/x/01", "b/x/01"],
      ["/b/y/02", "02"],
      ["/x/01", "/x/01"],
    ]);
  });
});

describe("csvText", () => {
  it.each([
    ["plain", "plain"],
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@a", "'@a"],
    ["'a", "''a"],
    ["\tx", "'\tx"],
    ['a"b,c', '"a""b,c"'],
    ["a\nb", '"a\nb"'],
    ["", ""],
  ])("writes %j as %j", (text, field) => {
    expect(csvText(text)).toBe(field);
  });
});

describe("findSources with a labels file", () => {
  const place = join(folder, "labelled");
  for (const name of ["x/1.png", "x/2.png", "y/3.png"]) {
    mkdirSync(join(place, name, ".."), { recursive: true });
    writeFileSync(join(place, name), "");
  }
  const csv = join(place, "truth.csv");
  writeFileSync(csv, "file,label,patient\n1.png,benign,p1\nx/2.png,malignant,\ngone.png,benign,p2\n");

  it("takes the classes and patients that it gives, as data or beside a folder", async () => {
    const told = [
      [join(place, "x", "1.png"), "p1", "benign"],
      [join(place, "x", "2.png"), null, "malignant"],
    ];
    const byFile = await findSources([csv]);
    const sourcesOf = ({ groups }: typeof byFile) => groups.flatMap(({ sources }) => sources);
    expect(sourcesOf(byFile).map(({ path, patient, truth }) => [path, patient, truth])).toEqual(told);
    expect(byFile.skipped.map(({ file }) => file)).toEqual(["gone.png"]);
    const beside = await findSources([place], { labels: csv });
    expect(sourcesOf(beside).map(({ path, patient, truth }) => [path, patient, truth])).toEqual([
      ...told,
      [join(place, "y", "3.png"), null, undefined],
    ]);
    expect(beside.warnings).toEqual([
      "1 row of truth.csv could not be used, being about other images or contradicting each other.",
    ]);
  });

  it("refuses one that says nothing of the images", async () => {
    await expect(findSources([join(place, "y")], { labels: csv })).rejects.toThrow(/none of them was found/);
    writeFileSync(join(place, "bare.csv"), "file,patient\n1.png,2\n");
    await expect(findSources([place], { labels: join(place, "bare.csv") })).rejects.toThrow(
      /has no column for labels/,
    );
  });
});
