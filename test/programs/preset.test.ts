import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateDemoDataset } from "../../src/data/demo/demo";
import { projectRoot } from "../../src/runtime/paths";
import { temporaryFolder } from "../support/temporary-folder";

const folder = temporaryFolder("preset");
const runs = join(folder, "runs");
const readSummary = (run: string) => JSON.parse(readFileSync(join(runs, run, "summary.json"), "utf8"));

describe("npm start -- --preset perceptilabs", () => {
  it("says what it assumes and how long it takes, runs both splits, and puts the article's figures beside", async () => {
    const data = join(folder, "demo");
    await generateDemoDataset(data, { patients: 14, imagesPerPatient: 2, width: 96, height: 64 });
    const small = [
      "--backbone",
      "efficientnet-lite0",
      "--input-size",
      "32",
      "--epochs",
      "2",
      "--fine-tune-epochs",
      "1",
    ];
    const { BREAKHIS_SETTINGS: _, ...environment } = process.env;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(projectRoot(), "scripts", "start.js"), "--preset", "perceptilabs", "--data", data, ...small],
      { env: { ...environment, BREAKHIS_RUNS: runs }, encoding: "utf8" },
    );
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(
      /leaves open how many epochs.*Assumed here: split by image, and ResNet50 trained along/s,
    );
    const forecast = stdout.search(/[Ff]orecast|will take|about \d+/);
    expect(forecast).toBeGreaterThan(0);
    expect(forecast).toBeLessThan(stdout.indexOf("01-explore-data"));

    const latest = readSummary("latest");
    expect(latest).toMatchObject({ split: "image", synthetic: true });
    const own = realpathSync(join(runs, "latest"));
    const other = readdirSync(runs).find(
      (name) => name !== "latest" && realpathSync(join(runs, name)) !== own,
    );
    expect(readSummary(other!)).toMatchObject({ split: "patient" });

    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    const line = (name: string) => stdout.split("\n").find((one) => one.startsWith(name))!;
    expect(line("accuracy, validation").split(/ {2,}/).slice(1)).toEqual([
      "85.5 %",
      percent(latest.validation.accuracy),
      percent(readSummary(other!).validation.accuracy),
    ]);
    const report = readFileSync(join(runs, "latest", "report.html"), "utf8");
    expect(report).toContain("Beside PerceptiLabs&#39; article");
    expect(report).toContain(percent(latest.validation.accuracy));
    expect(stdout).toMatch(
      /The article's numbers can't be compared with these: these images are synthetic, and the backbone is efficientnet-lite0/,
    );
  });
});
