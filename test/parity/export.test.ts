import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { viewsOf } from "../../src/data/images/image-views";
import { fitStainReference } from "../../src/data/images/stain-reference";
import { type AboutExport, type ExportFormat, exportFormats } from "../../src/export/about-export";
import { callExample } from "../../src/export/call-example";
import { exportClassifier } from "../../src/export/export-classifier";
import { loadBackbone, type OpenBackbone } from "../../src/model/backbones/backbone";
import { type Classifier, predictImages } from "../../src/model/classifier/classifier";
import { decodeForClassifier } from "../../src/model/explanation/grad-cam";
import { tf } from "../../src/runtime/tensorflow";
import { breakhisSample, hasSharedData, resnet50Weights } from "../support/data/shared-data";
import { decidedClassifier, drawTissue } from "../support/model/trained-classifier";
import { hasKeras, runPython } from "../support/python";
import { temporaryFolder } from "../support/temporary-folder";

const home = temporaryFolder("export");
vi.stubEnv("BREAKHIS_CACHE", join(home, "cache"));
vi.stubEnv("BREAKHIS_WEIGHTS", "");
const tolerance = 1e-4;
const results = { summary: null, findings: null };
const sample = ["malignant/SOB_M_DC-14-2980-40-001.png", "benign/SOB_B_A-14-22549AB-100-001.png"];
const realImages = hasSharedData ? sample.map((file) => join(breakhisSample, file)) : [];

/** The code of a model card, which is run as it stands there. */
function codeOfCard(folder: string): string {
  const card = readFileSync(join(folder, "MODEL-CARD.md"), "utf8");
  return /```(?:python|js)\n([\s\S]+?)```/.exec(card)![1]!;
}

async function writeInputs(folder: string, classifier: Classifier, image: string): Promise<Uint8Array> {
  copyFileSync(image, join(folder, "image.png"));
  return decodeForClassifier(classifier, image);
}

async function runCard(folder: string, format: ExportFormat, pixels: Uint8Array): Promise<number[]> {
  const code = codeOfCard(folder);
  if (format !== "tfjs") {
    const program = `import os; os.chdir(${JSON.stringify(folder)})\n${code}\nprint("found", list(map(float, probabilities)))`;
    return JSON.parse(/found (.*)/.exec(runPython(program))![1]!);
  }
  // What its reader goes on working with is of no more use here.
  const models: tf.LayersModel[] = [];
  const loadLayersModel = async (path: string) => {
    const model = await tf.loadLayersModel(pathToFileURL(join(folder, path)).href);
    models.push(model);
    return model;
  };
  const body = `return (async () => { ${code}\nreturn probabilities; })()`;
  const probabilities = await new Function("tf", "pixels", body)(
    { ...tf, loadLayersModel },
    Array.from(pixels),
  );
  for (const model of models) model.dispose();
  return probabilities;
}

