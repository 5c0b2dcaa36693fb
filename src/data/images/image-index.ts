import { stat } from "node:fs/promises";
import pMap from "p-map";
import { readEntry, writeEntry } from "../../runtime/cache/content-cache";
import { sha256 } from "../../runtime/cache/content-hash";
import { startProgress } from "../../runtime/progress";
import { explainFileError } from "./image-problems";
import { type ImageFacts, type Inspection, imageConcurrency, inspectAndKeep, inspectImage } from "./images";

/** Raised by hand when the facts are computed differently. */
const indexVersion = 3;
const indexKind = "images";

/**
 * A file as it was when somebody looked into it: the facts hold while its stamp is the same, which is its size, its
 * number on the disk and its two times. The time of change (ctime) can't be set: whoever copies a file over another with
 * `cp -p`, rsync or tar, keeps its size and its time of modification, and no more.
 */
interface IndexedFile {
  stamp: string;
  facts: ImageFacts;
}

type Index = Map<string, IndexedFile>;

/** While images are looked into, the index is kept this often, so that a killed process does not start over. */
const keepEveryMs = 5_000;
/** For large sets less often: keeping takes at most a twentieth of the time. */
const keepingShare = 20;
/** Asking the file system is waiting more than computing. */
const fileConcurrency = 32;

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
 * Only files that are new or changed since are read, by what the file system says of them (size, number, times of
 * modification and of change): of what it does not tell, decoding learns by the checksum. A broken file is looked into every time. What was seen before a
 * failure or an interrupt is kept, and when the process is killed all but the last seconds.
 *
 * @param folder - Absolute; names the index.
 * @param paths - Absolute paths of the images wanted.
 * @param known - Absolute paths of all images of the folder: what else the index holds is forgotten.
 * @param options.stretchTo - Keeps what is decoded stretched to this size, for features to be computed of it.
 * @param options.keepEveryMs - How often the index is written meanwhile, by default every 5 s.
 * @returns Inspections in the order of `paths`, and the reason why the index could not be written, if so.
 */
export async function inspectImages(
  folder: string,
  paths: readonly string[],
  known: readonly string[],
  options: { keepEveryMs?: number; stretchTo?: number | undefined } = {},
): Promise<{ inspections: Inspection[]; indexProblem: string | null }> {
  const knownPaths = new Set(known);
  const before = await readIndex(folder);
  const index: Index = new Map([...before].filter(([path]) => knownPaths.has(path)));
  const keeper = indexKeeper(folder, index, knownPaths, options.keepEveryMs ?? keepEveryMs);
  if (index.size < before.size) keeper.noteChange();
  const progress = startProgress("Looking into images", paths.length, "images");
  const inspections: Inspection[] = new Array(paths.length);
  let indexProblem: string | null = null;
  try {
    const stamps = await pMap(paths, readStamp, { concurrency: fileConcurrency });
    const unseen: number[] = [];
    for (const [row, path] of paths.entries()) {
      const seen = seenBefore(index.get(path), stamps[row]!);
      if (seen === null) unseen.push(row);
      else inspections[row] = seen;
    }
    if (unseen.length < paths.length) progress.advance(paths.length - unseen.length);
    async function inspect(row: number): Promise<void> {
      const path = paths[row]!;
      const stamp = stamps[row]!;
      const { stretchTo } = options;
      const inspection = await (stretchTo === undefined
        ? inspectImage(path)
        : inspectAndKeep(path, stretchTo));
      inspections[row] = inspection;
      if (inspection.ok === true && stamp.ok === true) {
        index.set(path, { stamp: stamp.value, facts: inspection.facts });
      } else index.delete(path);
      keeper.noteChange();
      await keeper.keepSometimes();
      progress.advance();
    }
    await pMap(unseen, inspect, { concurrency: imageConcurrency });
  } finally {
    progress.finish();
    indexProblem = await keeper.keep();
  }
  return { inspections, indexProblem };
}

/** Read before the file's content: one that changes in between is looked into next time. */
type Stamp = { ok: true; value: string } | { ok: false; reason: string };

async function readStamp(path: string): Promise<Stamp> {
  try {
    const file = await stat(path, { bigint: true });
    return { ok: true, value: [file.size, file.ino, file.mtimeNs, file.ctimeNs].join(" ") };
  } catch (error) {
    return { ok: false, reason: explainFileError(error) };
  }
}

/** What is known of a file without reading it, or null if it has to be read. */
function seenBefore(seen: IndexedFile | undefined, stamp: Stamp): Inspection | null {
  if (stamp.ok === false) return stamp;
  if (seen === undefined || seen.stamp !== stamp.value) return null;
  return { ok: true, facts: seen.facts };
}

interface IndexKeeper {
  noteChange(): void;
  /** Writes if there is something new and it is time. */
  keepSometimes(): Promise<void>;
  /** Writes if there is something new; returns why that failed, if so. */
  keep(): Promise<string | null>;
}

function indexKeeper(folder: string, index: Index, known: ReadonlySet<string>, everyMs: number): IndexKeeper {
  let changed = false;
  let writing = false;
  let dueAtMs = performance.now() + everyMs;
  async function keep(): Promise<string | null> {
    if (!changed) return null;
    changed = false;
    const startedAtMs = performance.now();
    const problem = await writeIndex(folder, index, known);
    const endedAtMs = performance.now();
    dueAtMs = endedAtMs + Math.max(everyMs, keepingShare * (endedAtMs - startedAtMs));
    return problem;
  }
  return {
    noteChange() {
      changed = true;
    },
    async keepSometimes() {
      if (writing || performance.now() < dueAtMs) return;
      writing = true;
      await keep();
      writing = false;
    },
    keep,
  };
}

/** Writes the index, with what another process has seen meanwhile. */
async function writeIndex(folder: string, index: Index, known: ReadonlySet<string>): Promise<string | null> {
  try {
    const merged: Index = new Map([...(await readIndex(folder))].filter(([path]) => known.has(path)));
    for (const [path, file] of index) merged.set(path, file);
    await writeEntry(indexKind, indexKey(folder), Buffer.from(JSON.stringify([...merged])));
    return null;
  } catch (error) {
    return `What was seen in the images could not be kept for next time: ${(error as Error).message}`;
  }
}
