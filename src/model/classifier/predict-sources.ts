import pMap from "p-map";
import { inspectImages } from "../../data/images/image-index";
import { type ImageFacts, type Inspection, imageConcurrency, inspectImage } from "../../data/images/images";
import type { ImageSource, SourceGroup } from "../../data/layouts/image-sources";
import type { ImageFiles, SkippedImage } from "../../data/record";
import { runCooperatively } from "../../runtime/interruption";
import { pushAll } from "../../runtime/many";
import { startProgress } from "../../runtime/progress";
import { type Features, selectRows } from "../features/features";
import { extractTreated } from "../features/treatment";
import { type Classifier, classifierViews, type ImagePrediction } from "./classifier";
import { decideRows } from "./decision";
import { disagreements } from "./disagreement";
import { compareWithTraining, type Unlikeness } from "./familiarity";
import { headClassCount } from "./head";
import { predictRows } from "./predict-rows";

/** What a classifier says about an image that somebody asks about. */
export interface SourcePrediction extends ImageSource, ImagePrediction {
  /** Pixels, upright. */
  width: number;
  height: number;
  /** To the nearest training image; above 1 is unlike all of them. Null where the classifier remembers none. */
  distance: number | null;
  /** What speaks against the answer: ways in which the image is unlike the training images, numbers that look wrong, heads that disagree. */
  unlike: Unlikeness[];
}

/** Predictions of everything that could be read. */
export interface SourcePredictions {
  predictions: SourcePrediction[];
  skipped: SkippedImage[];
  /** False if it was interrupted; asked again, it goes on from there. */
  complete: boolean;
}

/** Features are held for so many images at a time: a few batches, so that thousands of images need no more memory. */
const chunkSize = 128;

type Inspected = ImageSource & { facts: ImageFacts };

async function inspectGroup({ folder, sources }: SourceGroup): Promise<Inspection[]> {
  const paths = sources.map(({ path }) => path);
  // Files given one by one have no folder that their facts could be kept for.
  if (folder === null) return pMap(paths, inspectImage, { concurrency: imageConcurrency });
  return (await inspectImages(folder, paths, paths)).inspections;
}

/** Paths are absolute: they begin in the root. */
const filesOf = (images: readonly Inspected[]): ImageFiles => ({
  folder: "/",
  records: images.map(({ path, facts }) => ({ file: path, sha256: facts.sha256 })),
});

function judge(classifier: Classifier, images: readonly Inspected[], features: Features): SourcePrediction[] {
  const { head, familiarity } = classifier;
  const classCount = headClassCount(head);
  const rows = images.map((_, row) => row);
  const answers = predictRows(head, features, rows, classifierViews(classifier));
  const decisions = decideRows(answers, classCount, classifier, (i) => images[i]!.file);
  const divided = disagreements(
    classifier,
    features,
    decisions.map(({ predicted }) => predicted),
  );
  return images.map(({ facts, ...source }, i) => {
    const row = selectRows(features, [i]);
    const { distance, unlike } =
      familiarity === undefined
        ? { distance: null, unlike: [] }
        : compareWithTraining(familiarity, row, facts);
    const { width: pixelWidth, height, note } = facts;
    const odd: Unlikeness[] = note === null ? [] : [{ about: "numbers", text: note }];
    const size = { width: pixelWidth, height };
    return { ...source, ...size, ...decisions[i]!, distance, unlike: [...unlike, ...odd, ...divided[i]!] };
  });
}

/**
 * Predicts images through the cache of features: to the bit what `predictImages` and a notebook say, and what was
 * computed before, in a run that was killed as well, is not computed again.
 *
 * @param groups - From `findSources`; thousands of images need no more memory than a few hundred.
 * @returns In the order of the sources. Files that can't be read are left out and listed.
 *
 * @example
 * const { predictions } = await predictSources(classifier, (await findSources(["images"])).groups);
 */
export async function predictSources(
  classifier: Classifier,
  groups: readonly SourceGroup[],
): Promise<SourcePredictions> {
  const images: Inspected[] = [];
  const skipped: SkippedImage[] = [];
  for (const group of groups) {
    const inspections = await inspectGroup(group);
    for (const [i, inspection] of inspections.entries()) {
      const source = group.sources[i]!;
      if (inspection.ok === true) images.push({ ...source, facts: inspection.facts });
      else skipped.push({ file: source.file, reason: inspection.reason });
    }
  }
  const progress = startProgress("Predicting", images.length, "images");
  const treatment = { stain: classifier.stain, fittedOn: [], views: classifierViews(classifier) };
  try {
    return await runCooperatively("predicting", async (signal) => {
      const predictions: SourcePrediction[] = [];
      for (let first = 0; first < images.length && !signal.aborted; first += chunkSize) {
        const chunk = images.slice(first, first + chunkSize);
        const features = await extractTreated(filesOf(chunk), classifier.backbone, treatment);
        if (!features.complete) break;
        pushAll(predictions, judge(classifier, chunk, features));
        progress.advance(chunk.length);
      }
      return { predictions, skipped, complete: predictions.length === images.length };
    });
  } finally {
    progress.finish();
  }
}
