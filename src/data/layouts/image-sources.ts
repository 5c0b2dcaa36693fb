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

/** What one thing that was given holds; no group where it can't be read. */
interface GivenSources {
  group: SourceGroup | null;
  skipped: SkippedImage[];
  warnings: string[];
}

const sourceOf = (file: string, path: string): ImageSource => ({ file, path, patient: patientOfName(path) });

async function sourcesOfFolder(given: string, folder: string): Promise<GivenSources> {
  const { images, unusable } = await findImages(folder);
  const shown = (path: string) => join(given, relative(folder, path));
  return {
    group: { folder, sources: images.map((path) => sourceOf(shown(path), path)) },
    skipped: unusable.map(({ path, reason }) => ({ file: shown(path), reason })),
    warnings: [],
  };
}

/** The images of a labels file that was given in place of a folder. */
async function sourcesOfLabels(given: string, columns: ColumnNames): Promise<GivenSources> {
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

async function sourcesOfGiven(given: string, columns: ColumnNames): Promise<GivenSources> {
  const path = resolve(given);
  try {
    if ((await stat(path)).isDirectory()) return await sourcesOfFolder(given, path);
  } catch (error) {
    return { group: null, skipped: [{ file: given, reason: explainFileError(error) }], warnings: [] };
  }
  if (isLabelsFile(path)) return sourcesOfLabels(given, columns);
  return { group: { folder: null, sources: [sourceOf(given, path)] }, skipped: [], warnings: [] };
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
  const isNew = ({ path }: ImageSource) => {
    const before = seen.size;
    return seen.add(path).size > before;
  };
  const groups: SourceGroup[] = [];
  const skipped: SkippedImage[] = [];
  const warnings: string[] = [];
  for (const one of given) {
    const found = await sourcesOfGiven(one, columns);
    const { group } = found;
    if (group !== null) groups.push({ ...group, sources: group.sources.filter(isNew) });
    pushAll(skipped, found.skipped);
    pushAll(warnings, found.warnings);
  }
  const told = patientFrom === "folder" ? withFolderPatients(groups) : groups;
  const judged = await withTruth(told, options);
  return { groups: judged.groups, skipped, warnings: [...warnings, ...judged.warnings] };
}
