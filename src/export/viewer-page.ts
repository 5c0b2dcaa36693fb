import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { requireOpen } from "../model/backbones/architecture";
import type { Classifier } from "../model/classifier/classifier";
import { describeFamiliarity } from "../model/classifier/familiarity-file";
import { writeFolderAtomically } from "../runtime/files/atomic-folder";
import { withTemporaryFolder } from "../runtime/files/temporary-folder";
import { writeWholeFile } from "../runtime/files/write-file";
import { projectRoot } from "../runtime/paths";
import type { ViewerAbout } from "./about-export";
import { type AboutExport, describeExport } from "./about-export";
import { writeForBrowsers } from "./browser-export";
import { askAboutCheckImages, type CheckImages, requireAgreement } from "./check-images";
import { describeClassifier } from "./classifier-graph";
import { refuseViews } from "./export-classifier";
import { refuseForeignFolder } from "./foreign-folder";
import { modelCard } from "./model-card";
import type { RunResults } from "./run-results";

/** What a page is made of, and where to. */
export interface ViewerTask {
  /** Its backbone stays the caller's. */
  classifier: Classifier;
  /** Folder to be written; an earlier page in it is replaced, anything else is refused. */
  out: string;
  /** For the model card. */
  results: RunResults;
}

const aboutFile = "viewer.json";
const examplesFile = "examples.bin";
/** Asked by every page before it answers: few, since a visitor waits for them. */
const pageCheckImages = 2;

const isViewer = (json: unknown): boolean =>
  typeof json === "object" && json !== null && (json as ViewerAbout).viewer === 1;

/** The programs and looks, from `viewer/`; the page works from its own folder alone. */
async function writePage(folder: string): Promise<void> {
  const source = join(projectRoot(), "viewer");
  await build({
    entryPoints: [join(source, "main.ts"), join(source, "worker.ts")],
    outdir: folder,
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    legalComments: "external",
    logLevel: "silent",
    tsconfigRaw: { compilerOptions: { target: "es2022" } },
  });
  await copyFile(join(source, "page.html"), join(folder, "index.html"));
  await copyFile(join(source, "style.css"), join(folder, "style.css"));
  const wasm = join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "wasm-out");
  await mkdir(join(folder, "wasm"));
  for (const name of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"]) {
    await copyFile(join(wasm, name), join(folder, "wasm", name));
  }
}

function describePage(
  about: AboutExport,
  { probabilities }: CheckImages,
  { familiarity: known }: Classifier,
): ViewerAbout {
  const checkImages = { count: pageCheckImages, probabilities: probabilities.slice(0, pageCheckImages) };
  const familiarity =
    known === undefined
      ? null
      : { ...describeFamiliarity(known), width: known.width, examples: examplesFile };
  return { ...about, viewer: 1, checkImages, familiarity };
}

/**
 * Makes sure before any work that a page can be written to a folder.
 *
 * @throws Error that says why it can't, or that the folder holds something else.
 */
export async function requireViewerFolder(folder: string): Promise<void> {
  await refuseForeignFolder(folder, { file: aboutFile, isOurs: isViewer, name: "a viewer" });
}

/**
 * Builds a static page that runs a classifier in its visitor's browser: a folder for any server, whole or not at all.
 *
 * The model in it is the TensorFlow.js export, checked as every export is. Stain normalisation is done by the page.
 *
 * @returns What `viewer.json` says.
 * @throws Error if the classifier does something that the page can't, or the folder holds something else.
 *
 * @example
 * await buildViewer({ classifier, out: "viewer-page", results });
 */
export async function buildViewer({ classifier, out, results }: ViewerTask): Promise<ViewerAbout> {
  requireOpen(classifier.backbone, "The page for browsers");
  refuseViews(classifier);
  await requireViewerFolder(out);
  return withTemporaryFolder(async (workshop) => {
    const check = await askAboutCheckImages(classifier, workshop, []);
    const { inputSize } = classifier;
    let page: ViewerAbout | null = null;
    await writeFolderAtomically(out, async (folder) => {
      const graph = describeClassifier(classifier);
      const found = await writeForBrowsers(graph, inputSize, folder, check);
      const largestDifference = requireAgreement(found, check);
      const about = describeExport(classifier, "tfjs", { images: check.count, largestDifference });
      page = describePage(about, check, classifier);
      const examples = classifier.familiarity?.examples;
      if (examples !== undefined) {
        const { buffer, byteOffset, byteLength } = examples;
        await writeWholeFile(join(folder, examplesFile), Buffer.from(buffer, byteOffset, byteLength));
      }
      await writePage(folder);
      await writeWholeFile(join(folder, aboutFile), `${JSON.stringify(page, null, 2)}\n`);
      await writeWholeFile(
        join(folder, "check.bin"),
        check.pixels.subarray(0, pageCheckImages * inputSize * inputSize * 3),
      );
      await writeWholeFile(join(folder, "export.json"), `${JSON.stringify(about, null, 2)}\n`);
      await writeWholeFile(join(folder, "MODEL-CARD.md"), modelCard(about, results));
    });
    return page!;
  });
}
