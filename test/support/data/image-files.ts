import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll } from "vitest";

/** Gives each test file its own cache and each test a folder; both are removed afterwards. */
export function useTemporaryFolders(): { folder: (name?: string) => string } {
  let root = "";
  let count = 0;
  const cacheBefore = process.env["BREAKHIS_CACHE"];
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "breakhis-data-"));
    process.env["BREAKHIS_CACHE"] = join(root, "cache");
  });
  afterEach(() => {
    count++;
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
    if (cacheBefore === undefined) delete process.env["BREAKHIS_CACHE"];
    else process.env["BREAKHIS_CACHE"] = cacheBefore;
  });
  return { folder: (name = "set") => join(root, String(count), name) };
}

/** A plain PNG; different colours give different contents. */
export function plainPng(red: number, green: number, blue: number, width = 12, height = 8): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: { r: red, g: green, b: blue } } })
    .png()
    .toBuffer();
}

let coloursUsed = 0;

/** Writes files below a folder: the given content or, for null, an image unlike any other. */
export async function writeTree(
  folder: string,
  files: Record<string, Buffer | string | null>,
): Promise<void> {
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, file);
    await mkdir(dirname(path), { recursive: true });
    const colour = coloursUsed++;
    await writeFile(
      path,
      content ?? (await plainPng(colour % 256, (colour >> 8) % 256, (colour >> 16) % 256)),
    );
  }
}

/** The same file names, each with an image unlike any other. */
export function eachAnImage(files: readonly string[]): Record<string, null> {
  return Object.fromEntries(files.map((file) => [file, null]));
}
