import { join } from "node:path";
import sharp from "sharp";
import { writeWholeFile } from "../../runtime/files/write-file";
import { breathe } from "../../runtime/interruption";
import { createRandom } from "../../runtime/random";
import { makeNoiseTiles } from "./demo-noise";
import { type DemoPatient, demoImageName, drawDemoImage, inventPatients } from "./demo-patients";

/** Images being compressed while the next is drawn; sharp uses other threads for it. */
const writesInFlight = 4;

/** What a set is made of, completed and checked. */
export interface DemoPlan {
  patients: number;
  imagesPerPatient: number;
  width: number;
  height: number;
  seed: number;
}

interface DemoImage {
  patient: DemoPatient;
  number: number;
  /** Relative to the set's folder. */
  file: string;
}

/** The images of a set in the order in which they are drawn. */
export function planImages(plan: DemoPlan): DemoImage[] {
  const patients = inventPatients(plan.patients, createRandom(plan.seed));
  return patients.flatMap((patient) =>
    Array.from({ length: plan.imagesPerPatient }, (_, number) => ({
      patient,
      number,
      file: `${patient.tumourClass}/${demoImageName(patient, number, plan.imagesPerPatient)}`,
    })),
  );
}

async function writePng(path: string, pixels: Uint8Array, { width, height }: DemoPlan): Promise<void> {
  // Adaptive filters make noisy images a third smaller; a higher level would only take longer.
  const options = { compressionLevel: 2, adaptiveFiltering: true };
  const image = sharp(pixels, { raw: { width, height, channels: 3 } }).png(options);
  await writeWholeFile(path, await image.toBuffer(), { flush: false });
}

/** Thrown where drawing was stopped; a set is whole or not at all. */
export const stopped = "Drawing the demo set was stopped before it was complete: run it again to have one.";

/**
 * Draws every `of`-th image of a set, from `part` on: each image depends on the plan alone, not on who draws it.
 *
 * @param folder - Holds a folder for each class.
 * @param onDrawn - Called for each image that is written.
 * @throws Error if it was stopped.
 */
export async function drawPart(
  folder: string,
  plan: DemoPlan,
  { part, of }: { part: number; of: number },
  onDrawn: () => void,
  signal: AbortSignal,
): Promise<void> {
  const noise = makeNoiseTiles(createRandom(plan.seed).fork("noise"));
  const writes = new Set<Promise<void>>();
  try {
    for (const [i, { patient, number, file }] of planImages(plan).entries()) {
      if (i % of !== part) continue;
      if (signal.aborted) throw new Error(stopped);
      const pixels = drawDemoImage(patient, number, plan, noise);
      const write = writePng(join(folder, file), pixels, plan).then(() => {
        writes.delete(write);
        onDrawn();
      });
      // A failure is met where writes are waited for, not while the next image is drawn.
      write.catch(() => undefined);
      writes.add(write);
      if (writes.size >= writesInFlight) await Promise.race(writes);
      await breathe();
    }
    await Promise.all(writes);
  } finally {
    await Promise.allSettled(writes);
  }
}
