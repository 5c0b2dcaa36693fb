import { sha256 } from "../../runtime/cache/content-hash";
import { createRandom } from "../../runtime/random";
import { chainTransforms, type ImageTransform, stainNormalisation } from "./image-transform";
import { jitterStains, strongJitter } from "./stain-jitter";
import type { StainReference } from "./stain-reference";
import { allTurns, type Turn, turnSquare } from "./turned-image";

/** Stains changed at random, see `jitterStains`: the same for the same image, seed and number, whatever others there are. */
export interface StainJitter {
  seed: number;
  /** From 0 on; each gives another view of an image. */
  number: number;
  strength: number;
}

/** One way to see an image; plain values, saved with a classifier. */
export type ImageView = ({ kind: "turned" } & Turn) | ({ kind: "stained" } & StainJitter);

/** Which views of an image, besides itself, a head learns from. */
export const augmentations = ["none", "turns", "stains", "turns-and-stains"] as const;
export type Augmentation = (typeof augmentations)[number];

/** Raised by hand when a view computes something else than before. */
const viewVersion = 1;

/** The same for all runs, so that another split or other weights find the views in the cache. */
const jitterSeed = 1;

/** Views in other stains that an image has by default. */
export const stainViewCount = 3;

/** An image as it is: the first of all views. */
export const asItIs: ImageView = { kind: "turned", quarterTurns: 0, mirrored: false };

/** Views of an image with its stains changed; the image as it is is not among them. */
export function stainViews(count: number = stainViewCount, strength: number = strongJitter): ImageView[] {
  return Array.from({ length: count }, (_, number) => ({
    kind: "stained",
    seed: jitterSeed,
    number,
    strength,
  }));
}

/**
 * All views that an augmentation makes of an image, the image as it is first: 1, 8, 4 or 11.
 *
 * @example
 * viewsOf("turns").length; // 8
 */
export function viewsOf(augmentation: Augmentation): ImageView[] {
  const turned = augmentation === "turns" || augmentation === "turns-and-stains";
  const stained = augmentation === "stains" || augmentation === "turns-and-stains";
  return [
    ...allTurns
      .slice(0, turned ? allTurns.length : 1)
      .map((turn): ImageView => ({ kind: "turned", ...turn })),
    ...(stained ? stainViews() : []),
  ];
}

/** Tells views apart, and finds the same one again. */
export function viewId(view: ImageView): string {
  if (view.kind === "stained") {
    return `stains jittered ${viewVersion}: ${JSON.stringify([view.seed, view.number, view.strength])}`;
  }
  return `turned ${viewVersion}: ${view.quarterTurns}${view.mirrored ? ", mirrored" : ""}`;
}

function viewTransform(view: ImageView): ImageTransform | null {
  const id = viewId(view);
  if (view.kind === "turned") {
    return id === viewId(asItIs) ? null : { id, apply: (pixels) => turnSquare(pixels, 3, view) };
  }
  const random = createRandom(view.seed).fork(`stain view ${view.number}`);
  return { id, apply: (pixels) => jitterStains(pixels, random.fork(sha256(pixels)), view.strength) };
}

/**
 * What makes a view of an image: its stains normalised, where there is a reference, then the view.
 *
 * @returns Null where nothing is done to the image.
 */
export function transformFor(stain: StainReference | null, view: ImageView): ImageTransform | null {
  const seen = viewTransform(view);
  if (stain === null) return seen;
  const normalised = stainNormalisation(stain);
  return seen === null ? normalised : chainTransforms([normalised, seen]);
}
