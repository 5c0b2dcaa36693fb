import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { rename } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { requireFolderWritable, writeFolderAtomically } from "../../../src/runtime/files/atomic-folder";
import { runPythonProgram } from "../../../src/runtime/python";
import { temporaryFolder } from "../../support/temporary-folder";

vi.mock("node:fs/promises", { spy: true });
vi.mock("../../../src/runtime/python", { spy: true });
afterEach(() => {
  vi.mocked(rename).mockReset();
  vi.mocked(runPythonProgram).mockReset();
});

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

describe("a folder that is replaced", () => {
  function folderWith(content: string): { target: string; parent: string } {
    const parent = mkdtempSync(join(home, "r-"));
    const target = join(parent, "page");
    mkdirSync(target);
    writeFileSync(join(target, "a"), content);
    return { target, parent };
  }
  const writeNew = async (folder: string) => writeFileSync(join(folder, "a"), "new");
  const contentOf = (target: string) => readFileSync(join(target, "a"), "utf8");

  it("is there at every moment: the two exchange their names in one step", async () => {
    const { target, parent } = folderWith("old");
    const before = statSync(target).ino;
    vi.mocked(rename).mockRejectedValue(new Error("no folder may be renamed here"));
    await writeFolderAtomically(target, writeNew);
    expect(contentOf(target)).toBe("new");
    expect(statSync(target).ino).not.toBe(before);
    expect(readdirSync(parent)).toEqual(["page"]);
  });

  it("takes two steps where the disk can't exchange names, and goes back if the second fails", async () => {
    const { target, parent } = folderWith("old");
    vi.mocked(runPythonProgram).mockRejectedValue(new Error("Invalid argument"));
    await writeFolderAtomically(target, writeNew);
    expect(contentOf(target)).toBe("new");

    const { rename: truly } = await vi.importActual<typeof import("node:fs/promises")>("node:fs/promises");
    vi.mocked(rename).mockImplementationOnce(truly).mockRejectedValueOnce(new Error("EIO"));
    await expect(writeFolderAtomically(target, writeNew)).rejects.toThrow("EIO");
    expect(contentOf(target)).toBe("new");
    expect(readdirSync(parent)).toEqual(["page"]);
  });

  it("is never the one that is cleared up, even if it can't get its name back", async () => {
    const { target, parent } = folderWith("old");
    vi.mocked(runPythonProgram).mockRejectedValue(new Error("Invalid argument"));
    const { rename: truly } = await vi.importActual<typeof import("node:fs/promises")>("node:fs/promises");
    vi.mocked(rename).mockImplementationOnce(truly).mockRejectedValueOnce(new Error("EIO"));
    vi.mocked(rename).mockRejectedValueOnce(new Error("EIO again"));
    await expect(writeFolderAtomically(target, writeNew)).rejects.toThrow("EIO");
    const [workshop] = readdirSync(parent);
    expect(contentOf(join(parent, workshop!, "old"))).toBe("old");
  });
});

describe("what a killed process left beside a folder", () => {
  const ended = () => `${hostname()}~${spawnSync(process.execPath, ["-e", ""]).pid}~1~x`;

  it("is removed by the next one that writes it, and nothing of living processes or of other folders", async () => {
    const parent = mkdtempSync(join(home, "k-"));
    const [dead, alive] = [ended(), `${hostname()}~${process.ppid}~0~x`];
    const names = [`.page.unfinished~${dead}`, `.page.unfinished~${alive}`, `.other.unfinished~${dead}`];
    for (const name of names) mkdirSync(join(parent, name, "new"), { recursive: true });
    await writeFolderAtomically(join(parent, "page"), async (folder) =>
      writeFileSync(join(folder, "a"), "1"),
    );
    expect(readdirSync(parent).sort()).toEqual([`.other.unfinished~${dead}`, names[1], "page"].sort());
  });

  it("gives back what it had taken aside, even if this write fails", async () => {
    const parent = mkdtempSync(join(home, "k-"));
    const old = join(parent, `.page.unfinished~${ended()}`, "old");
    mkdirSync(old, { recursive: true });
    writeFileSync(join(old, "a"), "old");
    const failing = writeFolderAtomically(join(parent, "page"), async () => {
      throw new Error("disk full");
    });
    await expect(failing).rejects.toThrow("disk full");
    expect(readFileSync(join(parent, "page", "a"), "utf8")).toBe("old");
    expect(readdirSync(parent)).toEqual(["page"]);
  });
});

describe("requireFolderWritable", () => {
  it("makes the folders above and leaves nothing of its trial, whether there is a folder or not", async () => {
    const target = join(home, "tried", "below", "folder");
    await requireFolderWritable(target);
    expect(readdirSync(join(home, "tried", "below"))).toEqual([]);
    mkdirSync(target);
    await requireFolderWritable(target);
    expect(readdirSync(join(home, "tried", "below"))).toEqual(["folder"]);
  });

  it("says what is in the way", async () => {
    const file = join(home, "in-the-way");
    writeFileSync(file, "kept");
    const pipe = join(home, "pipe");
    spawnSync("mkfifo", [pipe]);
    for (const [target, reason] of [
      [file, "it is a file"],
      [join(file, "below"), "a part of its path is a file"],
      [pipe, "it is a named pipe"],
      ["/dev/null", "it is a device"],
    ] as const) {
      await expect(requireFolderWritable(target)).rejects.toThrow(`${target} can't be written: ${reason}.`);
    }
    expect(readFileSync(file, "utf8")).toBe("kept");
  });
});
