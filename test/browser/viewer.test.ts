import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { basename, join } from "node:path";
import { parse } from "csv-parse/sync";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { serveFolder } from "../../scripts/viewer/static-server";
import { openDataset } from "../../src/data/dataset";
import { generateDemoDataset } from "../../src/data/demo/demo";
import { fitStainReference } from "../../src/data/images/stain-reference";
import { findSources } from "../../src/data/layouts/image-sources";
import { buildViewer } from "../../src/export/viewer-page";
import { type Backbone, loadBackbone } from "../../src/model/backbones/backbone";
import { type Classifier, predictImages } from "../../src/model/classifier/classifier";
import { fitFamiliarity } from "../../src/model/classifier/fit-familiarity";
import { buildHead } from "../../src/model/classifier/head";
import { predictSources } from "../../src/model/classifier/predict-sources";
import { gradCam } from "../../src/model/explanation/grad-cam";
import { extractFeatures } from "../../src/model/features/features";
import { averageByPatient } from "../../src/scores/patients";
import { startBrowser } from "../support/browser/browser";
import { breakhisSample, hasSharedData } from "../support/data/shared-data";
import { decidedClassifier, drawTissue } from "../support/model/trained-classifier";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("viewer");
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
vi.stubEnv("BREAKHIS_WEIGHTS", "");
const tolerance = 1e-4;
const inputSize = 96;
/** Where pictures of the pages are kept to be looked at, if anywhere. */
const pictures = process.env["BREAKHIS_SCREENSHOTS"];
const results = { summary: null, findings: null };
const sample = [
  "malignant/SOB_M_DC-14-2980-40-001.png",
  "benign/SOB_B_A-14-22549AB-100-001.png",
  "malignant/SOB_M_DC_14-17915_0.png",
];
// No slash in it, which no file's name can have; otherwise as hostile as any.
const hostile = "<img src=x onerror=alert(1)>.png";

let backbone: Backbone;
let classifier: Classifier;
let files: string[];
const servers: Server[] = [];

async function serve(built: Classifier, name: string): Promise<string> {
  const out = join(home, name);
  await buildViewer({ classifier: built, out, results });
  const { server, address } = await serveFolder(out, 0);
  servers.push(server);
  return address;
}

interface Visit {
  page: Page;
  complaints: string[];
  foreign: string[];
}

async function visit(browser: Browser, address: string, options: Parameters<Browser["newPage"]>[0] = {}) {
  const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, ...options });
  page.setDefaultTimeout(300_000);
  const seen: Visit = { page, complaints: [], foreign: [] };
  page.on("console", (message) => message.type() === "error" && seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    seen.complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== new URL(address).origin) seen.foreign.push(request.url());
  });
  await page.goto(address);
  await page.getByText(/^Ready\./).waitFor();
  return seen;
}

async function lookAt(page: Page, chosen: readonly string[]): Promise<void> {
  await page.setInputFiles("#files", [...chosen]);
  await page.getByText(new RegExp(`^${chosen.length} images? looked at|could not be read`)).waitFor();
}

/** What the page hands out. */
async function downloadRows(page: Page): Promise<Record<string, string>[]> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
  expect(download.suggestedFilename()).toBe("work-list.csv");
  return parse(readFileSync(await download.path()), { columns: true });
}

async function largestDifference(page: Page, expected: Classifier, paths: readonly string[]) {
  const rows = await downloadRows(page);
  const { predictions } = await predictImages(expected, paths);
  expect(rows.length).toBe(paths.length);
  const differences = predictions.flatMap(({ file, probabilities }) => {
    const row = rows.find((one) => one["file"] === basename(file))!;
    return expected.classes.map((name, i) =>
      Math.abs(Number(row[`probability of ${name}`]) - probabilities[i]!),
    );
  });
  return Math.max(...differences);
}

async function keep(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: join(pictures, `viewer-${name}.png`), fullPage: true });
}

beforeAll(async () => {
  const drawn = await drawTissue(join(home, "tissue"));
  ({ backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize }));
  classifier = await decidedClassifier(backbone, join(home, "tissue"), { threshold: 0.3 });
  mkdirSync(join(home, "chosen"));
  const large = join(home, "chosen", "large.png");
  await sharp(drawn[0]!).resize(700, 460).toFile(large);
  const clear = join(home, "chosen", "clear.png");
  await sharp(drawn[1]!).ensureAlpha(0.5).toFile(clear);
  const named = join(home, "chosen", hostile);
  copyFileSync(drawn[2]!, named);
  const real = hasSharedData ? sample.map((file) => join(breakhisSample, file)) : [];
  files = [...drawn, large, named, ...real];
});
afterAll(() => {
  for (const server of servers) server.close();
  backbone?.dispose();
});

