/** What a split keeps together: a patient's images, nothing (each image by itself), or the folder's own train and test. */
export type SplitKind = "patient" | "image" | "folder";

/** A data set's images in three parts; images in no part are not used. */
export interface Split {
  by: SplitKind;
  seed: number;
  /** Indices into the data set's records, ascending. */
  train: number[];
  validation: number[];
  test: number[];
}

/** The names of a split's parts, in the order in which they are shown. */
export const splitParts = ["train", "validation", "test"] as const;

/** One of a split's parts. */
export type SplitPart = (typeof splitParts)[number];

/** The share of the images that each part should have; non-negative, their sum is 1. */
export type SplitFractions = Readonly<Record<SplitPart, number>>;

/** What splits by patient and by image aim at. */
export const defaultFractions: SplitFractions = { train: 0.6, validation: 0.2, test: 0.2 };
