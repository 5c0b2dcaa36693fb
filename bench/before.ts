import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** The commit that this project is compared with where no other program does the same. */
export const beforeCommit = "93302ec";

/** A copy of that commit in which everything is set up, and what results call it. */
export interface Before {
  folder: string;
  name: string;
}

/**
 * Checks what was given as `--before`.
 *
 * @throws Error that says how to make one, if there is none.
 */
export function requireBefore(given: string | undefined): Before {
  const how = `git worktree add ../before ${beforeCommit} && cd ../before && npm start, and give its path with --before`;
  if (given === undefined)
    throw new Error(`This is measured against commit ${beforeCommit}, set up beside: ${how}.`);
  const folder = resolve(given);
  if (!existsSync(join(folder, ".venv"))) throw new Error(`${folder} is not set up: ${how}.`);
  return { folder, name: `this project at commit ${beforeCommit}` };
}
