import { asItIs, type ImageView, viewId } from "../../data/images/image-views";
import type { FeatureValues } from "../features/feature-rows";
import { type Features, selectRows } from "../features/features";
import { type Head, predictHead } from "./head";

/**
 * The mean over views of the same images' probabilities; of a single view, its own to the bit.
 *
 * @param views - At least one, each of shape [n, classCount].
 */
export function meanOverViews(views: readonly Float32Array[]): Float32Array {
  const [first] = views;
  if (first === undefined) throw new RangeError("There is no view to take the mean of.");
  return first.map((_, i) => views.reduce((sum, view) => sum + view[i]!, 0) / views.length);
}

function valuesOf(features: Features, view: ImageView): FeatureValues {
  const id = viewId(view);
  if (id === viewId(asItIs)) return features.values;
  const found = features.views?.find((one) => viewId(one.view) === id);
  if (found !== undefined) return found.values;
  throw new Error(
    "The features lack a view of the images that probabilities are averaged over: compute them with the views of the run's augmentation.",
  );
}

/**
 * Predicts some records' class probabilities from their features: of the images as they are, or the mean over views.
 *
 * @param rows - Indices of records, in the order wanted.
 * @param views - What is averaged over; by default the image as it is alone.
 * @returns Shape [rows.length, classCount].
 * @throws Error if the features lack a view; RangeError if there is no such row.
 */
export function predictRows(
  head: Head,
  features: Features,
  rows: readonly number[],
  views: readonly ImageView[] = [asItIs],
): Float32Array {
  const { width, count } = features;
  return meanOverViews(
    views.map((view) =>
      predictHead(head, selectRows({ width, count, values: valuesOf(features, view) }, rows), width),
    ),
  );
}

/** The views that a head trained with these settings answers from: all that the features hold, or the image as it is. */
export function answeringViews(
  { views = [] }: Pick<Features, "views">,
  { averageViews = false }: { averageViews?: boolean },
): ImageView[] {
  return averageViews ? [asItIs, ...views.map(({ view }) => view)] : [asItIs];
}
