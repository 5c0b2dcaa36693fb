import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/**
 * The folder that holds the project's package.json, found upward from this file.
 *
 * @throws Error if no folder above holds a package.json.
 */
export function projectRoot(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) {
      throw new Error(`No package.json in any folder above ${__dirname}: run from a clone of breakhis-lab.`);
    }
  }
}

function folderFromEnvironment(variable: string, fallback: string): string {
  const given = process.env[variable];
  return given ? resolve(given) : join(projectRoot(), fallback);
}

/** Where computed things that can be computed again are kept: `$BREAKHIS_CACHE`, else `.cache`. */
export function cacheFolder(): string {
  return folderFromEnvironment("BREAKHIS_CACHE", ".cache");
}

/** Where every run keeps its folder: `$BREAKHIS_RUNS`, else `runs`. */
export function runsFolder(): string {
  return folderFromEnvironment("BREAKHIS_RUNS", "runs");
}

/** Where data sets live: `$BREAKHIS_DATA`, else `data`. */
export function dataFolder(): string {
  return folderFromEnvironment("BREAKHIS_DATA", "data");
}
