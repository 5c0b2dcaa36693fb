import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadOfficialFold } from "../../../src/experiments/published/official-folds";
import { exampleCohort } from "../../support/runs/example-cohort";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("official-folds");
const { dataset } = exampleCohort({ patients: 12, imagesPerPatient: 3, seed: 1 });

function foldFile(name: string, lines: string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.join("\n"));
  return path;
}

/** The first eight patients to train on, three to test with; nothing about the last. */
const lines = dataset.records
  .slice(0, 33)
  .map(({ file }, row) => `${file}|40|1|${row < 24 ? "train" : "test"}`);

describe("loadOfficialFold", () => {
  it("matches images by name, takes validation patients from train, and says what is not matched", async () => {
    const path = foldFile("dsfold1.txt", [...lines, "SOB_B_A-14-22549AB-100-001.png|100|1|train", ""]);
    const nested = {
      ...dataset,
      records: dataset.records.map((record) => ({ ...record, file: `benign/${record.file}` })),
    };
    const fold = await loadOfficialFold(path, nested, 2);
    expect(fold).toMatchObject({
      fold: 2,
      missing: ["SOB_B_A-14-22549AB-100-001.png"],
      unnamed: ["benign/0033.png", "benign/0034.png", "benign/0035.png"],
      shared: [],
      named: 34,
    });
    expect(fold.test).toEqual([24, 25, 26, 27, 28, 29, 30, 31, 32]);
    expect([...fold.train, ...fold.validation].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 24 }, (_, row) => row),
    );
    const patientsOf = (rows: number[]) => new Set(rows.map((row) => dataset.records[row]!.patient));
    expect(patientsOf(fold.train).size + patientsOf(fold.validation).size).toBe(8);
    expect(patientsOf(fold.validation).size).toBeGreaterThanOrEqual(2);
  });

  it("names patients that the file has on both sides", async () => {
    const path = foldFile("leaking.txt", [...lines.slice(1), lines[0]!.replace("train", "test")]);
    expect((await loadOfficialFold(path, dataset)).shared).toEqual([{ patient: "p0", slides: ["p0"] }]);
  });

  it("reads Windows line ends and a byte-order mark", async () => {
    const path = join(folder, "windows.txt");
    writeFileSync(path, `\ufeff${lines.join("\r\n")}\r\n`);
    expect((await loadOfficialFold(path, dataset)).test).toHaveLength(9);
  });

  it.each([
    [
      "another part",
      `${lines[0]!.slice(0, -5)}dev`,
      /line 34: expected imagename\|magnification\|fold\|train or test/,
    ],
    ["a missing column", "0001.png|40|train", /line 34: expected/],
    ["a magnification in words", "x.png|forty|1|train", /line 34: magnification and fold should be whole/],
    [
      "an image on both sides",
      lines[0]!.replace("train", "test"),
      /line 34: 0000\.png is in test, but line 1/,
    ],
  ])("names file and line for %s", async (name, line, message) => {
    const path = foldFile(`${name}.txt`, [...lines, line]);
    await expect(loadOfficialFold(path, dataset)).rejects.toThrow(message);
    await expect(loadOfficialFold(path, dataset)).rejects.toThrow(path);
  });

  it("refuses a file about other images, an empty one, and one that is not there", async () => {
    const other = foldFile("other.txt", ["a.png|40|1|train", "b.png|40|1|test"]);
    await expect(loadOfficialFold(other, dataset)).rejects.toThrow(/0 training images and 0 test images/);
    await expect(loadOfficialFold(foldFile("empty.txt", []), dataset)).rejects.toThrow(/names no image/);
    await expect(loadOfficialFold(join(folder, "none.txt"), dataset)).rejects.toThrow(/none\.txt/);
  });
});
