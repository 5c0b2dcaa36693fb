import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A cache of a benchmark's own, in place of the user's. */
export interface OwnCache {
  folder: string;
  /** Forgets what is in it. */
  clear(): Promise<void>;
  /** Removes it, and lets the user's cache be used again. */
  close(): Promise<void>;
}

export async function useOwnCache(): Promise<OwnCache> {
  const before = process.env["BREAKHIS_CACHE"];
  const folder = await mkdtemp(join(tmpdir(), "breakhis-lab-bench-"));
  process.env["BREAKHIS_CACHE"] = join(folder, "cache");
  return {
    folder,
    clear: () => rm(join(folder, "cache"), { recursive: true, force: true }),
    async close() {
      if (before === undefined) delete process.env["BREAKHIS_CACHE"];
      else process.env["BREAKHIS_CACHE"] = before;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
