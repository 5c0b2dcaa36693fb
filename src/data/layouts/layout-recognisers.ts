import { stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { type FolderEntry, findImages, holdsImages, subfolders } from "./folder-walk";
import type { FolderPart, FoundLayout } from "./found-layout";
import { applyLabels } from "./labels";
import type { ColumnNames } from "./labels-columns";
import { partNamed } from "./part-names";

const tumourClass = /^(?:benign|malignant)$/i;
const magnificationFolder = /^\d+X$/i;

/** Train and test folders with a labels file beside them or, for a folder named data, above them. */
export async function recognisePerceptilabs(
  folder: string,
  columns: ColumnNames = {},
): Promise<FoundLayout | null> {
  // The repository keeps its CSV files in its root in one version and in data/ in another.
  const places = basename(folder).toLowerCase() === "data" ? [folder, dirname(folder)] : [folder];
  for (const place of places) {
    for (const name of ["dataset.csv", "dataset_pl.csv"]) {
      const csv = join(place, name);
      if (!(await stat(csv).catch(() => null))?.isFile()) continue;
      const found = await findTrainAndTest(folder);
      if (found === null) return null;
      const bases = [dirname(csv), dirname(dirname(csv))];
      return applyLabels({ layout: "perceptilabs", folder, ...found }, csv, bases, columns);
    }
  }
  return null;
}

/** Train and test folders, perhaps one for validation, with class folders in them. */
export async function recogniseKaggle(folder: string): Promise<FoundLayout | null> {
  const found = await findTrainAndTest(folder);
  return found && { layout: "kaggle", folder, ...found };
}

type FoundImages = Pick<FoundLayout, "images" | "skipped" | "warnings">;

async function findTrainAndTest(folder: string): Promise<FoundImages | null> {
  const found: FoundImages = { images: [], skipped: [], warnings: [] };
  const unused: string[] = [];
  for (const child of await subfolders(folder)) {
    const part = partNamed(child.name);
    if (part === null) continue;
    const classFolders = await subfolders(child.path);
    for (const classFolder of classFolders) await collect(folder, classFolder, part, found);
    if (await holdsImages(child.path)) unused.push(`images directly in ${child.name}/`);
  }
  if (!found.images.some(({ folderPart }) => folderPart !== "validation")) return null;
  if (unused.length > 0)
    found.warnings.push(`Not used, since it is not part of the layout: ${unused.join(", ")}.`);
  return found;
}

/** benign/ and malignant/ with a folder for the biopsy procedure in them; one of the two is enough. */
export async function recogniseOriginal(folder: string): Promise<FoundLayout | null> {
  const found: FoundImages = { images: [], skipped: [], warnings: [] };
  const self: FolderEntry = { name: basename(folder), path: folder, kind: "folder" };
  for (const child of [self, ...(await subfolders(folder))]) {
    if (!tumourClass.test(child.name)) continue;
    const procedures = await subfolders(child.path);
    if (procedures.some((procedure) => /^(?:SOB|CNB)$/i.test(procedure.name))) {
      await collect(folder, child, null, found);
    }
  }
  return found.images.length === 0 ? null : { layout: "original", folder, ...found };
}

/** Folders that are named after what the images in them show. */
export async function recogniseClassFolders(folder: string): Promise<FoundLayout | null> {
  const found: FoundImages = { images: [], skipped: [], warnings: [] };
  const unused: string[] = [];
  for (const child of await subfolders(folder)) {
    // benign/ and malignant/ may be divided further; of other folders only those that hold images are classes.
    const namesClass = tumourClass.test(child.name);
    // A part of a split is no class: train/ and test/ alone say nothing of what their images show.
    const namesOther = magnificationFolder.test(child.name) || partNamed(child.name) !== null;
    const holdsClass = !namesOther && (await holdsImages(child.path));
    if (namesClass || holdsClass) await collect(folder, child, null, found);
    else unused.push(child.name);
  }
  if (found.images.length === 0) return null;
  if (unused.length > 0) {
    found.warnings.push(`Folders that hold no images themselves are not classes: ${unused.join(", ")}.`);
  }
  if (await holdsImages(folder)) {
    found.warnings.push("Images directly in the folder have no class and are not used.");
  }
  return { layout: "class-folders", folder, ...found };
}

async function collect(
  folder: string,
  classFolder: FolderEntry,
  folderPart: FolderPart | null,
  into: FoundImages,
): Promise<void> {
  const files = await findImages(classFolder.path);
  const toFile = (path: string) => relative(folder, path).split(sep).join("/");
  for (const path of files.images) {
    into.images.push({ path, file: toFile(path), className: classFolder.name, folderPart });
  }
  for (const { path, reason } of files.unusable) into.skipped.push({ file: toFile(path), reason });
}
