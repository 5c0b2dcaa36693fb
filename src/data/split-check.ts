import type { Dataset } from "./dataset-value";
import { type Split, type SplitPart, splitParts } from "./split-value";
import { countOf, nameSome } from "./words";

/** Values of records that occur in more than one part, in order of appearance; null values are passed over. */
function inSeveralParts(
  dataset: Dataset,
  split: Split,
  pick: (record: Dataset["records"][number]) => string | null,
): string[] {
  const partOf = new Map<string, SplitPart>();
  const several = new Set<string>();
  for (const part of splitParts) {
    for (const row of split[part]) {
      const value = pick(dataset.records[row]!);
      if (value === null) continue;
      if ((partOf.get(value) ?? part) !== part) several.add(value);
      partOf.set(value, part);
    }
  }
  return [...several];
}

/** The patients who have images in more than one part: through them a split leaks. Unknown patients don't count. */
export function patientsInSeveralParts(dataset: Dataset, split: Split): string[] {
  return inSeveralParts(dataset, split, ({ patient }) => patient);
}

/**
 * Checks that a split fits its data set and keeps what it promises.
 *
 * No image is in two parts, neither by its index nor as an identical copy. By patient: every patient is known and in
 * one part only. By folder: test is the folder's own, and nothing of it is in the other parts.
 *
 * @throws Error that names the images or patients concerned.
 */
export function checkSplit(dataset: Dataset, split: Split): void {
  if (split.train.length === 0) throw new Error("The split has no images to train on.");
  const seen = new Set<number>();
  for (const part of splitParts) {
    if (part !== "validation" && split[part].length === 0)
      throw new Error(`The split's part ${part} is empty.`);
    for (const row of split[part]) {
      const record = dataset.records[row];
      if (record === undefined) {
        throw new Error(
          `The split's part ${part} names image ${row}, but the data set has ${dataset.records.length}.`,
        );
      }
      if (seen.has(row)) throw new Error(`The split has ${record.file} twice, the second time in ${part}.`);
      seen.add(row);
    }
  }
  const copies = new Set(inSeveralParts(dataset, split, ({ sha256 }) => sha256));
  if (copies.size > 0) {
    const files = dataset.records.filter(({ sha256 }) => copies.has(sha256)).map(({ file }) => file);
    throw new Error(`Identical images are in several parts of the split: ${nameSome(files)}.`);
  }
  if (split.by === "patient") checkPatients(dataset, split, [...seen]);
  if (split.by === "folder") checkFolders(dataset, split);
}

function checkPatients(dataset: Dataset, split: Split, rows: number[]): void {
  const unknown = rows.map((row) => dataset.records[row]!).filter(({ patient }) => patient === null);
  if (unknown.length > 0) {
    const files = nameSome(unknown.map(({ file }) => file));
    throw new Error(
      `A split by patient has ${countOf(unknown.length, "image")} of unknown patients: ${files}.`,
    );
  }
  const several = patientsInSeveralParts(dataset, split);
  if (several.length > 0) {
    throw new Error(`A split by patient has patients in more than one part: ${nameSome(several)}.`);
  }
}

function checkFolders(dataset: Dataset, split: Split): void {
  for (const part of splitParts) {
    const folder = part === "test" ? "test" : "train";
    const foreign = split[part]
      .map((row) => dataset.records[row]!)
      .filter((one) => one.folderPart !== folder);
    if (foreign.length > 0) {
      const files = nameSome(foreign.map(({ file }) => file));
      throw new Error(`The split's part ${part} should come from the folder ${folder}/, but has ${files}.`);
    }
  }
}
