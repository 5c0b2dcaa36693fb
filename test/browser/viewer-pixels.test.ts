import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "../../src/data/images/images";
import { projectRoot } from "../../src/runtime/paths";
import { stretchToSquare } from "../../viewer/cubic-resize";
import { startBrowser } from "../support/browser/browser";
import type { FileKind } from "../support/data/drawn-pattern";
import { otherKinds } from "../support/data/other-kinds";
import { pngKinds } from "../support/data/png-kinds";
import { tiffKinds } from "../support/data/tiff-kinds";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("viewer-pixels");
/** Some kinds are made larger, some smaller. */
const inputSize = 96;

type Decoded = { width: number; height: number; pixels: string } | { reason: string };

/** The viewer's own decoder, called from a page. */
const program = `
import { decodeFile } from "./viewer/decode.ts";
globalThis.decodeText = async (text) => {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  try {
    const { bitmap, pixels, width, height } = await decodeFile(new File([bytes], "image"));
    bitmap.close();
    let binary = "";
    for (let at = 0; at < pixels.length; at += 8192) {
      binary += String.fromCharCode(...pixels.subarray(at, at + 8192));
    }
    return { width, height, pixels: btoa(binary) };
  } catch (error) {
    return { reason: error.message };
  }
};`;

describe("the viewer and Node", () => {
  let browser: Browser;
  let page: Page;
  let server: Server;

  beforeAll(async () => {
    const stdin = { contents: program, resolveDir: projectRoot(), loader: "ts" } as const;
    const { outputFiles } = await build({
      stdin,
      bundle: true,
      write: false,
      format: "iife",
      logLevel: "silent",
    });
    server = createServer((_, response) => {
      response.setHeader("content-type", "text/html").end("<!doctype html>");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await startBrowser();
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.addScriptTag({ content: outputFiles[0]!.text });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  const decodeThere = (bytes: Buffer): Promise<Decoded> =>
    page.evaluate(`decodeText(${JSON.stringify(bytes.toString("base64"))})`);

  async function compare(kind: FileKind): Promise<void> {
    const bytes = await kind.encode();
    const found = await decodeThere(bytes);
    const refuses = kind.viewerRefuses ?? (kind.expected instanceof RegExp ? kind.expected : null);
    if (refuses !== null) {
      expect(found).toEqual({ reason: expect.stringMatching(refuses) });
      return;
    }
    if ("reason" in found) throw new Error(found.reason);
    const path = join(home, kind.name);
    writeFileSync(path, bytes);
    const pixels = new Uint8Array(Buffer.from(found.pixels, "base64"));
    const theirs = stretchToSquare(pixels, found.width, found.height, inputSize);
    expect(Buffer.compare(theirs, await decodeImage(path, inputSize))).toBe(0);
  }

  it.each([...pngKinds, ...otherKinds, ...tiffKinds].map((kind) => [kind.name, kind] as const))(
    "see the same pixels, or refuse alike: %s",
    (_, kind) => compare(kind),
  );

  it("compare more than thirty kinds that both read", () => {
    const both = [...pngKinds, ...otherKinds].filter(
      ({ expected, viewerRefuses }) => !(expected instanceof RegExp) && viewerRefuses === undefined,
    );
    expect(both.length).toBeGreaterThanOrEqual(30);
  });

  it("refuse a PNG that was cut off or changed", async () => {
    const whole = await pngKinds.find(({ name }) => name === "rgba.png")!.encode();
    for (const share of [0.1, 0.5, 0.98]) {
      const found = await decodeThere(whole.subarray(0, Math.floor(whole.length * share)));
      expect(found).toEqual({ reason: expect.stringMatching(/damaged or cut short/) });
    }
    const changed = Buffer.from(whole);
    changed[Math.floor(changed.length / 2)]! ^= 0x55;
    expect(await decodeThere(changed)).toEqual({ reason: expect.stringMatching(/damaged or cut short/) });
  });
});
