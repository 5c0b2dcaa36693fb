import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FoundLayout } from "../../../src/data/layouts/found-layout";
import { applyLabels } from "../../../src/data/layouts/labels";
import { type ColumnNames, readRows } from "../../../src/data/layouts/labels-columns";
import { parseTable, readTable } from "../../../src/data/layouts/labels-file";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("labels");
const csv = join(folder, "dataset.csv");
const rows = [
  { image: "train/benign/a.png", label: "benign", line: 2 },
  { image: "train/malignant/b.png", label: "malignant", line: 3 },
];

/** A layout of images that need not exist: labels never look into them. */
function layoutOf(files: readonly string[]): FoundLayout {
  const images = files.map((file) => ({
    path: join(folder, file),
    file,
    className: file.split("/")[1]!,
    folderPart: "train" as const,
  }));
  return { layout: "perceptilabs", folder, images, skipped: [], warnings: [] };
}

async function apply(text: string, files: readonly string[]): Promise<FoundLayout> {
  await writeFile(csv, text);
  return applyLabels(layoutOf(files), csv, [folder]);
}

const isImage = (text: string) => /\.png$/.test(text);
/** Image, label and line of each row. */
function parseLabels(text: string, columns: ColumnNames = {}) {
  const { rows: read } = readRows(parseTable(text, "x.csv"), columns, isImage);
  return read.map(({ image, label, line }) => ({ image, label, line }));
}
const classesOf = ({ images }: FoundLayout) => images.map(({ className }) => className);

describe("readTable and readRows read", () => {
  const lines = (separator: string) => [
    ["images", "labels"].join(separator),
    ...rows.map(({ image, label }) => [image, label].join(separator)),
  ];
  const comma = lines(",");
  const cases: [string, string | Buffer][] = [
    ["commas", comma.join("\n")],
    ["semicolons", lines(";").join("\n")],
    ["tabs", lines("\t").join("\n")],
    ["bars", lines("|").join("\n")],
    ["a byte order mark", `\uFEFF${comma.join("\n")}`],
    ["UTF-16, as Excel saves text", Buffer.from(`\uFEFF${lines("\t").join("\r\n")}`, "utf16le")],
    ["Windows' line ends", `${comma.join("\r\n")}\r\n`],
    ["old Macs' line ends", comma.join("\r")],
    ["mixed line ends", `${comma[0]}\r\n${comma[1]}\n${comma[2]}\r\n`],
    ["backslashes", comma.join("\n").replaceAll("/", "\\")],
    [
      "spaces and capitals",
      " Images , LABELS\n train/benign/a.png , benign\ntrain/malignant/b.png,malignant",
    ],
    ["missing s", ["image,label", ...comma.slice(1)].join("\n")],
    [
      "other columns, before and between",
      [
        "id,Labels,note,images",
        '1,benign,"x, y",train/benign/a.png',
        '2,malignant,"a ""quoted"" word",train/malignant/b.png,too,many',
      ].join("\n"),
    ],
  ];
  it.each(cases)("%s", async (_, content) => {
    await writeFile(csv, content);
    const { rows: read } = readRows(await readTable(csv, "x.csv"), {}, isImage);
    expect(read.map(({ image, label, line }) => ({ image, label, line }))).toEqual(rows);
  });

  it("quoted separators and line ends in names, and counts lines as editors do", () => {
    const text = 'images,labels\n"a, b.png",benign\n\n"two\nlines.png","malignant"\nshort.png\n,benign';
    expect(parseLabels(text)).toEqual([
      { image: "a, b.png", label: "benign", line: 2 },
      { image: "two\nlines.png", label: "malignant", line: 5 },
      { image: "short.png", label: "", line: 6 },
      { image: "", label: "benign", line: 7 },
    ]);
  });
});

