import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";
import { temporaryFolder } from "../support/temporary-folder";

/** Runs the project's lint in a project that holds these files and no others. */
function runLint(name: string, files: Record<string, string>) {
  const folder = temporaryFolder(`lint-${name}`);
  for (const kept of ["biome.json", "scripts/lint"]) {
    cpSync(join(projectRoot(), kept), join(folder, kept), { recursive: true });
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const program = join(projectRoot(), "scripts", "lint", "lint.js");
  const asked = ["--formatter-enabled=false", "--vcs-enabled=false", "--colors=off", "--max-diagnostics=200"];
  return spawnSync(process.execPath, [program, ...asked], { cwd: folder, encoding: "utf8" });
}

/** What the project's lint says of files: by path, nothing where it has no complaint. */
function lint(name: string, files: Record<string, string>): Record<string, string> {
  const { status, stdout, stderr } = runLint(name, files);
  const said: Record<string, string> = {};
  // Each complaint starts with a line of the file's path, its place and a rule.
  for (const complaint of stderr.split(/^(?=\S+\.ts(?::\d+:\d+)? .*━)/m)) {
    const [path] = /^[^\s:]+\.ts/.exec(complaint) ?? [];
    if (path !== undefined) said[path] = `${said[path] ?? ""}${complaint}`;
  }
  expect(status, `${stdout}\n${stderr}`).toBe(Object.keys(said).length === 0 ? 0 : 1);
  return said;
}

const rooms = ["runtime", "data", "model", "scores", "training", "experiments", "views", "export"];
const value = "export const value = 1;\n";
const taking = (from: string) => `import { value } from "${from}";\n\nexport const own = value + 1;\n`;

describe("the project's lint", () => {
  it("lets a room import from all to its left, and the viewer from src", () => {
    const files: Record<string, string> = { "viewer/main.ts": taking("../src/export/inner/a") };
    for (const [i, room] of rooms.entries()) {
      files[`src/${room}/inner/a.ts`] = value;
      for (const left of rooms.slice(0, i)) files[`src/${room}/${left}.ts`] = taking(`../${left}/inner/a`);
    }
    expect(lint("left", files)).toEqual({});
  });

  it("refuses an import from any room to its right and from the viewer: deep, of types, and while running", () => {
    const files: Record<string, string> = {
      "src/data/types.ts": `export type { Own } from "../views/inner/a";\n`,
      "src/model/later.ts": `export const later = () => import("../training/head/a");\n`,
    };
    for (const [i, room] of rooms.entries()) {
      files[`src/${room}/page.ts`] = taking("../../viewer/a");
      for (const right of rooms.slice(i + 1))
        files[`src/${room}/inner/${right}.ts`] = taking(`../../${right}/a`);
    }
    const said = lint("right", files);
    for (const path of Object.keys(files)) {
      expect(said[path], path).toContain("imports only from rooms to its left");
    }
  });

  it("refuses a circle, also of types", () => {
    const said = lint("circle", {
      "src/data/a.ts": `import { b } from "./b";\n\nexport const a = () => b();\n`,
      "src/data/b.ts": `import { a } from "./a";\n\nexport const b = (): unknown => a();\n`,
      "src/data/c.ts": `import type { D } from "./d";\n\nexport interface C {\n  d: D;\n}\n`,
      "src/data/d.ts": `import type { C } from "./c";\n\nexport type D = C | null;\n`,
    });
    for (const name of ["a", "b", "c", "d"]) expect(said[`src/data/${name}.ts`]).toContain("noImportCycles");
  });

  it("refuses items of a list as arguments of a call, and allows them in a list", () => {
    const refused = [
      "Math.min(...list)",
      "Math.max(0, ...list.map((item) => item + 1))",
      "list.push(...list)",
      "[list][0]?.push(...list)",
      "list\n  .slice()\n  .unshift(1, ...list)",
      "String.fromCharCode(...list)",
    ];
    const textOf = (expression: string) => `export const of = (list: number[]) => ${expression};\n`;
    const files = Object.fromEntries(
      ["src/data", "scripts", "viewer", "bench"].flatMap((folder) =>
        refused.map((expression, i) => [`${folder}/${i}.ts`, textOf(expression)]),
      ),
    );
    const allowed = { "src/data/a.ts": textOf("[Math.max(1, 2), ...list, ...list.concat([...list])]") };
    const said = lint("spread", { ...files, ...allowed });
    expect(Object.keys(said).sort()).toEqual(Object.keys(files).sort());
    for (const text of Object.values(said)) expect(text).toContain("src/runtime/many.ts");
  });

  it.each([
    ["can't be read", "JsCallExpression((("],
    ["fails while it runs", 'JsCallExpression(callee=$callee) where { $callee <: r"(?<unclosed" }'],
  ])("fails where a rule of its own %s", (_, rule) => {
    const files = {
      "scripts/lint/no-spread-of-data.grit": `engine biome(1.0)\nlanguage js(typescript)\n\n${rule}\n`,
      "src/data/a.ts": "export const least = (list: number[]) => Math.min(list.length, 1);\n",
    };
    const { status, stderr } = runLint("broken", files);
    expect(stderr).toMatch(/Failed to compile the Grit plugin|A rule in scripts\/lint fails while it runs/);
    expect(status).toBe(1);
  });
});
