import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { loadBackbone } from "../../src/model/backbones/backbone";
import { saveClassifier } from "../../src/model/classifier/classifier";
import { projectRoot } from "../../src/runtime/paths";
import { decidedClassifier, drawTissue } from "../support/model/trained-classifier";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("export-program");
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
vi.stubEnv("BREAKHIS_WEIGHTS", "");
const saved = join(home, "classifier");
const tsx = join(projectRoot(), "node_modules", "tsx", "dist", "cli.mjs");

function runProgram(args: string[]) {
  const program = join(projectRoot(), "scripts", "export.ts");
  return spawnSync(process.execPath, [tsx, program, ...args], { encoding: "utf8", env: process.env });
}

let files: string[];
beforeAll(async () => {
  files = await drawTissue(join(home, "tissue"));
  const choice = { backbone: "efficientnet-lite0", weights: null, inputSize: 64 } as const;
  const { backbone } = await loadBackbone(choice);
  await saveClassifier(saved, await decidedClassifier(backbone, join(home, "tissue")));
  backbone.dispose();
});

describe("npm run export", () => {
  it("writes an export, checks it and says how far it is off", () => {
    const out = join(home, "exported");
    const result = runProgram([saved, "--format", "tfjs", "--out", out, "--check", ...files]);
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toMatch(
      /asked about 11 images: the largest difference in probability is (0|\d\.\de-\d+) \(at most 0\.0001/,
    );
    expect(result.stdout).toMatch(/Not a medical device/);
    expect(existsSync(join(out, "model.json"))).toBe(true);
    expect(readFileSync(join(out, "MODEL-CARD.md"), "utf8")).toMatch(/# Model card/);
  });

  it.each([
    [[saved, "--out", "x"], /required option '--format <name>'/],
    [[saved, "--format", "pytorch", "--out", "x"], /Allowed choices are keras, savedmodel, tfjs, onnx/],
    [[join(home, "tissue"), "--format", "tfjs", "--out", join(home, "x")], /There is no saved classifier in/],
    [[saved, "--format", "tfjs", "--out", join(home, "tissue")], /holds something else than an export/],
    // Before the classifier is looked for.
    [["/nowhere", "--format", "tfjs", "--out", "/dev/null"], /\/dev\/null can't be written: it is a device/],
  ])("fails in one sentence for %j", (args, sentence) => {
    const result = runProgram(args);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });
});
