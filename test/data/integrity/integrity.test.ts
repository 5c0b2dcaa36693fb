import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { openDataset } from "../../../src/data/dataset";
import { inspectDataset, integrityChecks, summarizeInspection } from "../../../src/data/integrity/integrity";
import { checkSplit, type Split } from "../../../src/data/split/split";
import { drawImages } from "../../support/data/drawn-images";
import { exampleDataset, exampleRecord } from "../../support/data/example-dataset";
import { useTemporaryFolders } from "../../support/data/image-files";
import { breakhisSample, hasSharedData } from "../../support/data/shared-data";

const temporary = useTemporaryFolders();
const size = 96;
const pixels = drawImages(8, size);

/** The given picture; without changes, the same bytes every time. */
function picture(index: number) {
  const raw = pixels.subarray(index * size * size * 3, (index + 1) * size * size * 3);
  return sharp(raw, { raw: { width: size, height: size, channels: 3 } });
}

async function write(folder: string, files: Record<string, ReturnType<typeof picture>>): Promise<void> {
  for (const [file, image] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await image.toFile(join(folder, file));
  }
}

const findings = (result: ReturnType<typeof inspectDataset>, check: (typeof integrityChecks)[number]) =>
  result.findings.filter((finding) => finding.check === check);

describe("inspectDataset", () => {
  it("finds copies, and near copies however they were changed, with patients and parts", async () => {
    const folder = temporary.folder();
    const a = "benign/SOB_B_A-14-1-400-001.png";
    const aAgain = "benign/SOB_B_A-14-2-400-001.png";
    const b = "benign/SOB_B_F-14-3-400-001.png";
    const bSmall = "benign/SOB_B_F-14-3-400-002.png";
    const bJpeg = "malignant/SOB_M_DC-14-4-400-001.jpg";
    const other = "malignant/SOB_M_DC-14-5-400-001.png";
    await write(folder, {
      [a]: picture(0).png(),
      [aAgain]: picture(0).png(),
      [b]: picture(1).png(),
      [bSmall]: picture(1).resize(48, 48).png(),
      [bJpeg]: picture(1).jpeg({ quality: 90 }),
      [other]: picture(2).png(),
    });
    const dataset = await openDataset(folder);
    const row = (file: string) => dataset.records.findIndex((record) => record.file === file);
    const split: Split = {
      by: "image",
      seed: 0,
      train: [row(a), row(b)],
      validation: [row(aAgain)],
      test: [row(bSmall), row(bJpeg)],
    };
    const result = inspectDataset(dataset, split);
    expect(findings(result, "exact duplicate")).toEqual([
      {
        check: "exact duplicate",
        files: [a, aAgain],
        patients: ["1", "2"],
        parts: ["train", "validation"],
        explanation: `${a} = ${aAgain}: byte for byte the same, in train and validation, of patients 1, 2.`,
      },
    ]);
    const [near, ...more] = findings(result, "near duplicate");
    expect(more).toEqual([]);
    expect(near).toMatchObject({
      files: [b, bSmall, bJpeg],
      patients: ["3", "4"],
      parts: ["test", "train"],
    });
    expect(findings(result, "label conflict").map(({ explanation }) => explanation)).toEqual([
      `${b} = ${bSmall} = ${bJpeg}: one picture, labelled benign and malignant.`,
    ]);
    expect(findings(result, "unexpected size")).toMatchObject([
      { files: [bSmall], explanation: "1 image has 48 × 48 pixels; most have 96 × 96." },
    ]);
    const rows = summarizeInspection(result);
    expect(rows.map(({ check }) => check)).toEqual([...integrityChecks]);
    expect(rows[1]).toMatchObject({ found: 1, images: 2, acrossPatients: 1, acrossParts: 1 });
    expect(rows[0]).toMatchObject({ found: 0, images: 0, example: "–" });
    expect(() => checkSplit(dataset, split)).toThrow(`${a} (train) = ${aAgain} (validation)`);
    checkSplit(dataset, split, { allowDuplicatesAcrossParts: true });
  });

  it("finds nothing in different pictures, and never takes plain ones for alike", async () => {
    const folder = temporary.folder();
    const plain = (colour: string) =>
      sharp({ create: { width: size, height: size, channels: 3, background: colour } }).png();
    await write(folder, {
      "benign/a.png": picture(3).png(),
      "benign/b.png": picture(4).png(),
      "malignant/c.png": plain("#ffffff"),
      "malignant/d.png": plain("#fefefe"),
    });
    const { findings: all } = inspectDataset(await openDataset(folder));
    expect(all.filter(({ check }) => /duplicate|conflict/.test(check))).toEqual([]);
  });

  it("takes a folder's own parts where there is no split", () => {
    const record = exampleRecord({ sha256: "same" });
    const records = [
      { ...record, file: "test/benign/a.png", folderPart: "test" as const },
      { ...record, file: "train/benign/b.png", folderPart: "train" as const },
    ];
    const [copies] = findings(inspectDataset(exampleDataset({ records })), "exact duplicate");
    expect(copies?.parts).toEqual(["test", "train"]);
  });

  it("tells unreadable files, names that contradict, and patients with several labels or subtypes", () => {
    const dataset = exampleDataset({
      records: [
        exampleRecord({ file: "malignant/SOB_B_A-14-1-40-001.png", label: 1, patient: "1", sha256: "1" }),
        exampleRecord({ file: "benign/SOB_B_F-14-1-40-002.png", subtype: "F", patient: "1", sha256: "2" }),
        exampleRecord({ file: "benign/unknown.png", patient: null, subtype: null, sha256: "3" }),
      ],
      skipped: [{ file: "benign/broken.png", reason: "the file is empty (0 bytes)" }],
    });
    const explanations = inspectDataset(dataset).findings.map((one) => [one.check, one.explanation]);
    expect(explanations).toEqual([
      ["unreadable file", "benign/broken.png: the file is empty (0 bytes)."],
      [
        "name contradicts label",
        "malignant/SOB_B_A-14-1-40-001.png: its name says benign, it is used as malignant.",
      ],
      ["patient with several labels", "Patient 1 has benign (1 image) and malignant (1 image)."],
      ["patient with several subtypes", "Patient 1 has A (1 image) and F (1 image)."],
    ]);
  });

  it("finds the colour that is far off, the furthest first, and nothing where all are equal", () => {
    const grey = (value: number) => [value, value, value] as [number, number, number];
    const records = Array.from({ length: 40 }, (_, row) =>
      exampleRecord({
        file: `${String(row).padStart(2, "0")}.png`,
        sha256: `${row}`,
        meanColour: grey(150 + (row % 5)),
      }),
    );
    records[7]!.meanColour = [151, 152, 90];
    records[8]!.meanColour = [200, 152, 152];
    const result = findings(inspectDataset(exampleDataset({ records })), "colour outlier");
    expect(result.map(({ files }) => files)).toEqual([["07.png"], ["08.png"]]);
    // Median 152; the median absolute deviation is 1, so the spread 1 / 0.6745.
    expect(result[0]!.explanation).toBe(
      "07.png: mean blue 90, where the median is 152 (robust z-score -41.8).",
    );
    const equal = records.map((record) => ({ ...record, meanColour: grey(150) }));
    expect(findings(inspectDataset(exampleDataset({ records: equal })), "colour outlier")).toEqual([]);
  });

  it("does not call it a flaw that IDC's patients have patches of both kinds", () => {
    const records = [
      exampleRecord({ file: "8863/0/a.png", label: 0, patient: "8863", sha256: "1" }),
      exampleRecord({ file: "8863/1/b.png", label: 1, patient: "8863", sha256: "2" }),
    ];
    const dataset = exampleDataset({ layout: "idc", classes: ["not IDC", "IDC"], records });
    expect(findings(inspectDataset(dataset), "patient with several labels")).toEqual([]);
  });

  it.skipIf(!hasSharedData)("finds patient 13412, who has two subtypes, among real images", async () => {
    const dataset = await openDataset(breakhisSample);
    const result = inspectDataset(dataset);
    const several = findings(result, "patient with several subtypes");
    const of13412 = several.find(({ patients }) => patients.includes("13412"));
    expect(of13412?.explanation).toMatch(/^Patient 13412 has DC \(\d+ images?\) and LC \(\d+ images?\)\.$/);
    expect(findings(result, "near duplicate")).toEqual([]);
    expect(findings(result, "unexpected size").map(({ explanation }) => explanation)).toEqual([
      "4 images have 224 × 224 pixels; most have 700 × 460.",
      "30 images have 500 × 328 pixels; most have 700 × 460.",
    ]);
  });
});
