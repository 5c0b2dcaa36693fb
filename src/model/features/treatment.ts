import { asItIs, type ImageView, transformFor, viewsOf } from "../../data/images/image-views";
import { fitStainReference, type StainReference } from "../../data/images/stain-reference";
import { type Dataset, type ImageFiles, imageFile } from "../../data/record";
import { runCooperatively } from "../../runtime/interruption";
import type { Settings } from "../../runtime/settings";
import { countOf } from "../../runtime/words";
import type { Backbone } from "../backbones/architecture";
import { type FeatureValues, pickRows } from "./feature-rows";
import { extractFeatures, type Features, type ViewFeatures } from "./features";
import { originOf, treatmentIds } from "./features-origin";

/** What is done to images between decoding and the backbone. */
export interface Treatment {
  /** What stains are normalised to; null leaves them as they are. */
  stain: StainReference | null;
  /** Records that the reference was fitted on; none where there is no reference. */
  fittedOn: readonly number[];
  /** What the head learns from; the image as it is first. */
  views: readonly ImageView[];
}

/** The settings that decide about treatment. */
export type TreatmentSettings = Pick<Settings, "stain" | "augmentation">;

/**
 * Finds what is to be done to a data set's images: the views of the augmentation and, if stains are to be normalised,
 * what to, which only the training part is looked at for.
 *
 * @param options.train - Records of the training part.
 * @param options.inputSize - Edge in pixels that the network sees.
 * @throws Error if stains are to be normalised and no training image shows any.
 */
export async function fitTreatment(
  dataset: Dataset,
  settings: TreatmentSettings,
  { train, inputSize }: { train: readonly number[]; inputSize: number },
): Promise<Treatment> {
  const views = viewsOf(settings.augmentation);
  if (settings.stain === "as-is") return { stain: null, fittedOn: [], views };
  const images = train.map((row) => imageFile(dataset, dataset.records[row]!));
  return { stain: await fitStainReference(images, inputSize), fittedOn: train, views };
}

/** What was done to the images of a run, for features that are not in the cache any more. */
export function treatmentOfRun(
  { stain }: { stain: StainReference | null },
  { augmentation }: Pick<Settings, "augmentation">,
  { train }: { train: readonly number[] },
): Treatment {
  return { stain, fittedOn: stain === null ? [] : train, views: viewsOf(augmentation) };
}

/**
 * Computes the features of treated images, each view after the other, or takes them from the cache.
 *
 * @param options.rowsWithViews - Records whose further views are needed, by default all; the rows of others are NaN.
 * @returns `computed` and `fromCache` count all views. After an interrupt the views that were not reached are missing.
 * @throws Error naming the file if an image can't be read any more.
 */
export function extractTreated(
  images: ImageFiles,
  backbone: Backbone,
  treatment: Treatment,
  options: { rowsWithViews?: readonly number[] } = {},
): Promise<Features> {
  return runCooperatively("feature extraction", (signal) =>
    extractViews(images, backbone, treatment, { ...options, signal }),
  );
}

async function extractViews(
  images: ImageFiles,
  backbone: Backbone,
  treatment: Treatment,
  { signal, ...options }: { rowsWithViews?: readonly number[]; signal: AbortSignal },
): Promise<Features> {
  const { stain, fittedOn, views } = treatment;
  const [first = asItIs, ...further] = views;
  const tables = views.length;
  const features = await extractFeatures(images, backbone, { transform: transformFor(stain, first), tables });
  const treated: Features = stain === null ? features : { ...features, fittedOn };
  treated.origin = originOf(images, backbone, treatmentIds(stain, [first, ...further]));
  if (further.length === 0) return treated;
  const rows = options.rowsWithViews ?? images.records.map((_, row) => row);
  const seen = { ...images, records: rows.map((row) => images.records[row]!) };
  const found: ViewFeatures[] = [];
  for (const [i, view] of further.entries()) {
    // A stop between two views, or in the last batch of one, is seen here only.
    if (signal.aborted || !treated.complete) return { ...treated, views: found, complete: false };
    const extracted = await extractFeatures(seen, backbone, {
      transform: transformFor(stain, view),
      task: `Computing features, view ${i + 2} of ${views.length}`,
      tables,
    });
    found.push({ view, values: spreadRows(extracted, rows, features) });
    treated.complete = extracted.complete;
    treated.computed += extracted.computed;
    treated.fromCache += extracted.fromCache;
    treated.seconds += extracted.seconds;
  }
  return { ...treated, views: found };
}

/** Puts rows where their records are; the others are NaN. */
function spreadRows(extracted: Features, rows: readonly number[], { count, width }: Features): FeatureValues {
  if (rows.length === count && rows.every((row, i) => row === i)) return extracted.values;
  const places = new Int32Array(count).fill(-1);
  for (const [place, row] of rows.entries()) places[row] = place;
  return pickRows(extracted.values, width, places);
}

/**
 * Says what views and normalised stains cost, before it is paid; empty where they cost nothing.
 *
 * @param options.images - How many there are.
 * @param options.fits - How many training parts stains are normalised to: 1, or one a fold.
 *
 * @example
 * describeCost({ stain: "as-is", augmentation: "turns" }, { images: 90 });
 * // "Each of 90 images is seen in 8 views: what is not in the cache takes 8 times as long as the images alone."
 */
export function describeCost(
  { stain, augmentation }: TreatmentSettings,
  { images, fits = 1 }: { images: number; fits?: number },
): string {
  const views = viewsOf(augmentation).length;
  const times = views * (stain === "as-is" ? 1 : fits);
  if (times === 1) return "";
  const seen = views === 1 ? "" : ` in ${views} views`;
  const fitted =
    times === views ? "" : `, once for each of ${fits} training parts that stains are normalised to`;
  return (
    `Each of ${countOf(images, "image")} is seen${seen}${fitted}: ` +
    `what is not in the cache takes ${times} times as long as the images alone.`
  );
}

/**
 * Says how many features there are, and how many of them had to be computed.
 *
 * @example
 * describeFeatures({ count: 90, computed: 90, fromCache: 630, views: new Array(7) });
 * // "90 images in 8 views: 90 computed, 630 from the cache."
 */
export function describeFeatures(
  features: Pick<Features, "count" | "computed" | "fromCache" | "views">,
): string {
  const { count, computed, fromCache, views = [] } = features;
  const seen = views.length === 0 ? "" : ` in ${views.length + 1} views`;
  return `${countOf(count, "image")}${seen}: ${computed} computed, ${fromCache} from the cache.`;
}
