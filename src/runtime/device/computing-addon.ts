import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { projectRoot } from "../paths";

/** What `scripts/setup/native/computing.cc` offers: switches and questions that TensorFlow has no C interface for. */
export interface ComputingAddon {
  setTensorFloat32(enabled: boolean): void;
  usesTensorFloat32(): boolean;
  setDeterministic(enabled: boolean): void;
  isDeterministic(): boolean;
  /** Each of CUDA's libraries by name, with null where TensorFlow's loader opens it, else with its reason. */
  askLoader(): Record<string, string | null>;
}

/**
 * Loads the project's own addon, which set-up compiles beside TensorFlow.js'.
 *
 * @throws Error that says what to do if set-up has not been run since it was added.
 */
export function computingAddon(): ComputingAddon {
  const folder = join(projectRoot(), "node_modules", "@tensorflow", "tfjs-node-gpu", "lib", "napi-v8");
  const file = join(folder, "breakhis_computing.node");
  if (!existsSync(file)) throw new Error(`${file} is missing: run npm run setup, which compiles it.`);
  return createRequire(join(projectRoot(), "package.json"))(file) as ComputingAddon;
}