describe("the viewer, computing on the processor", () => {
  let browser: Browser;
  let address: string;
  beforeAll(async () => {
    address = `${await serve(classifier, "page")}?backend=wasm`;
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  it("answers what Node answers, sends nothing anywhere, and takes no name for markup", async () => {
    const { page, complaints, foreign } = await visit(browser, address);
    expect(await page.locator("html").getAttribute("data-backend")).toBe("wasm");
    await lookAt(page, files);
    const difference = await largestDifference(page, classifier, files);
    console.log(`WASM, ${files.length} PNGs: largest difference ${difference.toExponential(1)}`);
    expect(difference).toBeLessThan(tolerance);
    expect(await page.getByText(hostile).count()).toBe(1);
    expect(await page.locator("#groups img[src=x]").count()).toBe(0);
    expect(await page.getByText("Not a medical device").isVisible()).toBe(true);
    expect(complaints).toEqual([]);
    expect(foreign).toEqual([]);
    await page.close();
  });

  it("answers what Node answers for JPEGs and transparent images, too, and says what it can't read", async () => {
    const { page } = await visit(browser, address);
    const jpeg = join(home, "chosen", "photograph.jpg");
    await sharp(files[4]!).jpeg({ quality: 90 }).toFile(jpeg);
    const turned = join(home, "chosen", "turned.jpg");
    await sharp(files[4]!).withMetadata({ orientation: 6 }).jpeg({ quality: 90 }).toFile(turned);
    const broken = join(home, "chosen", "broken.png");
    writeFileSync(broken, readFileSync(files[4]!).subarray(0, 4000));
    const text = join(home, "chosen", "notes.png");
    writeFileSync(text, "not an image");
    const tiff = join(home, "chosen", "scan.tif");
    await sharp(files[4]!).tiff().toFile(tiff);
    const readable = [jpeg, turned, join(home, "chosen", "clear.png")];
    await lookAt(page, [...readable, broken, text, tiff]);
    const difference = await largestDifference(page, classifier, readable);
    console.log(`JPEGs and transparency: largest difference ${difference.toExponential(1)}`);
    expect(difference).toBeLessThan(tolerance);
    const unread = await page.locator("#unread-list li").allTextContents();
    expect(unread).toEqual([
      expect.stringMatching(/^broken\.png: the PNG file is damaged or cut short/),
      "notes.png: its content is not a PNG, JPEG, TIFF or WebP image.",
      "scan.tif: this page reads no TIFF; convert it to PNG.",
    ]);
    await page.click("#clear");
    await page.setInputFiles("#files", [text]);
    await page.getByText(/None of 1 file is an image/).waitFor();
    await page.close();
  });

  it("explains an image with the same map as Node", async () => {
    const { page } = await visit(browser, address);
    await lookAt(page, files.slice(0, 5));
    const file = files[4]!;
    await page.getByRole("button", { name: basename(file) }).click();
    await page.getByText(/Probability of malignant: /).waitFor();
    const found = JSON.parse((await page.locator("#explanation-overlay").getAttribute("data-map"))!);
    const { map } = await gradCam(classifier, file, { classIndex: 1 });
    expect([found.rows, found.columns]).toEqual([map.rows, map.columns]);
    const scale = Math.max(...map.values);
    const off = Math.max(...map.values.map((value, i) => Math.abs(value - found.values[i]) / scale));
    console.log(`Grad-CAM: largest difference ${off.toExponential(1)} of the largest value`);
    expect(scale).toBeGreaterThan(0);
    expect(off).toBeLessThan(1e-3);
    await page.selectOption("#explanation-class", { label: "benign" });
    await page.getByText(/Probability of benign: /).waitFor();
    await page.close();
  });

  it("is gone through by keyboard alone", async () => {
    const { page } = await visit(browser, address);
    await lookAt(page, files.slice(0, 5));
    const focused = () =>
      page.evaluate<string>("document.activeElement.id || document.activeElement.textContent");
    const order: string[] = [];
    await page.evaluate("document.activeElement.blur()");
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press("Tab");
      order.push(await focused());
    }
    expect(order.slice(0, 9)).toEqual([
      "choose-files",
      "choose-folder",
      "threshold",
      "threshold-number",
      "threshold-reset",
      "patient-from",
      "download",
      "clear",
      expect.stringMatching(/\.png$/),
    ]);
    // The threshold moves with the arrows, and what comes of it is said.
    await page.focus("#threshold");
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
    expect(await page.inputValue("#threshold-number")).toBe("0.315");
    await expect.poll(() => page.textContent("#status")).toMatch(/^Threshold 0\.315: \d malignant/);
    await page.focus("#threshold-number");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("7");
    await page.keyboard.press("Tab");
    expect(await page.textContent("#problem")).toMatch(/from 0 to 1/);
    expect(await page.inputValue("#threshold-number")).toBe("0.315");
    // A dialog opens, is stepped through, closes, and gives the focus back.
    const first = page.locator("#groups td.file button").first();
    const name = (await first.textContent())!;
    await first.focus();
    await page.keyboard.press("Enter");
    await page.getByText(/Probability of malignant: /).waitFor();
    expect(await page.textContent("#explanation-title")).toBe(name);
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.textContent("#explanation-title")).not.toBe(name);
    await page.getByText(/Probability of malignant: /).waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(focused).toBe(name);
    await page.close();
  });

  it("has names for everything that is pressed, moved or read out", async () => {
    const { page } = await visit(browser, address);
    await lookAt(page, files.slice(0, 3));
    await page.locator("#groups td.file button").first().click();
    await page.getByText(/Probability of malignant: /).waitFor();
    const unnamed = await page.evaluate<string[]>(`
      [...document.querySelectorAll("button, select, input:not([hidden]), meter, progress, canvas, table, section, dialog")]
        .filter((node) => node.checkVisibility())
        .filter((node) => {
          const by = node.getAttribute("aria-labelledby");
          const text = node.matches("button") ? node.textContent : "";
          const labels = node.labels ? [...node.labels].map((label) => label.textContent).join("") : "";
          const named = node.getAttribute("aria-label") || (by && document.getElementById(by)?.textContent) || text || labels;
          return !named.trim();
        })
        .map((node) => node.outerHTML.slice(0, 80))`);
    expect(unnamed).toEqual([]);
    const roles = ["status", "alert", "dialog"];
    for (const role of roles) {
      const node = role === "dialog" ? "dialog" : `[role=${role}]`;
      expect(await page.locator(node).count(), role).toBeGreaterThan(0);
    }
    const levels = await page.evaluate<number[]>(
      `[...document.querySelectorAll("body > :not(dialog) :is(h1, h2, h3)")].map((node) => Number(node.tagName[1]))`,
    );
    expect(levels[0]).toBe(1);
    expect(levels.every((level, i) => i === 0 || level - levels[i - 1]! <= 1)).toBe(true);
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    await page.close();
  });

  it("can be stopped, and takes dropped files", async () => {
    const { page } = await visit(browser, address);
    const many = Array.from({ length: 40 }, (_, i) => {
      const copy = join(home, "chosen", `copy-${i}.png`);
      copyFileSync(files[0]!, copy);
      return copy;
    });
    await page.setInputFiles("#files", many);
    await page.locator("#stop").click();
    await page.getByText(/\d+ images? looked at: /).waitFor();
    const listed = await page.locator("#groups tbody tr").count();
    expect(listed).toBeLessThan(40);
    await page.click("#clear");
    const content = readFileSync(files[1]!).toString("base64");
    await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(content)}), (character) => character.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], "dropped.png"));
      document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
    })()`);
    await page.getByText(/^1 image looked at/).waitFor();
    expect(await page.getByRole("button", { name: "dropped.png" }).count()).toBe(1);
    await page.close();
  });

  it.each([
    ["light", 1100],
    ["dark", 1100],
    ["light", 380],
    ["dark", 380],
  ] as const)("is readable in %s at %i pixels", async (colorScheme, width) => {
    const viewport = { width, height: 900 };
    const { page } = await visit(browser, address, { colorScheme, viewport });
    await lookAt(page, files);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    const contrast = await page.evaluate<number>(`(() => {
      const light = (colour) => {
        const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((value) => value / 255);
        const [r, g, b] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const back = light(getComputedStyle(document.body).backgroundColor);
      const ratios = [...document.querySelectorAll("p, h1, h2, h3, td, th, button:not(:disabled)")]
        .map((node) => light(getComputedStyle(node).color))
        .map((front) => (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05));
      return Math.min(...ratios);
    })()`);
    expect(contrast).toBeGreaterThan(4.5);
    await keep(page, `${colorScheme}-${width}`);
    await page.locator("#groups td.file button").first().click();
    await page.getByText(/Probability of malignant: /).waitFor();
    if (pictures) {
      await page.screenshot({ path: join(pictures, `viewer-explanation-${colorScheme}-${width}.png`) });
    }
    await page.close();
  });
});

describe("the viewer of a classifier that remembers its training images", () => {
  const folder = join(home, "known");
  const screen = join(home, "screen.png");
  let knowing: Classifier;
  let browser: Browser;
  let address: string;

  beforeAll(async () => {
    await generateDemoDataset(folder, { patients: 8, imagesPerPatient: 2, width: 175, height: 115, seed: 3 });
    const dataset = await openDataset(folder);
    const features = await extractFeatures(dataset, backbone);
    const rows = dataset.records.map((_, row) => row);
    const split = { train: rows.slice(0, 12), validation: rows.slice(12) };
    // Nothing is called malignant, so that what is spared depends on the threshold alone.
    knowing = { ...classifier, threshold: 1, familiarity: fitFamiliarity(dataset, split, features) };
    // A window with text in it: rows of black strokes on white.
    const strokes = Array.from({ length: 400 }, (_, i) => {
      const [x, y] = [10 + 7 * (i % 20), 10 + 5 * Math.floor(i / 20)];
      return `<rect x="${x}" y="${y}" width="${2 + (i % 4)}" height="2"/>`;
    });
    await sharp({ create: { width: 175, height: 115, channels: 3, background: "white" } })
      .composite([{ input: Buffer.from(`<svg width="175" height="115">${strokes.join("")}</svg>`) }])
      .png()
      .toFile(screen);
    address = `${await serve(knowing, "knowing")}?backend=wasm`;
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  it("says what npm run predict says of unlike images, and calls none of them negative", async () => {
    const { page } = await visit(browser, address);
    const chosen = [...files, screen];
    await lookAt(page, chosen);
    const rows = await downloadRows(page);
    const { groups } = await findSources(chosen);
    const { predictions } = await predictSources(knowing, groups);
    const round = (text: string) => text.replace(/\d+\.\d+ times/, "… times");
    for (const { path, distance, unlike } of predictions) {
      const row = rows.find(({ file }) => file === basename(path))!;
      expect(Number(row["distance"])).toBeCloseTo(distance!, 3);
      expect(round(row["warnings"]!)).toBe(round(unlike.map(({ text }) => text).join("; ")));
      if (unlike.length > 0) expect(row["listedAs"]).not.toBe("not malignant");
    }
    const listed = rows.find(({ file }) => file === basename(screen))!;
    expect(listed["warnings"]).toMatch(/looks unlike the training images/);
    expect(listed["secondLook"]).toBe("yes");
    await page.fill("#threshold-number", "1");
    await page.keyboard.press("Tab");
    const unlike = page.locator("section.unlike td.file");
    await expect.poll(() => unlike.allTextContents()).toContainEqual(expect.stringMatching(/^screen\.png/));
    await keep(page, "unlike");
    await page.close();
  });

  it("groups by patient, whom names tell or folders", async () => {
    const { page } = await visit(browser, address);
    await page.setInputFiles("#folder", folder);
    await page.getByText(/^16 images looked at/).waitFor();
    const rows = page.locator("#patients tbody tr");
    expect(await rows.count()).toBe(8);
    const patients = averageByPatient(
      (await predictSources(knowing, (await findSources([folder])).groups)).predictions,
    );
    const highest = Math.max(...patients.map(({ probabilities }) => probabilities[1]!));
    expect(await rows.first().textContent()).toContain(`${(100 * highest).toFixed(1)} %`);
    await page.selectOption("#patient-from", "folder");
    expect(await rows.count()).toBe(2);
    await keep(page, "patients");
    await page.close();
  });

  it("prints whole lists, without what is to be pressed", async () => {
    const { page } = await visit(browser, address);
    await page.setInputFiles("#files", files);
    await page.getByText(/images looked at/).waitFor();
    const paper = await page.pdf({ format: "A4", printBackground: true });
    expect(paper.subarray(0, 5).toString()).toBe("%PDF-");
    if (pictures) writeFileSync(join(pictures, "viewer.pdf"), paper);
    await page.emulateMedia({ media: "print" });
    for (const control of ["#choose-files", "#download", "#threshold"]) {
      expect(await page.locator(control).isVisible(), control).toBe(false);
    }
    expect(await page.locator("#threshold-number").isVisible()).toBe(true);
    expect(await page.locator("#groups tbody tr").count()).toBe(files.length);
    await page.close();
  });
});

describe("the viewer of a classifier of subtypes", () => {
  it("shows beside the answer how malignant it is", async () => {
    const classes = ["adenosis", "fibroadenoma", "ductal carcinoma"];
    const inputs = classifier.head.layers[0]!.inputs;
    const head = buildHead({ inputs, hiddenUnits: [], classCount: 3, seed: 2 });
    const subtypes = { ...classifier, classes, positiveClass: null, head };
    const address = `${await serve(subtypes, "subtypes")}?backend=wasm`;
    const browser = await startBrowser();
    try {
      const { page } = await visit(browser, address);
      await lookAt(page, files.slice(0, 3));
      const rows = await downloadRows(page);
      const sum = (row: Record<string, string>) => Number(row["probability of ductal carcinoma"]);
      for (const row of rows) expect(Number(row["probabilityMalignant"])).toBeCloseTo(sum(row), 12);
      const shown = await page.locator("td.malignant").allTextContents();
      expect(shown.sort()).toEqual(rows.map((row) => `${(100 * sum(row)).toFixed(1)} %`).sort());
    } finally {
      await browser.close();
    }
  });
});

describe("the viewer, in other circumstances", () => {
  it("answers the same on WebGL, with stains normalised", async () => {
    const stain = await fitStainReference(files.slice(0, 4), inputSize);
    const address = await serve({ ...classifier, stain }, "stained");
    const browser = await startBrowser();
    try {
      const { page, complaints } = await visit(browser, `${address}?backend=webgl`);
      expect(await page.locator("html").getAttribute("data-backend")).toBe("webgl");
      await lookAt(page, files);
      const difference = await largestDifference(page, { ...classifier, stain }, files);
      console.log(`WebGL, stains normalised: largest difference ${difference.toExponential(1)}`);
      expect(difference).toBeLessThan(tolerance);
      expect(complaints).toEqual([]);
      // Left to itself, the page takes one of the two, and answers on.
      const other = await visit(browser, address);
      expect(await other.page.locator("html").getAttribute("data-backend")).toMatch(/^(webgl|wasm)$/);
      await lookAt(other.page, files.slice(0, 2));
      expect(other.complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  it("says why when the part that computes fails, and goes on with the next image", async () => {
    const address = await serve(classifier, "failing");
    const browser = await startBrowser();
    try {
      const { page } = await visit(browser, `${address}?backend=wasm`);
      // The first image is being looked at for as long as the worker is kept busy with it.
      await page.workers()[0]!.evaluate(() => {
        Object.assign(globalThis, { createImageBitmap: () => new Promise(() => {}) });
      });
      await page.setInputFiles("#files", files.slice(0, 3));
      await page.getByText("Image 1 of 3").waitFor();
      await page.workers()[0]!.evaluate(() => {
        setTimeout(() => {
          throw new Error("out of memory");
        });
      });
      await page.getByText(/^2 images looked at.*1 file could not be read/).waitFor();
      expect(await page.textContent("#problem")).toMatch(
        /computes has failed \(.*out of memory\) and is started again/,
      );
      expect(await page.textContent("#unread-list")).toContain("computing failed in this browser");
      expect((await downloadRows(page)).length).toBe(2);
    } finally {
      await browser.close();
    }
  });

  it("refuses to answer where it would answer something else", async () => {
    const out = join(home, "damaged");
    await buildViewer({ classifier, out, results });
    const weights = readFileSync(join(out, "weights.bin"));
    writeFileSync(join(out, "weights.bin"), weights.fill(0, weights.length - 40_000));
    const { server, address } = await serveFolder(out, 0);
    servers.push(server);
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`${address}?backend=wasm`);
      await page.getByText(/computes other probabilities here/).waitFor({ timeout: 300_000 });
      expect(await page.isDisabled("#choose-files")).toBe(true);
    } finally {
      await browser.close();
    }
  });

  it("is served without what lies beside it", async () => {
    const { server, address } = await serveFolder(join(home, "page"), 0);
    servers.push(server);
    for (const path of ["../chosen/large.png", "%2e%2e/chosen/large.png", ".hidden", "none.js", "%00"]) {
      expect((await fetch(`${address}${path}`)).status, path).toBe(404);
    }
    expect((await fetch(address, { method: "POST" })).status).toBe(405);
    const page = await fetch(address);
    expect(page.headers.get("content-type")).toMatch(/text\/html/);
    expect(await page.text()).toContain("Content-Security-Policy");
  });
});
