import { groupBy } from "../../runtime/group-by";
import { rangeRefusal, refusal } from "../../runtime/refusal";
import { countOf, nameSome } from "../../runtime/words";
import type { Dataset } from "../record";
import { type Split, type SplitPart, splitParts } from "./split-value";

/** Images that are the same byte for byte and yet in several parts: what was learned by heart counts as recognised. */
export interface DuplicateAcrossParts {
  files: { file: string; part: SplitPart }[];
}

/**
 * Finds images of which identical copies are in several parts of a split.
 *
 * @param images - A data set's records, or as much of them.
 * @param split - Indices into `images`; parts may be left out.
 */
export function duplicatesAcrossParts(
  images: readonly { file: string; sha256: string }[],
  split: Partial<Record<SplitPart, readonly number[]>>,
): DuplicateAcrossParts[] {
  const partOf = new Map<string, SplitPart>();
  const several = new Set<string>();
  const all = splitParts.flatMap((part) => (split[part] ?? []).map((row) => ({ part, row })));
  for (const { part, row } of all) {
    const image = images[row];
    if (image === undefined) throw rangeRefusal(`The part ${part} names image ${row} of ${images.length}.`);
    const known = partOf.get(image.sha256);
    if (known === undefined) partOf.set(image.sha256, part);
    else if (known !== part) several.add(image.sha256);
  }
  const copies = all.filter(({ row }) => several.has(images[row]!.sha256));
  return [...groupBy(copies, ({ row }) => images[row]!.sha256).values()].map((same) => ({
    files: same.map(({ part, row }) => ({ file: images[row]!.file, part })),
  }));
}

/**
 * Refuses a split that has identical images in several parts.
 *
 * @throws Error that names them with their parts.
 */
export function refuseDuplicates(
  images: readonly { file: string; sha256: string }[],
  split: Partial<Record<SplitPart, readonly number[]>>,
): void {
  const duplicates = duplicatesAcrossParts(images, split);
  if (duplicates.length === 0) return;
  const names = duplicates.map(({ files }) => files.map(({ file, part }) => `${file} (${part})`).join(" = "));
  throw refusal(
    `Identical images are in several parts of the split: ${nameSome(names)}. Results on copies of what was learned ` +
      "say nothing: remove the copies or split again. To train all the same, set allowDuplicatesAcrossParts to true.",
  );
}

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
 * @param options.allowDuplicatesAcrossParts - Accepts identical copies in several parts; by default not.
 * @throws Error that names the images or patients concerned.
 */
export function checkSplit(
  dataset: Dataset,
  split: Split,
  options: { allowDuplicatesAcrossParts?: boolean } = {},
): void {
  if (split.train.length === 0) throw refusal("The split has no images to train on.");
  const seen = new Set<number>();
  for (const part of splitParts) {
    if (part !== "validation" && split[part].length === 0)
      throw refusal(`The split's part ${part} is empty.`);
    for (const row of split[part]) {
      const record = dataset.records[row];
      if (record === undefined) {
        throw refusal(
          `The split's part ${part} names image ${row}, but the data set has ${dataset.records.length}.`,
        );
      }
      if (seen.has(row)) throw refusal(`The split has ${record.file} twice, the second time in ${part}.`);
      seen.add(row);
    }
  }
  if (options.allowDuplicatesAcrossParts !== true) refuseDuplicates(dataset.records, split);
  if (split.by === "patient") checkPatients(dataset, split, [...seen]);
  if (split.by === "folder") checkFolders(dataset, split);
}

function checkPatients(dataset: Dataset, split: Split, rows: number[]): void {
  const unknown = rows.map((row) => dataset.records[row]!).filter(({ patient }) => patient === null);
  if (unknown.length > 0) {
    const files = nameSome(unknown.map(({ file }) => file));
    throw refusal(
      `A split by patient has ${countOf(unknown.length, "image")} of unknown patients: ${files}.`,
    );
  }
  const several = patientsInSeveralParts(dataset, split);
  if (several.length > 0) {
    throw refusal(`A split by patient has patients in more than one part: ${nameSome(several)}.`);
  }
}

function checkFolders(dataset: Dataset, split: Split): void {
  // A folder without a part for validation gives some of its train.
  const ownValidation = split.validation.some((row) => dataset.records[row]!.folderPart === "validation");
  for (const part of splitParts) {
    const folder = part === "validation" && !ownValidation ? "train" : part;
    const foreign = split[part]
      .map((row) => dataset.records[row]!)
      .filter((one) => one.folderPart !== folder);
    if (foreign.length > 0) {
      const files = nameSome(foreign.map(({ file }) => file));
      throw refusal(`The split's part ${part} should come from the folder ${folder}/, but has ${files}.`);
    }
  }
}
