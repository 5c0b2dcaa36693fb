import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createProject,
  isRunning,
  type KernelSession,
  messagesOf,
  startKernel,
  streamText,
} from "../support/kernel/kernel-session";

const launcherFolder = resolve(__dirname, "../../jupyter");
const requireScript = createRequire(__filename);

describe("a kernel started in a folder of notebooks", () => {
  const project = createProject({
    "src/greeting.ts": `/** Greets. */\nexport function greet(name: string): string { return "Hello " + name; }\n`,
    // What Node 23 and later are like.
    "newer-node.js": `const util = require("node:util"); delete util.isNullOrUndefined; delete util.isArray;`,
  });
  let kernel: KernelSession;

  beforeAll(async () => {
    kernel = await startKernel(project.notebooks, {
      NODE_OPTIONS: `--require ${join(project.folder, "newer-node.js")}`,
      TF_CPP_MIN_LOG_LEVEL: "2",
    });
  });
  afterAll(async () => {
    await kernel.close();
    project.remove();
  });

  it("imports src from the project's root", async () => {
    const cell = await kernel.execute(`import { greet } from "./src/greeting"; greet(process.cwd())`);
    expect(cell.reply).toMatchObject({ status: "ok", execution_count: 1 });
    expect(streamText(cell, "stdout")).toBe(`Hello ${project.folder}\n`);
  });

  it("completes and inspects names from src", async () => {
    expect((await kernel.complete("gree", 4)).matches).toContain("greet");
    expect((await kernel.complete("greet.cal", 9)).matches).toContain("call");
    const { found, data } = await kernel.inspect("greet", 2);
    expect(found).toBe(true);
    expect(data["text/plain"]).toContain("greet(name: string): string");
    expect(data["text/plain"]).toContain("Greets.");
  });

  it("loads TensorFlow where Node lacks functions it calls, without a word under the cell", async () => {
    const cell = await kernel.execute(
      `import * as tf from "@tensorflow/tfjs-node-gpu"; tf.tensor1d([1, 2, 3]).sum().dataSync()[0]`,
    );
    expect(cell.reply.status).toBe("ok");
    expect(cell.messages).toEqual([{ type: "stream", content: { name: "stdout", text: "6\n" } }]);
  });

  it("runs `for await` at the top of a cell", async () => {
    const cell = await kernel.execute(
      `async function* count() { yield 1; yield 2; }\nfor await (const n of count()) console.log(n);`,
    );
    expect(streamText(cell, "stdout")).toBe("1\n2\n");
  });

  it("keeps tslab's printing of other values and both streams", async () => {
    const cell = await kernel.execute(`console.error("problem"); console.log("news"); ({ a: [1, 2] })`);
    expect(streamText(cell, "stdout")).toBe("news\n{ a: [ 1, 2 ] }\n");
    expect(streamText(cell, "stderr")).toBe("problem\n");
    expect(messagesOf(cell, "execute_result")).toEqual([]);
  });

  it("ends by itself, not killed, although a cell left a timer behind", async () => {
    await kernel.execute(`
      process.on("exit", (status) => require("fs").writeFileSync("ended", "with status " + status));
      setInterval(() => {}, 1000);`);
    await kernel.close();
    expect(isRunning(kernel.pid)).toBe(false);
    expect(readFileSync(join(project.folder, "ended"), "utf8")).toBe("with status 0");
  });

  it("ends when the program that started it was killed", async () => {
    kernel = await startKernel(project.notebooks);
    expect(isRunning(kernel.pid)).toBe(true);
    kernel.driver.kill("SIGKILL");
    for (let tries = 0; tries < 100 && isRunning(kernel.pid); tries++) await delay(100);
    expect(isRunning(kernel.pid)).toBe(false);
  });
});

describe("a kernel whose program was killed before the kernel watched over it", () => {
  it("ends at once", () => {
    const ended = spawnSync(process.execPath, ["-e", ""]).pid;
    const launch = spawnSync(
      process.execPath,
      [join(launcherFolder, "kernel.js"), "kernel", "--config-path=none.json"],
      { encoding: "utf8", env: { ...process.env, JPY_PARENT_PID: String(ended) } },
    );
    // Without a word about the connection file, which it did not get to.
    expect([launch.status, launch.stderr]).toEqual([1, ""]);
  });
});

describe("findProjectRoot", () => {
  const { findProjectRoot } = requireScript(join(launcherFolder, "kernel/project-root.js"));
  const project = createProject({});
  const outside = mkdtempSync(join(tmpdir(), "breakhis-outside-"));
  afterAll(() => {
    project.remove();
    rmSync(outside, { recursive: true });
  });

  it("is the nearest folder upward with a package.json", () => {
    expect(findProjectRoot(project.notebooks, "/elsewhere")).toBe(project.folder);
    expect(findProjectRoot(project.folder, "/elsewhere")).toBe(project.folder);
  });

  it("falls back where no folder has one", () => {
    expect(findProjectRoot(outside, "/elsewhere")).toBe("/elsewhere");
  });
});

describe("the launcher, called wrongly", () => {
  const folder = mkdtempSync(join(tmpdir(), "breakhis-launcher-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("refuses another version of tslab in one sentence", () => {
    cpSync(launcherFolder, join(folder, "jupyter"), { recursive: true });
    mkdirSync(join(folder, "node_modules/tslab"), { recursive: true });
    writeFileSync(
      join(folder, "node_modules/tslab/package.json"),
      `{ "name": "tslab", "version": "1.0.99" }`,
    );
    const launch = spawnSync("node", [
      join(folder, "jupyter/kernel.js"),
      "kernel",
      "--config-path=none.json",
    ]);
    expect(launch.status).toBe(1);
    expect(launch.stderr.toString()).toMatch(
      /^The kernel is written for tslab 1\.0\.22, but 1\.0\.99 is installed/,
    );
    expect(launch.stderr.toString().trim().split("\n")).toHaveLength(1);
  });

  it("says what it expects when started by hand", () => {
    const launch = spawnSync("node", [join(launcherFolder, "kernel.js")]);
    expect(launch.status).toBe(1);
    expect(launch.stderr.toString()).toContain('Expected "kernel --config-path=<connection file>"');
  });
});

describe("installKernelSpec", () => {
  it("writes a spec that Jupyter finds and that starts this launcher", () => {
    const prefix = mkdtempSync(join(tmpdir(), "breakhis-prefix-"));
    const { installKernelSpec } = requireScript(join(launcherFolder, "kernel-spec.js"));
    const file: string = installKernelSpec(prefix, "/usr/bin/node");
    expect(existsSync(file)).toBe(true);
    const listed = execFileSync(
      resolve(launcherFolder, "../.venv/bin/jupyter"),
      ["kernelspec", "list", "--json"],
      { env: { ...process.env, JUPYTER_PATH: join(prefix, "share/jupyter") } },
    );
    const { spec, resource_dir } = JSON.parse(listed.toString()).kernelspecs.tslab;
    expect(resource_dir).toBe(join(prefix, "share/jupyter/kernels/tslab"));
    expect(spec.argv).toEqual([
      "/usr/bin/node",
      join(launcherFolder, "kernel.js"),
      "kernel",
      "--config-path={connection_file}",
    ]);
    expect(spec).toMatchObject({ language: "typescript", interrupt_mode: "signal" });
    expect(spec.env).toEqual({
      TF_CPP_MIN_LOG_LEVEL: "2",
      TF_ENABLE_ONEDNN_OPTS: "1",
      TF_FORCE_GPU_ALLOW_GROWTH: "true",
    });
    rmSync(prefix, { recursive: true });
  });
});
