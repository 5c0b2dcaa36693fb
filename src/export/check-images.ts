import { join } from "node:path";
import sharp from "sharp";
import { makeNoiseTiles } from "../data/demo/demo-noise";
import { drawDemoImage, inventPatients } from "../data/demo/demo-patients";
import { type Classifier, predictImages } from "../model/classifier/classifier";
import { decodeForClassifier } from "../model/explanation/grad-cam";
import { createRandom } from "../runtime/random";
import { exportTolerance } from "./about-export";

/** What an export is compared with: images as the network gets them, and what the classifier says about them. */
export interface CheckImages {
  /** RGB, 0..255, shape [count, inputSize, inputSize, 3]; stains normalised where the classifier does that. */
  pixels: Uint8Array;
  count: number;
  /** Shape [count, classCount]. */
  probabilities: number[][];
}

const drawnPatients = 5;

/** Synthetic tissue, and two images that have nothing of it: noise, and black beside white. */
function drawImages(size: number): Uint8Array[] {
  const seed = 7;
  const random = createRandom(seed);
  const noise = makeNoiseTiles(random.fork("noise"));
  const plan = { patients: drawnPatients, imagesPerPatient: 1, width: size, height: size, seed };
  const tissue = inventPatients(drawnPatients, random).map((patient) =>
    drawDemoImage(patient, 0, plan, noise),
  );
  const length = size * size * 3;
  const grains = Uint8Array.from({ length }, () => random.integer(256));
  const halves = Uint8Array.from({ length }, (_, i) => ((i / 3) % size < size / 2 ? 0 : 255));
  return [...tissue, grains, halves];
}

/**
 * Asks the classifier itself, by the way that every prediction takes, about drawn images and some of the user's.
 *
 * So whatever an export does not do that a prediction does shows as a difference.
 *
 * @param folder - Where the drawn ones are written.
 * @param files - Images of the user's, or none.
 * @throws Error with the reason if one of them can't be read.
 */
export async function askAboutCheckImages(
  classifier: Classifier,
  folder: string,
  files: readonly string[],
): Promise<CheckImages> {
  const size = classifier.inputSize;
  const drawn = await Promise.all(
    drawImages(size).map(async (pixels, i) => {
      const path = join(folder, `drawn-${i}.png`);
      await sharp(pixels, { raw: { width: size, height: size, channels: 3 } }).toFile(path);
      return path;
    }),
  );
  const paths = [...drawn, ...files];
  const { predictions, skipped } = await predictImages(classifier, paths);
  const [first] = skipped;
  if (first) throw new Error(`${first.file} can't be used to check the export: ${first.reason}.`);
  const pixels = new Uint8Array(paths.length * size * size * 3);
  for (const [i, path] of paths.entries()) {
    pixels.set(await decodeForClassifier(classifier, path), i * size * size * 3);
  }
  return { pixels, count: paths.length, probabilities: predictions.map((one) => one.probabilities) };
}

/** The largest difference between what an export answers and what it should. */
function largestDifference(found: ArrayLike<number>, { probabilities }: CheckImages): number {
  const expected = probabilities.flat();
  if (found.length !== expected.length) {
    throw new Error(
      `The export answers ${found.length} probabilities where ${expected.length} are expected.`,
    );
  }
  return expected.reduce((most, value, i) => {
    const difference = Math.abs(value - found[i]!);
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
  }, 0);
}

/**
 * Compares what an export answers with what it should.
 *
 * @returns The largest difference in probability.
 * @throws Error if it is more than `exportTolerance`.
 */
export function requireAgreement(found: ArrayLike<number>, check: CheckImages): number {
  const difference = largestDifference(found, check);
  if (difference <= exportTolerance) return difference;
  throw new Error(
    `The exported model answers otherwise than the classifier: probabilities differ by up to ${difference.toPrecision(2)}, where ${exportTolerance} is accepted. Nothing was written; the classifier may do something that an export can't carry.`,
  );
}
