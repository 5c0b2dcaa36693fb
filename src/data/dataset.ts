import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { groupBy } from "../runtime/group-by";
import { byCodeUnits, countOf, nameSome } from "../runtime/words";
import { inspectImages } from "./images/image-index";
import { describeNotes, type ImageFacts } from "./images/images";
import { type ChosenClasses, type ClassOptions, chooseClasses } from "./layouts/class-names";
import { type LayoutOptions, recogniseLayout } from "./layouts/layouts";
import {
  classBySubtype,
  type NamedImage,
  selectMagnification,
  warnAboutNames,
  withName,
} from "./layouts/named-images";
import type { Dataset, ImageRecord, SkippedImage } from "./record";

export { describeDataset } from "./dataset-description";
export { type Dataset, type ImageRecord, imageFile, imagePath, type SkippedImage } from "./record";

/** One of several parts of a folder's images, so that as many processes can share the work. */
export interface Shard {
  /** From 1 to `count`. */
  number: number;
  count: number;
}

const syntheticMarker = "SYNTHETIC.md";
const namelessFolders = /^(?:data|archive|histology_slides|breast)$/i;

/** How a folder's images are read; the settings of a run hold all of it but the last two. */
export interface OpenOptions extends LayoutOptions, ClassOptions {
  magnification?: number | null;
  shard?: Shard | null;
  /** Edge in pixels. */
  stretchTo?: number;
}

/**
 * Opens a folder of images, whatever its layout, or a labels file, and looks into every image once.
 *
 * Layouts: PerceptiLabs' and Kaggle's train and test folders, the original BreaKHis tree, IDC's folder a patient, plain
 * class folders; the folder passed may be the layout's own or one above. A labels file (CSV) names images and labels,
 * wherever the images lie. Broken files are left out and listed in `skipped`.
 *
 * @param folder - Path, from the working directory if relative; of a folder or a labels file.
 * @param options.labels - A labels file for the folder's images.
 * @param options.columns - Names of its columns, where they are not called as usual.
 * @param options.classes - "subtype" takes BreaKHis' subtypes for the classes, instead of the folders' or labels'.
 * @param options.positiveClass - Name of the class that is looked for.
 * @param options.magnification - Keeps images of this magnification only.
 * @param options.shard - Looks only into every `count`-th image, from the `number`-th on; the parts of an unchanged folder
 * hold each image once. A part may be empty.
 * @param options.stretchTo - For those who compute features next, at this size: what has to be decoded now is kept for them,
 * as far as memory allows, and not decoded again.
 * @throws Error if the folder is no such layout or no image in it is readable or of the magnification.
 *
 * @example
 * const dataset = await openDataset("data/demo");
 */
export async function openDataset(folder: string, options: OpenOptions = {}): Promise<Dataset> {
  const passed = resolve(folder);
  const found = await recogniseLayout(passed, options);
  const named = found.images.sort((one, other) => byCodeUnits(one.file, other.file)).map(withName);
  const { images, skipped: classless } =
    options.classes === "subtype" ? classBySubtype(named, found.folder) : { images: named, skipped: [] };
  const chosen = chooseClasses(
    images.map(({ className }) => className),
    options,
  );
  const { classes, positiveClass } = chosen;
  const shard = options.shard ?? null;
  const wanted = selectMagnification(images, options.magnification ?? null, found.folder);
  const selected = selectShard(wanted.selected, shard);

  const inspected = await inspect(found.folder, selected, images, chosen, options.stretchTo);
  const { records, notes, indexProblem } = inspected;
  const skipped = [...found.skipped, ...classless, ...inspected.skipped];
  if (records.length === 0 && shard === null) throw new Error(explainEmptiness(found.folder, skipped));
  return {
    folder: found.folder,
    layout: found.layout,
    ...(found.labelsFile === undefined ? {} : { labelsFile: found.labelsFile }),
    name: nameOf(found.folder),
    synthetic: [passed, found.folder].some((place) => existsSync(join(place, syntheticMarker))),
    classes,
    positiveClass,
    records,
    skipped: skipped.sort((one, other) => byCodeUnits(one.file, other.file)),
    warnings: [
      ...found.warnings,
      ...chosen.warnings,
      ...wanted.warnings,
      ...warnAboutNames(wanted.selected),
      ...warnAboutCopies(records),
      ...describeNotes(notes),
      ...(indexProblem === null ? [] : [indexProblem]),
    ],
  };
}

