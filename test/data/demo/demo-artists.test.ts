import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { countArtists, drawTogether } from "../../../src/data/demo/demo-artists";
import { temporaryFolder } from "../../support/temporary-folder";

const home = temporaryFolder("artists");
const plan = { patients: 4, imagesPerPatient: 2, width: 70, height: 46, seed: 3 };
const never = new AbortController().signal;

function emptySet(name: string): string {
  for (const part of ["benign", "malignant"]) mkdirSync(join(home, name, part), { recursive: true });
  return join(home, name);
}

const filesIn = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();

describe("drawTogether", () => {
  it("draws the same files, byte for byte, in several processes as in one, and counts them all", async () => {
    const [alone, together] = [emptySet("alone"), emptySet("together")];
    const drawn = { alone: 0, together: 0 };
    await drawTogether(alone, plan, () => drawn.alone++, never, 1);
    await drawTogether(together, plan, () => drawn.together++, never, 3);
    expect(drawn).toEqual({ alone: 8, together: 8 });
    const files = filesIn(alone);
    expect(filesIn(together)).toEqual(files);
    for (const file of files.filter((name) => name.endsWith(".png")))
      expect(readFileSync(join(together, file)).equals(readFileSync(join(alone, file)))).toBe(true);
  });

  it("fails with a process' own reason, and ends the others", async () => {
    await expect(drawTogether(join(home, "nowhere"), plan, () => undefined, never, 2)).rejects.toThrow(
      /nowhere/,
    );
  });

  it("stops when it is asked to", async () => {
    const stop = new AbortController();
    const many = { ...plan, imagesPerPatient: 5000 };
    const drawing = drawTogether(emptySet("stopped"), many, () => stop.abort(), stop.signal, 2);
    await expect(drawing).rejects.toThrow(/was stopped before it was complete/);
  });
});

describe("countArtists", () => {
  it("takes all cores for a large set, and one process where starting more takes longer than drawing", () => {
    const size = { width: 700, height: 460, seed: 1 };
    expect(countArtists({ patients: 24, imagesPerPatient: 10, ...size }, 2)).toBe(2);
    expect(countArtists({ patients: 82, imagesPerPatient: 21, ...size }, 16)).toBe(16);
    expect(countArtists({ patients: 2, imagesPerPatient: 1, ...size }, 16)).toBe(1);
  });
});