describe("readRows refuses, and says why", () => {
  it.each<[string, RegExp, ColumnNames?]>([
    ["", /x\.csv should have a column for the images in its first line, .* found nothing\./],
    ["where,class\na,b", /found where, class\. Say which it is with columns/],
    ["images,labels,image\na.png,b,c", /has the column images more than once/],
    ["image,label,Label\na.png,b,c", /has the column label more than once/],
    ["image,diagnosis,category\na.png,b,c", /several columns that may be the label: diagnosis, category/],
    ['images,labels\n"a,b\n', /x\.csv can't be read as CSV: .*quote/i],
    [
      "image,kind\na.png,b",
      /has no column sort, which columns names for label; .* image, kind/,
      { label: "sort" },
    ],
    ["a.png,benign,12\nb.png,malignant,7", /no first line with the columns' names, and 2 columns/],
  ])("%j", (text, message, columns) => {
    expect(() => parseLabels(text, columns)).toThrow(message);
  });

  it("and never anything else, whatever the text", () => {
    const piece = fc.constantFrom(
      "images",
      "labels",
      ",",
      ";",
      "\t",
      "|",
      '"',
      "\n",
      "\r",
      "\\",
      "\uFEFF",
      "a",
      " ",
      "\0",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(piece, { maxLength: 40 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(fc.constantFrom("", "images,labels\n", "images;labels\r\n"), text, (head, rest) => {
        try {
          for (const { line, image } of parseLabels(head + rest)) {
            expect(line).toBeGreaterThan(head === "" ? 0 : 1);
            expect(image).not.toContain("\\");
          }
        } catch (error) {
          expect((error as Error).message).toMatch(
            /^x\.csv (should have|can't be read as CSV|has the column|has no first line)/,
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it("reads back any names and labels that were written as CSV should be", () => {
    const field = fc
      .string({ unit: "grapheme" })
      .filter((text) => text === text.trim() && !/[\\\uFEFF]/.test(text));
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(field, field), { maxLength: 8 }),
        fc.constantFrom(",", ";", "\t", "|"),
        fc.constantFrom("\n", "\r\n"),
        (written, separator, end) => {
          const all = [["images", "labels"], ...written.map((row) => row.map(quote))];
          const text = all.map((row) => row.join(separator)).join(end);
          const read = parseLabels(text).map(({ image, label }) => [image, label]);
          expect(read).toEqual(written.map((row) => [...row]));
        },
      ),
    );
  });
});

describe("applyLabels", () => {
  const files = ["train/benign/a.png", "train/malignant/b.png", "train/malignant/c.png"];

  it("understands labels in other case, and numbers, also as floating-point ones", async () => {
    for (const [benign, malignant] of [
      ["Benign", "MALIGNANT"],
      ["0", "1"],
      ["1", "2"],
      ["0.0", "1.0"],
    ]) {
      const text = `images,labels\n${files[0]},${benign}\n${files[1]},${malignant}\n${files[2]},${malignant}`;
      const applied = await apply(text, files);
      expect(classesOf(applied)).toEqual(["benign", "malignant", "malignant"]);
      expect(applied.warnings).toEqual([]);
    }
  });

  it("names every row and file that does not fit, with its line", async () => {
    const text = [
      "images;labels",
      `${files[0]};malignant`,
      "train/benign/gone.png;benign",
      ";benign",
      `${files[1]};`,
      `${files[0]};benign`,
      `${files[1]};benign`,
      "../../../etc/passwd;benign",
    ].join("\r\n");
    const { images, skipped, warnings } = await apply(text, files);
    expect(images.map(({ file }) => file)).toEqual(files.slice(1));
    expect(skipped).toEqual([
      { file: "train/benign/gone.png", reason: "dataset.csv line 3 names it, but there is no such image" },
      { file: "../../../etc/passwd", reason: "dataset.csv line 8 names it, but there is no such image" },
      {
        file: files[0],
        reason: "dataset.csv contradicts itself about it: label malignant (line 2), benign (line 6)",
      },
    ]);
    expect(warnings).toEqual([
      `dataset.csv names images more than once, alike: ${files[1]} (lines 5, 7).`,
      "dataset.csv has lines that name no image: 4.",
      `dataset.csv lacks 1 image; the folder's name counts: ${files[2]}.`,
      `dataset.csv contradicts the class folder; dataset.csv counts: ${files[1]} (line 7: benign).`,
    ]);
  });

  it("keeps the folder's class where it gives none", async () => {
    const { images, warnings } = await apply(`images,labels\n${files[0]},\n${files[1]},malignant`, files);
    expect(images.map(({ className }) => className)).toEqual(["benign", "malignant", "malignant"]);
    expect(warnings[1]).toBe(
      `dataset.csv gives no label for some images; the folder's name counts: ${files[0]} (line 2).`,
    );
  });

  it("adds patients to class folders, without a column for labels", async () => {
    const text = `image,patient,slide\n${files[0]},p1,s1\n${files[1]},7.0,s2\n${files[2]},,SOB_M_DC-14-2985AB`;
    const { images, warnings } = await apply(text, files);
    expect(images.map(({ className, patient, slide }) => [className, patient, slide])).toEqual([
      ["benign", "p1", "s1"],
      ["malignant", "7", "s2"],
      ["malignant", "2985", "SOB_M_DC-14-2985AB"],
    ]);
    expect(warnings).toEqual([]);
  });
});
