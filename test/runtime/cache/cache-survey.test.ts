import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { surveyCache } from "../../../src/runtime/cache/cache-survey";
import { projectRoot } from "../../../src/runtime/paths";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("cache-survey");

/** Kinds of entries as `src` names them, and the folders that programs and the kernel keep there. */
function kindsInSources(): string[] {
  const kinds = new Set<string>();
  for (const room of ["src", "scripts", "jupyter/kernel"]) {
    const names = readdirSync(join(projectRoot(), room), { recursive: true, encoding: "utf8" });
    for (const name of names.filter((file) => /\.(ts|js|mjs)$/.test(file))) {
      const text = readFileSync(join(projectRoot(), room, name), "utf8");
      for (const [, kind] of text.matchAll(
        /(?:(?:cacheKind|indexKind) = |cacheFolder\(\), |"\.cache"\)?, )"([a-z-]+)"/g,
      )) {
        kinds.add(kind!);
      }
    }
  }
  return [...kinds].sort();
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("surveyCache", () => {
  it("knows what each kind is for that this project keeps", async () => {
    const kinds = kindsInSources();
    expect(kinds).toEqual(expect.arrayContaining(["features", "images", "quality", "setup", "weights"]));
    vi.stubEnv("BREAKHIS_CACHE", folder);
    for (const kind of [...kinds, "code"]) mkdirSync(join(folder, kind), { recursive: true });
    for (const { kind, purpose } of await surveyCache())
      expect(`${kind}: ${purpose}`).not.toMatch(/not known/);
  });
});
