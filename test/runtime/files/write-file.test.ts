import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requireWritable, writeFileAtomically, writeWholeFile } from "../../../src/runtime/files/write-file";
import { projectRoot } from "../../../src/runtime/paths";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("write-file");
const freshFolder = () => mkdtempSync(join(home, "f-"));

/** A program that writes a result; in a process of its own, whose limits and outputs are not ours. */
const program = (path: string, content: string) => `
  const { writeFileAtomically } = require("./src/runtime/files/write-file.ts");
  writeFileAtomically(${JSON.stringify(path)}, ${content}).then(
    () => console.error("written"),
    (error) => { console.error(error.code + " " + error.message); process.exitCode = 1; },
  );`;
const node = (code: string) => [process.execPath, "-r", "tsx/cjs", "-e", code];
const options = {
  cwd: projectRoot(),
  encoding: "utf8",
  env: { ...process.env, TSX_DISABLE_CACHE: "1" },
} as const;

const text = `"x".repeat(40_000)`;
const stream = `(async function* () { for (let i = 0; i < 40; i++) yield "x".repeat(1_000); })()`;

describe("writeFileAtomically", () => {
  it.each([
    ["a text", "äöü\n"],
    ["bytes", Buffer.from("äöü\n")],
    ["pieces", ["ä", Buffer.from("ö"), "ü\n"]],
    [
      "pieces that come one after another",
      (async function* () {
        for (const piece of ["ä", "ö", "ü\n"]) yield piece;
      })(),
    ],
  ])("writes %s, with the folders above, and leaves nothing else", async (_, content) => {
    const folder = freshFolder();
    await writeFileAtomically(join(folder, "deep", "down", "a.txt"), content);
    expect(readFileSync(join(folder, "deep", "down", "a.txt"), "utf8")).toBe("äöü\n");
    expect(readdirSync(join(folder, "deep", "down"))).toEqual(["a.txt"]);
  });

  it("writes pieces that are larger and smaller than its blocks in their order", async () => {
    const path = join(freshFolder(), "a.bin");
    const pieces = [3_000_000, 1, 700_000, 700_000, 5].map((length, i) => Buffer.alloc(length, i));
    await writeFileAtomically(path, pieces);
    expect(readFileSync(path).equals(Buffer.concat(pieces))).toBe(true);
  });

  it("writes a name as long as names may be", async () => {
    const folder = freshFolder();
    const name = "a".repeat(255);
    await writeFileAtomically(join(folder, name), "1");
    expect(readdirSync(folder)).toEqual([name]);
  });

  it("keeps the permissions of the file that it replaces, and a link to it", async () => {
    const folder = freshFolder();
    const [real, link] = [join(folder, "real"), join(folder, "link")];
    writeFileSync(real, "old");
    chmodSync(real, 0o640);
    symlinkSync("real", link);
    await writeFileAtomically(link, "new");
    expect(readFileSync(real, "utf8")).toBe("new");
    expect(readlinkSync(link)).toBe("real");
    expect(statSync(real).mode & 0o777).toBe(0o640);
  });

  it("leaves the earlier file and nothing else when its content fails on the way", async () => {
    const folder = freshFolder();
    const path = join(folder, "a.txt");
    writeFileSync(path, "earlier");
    const failing = (async function* () {
      yield "x".repeat(3_000_000);
      throw new Error("no more rows");
    })();
    await expect(writeFileAtomically(path, failing)).rejects.toThrow("a.txt can't be written: no more rows.");
    expect(readFileSync(path, "utf8")).toBe("earlier");
    expect(readdirSync(folder)).toEqual(["a.txt"]);
  });

  it("removes what killed processes left of this file, and nothing of living ones or of other files", async () => {
    const folder = freshFolder();
    const ended = spawnSync(process.execPath, ["-e", ""]).pid;
    const [dead, alive] = [`${hostname()}~${ended}~1~x`, `${hostname()}~${process.ppid}~0~x`];
    // A process of this number runs, and it is not the one that began then.
    const another = `${hostname()}~${process.pid}~1~x`;
    for (const owner of [dead, alive, another])
      writeFileSync(join(folder, `.a.txt.unfinished~${owner}`), "half");
    writeFileSync(join(folder, `.b.txt.unfinished~${dead}`), "half");
    await writeFileAtomically(join(folder, "a.txt"), "whole");
    expect(readdirSync(folder).sort()).toEqual([
      `.a.txt.unfinished~${alive}`,
      `.b.txt.unfinished~${dead}`,
      "a.txt",
    ]);
  });
});

