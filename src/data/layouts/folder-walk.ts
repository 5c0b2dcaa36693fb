import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, sep } from "node:path";
import { specialKind } from "../../runtime/files/regular-file";
import { pushAll } from "../../runtime/many";
import { byCodeUnits } from "../../runtime/words";
import { explainFileError } from "../images/image-problems";

/** A folder's or a file's entry, symbolic links followed. */
export interface FolderEntry {
  name: string;
  path: string;
  kind: "folder" | "file";
  /** Present where a symbolic link was followed. */
  linked?: true;
}

/** A file that can't be used, with the reason as the rest of a sentence. */
export interface UnusableFile {
  path: string;
  reason: string;
}

/** Everything under a folder that is an image or should have been one. */
export interface FoundFiles {
  /** Absolute paths of files with an image's extension, sorted. */
  images: string[];
  unusable: UnusableFile[];
}

const readableExtensions = new Set([".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"]);
const unreadableExtensions = new Set(
  ".bmp .gif .svg .heic .heif .avif .jp2 .j2k .jxl .dcm .svs .ndpi .mrxs .scn .vsi .czi .npy".split(" "),
);
const clutter = /^(?:\..*|__MACOSX|thumbs\.db|desktop\.ini)$/i;

/** Whether a file's name says that it is an image that can be read, whatever its content. */
export function hasImageExtension(path: string): boolean {
  return readableExtensions.has(extname(path).toLowerCase());
}

function specialFile(path: string, found: Parameters<typeof specialKind>[0]): UnusableFile {
  return { path, reason: `it is ${specialKind(found) ?? "something unknown"}, not a file` };
}

/**
 * Lists a folder, sorted by name, without hidden entries and what operating systems leave behind.
 *
 * @returns Entries; links that lead nowhere, pipes, sockets and devices are no use.
 * @throws Error if the folder can't be read.
 */
export async function listFolder(
  folder: string,
): Promise<{ entries: FolderEntry[]; unusable: UnusableFile[] }> {
  const entries: FolderEntry[] = [];
  const unusable: UnusableFile[] = [];
  const found = await readdir(folder, { withFileTypes: true });
  for (const entry of found.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    if (clutter.test(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) entries.push({ name: entry.name, path, kind: "folder" });
    else if (entry.isFile()) entries.push({ name: entry.name, path, kind: "file" });
    else if (entry.isSymbolicLink()) {
      try {
        const target = await stat(path);
        if (target.isDirectory()) entries.push({ name: entry.name, path, kind: "folder", linked: true });
        else if (target.isFile()) entries.push({ name: entry.name, path, kind: "file", linked: true });
        else unusable.push(specialFile(path, target));
      } catch (error) {
        const leadsNowhere = (error as NodeJS.ErrnoException).code === "ENOENT";
        const reason = leadsNowhere ? "it is a symbolic link to nothing" : explainFileError(error);
        unusable.push({ path, reason });
      }
    } else unusable.push(specialFile(path, entry));
  }
  return { entries, unusable };
}

/** The folders in a folder, sorted by name; none if the folder can't be read. */
export async function subfolders(folder: string): Promise<FolderEntry[]> {
  try {
    return (await listFolder(folder)).entries.filter((entry) => entry.kind === "folder");
  } catch {
    return [];
  }
}

/** Whether images lie directly in a folder. */
export async function holdsImages(folder: string): Promise<boolean> {
  try {
    const { entries } = await listFolder(folder);
    return entries.some((entry) => entry.kind === "file" && hasImageExtension(entry.name));
  } catch {
    return false;
  }
}

/** Sorts as a walk goes: folder by folder, by name. */
function inWalkingOrder(one: string, other: string): number {
  const [names, others] = [one.split(sep), other.split(sep)];
  const at = names.findIndex((name, depth) => name !== others[depth]);
  return at < 0 ? 0 : byCodeUnits(names[at]!, others[at] ?? "");
}

/**
 * Finds all images in a folder and the folders in it. Links are followed, but each folder is walked through once,
 * however many of them lead there: links that branch at every level would be 2ⁿ ways to the same images.
 */
export async function findImages(folder: string): Promise<FoundFiles> {
  const found: FoundFiles = { images: [], unusable: [] };
  // A link to the folder above would bring the other classes' images into this one.
  const walked = new Set([await realpath(dirname(folder))]);
  // A folder is known by its own name rather than by a link's, so links come last.
  const links: string[] = [];
  await walk(folder, { walked, links, found });
  // It grows while it is gone through.
  for (const link of links) await walk(link, { walked, links, found });
  if (links.length > 0) found.images.sort(inWalkingOrder);
  return found;
}

interface Walk {
  /** Real paths of the folders that were walked through. */
  walked: Set<string>;
  /** Links to folders, for later. */
  links: string[];
  found: FoundFiles;
}

async function walk(folder: string, progress: Walk): Promise<void> {
  const { walked, links, found } = progress;
  let listing: Awaited<ReturnType<typeof listFolder>>;
  try {
    const real = await realpath(folder);
    if (walked.has(real)) return;
    walked.add(real);
    listing = await listFolder(folder);
  } catch (error) {
    found.unusable.push({ path: folder, reason: explainFileError(error) });
    return;
  }
  pushAll(found.unusable, listing.unusable);
  for (const entry of listing.entries) {
    if (entry.kind === "folder") {
      if (entry.linked === true) links.push(entry.path);
      else await walk(entry.path, progress);
    } else if (hasImageExtension(entry.name)) found.images.push(entry.path);
    else if (unreadableExtensions.has(extname(entry.name).toLowerCase())) {
      const format = extname(basename(entry.name)).slice(1).toUpperCase();
      found.unusable.push({ path: entry.path, reason: `${format} is not read; convert it to PNG or TIFF` });
    }
  }
}
