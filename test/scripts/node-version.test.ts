import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { nodeVersionProblem } from "../../scripts/setup/node-version.js";
import { projectRoot } from "../../src/runtime/paths";

describe("nodeVersionProblem", () => {
  it.each(["v20.19.0", "v20.20.2", "v22.12.0", "v22.23.3", "v23.0.0", "v24.21.0", "v26.10.0"])(
    "accepts %s",
    (version) => {
      expect(nodeVersionProblem(version)).toBeNull();
    },
  );

  it.each(["v10.24.1", "v18.20.8", "v20.18.3", "v21.7.3", "v22.11.0"])(
    "refuses %s and names it",
    (version) => {
      expect(nodeVersionProblem(version)).toContain(`this is Node ${version.slice(1)}:`);
    },
  );

  it("agrees with package.json", () => {
    const { engines } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8"));
    expect(engines.node).toBe("^20.19.0 || >=22.12.0");
  });
});

describe("what an old Node has to parse before it can say that it is too old", () => {
  // Down-levelling to ES2017 changes nothing if nothing newer is in the file.
  it.each(["setup.js", "start.js", "test.js", "typescript.js", "setup/node-version.js"])(
    "scripts/%s is in old syntax",
    (file) => {
      const source = readFileSync(join(projectRoot(), "scripts", file), "utf8");
      const down = (target: ts.ScriptTarget) =>
        ts.transpileModule(source, { compilerOptions: { target, removeComments: true } }).outputText;
      expect(down(ts.ScriptTarget.ES2017)).toBe(down(ts.ScriptTarget.ESNext));
    },
  );
});