describe("a file that can't become as large as it should", () => {
  it.each([
    ["text", text],
    ["stream", stream],
  ])("is not cut short: a limit on the size of files, %s", (_, content) => {
    const folder = freshFolder();
    const path = join(folder, "answers.csv");
    writeFileSync(path, "earlier answers\n");
    const [command, ...args] = node(program(path, content));
    const limited = ["-c", 'ulimit -f 10; exec "$@"', "bash", command!, ...args];
    const { status, stderr } = spawnSync("bash", limited, options);
    expect(stderr).toContain(
      `EFBIG ${path} can't be written: it would become larger than files may be here (ulimit -f). What was there before is still there.`,
    );
    expect(status).toBe(1);
    expect(readFileSync(path, "utf8")).toBe("earlier answers\n");
    expect(readdirSync(folder)).toEqual(["answers.csv"]);
  });

  const mounting = spawnSync("unshare", ["-m", "bash", "-c", 'mount -t tmpfs none "$0"', home]);
  it.skipIf(mounting.status !== 0).each([
    ["text", text],
    ["stream", stream],
  ])("is not cut short: a full disk (where one may be mounted), %s", (_, content) => {
    const folder = freshFolder();
    const path = join(folder, "answers.csv");
    const script = `
      mount -t tmpfs -o size=16k none "$0" && echo "earlier answers" > "$0/answers.csv"
      "$@"; echo "exit code $?"; ls -A "$0"; cat "$0/answers.csv"`;
    const { stdout, stderr } = spawnSync(
      "unshare",
      ["-m", "bash", "-c", script, folder, ...node(program(path, content))],
      options,
    );
    expect(stderr).toContain(`ENOSPC ${path} can't be written: the disk is full.`);
    expect(stdout).toBe("exit code 1\nanswers.csv\nearlier answers\n");
  });

  it("throws under a name that nobody reads yet, too", () => {
    const path = join(freshFolder(), "part.bin");
    const code = `require("./src/runtime/files/write-file.ts").writeWholeFile(${JSON.stringify(path)}, ${text}).catch((error) => console.error(error.code));`;
    const { stderr } = spawnSync("bash", ["-c", 'ulimit -f 10; exec "$@"', "bash", ...node(code)], options);
    expect(stderr).toBe("EFBIG\n");
  });
});

describe("what a result can be written into", () => {
  it("a named pipe gets the bytes, and stays one", async () => {
    const pipe = join(freshFolder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    const reader = spawn("cat", [pipe]);
    const read: Buffer[] = [];
    reader.stdout.on("data", (chunk: Buffer) => read.push(chunk));
    const ended = new Promise((fulfil) => reader.on("close", fulfil));
    await requireWritable(pipe);
    await writeFileAtomically(pipe, ["x".repeat(2_000_000), "end\n"]);
    await ended;
    expect(Buffer.concat(read).toString()).toBe(`${"x".repeat(2_000_000)}end\n`);
    expect(statSync(pipe).isFIFO()).toBe(true);
  });

  it.each(["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])(
    "%s gets the bytes, as a pipe and as a file",
    (path) => {
      const [command, ...args] = node(program(path, text));
      const piped = spawnSync(command!, args, options);
      expect(piped.stderr).toBe("written\n");
      expect(piped.stdout).toBe("x".repeat(40_000));
      const file = join(freshFolder(), "file");
      const redirected = ["-c", `{ echo before; "$@"; echo after; } > ${file}`, "bash", command!, ...args];
      expect(spawnSync("bash", redirected, options).stderr).toBe("written\n");
      expect(readFileSync(file, "utf8")).toBe(`before\n${"x".repeat(40_000)}after\n`);
    },
  );

  it("/dev/null stays a device", async () => {
    await writeFileAtomically("/dev/null", "x");
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  it("says why not: a folder, a socket, a link to nothing, a file in the way", async () => {
    const folder = freshFolder();
    mkdirSync(join(folder, "folder"));
    symlinkSync("nothing", join(folder, "link"));
    writeFileSync(join(folder, "file"), "x");
    const server = createServer().listen(join(folder, "socket"));
    await new Promise((fulfil) => server.once("listening", fulfil));
    const reasons = {
      folder: "it is a folder",
      socket: "it is a socket",
      link: "it is a symbolic link to nothing",
      "file/below": "a part of its path is a file",
    };
    for (const [name, reason] of Object.entries(reasons)) {
      const message = `${join(folder, name)} can't be written: ${reason}. What was there before is still there.`;
      await expect(requireWritable(join(folder, name))).rejects.toThrow(message);
      await expect(writeFileAtomically(join(folder, name), "x")).rejects.toThrow(message);
    }
    expect(readdirSync(folder).sort()).toEqual(["file", "folder", "link", "socket"]);
    server.close();
  });
});

describe("requireWritable", () => {
  it("makes the folders above, and leaves what is there as it is", async () => {
    const folder = freshFolder();
    await requireWritable(join(folder, "a", "b.csv"));
    expect(readdirSync(join(folder, "a"))).toEqual([]);
    writeFileSync(join(folder, "a", "b.csv"), "earlier");
    await requireWritable(join(folder, "a", "b.csv"));
    expect(readFileSync(join(folder, "a", "b.csv"), "utf8")).toBe("earlier");
    expect(existsSync(join(folder, "a", "b.csv"))).toBe(true);
  });
});

describe("writeWholeFile", () => {
  it("writes with and without waiting for the disk", async () => {
    const path = join(freshFolder(), "a");
    await writeWholeFile(path, "one");
    await writeWholeFile(path, ["tw", "o"], { flush: false });
    expect(readFileSync(path, "utf8")).toBe("two");
  });
});
