import { fingerprintImages } from "../../data/dataset-fingerprint";
import { type ImageView, transformFor, viewsOf } from "../../data/images/image-views";
import type { StainReference } from "../../data/images/stain-reference";
import type { ImageFiles } from "../../data/record";
import { sha256 } from "../../runtime/cache/content-hash";
import { describeArithmetic } from "../../runtime/device/arithmetic";
import { deviceKind } from "../../runtime/device/device";
import { refusal } from "../../runtime/refusal";
import type { Settings } from "../../runtime/settings";
import type { Backbone } from "../backbones/architecture";

/** Raised by hand when decoding, preprocessing or the networks compute something else than before. */
export const featuresVersion = 3;

/** What features were made of: whoever trains with them, or keeps what was trained, compares it with what was asked for. */
export interface FeaturesOrigin {
  version: number;
  /** Of exactly these images: `fingerprintImages`. */
  images: string;
  /** The backbone's name. */
  backbone: Backbone["name"];
  /** SHA-256 of the backbone's weights, in hexadecimal; of somebody else's network, with what is done around it. */
  weights: string;
  /** Edge in pixels. */
  inputSize: number;
  /** What was done to each image, view by view: normalised stains, turns, other stains. */
  views: readonly string[];
  device: "cpu" | "gpu";
  arithmetic: string;
}

const untouched = "as it is";

/** What is done to an image in each view, in words that tell one from the other. */
export function treatmentIds(stain: StainReference | null, views: readonly ImageView[]): string[] {
  return views.map((view) => transformFor(stain, view)?.id ?? untouched);
}

/** A network by all that its features depend on besides the images and their size, hexadecimal. */
export function networkChecksum({ weights, recipe }: Pick<Backbone, "weights" | "recipe">): string {
  if (recipe === undefined) return weights.sha256;
  return sha256(JSON.stringify([weights.sha256, Object.entries(recipe).sort()]));
}

/**
 * Says what features are made of, before or after they are computed.
 *
 * @param views - What is done to each image, view by view; null is nothing.
 */
export function originOf(
  { records }: Pick<ImageFiles, "records">,
  backbone: Pick<Backbone, "name" | "weights" | "inputSize" | "recipe">,
  views: readonly (string | null)[],
): FeaturesOrigin {
  const device = deviceKind();
  return {
    version: featuresVersion,
    images: fingerprintImages(records),
    backbone: backbone.name,
    weights: networkChecksum(backbone),
    inputSize: backbone.inputSize,
    views: views.map((id) => id ?? untouched),
    device,
    arithmetic: describeArithmetic(device),
  };
}

/** A key for exactly these features, in hexadecimal. */
export function originKey(origin: FeaturesOrigin): string {
  return sha256(JSON.stringify(Object.entries(origin).sort()));
}

/** What features have to be made of. */
export interface WantedFeatures {
  settings: Pick<Settings, "backbone" | "inputSize" | "stain" | "augmentation">;
  dataset: Pick<ImageFiles, "records">;
  /** Whose weights they were computed with. */
  backbone: Pick<Backbone, "weights" | "recipe">;
  /** What stains are normalised to; null leaves them as they are. */
  stain: StainReference | null;
}

/** Properties in which features are not what settings ask for, each in a few words. */
function differences(origin: FeaturesOrigin, wanted: WantedFeatures): string[] {
  const { settings, dataset, backbone, stain } = wanted;
  const views = treatmentIds(stain, viewsOf(settings.augmentation));
  const device = deviceKind();
  // Somebody else's network is named by its path, and known by its checksum.
  const named =
    backbone.recipe !== undefined || settings.backbone === "auto" ? origin.backbone : settings.backbone;
  const pairs: [what: string, found: string | number, expected: string | number][] = [
    ["the backbone", origin.backbone, named],
    ["the input size", origin.inputSize, settings.inputSize ?? origin.inputSize],
    ["normalised stains", String(stain !== null), String(settings.stain === "normalised")],
    ["the number of views", origin.views.length, views.length],
    ["the device", origin.device, device],
    ["the arithmetic", origin.arithmetic, describeArithmetic(device)],
  ];
  const told = pairs
    .filter(([, found, expected]) => found !== expected)
    .map(([what, found, expected]) => `${what} is ${found} instead of ${expected}`);
  const same: [what: string, same: boolean][] = [
    ["the images are others", origin.images === fingerprintImages(dataset.records)],
    ["the weights are others", origin.weights === networkChecksum(backbone)],
    ["stains or views are others", JSON.stringify(origin.views) === JSON.stringify(views)],
    ["the code that computed them is another", origin.version === featuresVersion],
  ];
  return [...told, ...same.flatMap(([what, isSame]) => (isSame ? [] : [what]))];
}

/**
 * Refuses features that were made of something else than what settings ask for.
 *
 * @param origin - Of the features; undefined where it is not known.
 * @throws Error that names each difference.
 */
export function refuseOtherFeatures(origin: FeaturesOrigin | undefined, wanted: WantedFeatures): void {
  const found = origin === undefined ? ["what they were made of is not known"] : differences(origin, wanted);
  if (found.length === 0) return;
  throw refusal(
    `These features don't belong to the settings: ${found.join("; ")}. Compute the features with these settings (trainRun does it by itself), then train.`,
  );
}
