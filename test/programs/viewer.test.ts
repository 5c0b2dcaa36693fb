import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { loadBackbone } from "../../src/model/backbones/backbone";
import { saveClassifier } from "../../src/model/classifier/classifier";
import { projectRoot } from "../../src/runtime/paths";
import { decidedClassifier, drawTissue } from "../support/model/trained-classifier";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("viewer-program");
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
vi.stubEnv("BREAKHIS_WEIGHTS", "");
const saved = join(home, "classifier");
const tsx = join(projectRoot(), "node_modules", "tsx", "dist", "cli.mjs");
const command = (args: string[]) => [tsx, join(projectRoot(), "scripts", "viewer.ts"), ...args];

beforeAll(async () => {
  await drawTissue(join(home, "tissue"));
  const choice = { backbone: "efficientnet-lite0", weights: null, inputSize: 64 } as const;
  const { backbone } = await loadBackbone(choice);
  await saveClassifier(saved, await decidedClassifier(backbone, join(home, "tissue")));
  backbone.dispose();
});

describe("npm run viewer", () => {
  it("builds a page, serves it on this machine, and ends when it is told to", async () => {
    const out = join(home, "page");
    const child = spawn(process.execPath, command([saved, "--out", out]), { env: process.env });
    let said = "";
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(said);
        if (found) resolve(found[0]);
      });
      child.once("exit", () => reject(new Error(said)));
    });
    child.removeAllListeners("exit");
    const ended = once(child, "exit");
    expect(said).toMatch(/the largest difference in probability is (0|\d\.\de-\d+)\.\nNot a medical device/);
    for (const file of [
      "",
      "main.js",
      "worker.js",
      "model.json",
      "weights.bin",
      "wasm/tfjs-backend-wasm.wasm",
    ]) {
      expect((await fetch(`${address}${file}`)).status, file).toBe(200);
    }
    child.kill("SIGINT");
    expect((await ended)[0]).toBe(0);
  });

  it("replaces an earlier page, and nothing else", () => {
    const again = spawnSync(process.execPath, command([saved, "--out", join(home, "page"), "--no-serve"]), {
      encoding: "utf8",
      env: process.env,
    });
    expect(again.status, again.stderr).toBe(0);
    const foreign = join(home, "foreign");
    mkdirSync(foreign);
    writeFileSync(join(foreign, "index.html"), "my home page");
    const refused = spawnSync(process.execPath, command([saved, "--out", foreign]), {
      encoding: "utf8",
      env: process.env,
    });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/holds something else than a viewer/);
    const before = spawnSync(process.execPath, command(["/nowhere", "--out", "/dev/null/page"]), {
      encoding: "utf8",
    });
    expect(before.stderr).toMatch(/\/dev\/null\/page can't be written: a part of its path is a file/);
    expect(existsSync(join(foreign, "main.js"))).toBe(false);
  });
});
