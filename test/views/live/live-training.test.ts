import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import type { EpochRecord } from "../../../src/training/head/train";
import { jupyterDisplay } from "../../../src/views/display/display";
import { type Figure, plotlyMimeType } from "../../../src/views/display/figure";
import { liveTraining } from "../../../src/views/live/live-training";
import { progressLine, type TrainingPlan, type TrainingState } from "../../../src/views/live/training-state";
import { exampleDataset, exampleRecord, hostileName } from "../../support/data/example-dataset";
import { temporaryFolder } from "../../support/temporary-folder";

const folder = temporaryFolder("live-training");
const names = ["benign/a.png", "benign/b.png", "malignant/c.png", "malignant/d.png"];
const records = names.map((file, i) =>
  exampleRecord({ file, label: i < 2 ? 0 : 1, patient: `<i>${i}</i>`, sha256: file }),
);
const dataset = exampleDataset({ folder, synthetic: true, classes: ["benign", hostileName], records });
const split = { train: [0, 1, 2, 3, 0, 1, 2, 3], validation: [0, 1, 2, 3] };

beforeAll(async () => {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    const image = sharp({ create: { width: 30, height: 20, channels: 3, background: "#a06090" } });
    await image.toFile(join(folder, name));
  }
});

const record = (epoch: number, validationLoss = 1): EpochRecord => ({
  epoch,
  trainLoss: 1,
  trainAccuracy: 0.5,
  validationLoss,
  validationAccuracy: 0.5,
  elapsedSeconds: epoch,
});

/** Probabilities of the second class for the four validation images, made into rows. */
const said = (...second: number[]) => Float32Array.from(second.flatMap((value) => [1 - value, value]));

/** A live view whose clock and output are ours. */
async function openView(epochs = 20) {
  const drawn: Figure[] = [];
  const clock = { nowMs: 0 };
  const output = { update: (value: unknown) => void drawn.push(value as Figure), clear: () => undefined };
  const settings = { epochs, seed: 1 };
  const live = await liveTraining({ dataset, split, settings, output, now: () => clock.nowMs });
  return { drawn, clock, live };
}

const textsOf = (figure: Figure): string[] =>
  (figure.layout["annotations"] as { text: string }[]).map(({ text }) => text);
const matrixOf = (figure: Figure) => figure.data.find(({ type }) => type === "heatmap")?.["text"];

