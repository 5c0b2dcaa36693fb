import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judgeImages } from "../../src/scores/triage/judged-images";
import type { PicturedWork } from "../../src/views/analysis/work-list";
import { predictionPageHtml } from "../../src/views/report/prediction-page";
import { startBrowser } from "../support/browser/browser";
import { hostileName } from "../support/data/example-dataset";

const dot = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
const classifier = {
  classes: [hostileName, "malignant"],
  positiveClass: 1,
  threshold: 0.5,
  triage: {
    threshold: 0.3,
    level: "image" as const,
    target: 0.9,
    chosenOn: "validation",
    description: `Chosen on ${hostileName}.`,
    temperature: null,
  },
  provenance: {
    runId: hostileName,
    dataset: hostileName,
    synthetic: false,
    created: "2026-03-14T15:09:26.000Z",
    seed: 1,
    weightsPath: null,
    versions: {},
  },
};

function pageOf(count: number): Promise<string> {
  const images = judgeImages(
    Array.from({ length: count }, (_, i) => ({
      file: `${hostileName}${i}`,
      path: `/${i}`,
      patient: `${hostileName}${i % 40}`,
      probabilities: [1 - (i % 11) / 10, (i % 11) / 10],
      predicted: i % 11 >= 5 ? 1 : 0,
      width: 700,
      height: 460,
      distance: 1.5,
      unlike: [{ about: "features" as const, text: hostileName }],
    })),
    classifier,
  );
  const work = images.slice(0, 12).map(
    (image): PicturedWork => ({
      rank: image.rank,
      file: image.file,
      patient: image.patient,
      probability: image.probabilities[1]!,
      score: image.probabilities[1]!,
      kind: image.listedAs!,
      needsLook: image.secondLook!,
      picture: dot,
      overlay: dot,
      unlike: image.unlike.map(({ text }) => text),
    }),
  );
  return predictionPageHtml({
    classifier,
    images,
    work,
    skipped: [{ file: hostileName, reason: hostileName }],
  });
}

describe("the work list of npm run predict", () => {
  const folder = mkdtempSync(join(tmpdir(), "prediction-page-"));
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
    writeFileSync(join(folder, "work.html"), await pageOf(120));
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ["light", 1280],
    ["dark", 390],
  ] as const)(
    "shows every name as text, asks for nothing, and fits (%s, %d pixels)",
    async (colorScheme, width) => {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
      const requests: string[] = [];
      const complaints: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("dialog", (dialog) => complaints.push(dialog.message()));
      page.on("console", (message) => complaints.push(message.text()));
      await page.goto(pathToFileURL(join(folder, "work.html")).href);
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith("data:"))).toHaveLength(1);
      const seen = await page.evaluate<{
        images: number;
        text: string;
        wide: number;
        patients: number;
        hidden: number;
      }>(`({
      images: document.querySelectorAll("img").length,
      text: document.body.innerText,
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      patients: document.querySelectorAll("table")[1].querySelectorAll("tbody tr").length,
      hidden: [...document.querySelectorAll("div")].filter((div) => div.scrollHeight > div.clientHeight + 1).length,
    })`);
      expect(seen.images).toBe(24);
      expect(seen.text).toContain(`${hostileName}0`);
      expect(seen.text).toContain("Not a medical device");
      expect(seen.text).toContain("Work list: the first 12 of 120 images");
      expect(seen.patients).toBe(40);
      expect([seen.wide, seen.hidden]).toEqual([0, 0]);
      const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      expect(background).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(23, 24, 27)");
      await page.close();
    },
  );
});
