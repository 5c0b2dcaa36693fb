import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeFolderAtomically } from "../../src/runtime/atomic-folder";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("atomic");

describe("writeFolderAtomically", () => {
  const target = join(home, "deep", "folder");

  it("makes the folder, and the ones above it", async () => {
    await writeFolderAtomically(target, async (folder) => {
      writeFileSync(join(folder, "a"), "1");
      expect(existsSync(target)).toBe(false);
    });
    expect(readFileSync(join(target, "a"), "utf8")).toBe("1");
  });

  it("replaces what is there, with nothing left of it", async () => {
    await writeFolderAtomically(target, async (folder) => writeFileSync(join(folder, "b"), "2"));
    expect(readdirSync(target)).toEqual(["b"]);
    expect(readdirSync(join(home, "deep"))).toEqual(["folder"]);
  });

  it("leaves everything as it was after a failure", async () => {
    const failing = writeFolderAtomically(target, async (folder) => {
      writeFileSync(join(folder, "c"), "3");
      throw new Error("disk full");
    });
    await expect(failing).rejects.toThrow("disk full");
    expect(readdirSync(target)).toEqual(["b"]);
    expect(readdirSync(join(home, "deep"))).toEqual(["folder"]);
  });
});
