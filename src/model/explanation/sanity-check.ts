import { breathe, runCooperatively } from "../../runtime/interruption";
import { mean } from "../../runtime/many";
import { startProgress } from "../../runtime/progress";
import { rangeRefusal } from "../../runtime/refusal";
import { type Backbone, requireOpen } from "../backbones/architecture";
import { decide } from "../classifier/decision";
import { buildHead, type Head } from "../classifier/head";
import { type ActivationMap, activationMap } from "./activation-map";
import { decodeForClassifier, type Explainable } from "./grad-cam";
import { spearman } from "./rank-correlation";

/** How one image's explanation changes when what was learned is taken away. */
export interface ImageSanity {
  file: string;
  /** The class explained: the one that the trained classifier decides for. */
  classIndex: number;
  trained: ActivationMap;
  /** Of the first draw, to be shown beside the trained one. */
  randomHead: ActivationMap;
  randomTop: ActivationMap;
  /** Spearman's correlation with the trained map before ReLU, one value a draw, in [-1, 1]. */
  headCorrelations: number[];
  topCorrelations: number[];
}

/** Whether explanations depend on what was learned, over several images. */
export interface SanityCheck {
  images: ImageSanity[];
  /**
   * Means over images and draws: near 1 if explanations show the same whatever was learned. A single draw may be
   * far from 0 by chance, on either side, because every channel is most active where there is something to see.
   */
  meanHeadCorrelation: number;
  meanTopCorrelation: number;
  /** False if it was interrupted. */
  complete: boolean;
}

function randomHeadLike(head: Head, seed: number): Head {
  const widths = head.layers.map(({ units }) => units);
  return buildHead({
    inputs: head.layers[0]!.inputs,
    hiddenUnits: widths.slice(0, -1),
    classCount: widths[widths.length - 1]!,
    seed,
  });
}

interface Trained {
  file: string;
  pixels: Uint8Array;
  map: ActivationMap;
}

/** One draw of a random head and a random top stage, over all images. */
async function drawMaps(
  classifier: Explainable,
  images: readonly Trained[],
  seed: number,
): Promise<{ head: ActivationMap; top: ActivationMap }[]> {
  const { backbone, head } = classifier;
  const randomHead = randomHeadLike(head, seed);
  const randomTop = requireOpen(backbone, "Grad-CAM").withRandomTop(seed);
  const maps: { head: ActivationMap; top: ActivationMap }[] = [];
  const explain = (network: Backbone, top: Head, { pixels, map }: Trained) =>
    activationMap(network, top, pixels, () => map.classIndex);
  try {
    for (const image of images) {
      maps.push({ head: explain(backbone, randomHead, image), top: explain(randomTop, head, image) });
      await breathe();
    }
  } finally {
    randomTop.dispose();
  }
  return maps;
}

async function explainTrained(classifier: Explainable, files: readonly string[]): Promise<Trained[]> {
  const images: Trained[] = [];
  for (const file of files) {
    const pixels = await decodeForClassifier(classifier, file);
    const choose = (probabilities: number[]) => decide(probabilities, classifier);
    images.push({ file, pixels, map: activationMap(classifier.backbone, classifier.head, pixels, choose) });
    await breathe();
  }
  return images;
}

/**
 * Checks that Grad-CAM shows what was learned: with a random head, or a random top stage below the trained head,
 * the maps must change. A method that shows edges whatever the network knows would not pass.
 *
 * Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018. Maps are compared on the network's own grid and
 * before ReLU, by Spearman's rank correlation; where a classifier answers from several views, of the image as it is.
 *
 * @param options.seed - Of the first draw, by default 0.
 * @param options.draws - Random heads and top stages to try, by default 3.
 * @throws RangeError if there are no files or draws; Error if an image can't be read.
 */
export async function sanityCheck(
  classifier: Explainable,
  files: readonly string[],
  options: { seed?: number; draws?: number } = {},
): Promise<SanityCheck> {
  const { seed = 0, draws = 3 } = options;
  if (files.length === 0 || draws < 1) {
    throw rangeRefusal(`A sanity check needs images and draws, found ${files.length} and ${draws}.`);
  }
  const progress = startProgress("Checking explanations", draws, "draws");
  try {
    return await runCooperatively("checking explanations", async (signal) => {
      const images = await explainTrained(classifier, files);
      const drawn: { head: ActivationMap; top: ActivationMap }[][] = [];
      // One draw at least, so that there is something to show.
      for (let draw = 0; draw < draws && !(signal.aborted && draw > 0); draw++) {
        drawn.push(await drawMaps(classifier, images, seed + draw));
        progress.advance();
      }
      return compareMaps(images, drawn, drawn.length === draws);
    });
  } finally {
    progress.finish();
  }
}

/** A map that is the same everywhere has no order, hence none in common with another. */
const orderInCommon = (one: ActivationMap, other: ActivationMap): number =>
  spearman(one.signed, other.signed) || 0;

function compareMaps(
  images: readonly Trained[],
  drawn: readonly { head: ActivationMap; top: ActivationMap }[][],
  complete: boolean,
): SanityCheck {
  const compared = images.map(({ file, map }, i): ImageSanity => {
    const draws = drawn.map((maps) => maps[i]!);
    return {
      file,
      classIndex: map.classIndex,
      trained: map,
      randomHead: draws[0]!.head,
      randomTop: draws[0]!.top,
      headCorrelations: draws.map(({ head }) => orderInCommon(map, head)),
      topCorrelations: draws.map(({ top }) => orderInCommon(map, top)),
    };
  });
  return {
    images: compared,
    meanHeadCorrelation: mean(compared.flatMap(({ headCorrelations }) => headCorrelations)),
    meanTopCorrelation: mean(compared.flatMap(({ topCorrelations }) => topCorrelations)),
    complete,
  };
}
