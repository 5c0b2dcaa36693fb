import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../../src/runtime/paths";

/** Lends the project's weights to a cache of a test's own. */
export function shareWeights(cache: string): void {
  mkdirSync(cache, { recursive: true });
  const weights = join(cacheFolder(), "weights");
  if (existsSync(weights)) symlinkSync(weights, join(cache, "weights"));
}