describe("the live view of a training", () => {
  it("is there before the first epoch, with a few images of both classes that nobody has judged yet", async () => {
    const { drawn } = await openView();
    expect(drawn).toHaveLength(1);
    const images = drawn[0]!.layout["images"] as { source: string }[];
    expect(images).toHaveLength(4);
    for (const { source } of images) expect(source).toMatch(/^data:image\/jpeg;base64,/);
    expect(textsOf(drawn[0]!).filter((text) => text.endsWith("not asked yet"))).toHaveLength(4);
    expect(drawn[0]!.layout["title"]).toMatchObject({ text: "Training — synthetic data" });
  });

  it("is redrawn at most twice a second, also within an epoch", async () => {
    const { drawn, clock, live } = await openView();
    for (let images = 1; images <= 8; images++) {
      clock.nowMs += 200;
      live.onBatch(1, images);
    }
    expect(drawn).toHaveLength(3);
    expect(textsOf(drawn[2]!)).toContain("Epoch 1 of 20 · 5 images a second · at most 31 s left");
  });

  it("shows the epoch's confusion matrix and what each image is taken for", async () => {
    const { drawn, clock, live } = await openView();
    clock.nowMs = 1000;
    live.onEpoch(record(1), [], said(0.9, 0.2, 0.7, 0.75));
    expect(matrixOf(drawn[1]!)).toEqual([
      ["1", "1"],
      ["0", "2"],
    ]);
    const captions = textsOf(drawn[1]!).filter((text) => text.includes("patient"));
    expect(captions.some((text) => text.startsWith("<b>benign</b>") && text.includes("✗"))).toBe(true);
    expect(captions.filter((text) => text.includes("✓"))).toHaveLength(3);
  });

  it("ends with the best epoch's answers, every epoch and both best lines", async () => {
    const { drawn, clock, live } = await openView();
    for (let epoch = 1; epoch <= 3; epoch++) {
      clock.nowMs += 1000;
      live.onEpoch(
        record(epoch, epoch === 2 ? 0.5 : 1),
        [],
        epoch === 2 ? said(0, 0, 1, 1) : said(1, 1, 1, 1),
      );
    }
    const final = live.finish({ bestEpoch: 2, ended: "early-stopping" });
    expect(drawn.at(-1)).toBe(final);
    expect(matrixOf(final)).toEqual([
      ["2", "0"],
      ["0", "2"],
    ]);
    expect(final.data[0]?.["x"]).toEqual([1, 2, 3]);
    const lines = (final.layout["shapes"] as { type: string; x0: number }[]).filter(
      ({ type }) => type === "line",
    );
    expect(lines).toMatchObject([{ x0: 2 }, { x0: 2 }]);
    expect(textsOf(final)).toContain(
      "3 of 20 epochs in 3.0 s · 8 images a second · stopped early, since validation got no better · best epoch 2",
    );
    const html = String(final[jupyterDisplay]()["text/html"]);
    expect(html).toContain("best epoch 2");
    expect(html.match(/data:image\/jpeg/g)).toHaveLength(4);
  });

  it("stays small, however long the training, and says what becomes of it when its page is closed", async () => {
    const { drawn, clock, live } = await openView(5000);
    for (let epoch = 1; epoch <= 2000; epoch++) {
      clock.nowMs += 10;
      live.onEpoch(record(epoch, 1 / epoch), [], said(0, 0, 1, 1));
    }
    const during = drawn.at(-1)!;
    // Twice a second, of 20 s, whatever the number of epochs.
    expect(drawn.length).toBeLessThanOrEqual(41);
    for (const trace of during.data.filter(({ type }) => type === "scatter")) {
      expect((trace["x"] as number[]).length).toBeLessThanOrEqual(302);
    }
    expect(String(during[jupyterDisplay]()["text/html"]).match(/<tr>/g)!.length).toBeLessThan(30);
    const closed = /goes on if this page is closed, and is here when it is opened again$/;
    expect(textsOf(during).at(-1)).toMatch(closed);
    const final = live.finish({ bestEpoch: 2000, ended: "completed" });
    expect(textsOf(final).at(-1)).not.toMatch(closed);
  });

  it("ends well if it was stopped before an epoch had ended", async () => {
    const { live } = await openView();
    const final = live.finish({ bestEpoch: 0, ended: "interrupted" });
    expect(textsOf(final)).toContain("0 of 20 epochs in 0.0 s · stopped by hand · no epoch was finished");
  });

  it("lets no name become markup, and no title be lost from its JSON", async () => {
    const { clock, live } = await openView();
    clock.nowMs = 1000;
    live.onEpoch(record(1), [], said(0.9, 0.2, 0.7, 0.75));
    const bundle = live.finish({ bestEpoch: 1, ended: "completed" })[jupyterDisplay]();
    expect(bundle["text/html"]).not.toContain("<img src=x");
    expect(bundle["text/html"]).not.toContain("<i>");
    const json = JSON.stringify(bundle[plotlyMimeType]);
    expect(json).not.toContain("<img");
    expect(json).not.toContain("<i>");
    expect(json).toContain("&lt;i&gt;");
  });

  it("goes on without images that can't be read", async () => {
    const output = { update: () => undefined, clear: () => undefined };
    const nowhere = { ...dataset, folder: join(folder, "nowhere") };
    const live = await liveTraining({ dataset: nowhere, split, settings: { epochs: 2, seed: 1 }, output });
    live.onEpoch(record(1), [], said(0, 0, 1, 1));
    expect(live.finish({ bestEpoch: 1, ended: "completed" }).layout["images"]).toEqual([]);
  });
});

describe("progressLine", () => {
  it("says what its docstring does", () => {
    const plan = { epochs: 30, trainImages: 1000 } as TrainingPlan;
    const state = { epoch: 12, imagesLearned: 500, elapsedSeconds: 1.367, ended: null } as TrainingState;
    expect(progressLine(plan, state)).toBe("Epoch 12 of 30 · 8,410 images a second · at most 2 s left");
  });
});
