import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { inspectDataset } from "../../../src/data/integrity/integrity";
import { integrityGrid, integrityTable } from "../../../src/views/dataset/integrity-displays";
import { isDisplayable, jupyterDisplay } from "../../../src/views/display/display";
import { exampleDataset, exampleRecord } from "../../support/data/example-dataset";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("integrity-views");
const hostile = "<b>a&.png";

async function datasetWithCopies() {
  const png = await sharp({ create: { width: 20, height: 20, channels: 3, background: "#c8a0b4" } })
    .png()
    .toBuffer();
  const files = [hostile, "b.png", "c.png", "d.png", "e.png"];
  mkdirSync(join(folder, "benign"), { recursive: true });
  for (const file of files) writeFileSync(join(folder, "benign", file), png);
  const records = files.map((file) => exampleRecord({ file: `benign/${file}`, sha256: "same" }));
  return exampleDataset({ folder, records });
}

const htmlOf = (value: unknown) => (isDisplayable(value) ? String(value[jupyterDisplay]()["text/html"]) : "");

describe("views of an inspection", () => {
  it("show every check in a table, nothing unescaped", async () => {
    const dataset = await datasetWithCopies();
    const html = htmlOf(integrityTable(dataset, inspectDataset(dataset)));
    for (const check of ["exact duplicate", "near duplicate", "colour outlier"])
      expect(html).toContain(check);
    expect(html).toContain("&lt;b&gt;a&amp;.png");
    expect(html).not.toContain("<b>a");
  });

  it("show copies side by side, some of many, nothing unescaped", async () => {
    const dataset = await datasetWithCopies();
    const { html } = await integrityGrid(dataset, inspectDataset(dataset));
    expect(html.match(/<img /g)).toHaveLength(3);
    expect(html).toContain("&lt;b&gt;a&amp;.png");
    expect(html).not.toContain("<b>a");
    const fewer = await integrityGrid(dataset, inspectDataset(dataset), { limit: 2 });
    expect(fewer.html.match(/<img /g)).toHaveLength(2);
  });

  it("say so where there is nothing to show", async () => {
    const dataset = exampleDataset({ records: [exampleRecord()] });
    const { html } = await integrityGrid(dataset, inspectDataset(dataset));
    expect(html).toContain("Nothing was found that pictures would show");
  });
});
