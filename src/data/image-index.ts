import { stat } from "node:fs/promises";
import pMap from "p-map";
import { readEntry, writeEntry } from "../runtime/content-cache";
import { sha256 } from "../runtime/content-hash";
import { startProgress } from "../runtime/progress";
import { explainFileError } from "./image-problems";
import { type ImageFacts, type Inspection, imageConcurrency, inspectImage } from "./images";

/** Raised by hand when the facts are computed differently. */
const indexVersion = 1;
const indexKind = "images";

/** A file as it was when somebody looked into it: the facts hold while size and time of change are the same. */
interface IndexedFile {
  size: string;
  /** Nanoseconds, as text: a number would round them. */
  changed: string;
  facts: ImageFacts;
}

type Index = Map<string, IndexedFile>;

function indexKey(folder: string): string {
  return sha256(`${indexVersion}:${folder}`);
}

/** An index that is absent, damaged or unreadable is an empty one: looking into the images again rebuilds it. */
async function readIndex(folder: string): Promise<Index> {
  try {
    const content = await readEntry(indexKind, indexKey(folder));
    return content === null
      ? new Map()
      : new Map(JSON.parse(content.toString("utf8")) as [string, IndexedFile][]);
  } catch {
    return new Map();
  }
}

/**
 * Looks into every image once, on all cores, and remembers the facts in one index file a folder.
 *
 * Only files that are new or changed since are read; a broken file is looked into every time. What was seen before a
 * failure or an interrupt is kept.
 *
 * @param folder - Absolute; names the index.
 * @param paths - Absolute paths of the images wanted.
 * @param known - Absolute paths of all images of the folder: what else the index holds is forgotten.
 * @returns Inspections in the order of `paths`, and the reason why the index could not be written, if so.
 */
export async function inspectImages(
  folder: string,
  paths: readonly string[],
  known: readonly string[],
): Promise<{ inspections: Inspection[]; indexProblem: string | null }> {
  const before = await readIndex(folder);
  const knownPaths = new Set(known);
  const index: Index = new Map([...before].filter(([path]) => knownPaths.has(path)));
  let changed = index.size < before.size;
  const progress = startProgress("Looking into images", paths.length, "images");

  async function inspect(path: string): Promise<Inspection> {
    const inspection = await inspectIndexed(path, index, () => {
      changed = true;
    });
    progress.advance();
    return inspection;
  }

  let inspections: Inspection[] = [];
  let indexProblem: string | null = null;
  try {
    inspections = await pMap(paths, inspect, { concurrency: imageConcurrency });
  } finally {
    progress.finish();
    if (changed) indexProblem = await writeIndex(folder, index);
  }
  return { inspections, indexProblem };
}

async function inspectIndexed(path: string, index: Index, onChange: () => void): Promise<Inspection> {
  let size: string;
  let changed: string;
  try {
    // Before reading: a file that changes in between is then looked into again next time.
    const file = await stat(path, { bigint: true });
    size = String(file.size);
    changed = String(file.mtimeNs);
  } catch (error) {
    return { ok: false, reason: explainFileError(error) };
  }
  const seen = index.get(path);
  if (seen !== undefined && seen.size === size && seen.changed === changed) {
    return { ok: true, facts: seen.facts };
  }
  const inspection = await inspectImage(path);
  if (inspection.ok === true) index.set(path, { size, changed, facts: inspection.facts });
  else index.delete(path);
  onChange();
  return inspection;
}

async function writeIndex(folder: string, index: Index): Promise<string | null> {
  try {
    await writeEntry(indexKind, indexKey(folder), Buffer.from(JSON.stringify([...index])));
    return null;
  } catch (error) {
    return `What was seen in the images could not be kept for next time: ${(error as Error).message}`;
  }
}
