import { basename, dirname } from "node:path";
import { countOf, nameSome } from "../../runtime/words";
import type { SkippedImage } from "../record";
import { type BreakhisName, parseBreakhisName, subtypeNames } from "./breakhis";
import { classKey, subtypeNamed, tumourClasses } from "./class-names";
import type { FoundImage } from "./found-layout";

/** An image with what its name and its folders say. */
export interface NamedImage extends Omit<FoundImage, "magnification"> {
  breakhis: BreakhisName | null;
  magnification: number | null;
}

/** Reads an image's name; the magnification may come from a labels file, or from the folders. */
export function withName(image: FoundImage): NamedImage {
  const breakhis = parseBreakhisName(image.file);
  const magnification = image.magnification ?? breakhis?.magnification ?? magnificationOfFolders(image.path);
  return { ...image, breakhis, magnification };
}

/** The magnification that the nearest folder is named after: "40X", "BreaKHis 400X". */
function magnificationOfFolders(path: string): number | null {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const match = /(?:^|[\s_-])(40|100|200|400)X$/i.exec(basename(folder));
    if (match !== null) return Number(match[1]);
  }
  return null;
}

/**
 * Keeps images of one magnification, or all if none is asked for.
 *
 * @returns The images, and what to warn about.
 * @throws Error if there is none, with the magnifications that there are.
 */
export function selectMagnification(
  images: NamedImage[],
  wanted: number | null,
  folder: string,
): { selected: NamedImage[]; warnings: string[] } {
  if (wanted === null) return { selected: images, warnings: [] };
  const selected = images.filter(({ magnification }) => magnification === wanted);
  if (selected.length === 0) {
    const there = new Set(images.map(({ magnification }) => magnification ?? "unknown"));
    throw new Error(
      `No image in ${folder} has the magnification ${wanted}; found: ${[...there].join(", ")}.`,
    );
  }
  const unknown = images.filter(({ magnification }) => magnification === null).map(({ file }) => file);
  if (unknown.length === 0) return { selected, warnings: [] };
  const leftOut = `${countOf(unknown.length, "image")} of unknown magnification left out: ${nameSome(unknown)}.`;
  return { selected, warnings: [leftOut] };
}

/** BreaKHis' subtype as a labels file, the image's name, its class or a folder says it; null if none does. */
function subtypeOf({ subtype, breakhis, className, file }: NamedImage): string | null {
  const folders = file.split("/").slice(0, -1).reverse();
  return (
    subtype ??
    breakhis?.subtype ??
    [className, ...folders].map(subtypeNamed).find((code) => code !== null) ??
    null
  );
}

/**
 * Takes each image's subtype for its class; who has none is left out.
 *
 * @throws Error if no image's subtype is known.
 */
export function classBySubtype(
  images: readonly NamedImage[],
  folder: string,
): { images: NamedImage[]; skipped: SkippedImage[] } {
  const named: NamedImage[] = [];
  const skipped: SkippedImage[] = [];
  for (const image of images) {
    const subtype = subtypeOf(image);
    if (subtype !== null) named.push({ ...image, subtype, className: subtypeNames[subtype]! });
    else skipped.push({ file: image.file, reason: "neither a name nor a labels file tells its subtype" });
  }
  if (named.length > 0) return { images: named, skipped };
  throw new Error(
    `No image in ${folder} tells its subtype: classes "subtype" needs BreaKHis' names, folders called after subtypes, or ` +
      "a labels file with a column subtype.",
  );
}

/** Warns of names that contradict their folder or labels file, and of patients that only some names tell. */
export function warnAboutNames(images: readonly NamedImage[]): string[] {
  const warnings: string[] = [];
  const contradicting = images.filter(
    ({ breakhis, className }) =>
      breakhis !== null &&
      tumourClasses.some((name) => name === classKey(className)) &&
      breakhis.tumourClass !== classKey(className),
  );
  if (contradicting.length > 0) {
    const files = contradicting.map(({ file, className }) => `${file} (used as ${className})`);
    warnings.push(
      `The names of ${countOf(files.length, "file")} contradict the label, which counts: ${nameSome(files, 20)}.`,
    );
  }
  const nameless = images
    .filter(({ breakhis, patient }) => breakhis === null && patient === undefined)
    .map(({ file }) => file);
  if (nameless.length > 0 && nameless.length < images.length) {
    warnings.push(
      `${countOf(nameless.length, "file has", "files have")} no BreaKHis name, so the patient is unknown: ` +
        `${nameSome(nameless)}.`,
    );
  }
  return warnings;
}
