import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createSourceCompiler, declareAlone } from "../../jupyter/kernel/source-compiler.js";
import { projectRoot } from "../../src/runtime/paths";
import { temporaryFolder } from "../support/temporary-folder";

const root = temporaryFolder("source-compiler");
const ours = join(projectRoot(), "src", "data", "csv.ts");
const filesBelow = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" });
let count = 0;

/** A cache of the test's own. */
function useCache(): string {
  const cache = join(root, String(count++));
  mkdirSync(cache);
  vi.stubEnv("BREAKHIS_CACHE", cache);
  return cache;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("what the kernel compiles", () => {
  it("is kept, one entry a file, and is what a new kernel finds", () => {
    const cache = useCache();
    const compiler = createSourceCompiler();
    const declaration = compiler.declare(ours);
    const made = compiler.compile(ours);
    expect(made.code).toContain("module.exports");
    expect(made.declaration).toBe(declaration);
    expect(declaration).toContain("export");
    const place = join(cache, "code", "src", "data", "csv.ts.json");
    expect(filesBelow(join(cache, "code")).filter((name) => name.includes("csv"))).toEqual([
      join("src", "data", "csv.ts.json"),
    ]);
    expect(JSON.parse(readFileSync(place, "utf8"))).toMatchObject(made);
    expect(createSourceCompiler().compile(ours)).toEqual(made);
  });

  it("has its declarations made when they are asked for first, beside what a program has kept", () => {
    const cache = useCache();
    const place = join(cache, "code", "src", "data", "csv.ts.json");
    createSourceCompiler().compile(ours);
    expect(JSON.parse(readFileSync(place, "utf8"))).not.toHaveProperty("declaration");
    const declaration = createSourceCompiler().declare(ours);
    expect(JSON.parse(readFileSync(place, "utf8"))).toMatchObject({ declaration });
    expect(createSourceCompiler().compile(ours).declaration).toBe(declaration);
  });

  it("is made again when its entry is damaged or belongs to another text", () => {
    const cache = useCache();
    const made = createSourceCompiler().compile(ours);
    const place = join(cache, "code", "src", "data", "csv.ts.json");
    const entry = JSON.parse(readFileSync(place, "utf8"));
    const damages = [
      "{",
      JSON.stringify({ ...entry, code: "process.exit(7)" }),
      JSON.stringify({ ...entry, key: "other" }),
      "null",
    ];
    for (const damaged of damages) {
      writeFileSync(place, damaged);
      expect(createSourceCompiler().compile(ours)).toEqual(made);
      expect(JSON.parse(readFileSync(place, "utf8"))).toEqual(entry);
    }
  });

  it("is made without a place to keep it, and of other projects' files leaves nothing behind", () => {
    const cache = useCache();
    const file = join(root, "elsewhere", "half.ts");
    mkdirSync(dirname(file));
    writeFileSync(file, "export const half = (x: number): number => x / 2;\n");
    const compiler = createSourceCompiler();
    expect(compiler.declare(file)).toContain("half: (x: number) => number");
    expect(filesBelow(cache)).toEqual([]);
    writeFileSync(join(cache, "code"), "a file where the folder should be");
    expect(compiler.compile(ours).code).toContain("module.exports");
  });

  it("follows an edit", () => {
    useCache();
    const file = join(root, "edited.ts");
    const compiler = createSourceCompiler();
    writeFileSync(file, "export const value = 1;\n");
    expect(compiler.compile(file).code).toContain("value = 1");
    writeFileSync(file, "export const value = 2;\n");
    expect(compiler.compile(file).code).toContain("value = 2");
  });

  it("has no declaration where a file alone doesn't tell its types, and a place where it is no TypeScript", () => {
    useCache();
    const file = join(root, "untold.ts");
    writeFileSync(file, `import { other } from "./other";\nexport const value = other();\n`);
    expect(createSourceCompiler().declare(file)).toBeNull();
    expect(declareAlone(file, readFileSync(file, "utf8")).diagnostics).toHaveLength(1);
    writeFileSync(file, "export const value = ;\n");
    expect(() => createSourceCompiler().compile(file)).toThrow(/untold\.ts:1:21/);
  });
});
