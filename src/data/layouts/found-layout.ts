/** How a data set's folders are arranged. */
export type Layout = "perceptilabs" | "kaggle" | "original" | "idc" | "class-folders" | "labels";

/** A part that a data set's folders or its labels file put an image into. */
export type FolderPart = "train" | "validation" | "test";

/** An image that a layout's folders name, before anybody looked into it. */
export interface FoundImage {
  path: string;
  /** Relative to the layout's folder, forward slashes. */
  file: string;
  className: string;
  folderPart: FolderPart | null;
  /** Where the layout has a folder a patient, or its labels file says it; so the three below. */
  patient?: string;
  slide?: string;
  magnification?: number;
  /** BreaKHis' code, for example "DC". */
  subtype?: string;
}

/** A recognised data set, before anybody looked into its images. */
export interface FoundLayout {
  layout: Layout;
  /** The folder that the layout begins in: the one passed or one in it. */
  folder: string;
  images: FoundImage[];
  /** What should have been an image and can't be used, with the reason as the rest of a sentence. */
  skipped: { file: string; reason: string }[];
  warnings: string[];
  /** Name of the labels file that counts, where there is one. */
  labelsFile?: string;
}
