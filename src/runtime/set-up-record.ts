import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./paths";

/** What set-up noted in `.venv`, as far as it matters here. */
export interface SetUpRecord {
  /** Which TensorFlow it installed. */
  variant?: "cpu" | "cuda";
  /** Why its Python has no Keras, and what brings it; null where it has. */
  kerasProblem?: string | null;
}

/** What set-up noted; nothing where it has not been run. */
export function setUpRecord(): SetUpRecord {
  const stamp = join(projectRoot(), ".venv", "breakhis-setup.json");
  return existsSync(stamp) ? (JSON.parse(readFileSync(stamp, "utf8")) as SetUpRecord) : {};
}
