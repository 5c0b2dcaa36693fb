import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./paths";

/** Which code computed something. */
export interface CodeVersion {
  /** The version in package.json. */
  version: string;
  /** The commit that is checked out, 40 hexadecimal digits; null where the project is not in a git repository. */
  commit: string | null;
  /** Whether `src` or the locked dependencies differ from that commit; null where there is none. */
  changed: boolean | null;
}

/** What decides what is computed; notebooks only choose settings, and those are kept by themselves. */
const codePaths = ["src", "package.json", "package-lock.json"];

/** Runs git in the project; null if there is no git, or no repository that has the project's files. */
function git(root: string, args: readonly string[]): string | null {
  try {
    return execFileSync("git", ["--no-optional-locks", ...args], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 10_000,
    }).trim();
  } catch {
    return null;
  }
}

/** Says which code is running: the package's version, the commit, and whether anything was changed since. */
export function describeCode(root: string = projectRoot()): CodeVersion {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  // A copy without its own repository may lie in somebody else's, whose commits say nothing about it.
  const isTracked = git(root, ["ls-files", "--error-unmatch", "package.json"]) !== null;
  const commit = isTracked ? git(root, ["rev-parse", "HEAD"]) : null;
  const status = commit === null ? null : git(root, ["status", "--porcelain", "--", ...codePaths]);
  return { version, commit, changed: status === null ? null : status !== "" };
}
