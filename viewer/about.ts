import type { AboutExport } from "../src/export/about-export";

/** What `viewer.json` holds: what `export.json` says, and what the page makes sure of before it answers. */
export interface ViewerAbout extends AboutExport {
  viewer: 1;
  /** Images in `check.bin`, uint8 [count, inputSize, inputSize, 3], and the probabilities that they must have. */
  checkImages: { count: number; probabilities: number[][] };
}
