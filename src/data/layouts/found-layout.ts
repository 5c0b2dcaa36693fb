/** How a data set's folders are arranged. */
export type Layout = "perceptilabs" | "kaggle" | "original" | "idc" | "class-folders";

/** An image that a layout's folders name, before anybody looked into it. */
export interface FoundImage {
  path: string;
  /** Relative to the layout's folder, forward slashes. */
  file: string;
  className: string;
  folderPart: "train" | "test" | null;
  /** Where the layout has a folder a patient. */
  patient?: string;
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
}
