import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import { temporaryFolder } from "../support/temporary-folder";

const root = temporaryFolder("cache-program");
const tsx = join(projectRoot(), "node_modules", "tsx", "dist", "cli.mjs");
let count = 0;
let cache: string;

function runProgram(args: string[]) {
  return spawnSync(process.execPath, [tsx, join(projectRoot(), "scripts", "cache.ts"), ...args], {
    encoding: "utf8",
    env: { ...process.env, BREAKHIS_CACHE: cache },
  });
}

beforeEach(() => {
  cache = join(root, String(count++));
  const files = {
    "features/00/a": 1024,
    "features/01/b": 1024,
    "features/unfinished/c": 10,
    "images/00/a": 100,
    "weights/resnet50.h5": 3 * 1024 * 1024,
    "something/else": 1,
  };
  for (const [file, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(cache, file)), { recursive: true });
    writeFileSync(join(cache, file), Buffer.alloc(bytes));
  }
});

const kinds = () =>
  ["features", "images", "something", "weights"].filter((kind) => existsSync(join(cache, kind)));

describe("npm run cache", () => {
  it("shows each kind's files, size and purpose", () => {
    const { stdout, status } = runProgram([]);
    expect(status).toBe(0);
    expect(stdout).toContain(`${cache}: 3.0 MiB`);
    expect(stdout).toMatch(/^features +3 +2\.0 KiB {2}what the backbone made of each image/m);
    expect(stdout).toMatch(/^images +1 +100 bytes {2}checksums/m);
    expect(stdout).toMatch(/^weights +1 +3\.0 MiB {2}ImageNet weights/m);
    expect(stdout).toMatch(/^something +1 +1 bytes {2}not known/m);
    expect(kinds()).toEqual(["features", "images", "something", "weights"]);
  });

  it("clears what is computed again, and says what that freed", () => {
    expect(runProgram(["clear"]).stdout).toBe("Freed 2.1 KiB: features, images.\n");
    expect(kinds()).toEqual(["something", "weights"]);
    expect(runProgram(["clear"]).stdout).toMatch(/holds nothing that is computed again/);
  });

  it("clears weights only when they are named, and refuses a name that isn't there", () => {
    expect(runProgram(["clear", "weights"]).stdout).toBe("Freed 3.0 MiB: weights.\n");
    expect(kinds()).toEqual(["features", "images", "something"]);
    for (const name of ["wieghts", "..", "features/00"]) {
      const { status, stderr } = runProgram(["clear", name]);
      expect(status).toBe(1);
      expect(stderr).toContain(`nothing of the kind "${name}"`);
    }
    expect(kinds()).toEqual(["features", "images", "something"]);
  });

  it("says so where there is no cache", () => {
    cache = join(root, "nowhere");
    expect(runProgram([]).stdout).toBe(`${cache} is empty.\n`);
  });
});
