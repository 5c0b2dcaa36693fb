import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A cache of a benchmark's own, in place of the user's. */
export interface OwnCache {
  folder: string;
  /** Goes on with an empty one. */
  clear(): void;
  /** Removes it, and lets the user's cache be used again. */
  close(): Promise<void>;
}

export async function useOwnCache(): Promise<OwnCache> {
  const before = process.env["BREAKHIS_CACHE"];
  const folder = await mkdtemp(join(tmpdir(), "breakhis-lab-bench-"));
  let caches = 0;
  // A folder that was just emptied is filled more slowly (ext4 looks whether an inode was recently deleted).
  const clear = () => {
    process.env["BREAKHIS_CACHE"] = join(folder, `cache-${++caches}`);
  };
  clear();
  return {
    folder,
    clear,
    async close() {
      if (before === undefined) delete process.env["BREAKHIS_CACHE"];
      else process.env["BREAKHIS_CACHE"] = before;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
