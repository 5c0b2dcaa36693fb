import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { startOf } from "../../../src/runtime/files/process-identity";
import { makeTemporaryFolder, withTemporaryFolder } from "../../../src/runtime/files/temporary-folder";
import { temporaryFolder } from "../../support/temporary-folder";
import { waitUntil } from "../../support/wait-until";

const home = temporaryFolder("temporary");
afterEach(() => {
  vi.unstubAllEnvs();
});

it("makes a folder for this user alone, and removes it whether the work succeeds or not", async () => {
  vi.stubEnv("TMPDIR", home);
  const path = await withTemporaryFolder(async (folder) => {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    writeFileSync(join(folder, "a"), "1");
    return folder;
  });
  expect(existsSync(path)).toBe(false);
  const failing = withTemporaryFolder(async () => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(readdirSync(home)).toEqual([]);
});

it("removes the folders of killed processes, and nothing of living ones or of other programs", () => {
  vi.stubEnv("TMPDIR", home);
  const ended = spawnSync(process.execPath, ["-e", ""]).pid;
  const names = [
    `breakhis-lab~${hostname()}~${ended}~1~aaaaaa`,
    `breakhis-lab~${hostname()}~${process.ppid}~0~bbbbbb`,
    `other-${hostname()}~${ended}~1~cccccc`,
  ];
  for (const name of names) mkdirSync(join(home, name, "images"), { recursive: true });
  const folder = makeTemporaryFolder();
  expect(
    readdirSync(home)
      .map((name) => join(home, name))
      .sort(),
  ).toEqual([join(home, names[1]!), join(home, names[2]!), folder].sort());
});

it("removes that of a process which was killed and whose parent has not asked how it ended", async () => {
  vi.stubEnv("TMPDIR", home);
  // The subshell ends with the line; what has started it, sleep by then, never asks.
  const parent = spawn("bash", ["-c", "exec 3<&0; (read -r line <&3) & echo $!; exec sleep 600"]);
  try {
    const [told] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(told.toString());
    const start = startOf(pid)!;
    const left = join(home, `breakhis-lab~${hostname()}~${pid}~${start}~dddddd`);
    mkdirSync(left);
    makeTemporaryFolder();
    expect(existsSync(left)).toBe(true);
    parent.stdin.write("end\n");
    await waitUntil(() => readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z "));
    makeTemporaryFolder();
    expect(existsSync(left)).toBe(false);
  } finally {
    parent.kill("SIGKILL");
  }
});

it("clears up after its work, too, what a process left that was still ending before", async () => {
  vi.stubEnv("TMPDIR", home);
  const ended = spawnSync(process.execPath, ["-e", ""]).pid;
  const left = join(home, `breakhis-lab~${hostname()}~${ended}~1~eeeeee`);
  await withTemporaryFolder(async () => mkdirSync(left));
  expect(existsSync(left)).toBe(false);
});

it("says what to do where there is no folder for temporary files", () => {
  vi.stubEnv("TMPDIR", join(home, "nowhere"));
  expect(() => makeTemporaryFolder()).toThrow(/No temporary folder can be made in .*nowhere .*\$TMPDIR/);
});
