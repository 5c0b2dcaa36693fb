import { enlargeBilinearly } from "../../data/images/bilinear";
import type { ImageView } from "../../data/images/image-views";
import { decodeImage, decodePicture } from "../../data/images/images";
import { inverseTurn, turnSquare } from "../../data/images/turned-image";
import { breathe, runCooperatively } from "../../runtime/interruption";
import { startProgress } from "../../runtime/progress";
import { type Classifier, classifierTransform, classifierViews } from "../classifier/classifier";
import { decide } from "../classifier/decision";
import { type ActivationMap, explainSeen, positivePart, seeImage } from "./activation-map";
import { scaleToOne } from "./weigh-activations";

/** What an explanation needs of a classifier. */
export type Explainable = Pick<
  Classifier,
  "backbone" | "head" | "classes" | "positiveClass" | "threshold" | "stain" | "views"
>;

/** Where in an image a classifier sees a class. */
export interface GradCam {
  /** As it was given. */
  file: string;
  /** Shape [height, width], in [0, 1]: 1 where most speaks for the class; all 0 where nothing does. */
  heat: Float32Array;
  /** Pixels of `heat`, in the image's own proportions; the network saw it stretched to a square. */
  height: number;
  width: number;
  /** The class that is explained. */
  className: string;
  /** Of that class, in [0, 1]; up to rounding what `predictImages` says. */
  probability: number;
  /** Index of the class that the classifier decides for. */
  predicted: number;
  /** Before it was enlarged and scaled. */
  map: ActivationMap;
}

/** What to explain, and how large. */
export interface GradCamOptions {
  /** Index of the class to explain; by default the one that the classifier decides for. */
  classIndex?: number | null;
  /** Greatest width of `heat` in pixels, by default 350; never more than the image has. */
  width?: number;
}

const usualWidth = 350;

/** Decodes an image as the classifier's backbone sees it; of several views, as the first one. */
export async function decodeForClassifier(
  classifier: Pick<Classifier, "backbone" | "stain">,
  file: string,
): Promise<Uint8Array> {
  const pixels = await decodeImage(file, classifier.backbone.inputSize);
  return classifierTransform(classifier)?.apply(pixels) ?? pixels;
}

/** A map of a view, laid over the image as it is. */
const layBack = (map: Float32Array, view: ImageView): Float32Array =>
  view.kind === "turned" ? turnSquare(map, 1, inverseTurn(view)) : map;

/** The mean of several rows of numbers, place by place. */
const meanOf = (rows: readonly ArrayLike<number>[]): number[] =>
  Array.from(rows[0]!, (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);

/**
 * Explains an answer as it is given: where it is the mean over views, by the mean of their maps, each turned back.
 *
 * @param pixels - Decoded, nothing else done to them yet.
 */
function mapOfViews(
  classifier: Explainable,
  pixels: Uint8Array,
  chooseClass: (probabilities: number[]) => number,
): ActivationMap {
  const { backbone, head } = classifier;
  const views = classifierViews(classifier);
  const seen = views.map((view) => {
    const transform = classifierTransform(classifier, view);
    return seeImage(backbone, head, transform === null ? pixels : transform.apply(pixels));
  });
  const probabilities = meanOf(seen.map((one) => one.probabilities));
  const classIndex = chooseClass(probabilities);
  const maps = seen.map((one, i) => layBack(explainSeen(head, one, classIndex), views[i]!));
  const signed = Float32Array.from(meanOf(maps));
  const { rows, columns } = seen[0]!;
  return { values: positivePart(signed), signed, rows, columns, classIndex, probabilities };
}

/**
 * Shows where in an image a classifier sees a class, by Grad-CAM (see `activationMap`), enlarged bilinearly.
 *
 * It is as coarse as the last stage: 7 × 7 cells at 224 pixels, each seeing far beyond its own square. It says
 * where the evidence lies, not what it is.
 *
 * @param file - Path of an image of any format and size.
 * @throws Error with the reason if the image can't be read; RangeError if there is no such class.
 *
 * @example
 * const { heat, width, height, probability } = await gradCam(classifier, path, { classIndex: 1 });
 */
export async function gradCam(
  classifier: Explainable,
  file: string,
  options: GradCamOptions = {},
): Promise<GradCam> {
  const { backbone, classes } = classifier;
  const pixels = await decodeImage(file, backbone.inputSize);
  const { width, height } = await decodePicture(file, options.width ?? usualWidth);
  const map = mapOfViews(
    classifier,
    pixels,
    (probabilities) => options.classIndex ?? decide(probabilities, classifier),
  );
  return {
    file,
    heat: enlargeBilinearly(scaleToOne(map.values), [map.rows, map.columns], [height, width]),
    height,
    width,
    className: classes[map.classIndex]!,
    probability: map.probabilities[map.classIndex]!,
    predicted: decide(map.probabilities, classifier),
    map,
  };
}

/**
 * Explains several images, one after the other; a notebook's stop button ends it with those that are done.
 *
 * @throws Error as `gradCam` does, at the first image that can't be explained.
 */
export async function gradCams(
  classifier: Explainable,
  files: readonly string[],
  options: GradCamOptions = {},
): Promise<GradCam[]> {
  const progress = startProgress("Explaining images", files.length, "images");
  try {
    return await runCooperatively("explaining images", async (signal) => {
      const explained: GradCam[] = [];
      for (const file of files) {
        if (signal.aborted) break;
        explained.push(await gradCam(classifier, file, options));
        progress.advance();
        await breathe();
      }
      return explained;
    });
  } finally {
    progress.finish();
  }
}
