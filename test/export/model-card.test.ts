import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import MarkdownIt from "markdown-it";
import { describe, expect, it } from "vitest";
import { type AboutExport, exportFormats } from "../../src/export/about-export";
import { escapeMarkdown, modelCard } from "../../src/export/model-card";
import { loadRunResults } from "../../src/export/run-results";
import { hostileName } from "../support/data/example-dataset";
import { exampleSummary } from "../support/runs/example-summary";
import { hostileAnalysis } from "../support/runs/hostile-analysis";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("model-card");

function exampleAbout(changes: Partial<AboutExport> = {}): AboutExport {
  return {
    format: "breakhis-lab export 1",
    model: "classifier.keras",
    modelFormat: "keras",
    input: {
      shape: [null, 224, 224, 3],
      type: "float32",
      values: "RGB, 0 to 255; preprocessing is inside the model",
      resizing: "Stretched.",
      stainNormalisation: null,
    },
    output: { shape: [null, 2], values: "probabilities, after the temperature, in the order of the classes" },
    classes: ["benign", hostileName],
    positiveClass: 1,
    threshold: 0.25,
    temperature: 1,
    triage: {
      threshold: 0.1,
      level: "patient",
      target: 0.95,
      chosenOn: "validation",
      description: `Chosen ${hostileName}.`,
      temperature: null,
    },
    backbone: {
      name: "resnet50",
      weights: { name: hostileName, sha256: "ab", source: "user's file" },
      pretrained: false,
    },
    check: { images: 7, largestDifference: 1.25e-6, tolerance: 1e-4 },
    provenance: {
      runId: "run-1",
      dataset: hostileName,
      synthetic: true,
      created: "2026-03-14T15:09:26.000Z",
      seed: 1,
      weightsPath: null,
      versions: { node: "20" },
    },
    ...changes,
  };
}

/** A run's folder with a classifier folder in it. */
function writeRun(name: string, files: Record<string, unknown>): string {
  const classifier = join(home, name, "classifier");
  mkdirSync(classifier, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(home, name, file), typeof content === "string" ? content : JSON.stringify(content));
  }
  return classifier;
}

describe("modelCard", () => {
  it("has scores with intervals where the run was analysed", async () => {
    const summary = exampleSummary({ id: "run-1", dataset: hostileName, synthetic: true });
    const { findings } = hostileAnalysis();
    const folder = writeRun("analysed", { "summary.json": summary, "report.json": { findings } });
    const card = modelCard(exampleAbout(), await loadRunResults(folder, "run-1"));
    expect(card).toMatch(/\| sensitivity \| \d+\.\d % \(\d+\.\d to \d+\.\d\) \|/);
    expect(card).toMatch(/\| always the majority class \| 50\.0 % \|/);
    expect(card).toMatch(/Clopper and Pearson/);
    expect(card).toMatch(/largest difference in probability was\s+1\.3e-6/);
    expect(card).toMatch(/Not a medical device/);
    expect(card).toMatch(/Synthetic images/);
    expect(card).toMatch(/from probability 0\.25 on/);
    expect(card).toMatch(
      /second look is 0\.1, compared with the probability of the mean of a patient's images/,
    );
  });

  it("says so where scores have no intervals, or are not known", async () => {
    const plain = writeRun("plain", { "summary.json": exampleSummary({ id: "run-1" }) });
    expect(modelCard(exampleAbout(), await loadRunResults(plain, "run-1"))).toMatch(
      /without intervals[^|]+\| {2}\| by image \(4\)/,
    );
    // Another run's results are not this classifier's.
    expect(modelCard(exampleAbout(), await loadRunResults(plain, "run-2"))).toMatch(/scores are not known/);
    const damaged = writeRun("damaged", { "summary.json": "{" });
    await expect(loadRunResults(damaged, "run-1")).rejects.toThrow(/summary\.json is damaged/);
  });

  it.each(exportFormats)("lets no name become markup, in %s's card", async (modelFormat) => {
    const card = modelCard(exampleAbout({ modelFormat }), { summary: null, findings: null });
    const html = new MarkdownIt({ html: true }).render(card);
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(html).toMatch(/<pre><code class="language-(python|js)">/);
  });

  it("escapes what Markdown reads", () => {
    expect(escapeMarkdown("a|b\n# <b>*c*</b>")).toBe("a&#124;b &#35; &#60;b&#62;&#42;c&#42;&#60;/b&#62;");
    expect(escapeMarkdown("2026-11-27T22-41-36 (a+b)")).toBe("2026-11-27T22-41-36 &#40;a+b&#41;");
    expect(escapeMarkdown("- no list")).toBe("&#45; no list");
  });
});
