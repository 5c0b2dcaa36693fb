import { execFile, spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { packTarGz } from "../support/data/archive-files";
import { refuse, serveFile, startServer } from "../support/data/loopback-server";
import { smallMembers } from "../support/data/small-breakhis";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("data-program");
const root = join(__dirname, "..", "..");
const program = ["--import", "tsx", join(root, "scripts", "data.ts")];
const options = { cwd: folder, env: { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.json") } };

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const tsx = join(root, "node_modules", "tsx", "dist", "cli.mjs");
  const command = [tsx, "--tsconfig", join(root, "tsconfig.json"), program[2]!, ...args];
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, command, options)) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

it("says where a set is and what comes next", async () => {
  writeFileSync(join(folder, "mine.tgz"), await packTarGz(await smallMembers()));
  const { code, stdout, stderr } = await run("mine.tgz", "--into", "sets/my set", "--magnification", "400");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^7 images \(3 benign, 4 malignant\) are in sets\/my set, complete and checked\.$/m);
  expect(stdout).toMatch(/^The archive's SHA-256: [0-9a-f]{64}$/m);
  expect(stdout).toMatch(/^Next: npm start -- --data 'sets\/my set'$/m);
});

it("fails with one sentence", async () => {
  const server = await startServer(refuse(404));
  const { code, stdout, stderr } = await run(
    "original",
    "--mirror",
    `${server.origin}/x?key=1`,
    "--into",
    "no",
  );
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toBe(
    `The original BreaKHis could not be fetched from ${server.origin}/x: the server answers 404 Not Found.\n`,
  );
  expect(readdirSync(folder)).not.toContain("no");
});

it("refuses flags that make no sense", async () => {
  expect((await run("kaggle", "--magnification", "7")).stderr).toContain("Expected 40, 100, 200 or 400.");
  expect((await run("kaggle", "--mirror", "elsewhere")).stderr).toContain("begins with http");
  expect((await run()).stderr).toContain("missing required argument 'source'");
});

it("leaves nothing when it is stopped", async () => {
  const server = await startServer(serveFile(await packTarGz(await smallMembers()), { slowMs: 400 }));
  const place = join(folder, "stopped");
  const args = ["original", "--mirror", `${server.origin}/x`, "--into", place];
  const child = spawn(process.execPath, [...program, ...args], { ...options, cwd: root });
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  let stderr = "";
  child.stderr.on("data", (text: Buffer) => {
    stderr += text;
  });
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(stderr).toContain("Fetching the original BreaKHis was stopped; nothing was kept.");
  expect(readdirSync(folder).filter((name) => name.includes("stopped"))).toEqual([]);
});

it("leaves nothing to be seen when it is killed, and the next run tidies up and succeeds", async () => {
  const archive = await packTarGz(await smallMembers());
  const server = await startServer(serveFile(archive, { slowMs: 400 }));
  const place = join(folder, "killed");
  const before = readdirSync(folder);
  const args = ["kaggle", "--mirror", `${server.origin}/x`, "--into", place];
  const child = spawn(process.execPath, [...program, ...args], { ...options, cwd: root });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on("exit", (_code, signal) => resolve(signal)),
  );
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill("SIGKILL");
  expect(await ended).toBe("SIGKILL");
  const left = readdirSync(folder).filter((name) => !before.includes(name));
  expect(left.length).toBe(1);
  expect(left[0]).toMatch(/^\.killed\.unfinished~.+~\d+~\d+~[0-9a-f-]{36}$/);

  writeFileSync(join(folder, "killed.tgz"), archive);
  const { code, stderr } = await run("killed.tgz", "--into", place);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(
    readdirSync(folder)
      .filter((name) => name.includes("killed"))
      .sort(),
  ).toEqual(["killed", "killed.tgz"]);
});
