import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Makes an empty folder that is removed when the tests of the file are through. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `breakhis-lab-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
