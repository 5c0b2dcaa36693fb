import { type Dataset, type ImageRecord, imagePath } from "../../data/dataset";
import { type ImageQuality, measureImages, rankAmong } from "../../data/images/image-quality";
import { encodeThumbnail } from "../../data/images/images";
import { isOpen } from "../../model/backbones/architecture";
import { type Explainable, type GradCam, gradCams } from "../../model/explanation/grad-cam";
import { type Outcome, outcomeOf } from "../../scores/examples-to-explain";
import type { Prediction } from "../../scores/prediction";
import { percent } from "../display/findings";
import { encodeHeatOverlay } from "../display/heat-overlay";

/** A test image beside what speaks for the classifier's answer; plain values, so that a report can keep it. */
export interface ExplainedImage {
  file: string;
  outcome: Outcome;
  trueClass: number;
  answer: number;
  /** Probability of the answer, in [0, 1]. */
  confidence: number;
  patient: string | null;
  subtype: string | null;
  magnification: number | null;
  /** Null where it was not measured. */
  quality: ImageQuality | null;
  /** What the quality is among the test images, in words. */
  qualityLines: string[];
  /** A JPEG as a data URL. */
  picture: string;
  /** The same with Grad-CAM over it; null where the backbone can't be looked into. */
  overlay: string | null;
}

/** Images and the qualities among which theirs are ranked. */
export interface ExplanationTask {
  dataset: Dataset;
  classifier: Explainable;
  predictions: readonly Prediction[];
  /** Quality by file, of all test images. */
  qualities: ReadonlyMap<string, ImageQuality>;
}

/** Pixels of a kept picture: sharp at 250 CSS pixels, some 25 kB. */
const pictureWidth = 350;

/**
 * Explains predictions with Grad-CAM, picture and heat map each, for a grid and for the report; where the backbone is
 * none of ours and can't be looked into, with the picture alone.
 *
 * @returns Those that were explained before an interrupt.
 * @throws Error naming the file if an image can't be read any more.
 */
export async function explainPredictions(task: ExplanationTask): Promise<ExplainedImage[]> {
  const { dataset, classifier, predictions, qualities } = task;
  const records = new Map(dataset.records.map((record) => [record.file, record]));
  const known = predictions.filter(({ file }) => records.has(file));
  const paths = known.map(({ file }) => imagePath(dataset, records.get(file)!));
  const maps: (GradCam | null)[] = isOpen(classifier.backbone)
    ? await gradCams(classifier, paths, { width: pictureWidth })
    : paths.map(() => null);
  const explained: ExplainedImage[] = [];
  for (const [i, map] of maps.entries()) {
    const { file, label, predicted, probabilities } = known[i]!;
    const { patient, subtype, magnification } = records.get(file)!;
    const quality = qualities.get(file) ?? null;
    const comparable = [...qualities].filter(
      ([other]) => records.get(other)?.magnification === magnification,
    );
    explained.push({
      file,
      outcome: outcomeOf(known[i]!, dataset.positiveClass),
      trueClass: label,
      answer: predicted,
      confidence: probabilities[predicted]!,
      patient,
      subtype,
      magnification,
      quality,
      qualityLines:
        quality === null
          ? []
          : qualityLines(
              quality,
              comparable.map(([, other]) => other),
              magnification,
            ),
      picture: await encodeThumbnail(paths[i]!, pictureWidth),
      overlay: map === null ? null : await encodeHeatOverlay(map, { width: pictureWidth }),
    });
  }
  return explained;
}

/** Measures the quality of the predicted images, by file; those not reached before an interrupt are left out. */
export async function measurePredicted(
  dataset: Dataset,
  predictions: readonly Prediction[],
): Promise<Map<string, ImageQuality>> {
  const wanted = new Set(predictions.map(({ file }) => file));
  const records = dataset.records.filter(({ file }) => wanted.has(file));
  const measured = await measureImages(dataset, records);
  const pairs = records.flatMap((record: ImageRecord, i): [string, ImageQuality][] => {
    const quality = measured[i] ?? null;
    return quality === null ? [] : [[record.file, quality]];
  });
  return new Map(pairs);
}

/**
 * What an image's quality is, and where it lies among others.
 *
 * @param others - Of the test images of the same magnification, on which focus depends; its own among them.
 */
export function qualityLines(
  quality: ImageQuality,
  others: readonly ImageQuality[],
  magnification: number | null,
): string[] {
  const kind = magnification === null ? "of unknown magnification" : `at ${magnification}×`;
  if (others.length < 2) return [`focus ${Math.round(quality.focus)}, the only test image ${kind}`];
  const among = (of: (one: ImageQuality) => number) => percent(rankAmong(of(quality), others.map(of)));
  return [
    `of ${others.length} test images ${kind}: sharper than ${among(({ focus }) => focus)} (focus ${Math.round(quality.focus)}),`,
    `more haematoxylin than ${among(({ haematoxylin }) => haematoxylin)}, more eosin than ${among(({ eosin }) => eosin)}`,
    `${percent(quality.background)} glass`,
  ];
}