/** Looks into the selected ones of a folder's images. */
async function inspect(
  folder: string,
  selected: readonly NamedImage[],
  all: readonly NamedImage[],
  chosen: ChosenClasses,
  stretchTo: number | undefined,
) {
  const { inspections, indexProblem } = await inspectImages(
    folder,
    selected.map((image) => image.path),
    all.map((image) => image.path),
    { stretchTo },
  );
  const records: ImageRecord[] = [];
  const skipped: SkippedImage[] = [];
  const notes: string[] = [];
  for (const [index, inspection] of inspections.entries()) {
    const image = selected[index]!;
    if (inspection.ok === true) {
      records.push(toRecord(image, chosen, inspection.facts));
      if (inspection.facts.note !== null) notes.push(`${image.file} (${inspection.facts.note})`);
    } else skipped.push({ file: image.file, reason: inspection.reason });
  }
  return { records, skipped, notes, indexProblem };
}

/** @throws RangeError if there is no such part. */
function selectShard(images: NamedImage[], shard: Shard | null): NamedImage[] {
  if (shard === null) return images;
  const { number, count } = shard;
  if (!(Number.isSafeInteger(number) && Number.isSafeInteger(count) && number >= 1 && number <= count)) {
    throw new RangeError(
      `A part is one of a number of parts, for example 3 of 16; found ${number} of ${count}.`,
    );
  }
  return images.filter((_, i) => i % count === number - 1);
}

function toRecord(image: NamedImage, { labelOf }: ChosenClasses, facts: ImageFacts): ImageRecord {
  return {
    file: image.file,
    label: labelOf(image.className),
    subtype: image.subtype ?? image.breakhis?.subtype ?? null,
    slide: image.slide ?? image.breakhis?.slide ?? null,
    patient: image.patient ?? image.breakhis?.patient ?? null,
    magnification: image.magnification,
    year: image.breakhis?.year ?? null,
    width: facts.width,
    height: facts.height,
    sha256: facts.sha256,
    meanColour: facts.meanColour,
    perceptualHash: facts.perceptualHash,
    folderPart: image.folderPart,
  };
}

/** The folder's name, or the nearest one above that says more than "data" does. */
function nameOf(folder: string): string {
  const name = basename(folder);
  if (namelessFolders.test(name) && dirname(folder) !== folder) return nameOf(dirname(folder)) || name;
  return name;
}

function explainEmptiness(folder: string, skipped: readonly SkippedImage[]): string {
  const reasons = skipped.map(({ file, reason }) => `${file} (${reason})`);
  return `No image in ${folder} can be used: ${nameSome(reasons, 5)}.`;
}

/** Warns of images that are there more than once, byte for byte: in two parts of a split they would leak. */
function warnAboutCopies(records: readonly ImageRecord[]): string[] {
  const copies = [...groupBy(records, ({ sha256 }) => sha256).values()].filter((same) => same.length > 1);
  const names = (groups: ImageRecord[][]) =>
    nameSome(groups.map((same) => same.map(({ file }) => file).join(" = ")));
  const warnings: string[] = [];
  if (copies.length > 0) {
    warnings.push(
      `${countOf(copies.length, "image is", "images are")} there more than once, byte for byte: ${names(copies)}.`,
    );
  }
  const disputed = copies.filter((same) => new Set(same.map(({ label }) => label)).size > 1);
  if (disputed.length > 0) warnings.push(`Identical images with different labels: ${names(disputed)}.`);
  return warnings;
}
