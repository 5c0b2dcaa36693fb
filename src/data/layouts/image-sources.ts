import { stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pushAll } from "../../runtime/many";
import { explainFileError } from "../images/image-problems";
import type { SkippedImage } from "../record";
import { parseBreakhisName } from "./breakhis";
import { findImages } from "./folder-walk";
import { parseIdcName } from "./idc";
import type { ColumnNames } from "./labels-columns";
import { isLabelsFile } from "./labels-file";
import { commonFolder, readLabelledImages, readTruth } from "./layout-labels";

/** An image that somebody asks about: nothing is known of its class. */
export interface ImageSource {
  /** As it was given: the file, or the folder and the way from there. */
  file: string;
  /** Absolute. */
  path: string;
  patient: string | null;
  /** Its class's name, where a labels file gives it. */
  truth?: string;
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

/** What is said of images besides where they are. */
export interface SourceOptions {
  patientFrom?: PatientFrom;
  /** A labels file that says what the images are; path from the working directory. */
  labels?: string | null;
  /** Names of the columns of labels files, where they are not called as usual. */
  columns?: ColumnNames;
}

/** The images of a labels file that was given in place of a folder. */
async function sourcesOfLabels(
  given: string,
  columns: ColumnNames,
): Promise<{ group: SourceGroup; skipped: SkippedImage[]; warnings: string[] }> {
  const csv = resolve(given);
  const found = await readLabelledImages({ csv, folder: dirname(csv), wholeFolder: false, columns });
  if (found === null) throw new Error(`${given} has no column for labels: say which it is with columns.`);
  const sources = found.images.map((image): ImageSource => {
    const patient = image.patient ?? patientOfName(image.path);
    return {
      file: join(dirname(given), relative(dirname(csv), image.path)),
      path: image.path,
      patient,
      truth: image.className,
    };
  });
  return { group: { folder: found.folder, sources }, skipped: found.skipped, warnings: found.warnings };
}

/** Adds what a labels file says of the images that were found. */
async function withTruth(groups: readonly SourceGroup[], { labels, columns = {} }: SourceOptions) {
  if (!labels) return { groups: [...groups], warnings: [] };
  const paths = groups.flatMap(({ sources }) => sources.map(({ path }) => path));
  const folders = groups.map(({ folder, sources }) => folder ?? dirname(sources[0]?.path ?? resolve("x")));
  const folder = commonFolder(folders[0] ?? resolve("."), paths);
  const { images, warnings } = await readTruth(resolve(labels), paths, folder, columns);
  const byPath = new Map(images.map((image) => [image.path, image]));
  const completed = groups.map((group) => ({
    ...group,
    sources: group.sources.map((source): ImageSource => {
      const image = byPath.get(source.path);
      if (image === undefined) return source;
      return { ...source, patient: image.patient ?? source.patient, truth: image.className };
    }),
  }));
  return { groups: completed, warnings };
}

/**
 * Finds the images that are meant by files, folders and labels files, each once, whatever the folders' layout.
 *
 * @param given - Files are taken whatever their extension, but for CSV, which is a labels file; folders are searched with
 * the folders in them.
 * @returns What was found, in the order given and then by name, and what can't be an image, with the reasons.
 * @throws Error if a labels file can't be used.
 *
 * @example
 * const { groups, skipped } = await findSources(["one.png", "images"]);
 */
export async function findSources(
  given: readonly string[],
  options: SourceOptions = {},
): Promise<{ groups: SourceGroup[]; skipped: SkippedImage[]; warnings: string[] }> {
  const { patientFrom = "name", columns = {} } = options;
  const seen = new Set<string>();
  const groups: SourceGroup[] = [];
  const skipped: SkippedImage[] = [];
  const warnings: string[] = [];
  const once = (source: ImageSource): ImageSource[] => {
    if (seen.has(source.path)) return [];
    seen.add(source.path);
    return [source];
  };
  const sourceOf = (file: string, path: string) => once({ file, path, patient: patientOfName(path) });
  for (const one of given) {
    const path = resolve(one);
    try {
      const isFolder = (await stat(path)).isDirectory();
      if (isFolder) {
        const { images, unusable } = await findImages(path);
        const shown = (image: string) => join(one, relative(path, image));
        groups.push({ folder: path, sources: images.flatMap((image) => sourceOf(shown(image), image)) });
        pushAll(
          skipped,
          unusable.map((file) => ({ file: shown(file.path), reason: file.reason })),
        );
        continue;
      }
      if (!isLabelsFile(path)) {
        groups.push({ folder: null, sources: sourceOf(one, path) });
        continue;
      }
    } catch (error) {
      skipped.push({ file: one, reason: explainFileError(error) });
      continue;
    }
    const labelled = await sourcesOfLabels(one, columns);
    groups.push({ ...labelled.group, sources: labelled.group.sources.flatMap(once) });
    pushAll(skipped, labelled.skipped);
    pushAll(warnings, labelled.warnings);
  }
  const told = patientFrom === "folder" ? withFolderPatients(groups) : groups;
  const judged = await withTruth(told, options);
  return { groups: judged.groups, skipped, warnings: [...warnings, ...judged.warnings] };
}
