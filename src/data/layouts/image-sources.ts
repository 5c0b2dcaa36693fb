import { stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { explainFileError } from "../images/image-problems";
import type { SkippedImage } from "../record";
import { parseBreakhisName } from "./breakhis";
import { findImages } from "./folder-walk";
import { parseIdcName } from "./idc";

/** An image that somebody asks about: nothing is known of its class. */
export interface ImageSource {
  /** As it was given: the file, or the folder and the way from there. */
  file: string;
  /** Absolute. */
  path: string;
  patient: string | null;
}

/** Images that were given together. */
export interface SourceGroup {
  /** Absolute; null for a file that was given by itself. */
  folder: string | null;
  sources: ImageSource[];
}

/** What tells an image's patient: its name, as in BreaKHis and IDC, or the folder that it lies in. */
export type PatientFrom = "name" | "folder";

function patientOf(path: string, from: PatientFrom): string | null {
  if (from === "folder") return basename(dirname(path));
  return parseBreakhisName(path)?.patient ?? parseIdcName(path)?.patient ?? null;
}

/**
 * Finds the images that are meant by files and folders, each once, whatever the folders' layout.
 *
 * @param given - Files are taken whatever their extension; folders are searched with the folders in them.
 * @returns What was found, in the order given and then by name, and what can't be an image, with the reasons.
 *
 * @example
 * const { groups, skipped } = await findSources(["one.png", "images"]);
 */
export async function findSources(
  given: readonly string[],
  options: { patientFrom?: PatientFrom } = {},
): Promise<{ groups: SourceGroup[]; skipped: SkippedImage[] }> {
  const { patientFrom = "name" } = options;
  const seen = new Set<string>();
  const groups: SourceGroup[] = [];
  const skipped: SkippedImage[] = [];
  const sourceOf = (file: string, path: string): ImageSource[] => {
    if (seen.has(path)) return [];
    seen.add(path);
    return [{ file, path, patient: patientOf(path, patientFrom) }];
  };
  for (const one of given) {
    const path = resolve(one);
    try {
      if (!(await stat(path)).isDirectory()) {
        groups.push({ folder: null, sources: sourceOf(one, path) });
        continue;
      }
      const { images, unusable } = await findImages(path);
      const shown = (image: string) => join(one, relative(path, image));
      groups.push({ folder: path, sources: images.flatMap((image) => sourceOf(shown(image), image)) });
      skipped.push(...unusable.map((file) => ({ file: shown(file.path), reason: file.reason })));
    } catch (error) {
      skipped.push({ file: one, reason: explainFileError(error) });
    }
  }
  return { groups, skipped };
}