describe("exports of a classifier on EfficientNet-Lite0", () => {
  let backbone: OpenBackbone;
  let classifier: Classifier;
  let files: string[];

  beforeAll(async () => {
    files = await drawTissue(join(home, "tissue"));
    ({ backbone } = await loadBackbone({ backbone: "efficientnet-lite0", weights: null, inputSize: 96 }));
    classifier = await decidedClassifier(backbone, join(home, "tissue"), {
      threshold: 0.3,
    });
  });
  afterAll(() => backbone?.dispose());

  for (const format of exportFormats) {
    it.skipIf(format !== "tfjs" && !hasKeras)(
      `${format} answers as the classifier does, and its card's code runs`,
      async () => {
        const out = join(home, format);
        const before = tf.memory().numTensors;
        const images = [...files, ...realImages];
        const about = await exportClassifier({ classifier, format, out, results, images });
        expect(tf.memory().numTensors).toBe(before);
        console.log(`${format}: largest difference ${about.check.largestDifference.toExponential(1)}`);
        expect(about.check.images).toBe(7 + images.length);
        expect(about.check.largestDifference).toBeLessThan(tolerance);
        expect(JSON.parse(readFileSync(join(out, "export.json"), "utf8"))).toEqual(about);
        expect(existsSync(join(out, about.model))).toBe(true);
        // Agreeing means more than answering the same for all.
        const { predictions } = await predictImages(classifier, images);
        const positive = predictions.map(({ probabilities }) => probabilities[1]!);
        expect(Math.max(...positive) - Math.min(...positive)).toBeGreaterThan(0.2);

        const pixels = await writeInputs(out, classifier, images[0]!);
        const found = await runCard(out, format, pixels);
        // Where the card decodes the image by itself, another program's resizing is in the difference.
        const allowed = format === "tfjs" ? tolerance : 0.03;
        for (const [i, value] of found.entries()) {
          expect(Math.abs(value - predictions[0]!.probabilities[i]!)).toBeLessThan(allowed);
        }
      },
    );
  }

  it("replaces an earlier export, and nothing else", async () => {
    const about = await exportClassifier({ classifier, format: "tfjs", out: join(home, "tfjs"), results });
    expect(readdirSync(join(home, "tfjs")).sort()).toEqual([
      "MODEL-CARD.md",
      "export.json",
      "model.json",
      "weights.bin",
    ]);
    expect(about.temperature).toBe(1);
    const foreign = join(home, "foreign");
    mkdirSync(foreign);
    writeFileSync(join(foreign, "thesis.txt"), "years of work");
    const task = { classifier, format: "tfjs", results } as const;
    await expect(exportClassifier({ ...task, out: foreign })).rejects.toThrow(/holds something else/);
    await expect(exportClassifier({ ...task, out: join(foreign, "thesis.txt") })).rejects.toThrow(
      /is a file/,
    );
    expect(readdirSync(foreign)).toEqual(["thesis.txt"]);
  });

  it("refuses what a model can't do by itself, and writes nothing where answers differ", async () => {
    const stain = await fitStainReference(files, 96);
    const stained = { ...classifier, stain };
    const out = join(home, "stained");
    const task = { format: "tfjs", out, results, images: files } as const;
    await expect(exportClassifier({ ...task, classifier: stained })).rejects.toThrow(/--stain-beside/);
    const averaging = { ...classifier, views: viewsOf("turns") };
    await expect(exportClassifier({ ...task, classifier: averaging })).rejects.toThrow(/mean over 8 views/);
    const about = await exportClassifier({ ...task, classifier: stained, stainBeside: true });
    expect(about.input.stainNormalisation).toEqual(stain);
    expect(about.check.largestDifference).toBeLessThan(tolerance);
    expect(readFileSync(join(out, "MODEL-CARD.md"), "utf8")).toMatch(/stains must be normalised first/);

    // A backbone that describes itself as something else than it computes.
    const other = backbone.withRandomTop(1);
    const disguised = { ...backbone, describe: () => other.describe() };
    const wrong = join(home, "wrong");
    const differing = exportClassifier({
      ...task,
      out: wrong,
      classifier: { ...classifier, backbone: disguised },
    });
    await expect(differing).rejects.toThrow(/answers otherwise.*differ by up to \d/);
    other.dispose();
    expect(existsSync(wrong)).toBe(false);
    await expect(
      exportClassifier({ ...task, out: wrong, classifier, images: [join(home, "none.png")] }),
    ).rejects.toThrow(/can't be used to check the export/);
  });
});

describe.skipIf(!hasSharedData)("exports of a classifier on ResNet50, with real images", () => {
  it.skipIf(!hasKeras).each(["keras", "tfjs"] as const)(
    "%s answers what the classifier answers",
    async (format) => {
      const folder = mkdtempSync(join(home, "resnet50-"));
      await drawTissue(join(folder, "tissue"));
      const choice = { backbone: "resnet50", weights: resnet50Weights, inputSize: 224 } as const;
      const { backbone } = await loadBackbone(choice);
      const classifier = await decidedClassifier(backbone, join(folder, "tissue"));
      const out = join(folder, "out");
      const about = await exportClassifier({ classifier, format, out, results, images: realImages });
      console.log(
        `ResNet50, ${format}: largest difference ${about.check.largestDifference.toExponential(1)}`,
      );
      expect(about.check.largestDifference).toBeLessThan(tolerance);
      backbone.dispose();
    },
  );
});

it("says how each format is called", () => {
  const about = { input: { shape: [null, 224, 224, 3] }, classes: ["a", "b", "c"], positiveClass: null };
  for (const modelFormat of exportFormats) {
    const { code } = callExample({ ...about, modelFormat } as unknown as AboutExport);
    expect(code).not.toMatch(/threshold|null\b/);
  }
});
