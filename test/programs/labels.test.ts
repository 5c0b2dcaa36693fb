import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import type { Evaluation } from "../../src/experiments/evaluation-report";
import { projectRoot } from "../../src/runtime/paths";
import { drawImages } from "../support/data/drawn-images";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("labels-programs");
const images = join(folder, "scans");
const labels = join(folder, "labels.csv");
const tsx = join(projectRoot(), "node_modules", "tsx", "dist", "cli.mjs");
const named = [images, "--labels", labels, "--columns", "label=diagnosis,patient=case"];
const small = ["--backbone", "efficientnet-lite0", "--input-size", "48"];

function run(program: string, args: string[]): SpawnSyncReturns<string> {
  const env = { ...process.env, BREAKHIS_CACHE: join(folder, "cache"), BREAKHIS_OFFLINE: "1" };
  return spawnSync(process.execPath, [tsx, join(projectRoot(), "scripts", `${program}.ts`), ...args], {
    encoding: "utf8",
    env,
  });
}

// Sixteen images of eight people in one folder, whose names say nothing, and a file that says what they are: ids without
// an ending, columns of its own names, and one image that is not there.
beforeAll(async () => {
  const [count, size] = [16, 48];
  mkdirSync(images, { recursive: true });
  const pixels = drawImages(count, size);
  const lines = ["id,diagnosis,case"];
  for (let i = 0; i < count; i++) {
    const raw = pixels.subarray(i * size * size * 3, (i + 1) * size * size * 3);
    await sharp(raw, { raw: { width: size, height: size, channels: 3 } })
      .png()
      .toFile(join(images, `scan${i}.png`));
    lines.push(`scan${i},${i % 2 === 0 ? "benign" : "malignant"},case ${i % 8}`);
  }
  writeFileSync(labels, `${lines.join("\r\n")}\r\nscan99,benign,case 9\r\n`);
});

describe("a folder without classes and a labels file", () => {
  it("are looked at by npm run data, which names what is not there with its line", () => {
    const { status, stdout, stderr } = run("data", named);
    expect(status, stderr).toBe(0);
    expect(stdout + stderr).toMatch(/16 images/);
    expect(stderr).toContain("scan99 (labels.csv line 18 names it, but there is no such image)");
    const [data, ...flags] = named;
    expect(stdout).toContain(`npm start -- --data ${data} ${flags.join(" ")}\n`);
  });

  it("give features beside their labels and patients", () => {
    const out = join(folder, "features");
    const { status, stderr } = run("features", [...named, ...small, "--out", out]);
    expect(status, stderr).toBe(0);
    const rows = readFileSync(`${out}.csv`, "utf8").trim().split("\n").slice(1);
    expect(rows).toHaveLength(16);
    expect(rows.find((row) => row.startsWith("scan3."))).toMatch(/^scan3\.png,1,malignant,/);
    expect(rows.filter((row) => row.includes(",case 3,"))).toHaveLength(2);
  });

  it("are evaluated by patient", () => {
    const out = join(folder, "evaluation.json");
    const asked = ["--folds", "2", "--audit-seeds", "0", "--target", "1", "--out", out];
    const { status, stderr } = run("evaluate", ["--data", ...named, ...small, ...asked]);
    expect(status, stderr).toBe(0);
    const { scores } = JSON.parse(readFileSync(out, "utf8")) as Evaluation;
    expect(scores?.patient?.count).toBe(8);
    expect(scores?.image.count).toBe(16);
  });
});
