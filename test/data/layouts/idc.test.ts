import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeDataset, openDataset } from "../../../src/data/dataset";
import { inspectImages } from "../../../src/data/images/image-index";
import { makeSplit, patientsInSeveralParts } from "../../../src/data/split/split";
import { cacheFolder } from "../../../src/runtime/paths";
import { onProgress } from "../../../src/runtime/progress";
import { eachAnImage, useTemporaryFolders, writeTree } from "../../support/data/image-files";
import { hasSharedData, sharedDataFolder } from "../../support/data/shared-data";

const temporary = useTemporaryFolders();

describe("openDataset recognises the IDC set", () => {
  const patch = (patient: number, label: number, x: number) =>
    `${patient}/${label}/${patient}_idx5_x${x}_y51_class${label}.png`;

  it("with a patient a folder, from above too, and says what it leaves out", async () => {
    const root = temporary.folder("archive");
    const files = [patch(8863, 0, 1), patch(8863, 1, 51), patch(12748, 0, 1)];
    await writeTree(join(root, "idc"), {
      ...eachAnImage(files),
      "IDC_regular_ps50_idx5/8863/0/8863_idx5_x1_y51_class0.png": null,
      "8863/1/broken.png": "no image",
    });
    for (const folder of [root, join(root, "idc")]) {
      const dataset = await openDataset(folder);
      expect(dataset).toMatchObject({ layout: "idc", classes: ["not IDC", "IDC"], positiveClass: 1 });
      const rows = dataset.records.map(({ file, label, patient, subtype }) => [
        file,
        label,
        patient,
        subtype,
      ]);
      expect(rows).toEqual([
        [patch(12748, 0, 1), 0, "12748", null],
        [patch(8863, 0, 1), 0, "8863", null],
        [patch(8863, 1, 51), 1, "8863", null],
      ]);
      expect(dataset.skipped).toMatchObject([{ file: "8863/1/broken.png" }]);
      expect(dataset.warnings).toEqual([
        "1 file has no name of the IDC set, so only the folders count: 8863/1/broken.png.",
        "Not used, since it is not part of the layout: IDC_regular_ps50_idx5/.",
      ]);
      expect(describeDataset(dataset)).toContain("3 images (not IDC 2, IDC 1), of 2 patients.");
    }
  });

  it("and warns of names that contradict their folders, which count", async () => {
    const root = temporary.folder();
    const wrongClass = "8863/0/8863_idx5_x1_y1_class1.png";
    const wrongPatient = "8863/1/8864_idx5_x1_y1_class1.png";
    await writeTree(root, eachAnImage([wrongClass, wrongPatient, patch(8863, 0, 1)]));
    const dataset = await openDataset(root);
    expect(dataset.records.map(({ label, patient }) => [label, patient])).toEqual([
      [0, "8863"],
      [0, "8863"],
      [1, "8863"],
    ]);
    expect(dataset.warnings).toEqual([
      "The names of 2 files contradict their folders, which count: " +
        `${wrongClass} (used as not IDC of patient 8863), ${wrongPatient} (used as IDC of patient 8863).`,
    ]);
  });

  it("but not folders 0 and 1 whose names say nothing of the kind", async () => {
    const root = temporary.folder();
    await writeTree(root, eachAnImage(["8863/0/a.png", "8864/1/b.png"]));
    await expect(openDataset(root)).rejects.toThrow(/none of the layouts[\s\S]*IDC: <patient>/);
  });

  it.skipIf(!hasSharedData)("as it is published, and splits it by patient", async () => {
    const dataset = await openDataset(join(sharedDataFolder, "idc-sample"));
    expect(dataset).toMatchObject({ layout: "idc", skipped: [], warnings: [] });
    expect(dataset.records).toHaveLength(4430);
    expect(new Set(dataset.records.map(({ patient }) => patient)).size).toBe(120);
    expect(patientsInSeveralParts(dataset, makeSplit(dataset, { by: "patient", seed: 1 }))).toEqual([]);
  });
});

describe("the index of images", () => {
  it("is kept while it is made, so that a killed process does not start over", async () => {
    const root = temporary.folder("many");
    const files = Array.from({ length: 8 }, (_, i) => `a/${i}.png`);
    await writeTree(root, eachAnImage(files));
    const paths = files.map((file) => join(root, file));
    const sizes: number[] = [];
    const indexFiles = () => {
      try {
        return readdirSync(join(cacheFolder(), "images"), { recursive: true }).length;
      } catch {
        return 0;
      }
    };
    const before = indexFiles();
    const unsubscribe = onProgress(({ done, finished }) => {
      if (!finished && done === files.length) sizes.push(indexFiles());
    });
    await inspectImages(root, paths, paths, { keepEveryMs: 0 });
    unsubscribe();
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeGreaterThan(before);
  });

  it("keeps what another process has seen meanwhile", async () => {
    const root = temporary.folder("shared");
    const files = ["a/1.png", "a/2.png"];
    await writeTree(root, eachAnImage(files));
    const paths = files.map((file) => join(root, file));
    // Both begin with nothing known; each looks into one image only.
    await Promise.all(paths.map((path) => inspectImages(root, [path], paths)));
    await Promise.all(paths.map((path) => inspectImages(root, [path], paths)));
    const states: number[] = [];
    const unsubscribe = onProgress(({ done }) => states.push(done));
    await inspectImages(root, paths, paths);
    unsubscribe();
    // Both at once, since both are known.
    expect(states).toEqual([0, 2, 2]);
  });
});
