import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeCode } from "../../src/runtime/code-version";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("code-version");

function git(root: string, ...args: string[]): string {
  const identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"];
  return execFileSync("git", [...identity, ...args], { cwd: root, encoding: "utf8" }).trim();
}

function makeProject(name: string): string {
  const root = join(folder, name);
  mkdirSync(join(root, "src"), { recursive: true });
  writeFileSync(join(root, "package.json"), '{ "version": "1.2.3" }');
  return root;
}

describe("describeCode", () => {
  it("knows the commit, and whether the code was changed since", () => {
    const root = makeProject("repository");
    git(root, "init", "-q");
    git(root, "add", ".");
    git(root, "commit", "-q", "-m", "first");
    const commit = git(root, "rev-parse", "HEAD");
    expect(describeCode(root)).toEqual({ version: "1.2.3", commit, changed: false });
    writeFileSync(join(root, "notes.txt"), "no code");
    expect(describeCode(root).changed).toBe(false);
    writeFileSync(join(root, "src", "new.ts"), "");
    expect(describeCode(root).changed).toBe(true);
  });

  it("takes no commit from a repository that the project only lies in", () => {
    const outer = join(folder, "outer");
    mkdirSync(outer);
    git(outer, "init", "-q");
    git(outer, "commit", "-q", "--allow-empty", "-m", "somebody else's");
    expect(describeCode(makeProject("outer/inner"))).toEqual({
      version: "1.2.3",
      commit: null,
      changed: null,
    });
  });
});
