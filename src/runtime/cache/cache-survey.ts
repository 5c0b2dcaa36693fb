import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../paths";

/** What is known about one kind of things in the cache. */
interface KindNote {
  /** What it is for and what clearing it costs, as people would ask. */
  purpose: string;
  /** Whether clearing everything includes it; what has to be fetched again or is in use has to be named. */
  clearedByDefault: boolean;
}

const notes: Readonly<Record<string, KindNote>> = {
  features: {
    purpose: "what the backbone made of each image; computed again when needed, in minutes",
    clearedByDefault: true,
  },
  activations: {
    purpose:
      "what the frozen stages made of each image, for fine-tuning; large, and computed again when needed",
    clearedByDefault: true,
  },
  backbones: {
    purpose: "Keras models as TensorFlow's own graphs, for features; converted again, in a minute",
    clearedByDefault: true,
  },
  images: {
    purpose:
      "checksums, sizes, colours and likeness of the images of each folder, good while a file's size, number and times are the same; looked up again",
    clearedByDefault: true,
  },
  batches: {
    purpose: "in which small batches this machine computes the same bits; tried again with the next images",
    clearedByDefault: true,
  },
  test: { purpose: "how long each test file took and what failed last", clearedByDefault: false },
  quality: {
    purpose: "sharpness, light and colours of each image; measured again when needed",
    clearedByDefault: true,
  },
  code: {
    purpose: "what notebooks' kernels and programs compiled of this project; compiled again, in seconds",
    clearedByDefault: true,
  },
  weights: {
    purpose: "ImageNet weights; converted or downloaded again by npm run setup",
    clearedByDefault: false,
  },
  setup: {
    purpose: "what npm run setup has done already; without it, it checks anew",
    clearedByDefault: false,
  },
  jupyter: {
    purpose: "JupyterLab's settings and servers; clear it only when none runs",
    clearedByDefault: false,
  },
  "as-shipped": {
    purpose: "notebooks as they are shipped, while npm start -- --as-shipped runs them",
    clearedByDefault: true,
  },
  npm: {
    purpose: "the npm that set-up takes where the installed one is too old",
    clearedByDefault: false,
  },
  logs: { purpose: "what set-up's steps printed", clearedByDefault: false },
};

const unknownKind: KindNote = {
  purpose: "not known to this version; cleared only by name",
  clearedByDefault: false,
};

/** One kind of things in the cache. */
export interface CacheKind extends KindNote {
  kind: string;
  files: number;
  bytes: number;
}

async function measure(path: string): Promise<{ files: number; bytes: number }> {
  const sum = { files: 0, bytes: 0 };
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) {
      const inner = await measure(child);
      sum.files += inner.files;
      sum.bytes += inner.bytes;
    } else {
      sum.files++;
      // It may be gone by now: others go on working.
      sum.bytes += (await stat(child).catch(() => null))?.size ?? 0;
    }
  }
  return sum;
}

/** Measures everything in the cache, kind by kind; kinds in the order of their names. */
export async function surveyCache(): Promise<CacheKind[]> {
  const entries = await readdir(cacheFolder(), { withFileTypes: true }).catch(() => []);
  const kinds = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const measured = kinds.sort().map(async (kind) => ({
    kind,
    ...(await measure(join(cacheFolder(), kind))),
    ...(Object.hasOwn(notes, kind) ? notes[kind]! : unknownKind),
  }));
  return Promise.all(measured);
}

/**
 * Removes one kind of things from the cache or, without a name, all that is computed again by itself.
 *
 * @returns What was removed.
 * @throws Error if there is no such kind in the cache.
 */
export async function clearCache(kind: string | null): Promise<CacheKind[]> {
  const found = await surveyCache();
  const chosen = found.filter((one) => (kind === null ? one.clearedByDefault : one.kind === kind));
  if (kind !== null && chosen.length === 0) {
    const there = found.map((one) => one.kind).join(", ") || "nothing";
    throw new Error(`There is nothing of the kind "${kind}" in ${cacheFolder()}; it holds ${there}.`);
  }
  for (const one of chosen)
    await rm(join(cacheFolder(), one.kind), { recursive: true, force: true, maxRetries: 3 });
  return chosen;
}
