import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  describeSavedSettings,
  forgetShipped,
  settingLines,
  shippedNotebooks,
} from "../../scripts/start/shipped-notebooks.js";
import { projectRoot } from "../../src/runtime/paths";
import { temporaryFolder } from "../support/temporary-folder";

const root = temporaryFolder("shipped");
const notebook = join(root, "notebooks", "03-train-model.ipynb");
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=tester", "-c", "user.email=tester@localhost", ...args], {
    cwd: root,
  });

const notebookOf = (lines: string[]) =>
  JSON.stringify({
    cells: [
      { cell_type: "markdown", id: "why", source: ["epochs: 1"] },
      { cell_type: "code", id: "settings", source: lines.map((line) => `${line}\n`), outputs: [] },
    ],
  });
const cell = (epochs: number) => [
  "const settings = resolveSettings({",
  `  epochs: ${epochs}, patience: 8, // at most so many`,
  "  seed: 42, // any",
  "});",
];

beforeAll(() => {
  mkdirSync(join(root, "notebooks"));
  writeFileSync(notebook, notebookOf(cell(30)));
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "shipped");
});

describe("npm start", () => {
  it("says nothing of notebooks that are as they are shipped, or whose shipped ones are not known", () => {
    expect(describeSavedSettings(root, [notebook])).toBe("");
    const elsewhere = join(temporaryFolder("no-git"), "03-train-model.ipynb");
    writeFileSync(elsewhere, notebookOf(cell(1)));
    expect(describeSavedSettings(root, [elsewhere])).toBe("");
  });

  it("names each setting that was saved otherwise, and runs the shipped ones when it is asked to", () => {
    writeFileSync(notebook, notebookOf(cell(5000)));
    const words = describeSavedSettings(root, [notebook]);
    expect(words).toContain("03-train-model.ipynb");
    expect(words).toContain("epochs: 5000, patience: 8   (shipped: epochs: 30, patience: 8)");
    expect(words).not.toContain("seed");
    expect(words).toContain("--as-shipped");
    const [copy] = shippedNotebooks(root, [notebook], "2026-01-02T03-04-05");
    expect(basename(copy!)).toBe("03-train-model.ipynb");
    expect(readFileSync(copy!, "utf8")).toBe(notebookOf(cell(30)));
    expect(readFileSync(notebook, "utf8")).toBe(notebookOf(cell(5000)));
    forgetShipped(root, "2026-01-02T03-04-05");
    expect(existsSync(copy!)).toBe(false);
  });

  it("reads every setting of the real notebook", () => {
    const text = readFileSync(join(projectRoot(), "notebooks", "03-train-model.ipynb"), "utf8");
    const names = [...settingLines(text).keys()];
    expect(names).toEqual(expect.arrayContaining(["data", "backbone", "hiddenUnits", "epochs", "seed"]));
    expect(settingLines(text).get("hiddenUnits")).toBe("hiddenUnits: [128, 64]");
  });
});
