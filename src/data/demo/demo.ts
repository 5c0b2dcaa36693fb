import { mkdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { writeFolderAtomically } from "../../runtime/files/atomic-folder";
import { writeWholeFile } from "../../runtime/files/write-file";
import { runCooperatively } from "../../runtime/interruption";
import { dataFolder } from "../../runtime/paths";
import { startProgress } from "../../runtime/progress";
import { drawTogether } from "./demo-artists";
import { type DemoPlan, planImages } from "./demo-drawing";

/** Raised by hand whenever the same seed would give other images, so that old sets are made anew. */
const GENERATOR_VERSION = 1;

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

const defaults: DemoPlan = {
  patients: 24,
  imagesPerPatient: 10,
  width: 700,
  height: 460,
  seed: 2016,
};

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

async function isComplete(folder: string, plan: DemoPlan): Promise<boolean> {
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

async function drawImages(folder: string, plan: DemoPlan, signal: AbortSignal): Promise<void> {
  const total = plan.patients * plan.imagesPerPatient;
  const progress = startProgress("Drawing synthetic images", total, "images");
  try {
    await drawTogether(folder, plan, () => progress.advance(), signal);
  } finally {
    progress.finish();
  }
}

function checkOptions(options: DemoOptions): DemoPlan {
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

function describeSet(plan: DemoPlan): string {
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
