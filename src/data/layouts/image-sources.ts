import { stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pushAll } from "../../runtime/many";
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

function patientOfName(path: string): string | null {
  return parseBreakhisName(path)?.patient ?? parseIdcName(path)?.patient ?? null;
}

/**
 * Names for folders, each the end of its path, as short as tells it from all others: 01 and 02, but siteA/01 and siteB/01.
 *
 * @param folders - Absolute.
 *
 * @example
 * shortestNames(["/data/a/01", "/data/b/01", "/data/b/02"]).get("/data/b/01"); // "b/01"
 */
export function shortestNames(folders: Iterable<string>): Map<string, string> {
  const names = new Map<string, string>();
  let open = [...new Set(folders)].map((folder) => folder.split(sep));
  for (let length = 1; open.length > 0; length++) {
    const endOf = (segments: readonly string[]) => segments.slice(-length).join("/");
    const counts = new Map<string, number>();
    for (const segments of open) counts.set(endOf(segments), (counts.get(endOf(segments)) ?? 0) + 1);
    const isTold = (segments: readonly string[]) =>
      counts.get(endOf(segments)) === 1 || length >= segments.length;
    for (const segments of open.filter(isTold)) names.set(segments.join(sep), endOf(segments));
    open = open.filter((segments) => !isTold(segments));
  }
  return names;
}

/** Takes the folder that an image lies in for its patient. */
function withFolderPatients(groups: readonly SourceGroup[]): SourceGroup[] {
  const names = shortestNames(groups.flatMap(({ sources }) => sources.map(({ path }) => dirname(path))));
  return groups.map((group) => ({
    ...group,
    sources: group.sources.map((source) => ({ ...source, patient: names.get(dirname(source.path))! })),
  }));
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
    return [{ file, path, patient: patientOfName(path) }];
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
      pushAll(
        skipped,
        unusable.map((file) => ({ file: shown(file.path), reason: file.reason })),
      );
    } catch (error) {
      skipped.push({ file: one, reason: explainFileError(error) });
    }
  }
  return { groups: patientFrom === "folder" ? withFolderPatients(groups) : groups, skipped };
}
