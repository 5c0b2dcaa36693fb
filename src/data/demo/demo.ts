import { mkdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { writeFolderAtomically } from "../../runtime/atomic-folder";
import { breathe, runCooperatively } from "../../runtime/interruption";
import { dataFolder } from "../../runtime/paths";
import { startProgress } from "../../runtime/progress";
import { createRandom } from "../../runtime/random";
import { writeWholeFile } from "../../runtime/write-file";
import { makeNoiseTiles } from "./demo-noise";
import { type DemoPatient, demoImageName, drawDemoImage, inventPatients } from "./demo-patients";

/** Raised by hand whenever the same seed would give other images, so that old sets are made anew. */
const GENERATOR_VERSION = 1;

/** Images being compressed while the next is drawn; sharp uses other threads for it. */
const WRITES_IN_FLIGHT = 4;

/** What a demo set is made of. */
export interface DemoOptions {
  /** At least 2; benign and malignant by turns. Default 24. */
  patients?: number;
  /** At least 1. Default 10. */
  imagesPerPatient?: number;
  /** Pixels, at least 32. Default 700 × 460, as in BreaKHis; smaller images show the same, at a smaller scale. */
  width?: number;
  height?: number;
  /** The same seed gives the same images. Default 2016, the year of BreaKHis. */
  seed?: number;
}

const defaults: Required<DemoOptions> = {
  patients: 24,
  imagesPerPatient: 10,
  width: 700,
  height: 460,
  seed: 2016,
};

interface DemoImage {
  patient: DemoPatient;
  number: number;
  /** Relative to the set's folder. */
  file: string;
}

/**
 * Draws a synthetic, H&E-like data set in BreaKHis naming: `benign/` and `malignant/` with PNG files, and
 * `SYNTHETIC.md`, which marks it as synthetic and says how it was made.
 *
 * The folder appears complete or not at all; an earlier one of that name is replaced if it is a demo set.
 *
 * @throws RangeError if an option is out of range.
 * @throws Error if the folder exists and is no demo set, or if the work was stopped (nothing is left then).
 *
 * @example
 * await generateDemoDataset("/tmp/demo", { patients: 8, imagesPerPatient: 4, width: 350, height: 230 });
 */
export async function generateDemoDataset(folder: string, options: DemoOptions = {}): Promise<void> {
  const plan = checkOptions(options);
  const target = resolve(folder);
  await refuseForeignFolder(target);
  await writeFolderAtomically(target, async (unfinished) => {
    await mkdir(join(unfinished, "benign"));
    await mkdir(join(unfinished, "malignant"));
    await runCooperatively("Drawing synthetic images", (signal) => drawImages(unfinished, plan, signal));
    await writeWholeFile(join(unfinished, "SYNTHETIC.md"), describeSet(plan));
  });
}

/**
 * Makes sure that a complete demo set of the present generator's version is there.
 *
 * @param folder - Default `data/demo`.
 * @returns The folder; its images were drawn only if one was missing, or the version or an option differs.
 * @throws As {@link generateDemoDataset}.
 */
export async function ensureDemoDataset(
  folder: string = join(dataFolder(), "demo"),
  options: DemoOptions = {},
): Promise<string> {
  if (!(await isComplete(folder, checkOptions(options)))) await generateDemoDataset(folder, options);
  return folder;
}

async function isComplete(folder: string, plan: Required<DemoOptions>): Promise<boolean> {
  const marker = await readFile(join(folder, "SYNTHETIC.md"), "utf8").catch(() => null);
  if (marker !== describeSet(plan)) return false;
  const present = await Promise.all(
    planImages(plan).map(({ file }) =>
      stat(join(folder, file)).then(
        (found) => found.isFile() && found.size > 0,
        () => false,
      ),
    ),
  );
  return present.every(Boolean);
}

/** The images of a set in the order in which they are drawn. */
function planImages(plan: Required<DemoOptions>): DemoImage[] {
  const patients = inventPatients(plan.patients, createRandom(plan.seed));
  return patients.flatMap((patient) =>
    Array.from({ length: plan.imagesPerPatient }, (_, number) => ({
      patient,
      number,
      file: `${patient.tumourClass}/${demoImageName(patient, number, plan.imagesPerPatient)}`,
    })),
  );
}

async function drawImages(folder: string, plan: Required<DemoOptions>, signal: AbortSignal): Promise<void> {
  const { width, height } = plan;
  const images = planImages(plan);
  const noise = makeNoiseTiles(createRandom(plan.seed).fork("noise"));
  const progress = startProgress("Drawing synthetic images", images.length, "images");
  const writes = new Set<Promise<void>>();
  try {
    for (const { patient, number, file } of images) {
      if (signal.aborted) {
        throw new Error(`Drawing the demo set was stopped before it was complete: run it again to have one.`);
      }
      const pixels = drawDemoImage(patient, number, plan, noise);
      const write = writePng(join(folder, file), pixels, width, height).then(() => {
        writes.delete(write);
        progress.advance();
      });
      writes.add(write);
      if (writes.size >= WRITES_IN_FLIGHT) await Promise.race(writes);
      await breathe();
    }
    await Promise.all(writes);
  } finally {
    await Promise.allSettled(writes);
    progress.finish();
  }
}

async function writePng(path: string, pixels: Uint8Array, width: number, height: number): Promise<void> {
  // Adaptive filters make noisy images a third smaller; a higher level would only take longer.
  const options = { compressionLevel: 2, adaptiveFiltering: true };
  const image = sharp(pixels, { raw: { width, height, channels: 3 } }).png(options);
  await writeWholeFile(path, await image.toBuffer(), { flush: false });
}

function checkOptions(options: DemoOptions): Required<DemoOptions> {
  const plan = { ...defaults, ...options };
  const lowest = { patients: 2, imagesPerPatient: 1, width: 32, height: 32, seed: 0 };
  for (const [name, least] of Object.entries(lowest)) {
    const value = plan[name as keyof DemoOptions];
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(
        `A demo set's "${name}" must be an integer of at least ${least}, but it is ${value}.`,
      );
    }
  }
  return plan;
}

async function refuseForeignFolder(folder: string): Promise<void> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  const isDemo = await stat(join(folder, "SYNTHETIC.md")).then(
    () => true,
    () => false,
  );
  if (isDemo) return;
  throw new Error(
    `${folder} exists and is no demo set (it has no SYNTHETIC.md), so it is not replaced. ` +
      `Name another folder, or move this one away.`,
  );
}

function describeSet(plan: Required<DemoOptions>): string {
  const { patients, imagesPerPatient, width, height, seed } = plan;
  return `# Synthetic images

The ${patients * imagesPerPatient} images in this folder (${patients} invented patients, ${imagesPerPatient} images each, \
${width} × ${height} pixels) were drawn by breakhis-lab's generator, version ${GENERATOR_VERSION}, with seed ${seed}. No tissue, \
no patient and no photograph is behind them: nuclei, glands and stroma are painted as amounts of haematoxylin and eosin \
and turned into colours by the Beer–Lambert law. Their names follow BreaKHis' scheme, with slide numbers from 90001 on, \
which BreaKHis doesn't have. They are there to try the notebooks without a download; a result on them says \
nothing about real tissue and allows no medical conclusion.
`;
}
