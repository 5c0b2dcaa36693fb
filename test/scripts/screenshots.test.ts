import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/runtime/paths";

const readme = readFileSync(join(projectRoot(), "README.md"), "utf8");
const notebooks = readdirSync(join(projectRoot(), "notebooks"))
  .filter((name) => /^\d\d-.*\.ipynb$/.test(name))
  .map((name) => name.replace(/\.ipynb$/, ""));

describe("the README's pictures", () => {
  it.each(notebooks)("show %s, light and dark as the reader's page is, and are small", async (name) => {
    const brightness: number[] = [];
    for (const theme of ["light", "dark"]) {
      const file = `docs/screenshots/${name}-${theme}.png`;
      expect(readme).toContain(file);
      const picture = readFileSync(join(projectRoot(), file));
      expect(picture.length).toBeLessThan(200_000);
      const { channels } = await sharp(picture).greyscale().stats();
      brightness.push(channels[0]!.mean);
    }
    expect(brightness[0]).toBeGreaterThan(brightness[1]! + 60);
  });

  it("are all there, and no others", () => {
    const named = [...readme.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, file]) => file!);
    for (const file of named) expect(existsSync(join(projectRoot(), file)), file).toBe(true);
    const kept = readdirSync(join(projectRoot(), "docs", "screenshots")).map(
      (file) => `docs/screenshots/${file}`,
    );
    expect(kept.sort()).toEqual(named.filter((file) => file.startsWith("docs/screenshots/")).sort());
  });
});
